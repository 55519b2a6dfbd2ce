/**
 * `createClient()`: what an app calls to get its keys and secrets from the helper in its pod.
 *
 * Creating a client reads and opens nothing; every method is one request. Methods throw `EigenxError`;
 * only `isReachable` never throws.
 * @module
 */
import { EigenxError } from '../errors.ts'
import { isRsaAlgorithm } from './algorithms.ts'
import {
  parseAddresses,
  parseInfo,
  parseKey,
  parseMnemonic,
  parseSecret,
  parseStorageKey,
  parseTlsKey,
  parseVersion,
} from './answers.ts'
import { readEnvironment } from './node-http.ts'
import { parseProblem, unexpected } from './problem.ts'
import { createHelperTransport } from './transport.ts'
import type {
  AddressesAnswer,
  DerivedKey,
  InfoAnswer,
  KeyAlgorithm,
  KeyScope,
  Mnemonic,
  TlsKeyAnswer,
  Transport,
  VersionAnswer,
} from './types.ts'

export type ClientOptions = {
  /**
   * Socket path or http(s) base URL. Default: EIGENX_SIMULATOR_ENDPOINT, then `/run/eigenx/eigenx.sock` and
   * its neighbours.
   */
  endpoint?: string
  /** For each request, in milliseconds. The first one may wait for attestation. @default 60000, for RSA keys 600000 */
  timeoutMs?: number
  /** Replaces the socket, e.g. in tests or browsers. */
  transport?: Transport
}

export type Client = {
  /** Whether a helper answers within 500 ms. Never throws. */
  isReachable(): Promise<boolean>
  /** The app's BIP-39 words. */
  getMnemonic(options?: { words?: 12 | 24; scope?: KeyScope }): Promise<string>
  /** The words with where they come from: derived, or imported by the release. */
  getMnemonicInfo(options?: { words?: 12 | 24; scope?: KeyScope }): Promise<Mnemonic>
  /** EVM and Solana addresses of the mnemonic. */
  getAddresses(options?: { count?: number; start?: number }): Promise<AddressesAnswer>
  /**
   * A key pair for a label; the same label, algorithm and scope give the same key. The first time, an RSA key takes the helper seconds to
   * minutes: ask for it early.
   */
  getKey(
    path: string,
    options?: { algorithm?: KeyAlgorithm; scope?: KeyScope },
  ): Promise<DerivedKey>
  /** A stable P-256 key as PEM: for a domain, or the ACME account. Raise `version` (0 to 16777215) to rotate. */
  getTlsKey(
    options: { domain: string; version?: number } | { kind: 'acme-account' },
  ): Promise<TlsKeyAnswer>
  /** 32 bytes for data at rest; without a name the key that EigenCompute apps know. */
  getStorageKey(name?: string): Promise<Uint8Array>
  /** A value of the release's environment, sealed or public. @throws SECRET_NOT_FOUND */
  getSecret(name: string): Promise<string>
  /** Names of all values of the release's environment. */
  listSecrets(): Promise<readonly string[]>
  /**
   * A variable of this process. @throws SEALED_VALUE when it was never unsealed: better than running on
   * with the ciphertext as a password.
   */
  env(name: string): string | undefined
  info(): Promise<InfoAnswer>
  version(): Promise<VersionAnswer>
}

const DEFAULT_TIMEOUT_MS = 60_000
/** A search of 4096 bits on a small and busy machine, behind another one. */
const RSA_TIMEOUT_MS = 600_000
const REACHABLE_TIMEOUT_MS = 500

/**
 * @example
 * ```ts
 * const client = createClient()
 * const mnemonic = await client.getMnemonic()
 * const { privateKey } = await client.getKey('wallet/hot', { algorithm: 'ed25519' })
 * ```
 */
export function createClient(options: ClientOptions = {}): Client {
  const transport = options.transport ?? createHelperTransport(options)
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS
  const ask = async (name: string, request: object, limitMs = timeoutMs): Promise<unknown> =>
    await exchange(transport, name, request, limitMs)
  const mnemonic = async (request: object = {}): Promise<Mnemonic> =>
    parseMnemonic(await ask('GetMnemonic', request))
  return {
    isReachable: async () => {
      try {
        parseVersion(await ask('Version', {}, REACHABLE_TIMEOUT_MS))
        return true
      } catch {
        return false
      }
    },
    getMnemonic: async (request) => (await mnemonic(request)).mnemonic,
    getMnemonicInfo: mnemonic,
    getAddresses: async (request = {}) => parseAddresses(await ask('GetAddresses', request)),
    getKey: async (path, request = {}) => {
      const asked = {
        path,
        algorithm: request.algorithm ?? 'secp256k1',
        scope: request.scope ?? 'app',
      }
      const limitMs = isRsaAlgorithm(asked.algorithm)
        ? (options.timeoutMs ?? RSA_TIMEOUT_MS)
        : timeoutMs
      const key = parseKey(await ask('GetKey', { path, ...request }, limitMs))
      // A wrong key under the right name is worse than none.
      if (key.path !== asked.path || key.algorithm !== asked.algorithm || key.scope !== asked.scope)
        throw unexpected('a key for another label')
      return key
    },
    getTlsKey: async (request) => parseTlsKey(await ask('GetTlsKey', request)),
    getStorageKey: async (name) =>
      parseStorageKey(await ask('GetStorageKey', name === undefined ? {} : { name })),
    getSecret: async (name) => {
      const answer = parseSecret(await ask('GetSecret', { name }))
      if (!('value' in answer) || answer.name !== name) throw unexpected('another secret')
      return answer.value
    },
    listSecrets: async () => {
      const answer = parseSecret(await ask('GetSecret', {}))
      if (!('names' in answer)) throw unexpected('no names')
      return answer.names
    },
    env: (name) => {
      const value = readEnvironment(name)
      if (value?.startsWith('sealed.')) throw stillSealed(name)
      return value
    },
    info: async () => parseInfo(await ask('Info', {})),
    version: async () => parseVersion(await ask('Version', {})),
  }
}

async function exchange(
  transport: Transport,
  name: string,
  request: object,
  timeoutMs: number,
): Promise<unknown> {
  const answer = await transport({ path: `/${name}`, body: JSON.stringify(request), timeoutMs })
  if (answer.status !== 200) throw parseProblem(answer.status, answer.body)
  try {
    return JSON.parse(answer.body)
  } catch {
    throw unexpected('not JSON')
  }
}

function stillSealed(name: string): EigenxError<'SEALED_VALUE'> {
  return new EigenxError({
    code: 'SEALED_VALUE',
    message: `the environment variable ${name} is still sealed`,
    stage: 'agent',
    details: { name },
    hint: 'The guest did not unseal it before the container started; see the Confidential Data Hub log.',
  })
}
