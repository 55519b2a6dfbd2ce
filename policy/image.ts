/**
 * Image references by the grammar of the distribution project (`reference/regexp.go`, OCI distribution
 * specification 1.1): `[domain/]path[:tag][@digest]`, tag and digest together included.
 *
 * Only a whole, well-formed reference counts: a digest somewhere in a longer text is no identity.
 * @module
 */

export type ImageReference = {
  /** Registry host and port as written, absent where the reference has none. */
  domain?: string
  path: string
  tag?: string
  /** `sha256:` and 64 lower-case hex digits, or another registered algorithm. */
  digest?: string
}

const MAX_REFERENCE = 1024
const MAX_NAME = 255

const DOMAIN =
  /^(?:(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*|\[[0-9a-fA-F:]{2,45}\])(?::[0-9]{1,5})?$/
const PATH_COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/
const SHA256 = /^sha256:[0-9a-f]{64}$/
const SHA512 = /^sha512:[0-9a-f]{128}$/

/** @returns The parts, or `undefined` when the text is not a reference. */
export function parseImageReference(text: string): ImageReference | undefined {
  if (text.length === 0 || text.length > MAX_REFERENCE) return undefined
  const [beforeDigest = '', digest, ...more] = text.split('@')
  if (more.length > 0) return undefined
  if (digest !== undefined && !SHA256.test(digest) && !SHA512.test(digest)) return undefined
  const colon = beforeDigest.lastIndexOf(':')
  // A colon before the last slash belongs to the port.
  const tagged = colon > beforeDigest.lastIndexOf('/')
  const name = tagged ? beforeDigest.slice(0, colon) : beforeDigest
  const tag = tagged ? beforeDigest.slice(colon + 1) : undefined
  if (tag !== undefined && !TAG.test(tag)) return undefined
  const parts = parseName(name)
  if (parts === undefined) return undefined
  return {
    ...parts,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  }
}

/** `sha256:` and 64 lower-case hex digits. */
export function isSha256Digest(text: string): boolean {
  return SHA256.test(text)
}

function parseName(name: string): { domain?: string; path: string } | undefined {
  if (name.length > MAX_NAME) return undefined
  const components = name.split('/')
  const [first = '', ...rest] = components
  const hasDomain = rest.length > 0 && (/[.:A-Z[]/.test(first) || first === 'localhost')
  const path = hasDomain ? rest : components
  if (hasDomain && !DOMAIN.test(first)) return undefined
  if (!path.every((component) => PATH_COMPONENT.test(component))) return undefined
  return { ...(hasDomain ? { domain: first } : {}), path: path.join('/') }
}
