/**
 * `eigenx-tee/browser`: encrypt for an app, before or without ever talking to it.
 *
 * Identity-based encryption needs the app id and the operators' master public key, and nothing else. That key decides
 * who can read: take it from a source you trust, or let `loadMasterPublicKey` compare a downloaded one with a pin.
 * A key that merely came from the same server as the page is no protection from that server.
 * @module
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, equalBytes, parseAnyBase64, parseHex, utf8ToBytes } from './bytes.ts'
import { parsePublicKeyG2 } from './crypto/bls.ts'
import { encryptForApp as encryptBytes } from './crypto/ibe.ts'
import { EigenxError } from './errors.ts'

export { type Hex, toHex } from './bytes.ts'
export { EigenxError, type ErrorCode, isEigenxError } from './errors.ts'

export type EncryptForAppInput = {
  /** Exactly as the app's release spells it: another spelling is another app. */
  appId: string
  /** 96 bytes, or 192 hex digits. */
  masterPublicKey: Uint8Array | string
  /** Text is encoded as UTF-8. */
  data: Uint8Array | string
}

/**
 * @returns The envelope; `toHex` it for a release, or hand it to the app as bytes.
 * @throws EigenxError POINT_INVALID, REQUEST_INVALID
 *
 * @example
 * ```ts
 * const sealed = encryptForApp({ appId: '0x…', masterPublicKey: '…192 hex digits…', data: 'hello' })
 * ```
 */
export function encryptForApp(input: EncryptForAppInput): Uint8Array {
  const { appId, data } = input
  if (!/^0x[0-9a-fA-F]{40}$/.test(appId)) throw invalid('appId', 'expected 0x and 40 hex digits')
  return encryptBytes({
    appId,
    masterPublicKey: parseMasterPublicKey(input.masterPublicKey, 'masterPublicKey'),
    plaintext: typeof data === 'string' ? utf8ToBytes(data) : data,
  })
}

export type LoadMasterPublicKeyInput = {
  /** Where any operator, or a mirror, serves `GET /pubkey`. */
  url: string
  /** What the answer must be: the key as 192 hex digits, or its SHA-256 as 64. Ship it with your code. */
  pin: string
  /** @default 10000, in milliseconds */
  timeoutMs?: number
  fetch?: typeof globalThis.fetch
}

const MAX_ANSWER_BYTES = 256 * 1024

/**
 * Downloads the master public key and compares it with the pin.
 * @throws EigenxError CONFIG_INVALID without a pin, KEY_MISMATCH when the answer is another key,
 *   AGENT_UNREACHABLE, AGENT_PROTOCOL, TIMEOUT
 */
export async function loadMasterPublicKey(input: LoadMasterPublicKeyInput): Promise<Uint8Array> {
  const pin = parsePin(input.pin)
  const key = parsePublicKeyAnswer(await download(input))
  const actual = pin.length === 32 ? sha256(key) : key
  if (!equalBytes(actual, pin))
    throw new EigenxError({
      code: 'KEY_MISMATCH',
      message: 'the server gave another master public key than the pinned one',
      stage: 'key',
      details: {},
      hint: 'Do not encrypt to it. The master public key of an operator set never changes.',
    })
  return key
}

/** The pin that belongs to a key: its SHA-256 as hex. */
export function pinOfMasterPublicKey(masterPublicKey: Uint8Array | string): string {
  return bytesToHex(sha256(parseMasterPublicKey(masterPublicKey, 'masterPublicKey')))
}

async function download(input: LoadMasterPublicKeyInput): Promise<string> {
  const { url, timeoutMs = 10_000, fetch = globalThis.fetch } = input
  const failed = (cause: unknown) =>
    new EigenxError({
      code: 'AGENT_UNREACHABLE',
      message: 'the master public key cannot be downloaded',
      stage: 'agent',
      details: { endpoint: 'master public key' },
      cause,
    })
  try {
    const response = await fetch(url, {
      redirect: 'error',
      credentials: 'omit',
      signal: AbortSignal.timeout(timeoutMs),
    })
    if (!response.ok) throw failed(response.status)
    return await readLimited(response)
  } catch (error) {
    if (error instanceof EigenxError) throw error
    if (error instanceof Error && error.name === 'TimeoutError')
      throw new EigenxError({
        code: 'TIMEOUT',
        message: `the master public key did not arrive within ${timeoutMs} ms`,
        stage: 'agent',
        details: { what: 'master public key', afterMs: timeoutMs },
      })
    throw failed(error)
  }
}

async function readLimited(response: Response): Promise<string> {
  const reader = response.body?.getReader()
  if (reader === undefined) return ''
  const decoder = new TextDecoder()
  let size = 0
  let text = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return text + decoder.decode()
    size += value.length
    if (size > MAX_ANSWER_BYTES) {
      await reader.cancel()
      throw unexpected('the answer is too large')
    }
    text += decoder.decode(value, { stream: true })
  }
}

/** The JSON of `GET /pubkey`, or the bare key as hex. */
function parsePublicKeyAnswer(text: string): Uint8Array {
  const bare = parseHex(text.trim(), 96)
  if (bare !== undefined) return bare
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw unexpected('neither JSON nor hex')
  }
  const point = field(value, 'masterPublicKey')
  const encoded = field(point, 'CompressedBytes')
  const key = typeof encoded === 'string' ? parseAnyBase64(encoded) : undefined
  if (key?.length !== 96) throw unexpected('there is no master public key in it')
  return key
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
  return Object.getOwnPropertyDescriptor(value, name)?.value
}

function parsePin(pin: string | undefined): Uint8Array {
  const bytes = typeof pin === 'string' ? parseHex(pin) : undefined
  if (bytes?.length === 32 || bytes?.length === 96) return bytes
  throw new EigenxError({
    code: 'CONFIG_INVALID',
    message: 'pin: a downloaded master public key is used only when it equals a pin',
    stage: 'config',
    details: { path: 'pin' },
    hint: 'Pass its SHA-256 (64 hex digits) or the key itself (192), from your own check of the chain log.',
  })
}

function parseMasterPublicKey(key: Uint8Array | string, path: string): Uint8Array {
  const bytes = typeof key === 'string' ? parseHex(key, 96) : key
  if (bytes?.length !== 96) throw invalid(path, 'expected 96 bytes')
  parsePublicKeyG2(bytes)
  return bytes
}

function unexpected(reason: string): EigenxError<'AGENT_PROTOCOL'> {
  return new EigenxError({
    code: 'AGENT_PROTOCOL',
    message: `not a master public key: ${reason}`,
    stage: 'agent',
    details: { reason },
  })
}

function invalid(path: string, problem: string): EigenxError<'REQUEST_INVALID'> {
  return new EigenxError({
    code: 'REQUEST_INVALID',
    message: `${path}: ${problem}`,
    stage: 'request',
    details: { path },
  })
}
