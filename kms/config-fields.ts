/**
 * Kinds of values in `operator.toml` that several sections use.
 * @module
 */
import { z } from 'zod'
import { isLoopbackHost } from '../sdk/loopback.ts'

export const address = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/, 'expected 0x and 40 hex digits')
  .transform((text): `0x${string}` => `0x${text.slice(2).toLowerCase()}`)
export const path = z.string().min(1).max(4096)
export const httpUrl = z
  .string()
  .max(2048)
  .refine((text) => isHttpUrl(text), 'expected an http or https URL')
/** A URL that may be printed: it has no user name, no password. */
export const plainUrl = z
  .string()
  .max(2048)
  .refine(
    (text) => isHttpUrl(text) && !hasCredentials(text),
    'expected an http or https URL without credentials',
  )
export const count = (low: number, high: number) => z.int().min(low).max(high)
/** SHA-384, as launch measurements, registers and digests of keys are. */
export const digest48 = z.string().regex(/^[0-9a-f]{96}$/, 'expected 96 lower-case hex digits')

/** `1.55` or `1.55.21`: so many numbers of a byte. */
export const version = (parts: 2 | 3) =>
  z.string().refine((text) => {
    const numbers = text.split('.')
    return (
      numbers.length === parts &&
      numbers.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255)
    )
  }, `expected ${parts} numbers up to 255 with points between them`)

/** `2026-05-01`, as Unix seconds of its first moment in UTC. */
export const date = z.iso
  .date('expected a date such as "2026-05-01"')
  .transform((text) => Date.parse(text) / 1000)
/** The days, in UTC and both included, on which an entry of a list of images counts: two images overlap while fleets are updated. */
export const windowFields = { from: date.optional(), until: date.optional() }
export const isWindow = ({
  from,
  until,
}: {
  from?: number | undefined
  until?: number | undefined
}) => from === undefined || until === undefined || from <= until
export const WINDOW_ORDER = { message: 'from must not be after until', path: ['until'] }

function isHttpUrl(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol } = new URL(text)
  return protocol === 'http:' || protocol === 'https:'
}

function hasCredentials(url: string): boolean {
  const { username, password } = new URL(url)
  return username !== '' || password !== ''
}

/** For what decides whom the operator believes, or what it can fetch: TLS, save from a process on this machine, and no credentials. */
export function isProtectedUrl(text: string): boolean {
  if (!isHttpUrl(text)) return false
  if (hasCredentials(text)) return false
  const { protocol, hostname } = new URL(text)
  return protocol === 'https:' || isLoopbackHost(hostname)
}
