/**
 * Reads one AppUpgraded event of either version into a release. Pure; limits come before parsing.
 *
 * publicEnv is a JSON object of strings as a Go operator reads it: `null` is an empty object, a null value an empty
 * string, of repeated names the last one counts, unpaired surrogates become U+FFFD. Stricter than Go in two points:
 * bytes that are not UTF-8 are refused, and so is a repeated `EIGENX_TEE_*` name, since those carry what a developer
 * pins and must have one reading only.
 * @module
 */
import { parse as parseJson } from 'lossless-json'
import { decodeEventLog } from 'viem'
import { bytesToHex, parseHex, parseUtf8, utf8ToBytes } from '../bytes.ts'
import { EigenxError } from '../errors.ts'
import {
  APP_UPGRADED_V14_TOPIC,
  APP_UPGRADED_V15_TOPIC,
  appUpgradedV14,
  appUpgradedV15,
} from './abi/app-controller.ts'
import type { Address, BlockRef, ContainerPolicy, Release } from './types.ts'
import type { ChainLog } from './wire.ts'

/** Bytes of event data; an event could otherwise be as large as a block's gas allows. */
const MAX_EVENT_BYTES = 512 * 1024
const MAX_PUBLIC_ENV_BYTES = 128 * 1024
const MAX_ENCRYPTED_ENV_BYTES = 256 * 1024
const MAX_REGISTRY_CHARS = 512
/** Items of one list in a container policy, and characters of all its strings together. */
const MAX_POLICY_ITEMS = 1024
const MAX_POLICY_CHARS = 128 * 1024
const PINNED_NAMES = /^EIGENX_TEE_/

const EMPTY_POLICY: ContainerPolicy = {
  args: [],
  cmdOverride: [],
  env: {},
  envOverride: {},
  restartPolicy: '',
}

/**
 * @param block - The header of the log's block.
 * @throws EigenxError RELEASE_INVALID
 */
export function parseAppUpgraded(log: ChainLog, block: BlockRef): Release {
  const app: Address = `0x${(log.topics[1] ?? '').slice(26)}`
  const refuse = (reason: string) =>
    new EigenxError({
      code: 'RELEASE_INVALID',
      message: `The release on chain cannot be used: ${reason}`,
      stage: 'release',
      details: { appId: app, reason },
      hint: 'Publish a corrected release and have it confirmed.',
    })
  if ((log.data.length - 2) / 2 > MAX_EVENT_BYTES) throw refuse('the event is too large')
  const { abi, rmsReleaseId, release, policy } = decodeUpgrade(log, refuse)

  const [artifact, ...others] = release.rmsRelease.artifacts
  if (artifact === undefined || others.length > 0)
    throw refuse(`it has ${release.rmsRelease.artifacts.length} artifacts instead of one`)
  if (artifact.registry.length > MAX_REGISTRY_CHARS) throw refuse('the registry name is too long')
  const encryptedEnv = parseHex(release.encryptedEnv)
  if (encryptedEnv === undefined || encryptedEnv.length > MAX_ENCRYPTED_ENV_BYTES)
    throw refuse('encryptedEnv is too large')

  return {
    app,
    block: { number: block.number, hash: block.hash, timestamp: block.timestamp },
    logIndex: log.logIndex,
    rmsReleaseId,
    imageDigest: `sha256:${artifact.digest.slice(2)}`,
    registry: artifact.registry,
    publicEnv: parsePublicEnv(parseHex(release.publicEnv), refuse),
    encryptedEnv: bytesToHex(encryptedEnv),
    containerPolicy: policy === undefined ? EMPTY_POLICY : readPolicy(policy, refuse),
    abi,
  }
}

type Refuse = (reason: string) => EigenxError<'RELEASE_INVALID'>

type Pairs = readonly { key: string; value: string }[]

type WirePolicy = {
  args: readonly string[]
  cmdOverride: readonly string[]
  env: Pairs
  envOverride: Pairs
  restartPolicy: string
}

function decodeUpgrade(log: ChainLog, refuse: Refuse) {
  const [topic0, ...rest] = log.topics
  const input = { data: log.data, strict: true } as const
  try {
    if (topic0 === APP_UPGRADED_V15_TOPIC) {
      const { args } = decodeEventLog({
        ...input,
        abi: [appUpgradedV15],
        topics: [topic0, ...rest],
      })
      const { rmsReleaseId, release } = args
      return { abi: 'v1.5', rmsReleaseId, release, policy: release.containerPolicy } as const
    }
    if (topic0 === APP_UPGRADED_V14_TOPIC) {
      const { args } = decodeEventLog({
        ...input,
        abi: [appUpgradedV14],
        topics: [topic0, ...rest],
      })
      // Before v1.5 a release had no container policy.
      return { abi: 'v1.4', ...args, policy: undefined } as const
    }
  } catch {
    throw refuse('the event does not fit its ABI')
  }
  throw refuse('the event is of no known version')
}

function parsePublicEnv(bytes: Uint8Array | undefined, refuse: Refuse): Record<string, string> {
  if (bytes === undefined || bytes.length > MAX_PUBLIC_ENV_BYTES)
    throw refuse('publicEnv is too large')
  const text = parseUtf8(bytes)
  if (text === undefined) throw refuse('publicEnv is not UTF-8')
  const repeated: string[] = []
  let value: unknown
  try {
    value = parseJson(text, null, {
      onDuplicateKey: ({ key, newValue }) => {
        repeated.push(key)
        return newValue
      },
    })
  } catch {
    throw refuse('publicEnv is not JSON')
  }
  if (value === null) return {}
  if (typeof value !== 'object' || Array.isArray(value))
    throw refuse('publicEnv is not a JSON object')
  const pin = repeated.find((name) => PINNED_NAMES.test(name))
  if (pin !== undefined) throw refuse(`publicEnv names ${pin} twice`)
  const entries = Object.entries(value).map(([name, item]): [string, string] => {
    if (item !== null && typeof item !== 'string')
      throw refuse('publicEnv holds something else than strings')
    return [wellFormed(name), wellFormed(item ?? '')]
  })
  // fromEntries defines its properties, so a name like __proto__ is a name like any other.
  return Object.fromEntries(entries)
}

function readPolicy(policy: WirePolicy, refuse: Refuse): ContainerPolicy {
  const { args, cmdOverride, env, envOverride, restartPolicy } = policy
  const lists: readonly (readonly unknown[])[] = [args, cmdOverride, env, envOverride]
  if (lists.some((list) => list.length > MAX_POLICY_ITEMS))
    throw refuse('containerPolicy has too many items')
  const pairs = [...env, ...envOverride].flatMap(({ key, value }) => [key, value])
  const characters = [...args, ...cmdOverride, ...pairs, restartPolicy].reduce(
    (sum, text) => sum + text.length,
    0,
  )
  if (characters > MAX_POLICY_CHARS) throw refuse('containerPolicy is too large')
  return {
    args: [...args],
    cmdOverride: [...cmdOverride],
    env: toRecord(env),
    envOverride: toRecord(envOverride),
    restartPolicy,
  }
}

/** Of repeated names the last one counts. */
function toRecord(pairs: Pairs): Record<string, string> {
  return Object.fromEntries(pairs.map(({ key, value }) => [key, value]))
}

const utf8 = new TextDecoder()

/** Unpaired surrogates become U+FFFD, as in Go. */
function wellFormed(text: string): string {
  return utf8.decode(utf8ToBytes(text))
}
