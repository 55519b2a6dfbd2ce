/**
 * The environment of the confirmed release: its public part as the operators tell it, and its sealed
 * part, which only the app key opens. Both are JSON objects of strings. A sealed value wins over a
 * public one of the same name, so a public default never shadows a secret.
 * @module
 */
import { parseHex, parseUtf8 } from '../sdk/bytes.ts'
import { decryptWithAppKey } from '../sdk/crypto/ibe.ts'
import { EigenxError } from '../sdk/errors.ts'

type EnvironmentValue = { value: string; sealed: boolean }
export type Environment = ReadonlyMap<string, EnvironmentValue>

const MAX_ENTRIES = 4096
const MAX_NAME = 512
const MAX_DOCUMENT_BYTES = 1024 * 1024

export type EnvironmentInput = {
  appId: string
  appKey: Uint8Array
  /** Lower-case hex of the sealed envelope, "" where the release has none. */
  encryptedEnv: string
  /** JSON text, "" where the release has none. */
  publicEnv: string
}

/**
 * @throws EigenxError RELEASE_INVALID when a part is not what a release holds,
 *   CIPHERTEXT_INVALID when the sealed part was not sealed to this app
 */
export function openEnvironment(input: EnvironmentInput): Environment {
  const { appId, appKey, encryptedEnv, publicEnv } = input
  const environment = new Map<string, EnvironmentValue>()
  const add = (text: string, what: string, sealed: boolean): void => {
    for (const [name, value] of parseStrings(appId, text, what))
      environment.set(name, { value, sealed })
  }
  if (publicEnv.trim() !== '') add(publicEnv, 'public environment', false)
  if (encryptedEnv !== '') {
    if (encryptedEnv.length > 2 * MAX_DOCUMENT_BYTES)
      throw invalid(appId, 'the sealed environment is too large')
    const ciphertext = parseHex(encryptedEnv)
    if (ciphertext === undefined) throw invalid(appId, 'the sealed environment is not hex')
    const plaintext = decryptWithAppKey({ appKey, appId, ciphertext })
    const text = parseUtf8(plaintext)
    plaintext.fill(0)
    if (text === undefined) throw invalid(appId, 'the sealed environment is not UTF-8')
    // Developers seal an empty environment as an empty text.
    if (text.trim() !== '') add(text, 'sealed environment', true)
  }
  return environment
}

/** Errors say which part is wrong and never quote it. */
function parseStrings(appId: string, text: string, what: string): readonly [string, string][] {
  if (text.length > MAX_DOCUMENT_BYTES) throw invalid(appId, `the ${what} is too large`)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw invalid(appId, `the ${what} is not JSON`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid(appId, `the ${what} is not a JSON object`)
  const entries: [string, unknown][] = Object.entries(value)
  if (entries.length > MAX_ENTRIES) throw invalid(appId, `the ${what} has too many entries`)
  return entries.map(([name, content]) => {
    if (name === '' || name.length > MAX_NAME || typeof content !== 'string')
      throw invalid(appId, `the ${what} has an entry that is not a named string`)
    return [name, content]
  })
}

function invalid(appId: string, reason: string): EigenxError<'RELEASE_INVALID'> {
  return new EigenxError({
    code: 'RELEASE_INVALID',
    message: `the release cannot be used: ${reason}`,
    stage: 'release',
    details: { appId, reason },
  })
}
