/**
 * Recorded and hand-made logs for the tests of release reading.
 * @module
 */
import { readFileSync } from 'node:fs'
import { encodeAbiParameters } from 'viem'
import { type ReleaseInput, releaseStruct } from '../../../helper/sim/contracts.ts'
import { type Hex, toHex, utf8ToBytes } from '../../../sdk/bytes.ts'
import {
  APP_UPGRADED_V14_TOPIC,
  APP_UPGRADED_V15_TOPIC,
  appUpgradedV14,
  appUpgradedV15,
} from '../../../sdk/chain/abi/app-controller.ts'
import type { BlockRef, Hash32 } from '../../../sdk/chain/types.ts'
import type { ChainLog } from '../../../sdk/chain/wire.ts'

export const APP = '0xd0236d0731428df5b5e5fbc8b5f95237989a0818'
export const DIGEST = `sha256:${'ab'.repeat(32)}`
export const BLOCK: BlockRef = {
  number: 100n,
  hash: `0x${'11'.repeat(32)}`,
  timestamp: 1_800_000_000,
}

export function readVector(name: string) {
  return JSON.parse(readFileSync(new URL(`../../vectors/chain/${name}`, import.meta.url), 'utf8'))
}

export function hash(byte: number): Hash32 {
  return `0x${byte.toString(16).padStart(2, '0').repeat(32)}`
}

/** A log of `APP` in `BLOCK`. */
export function logOf(fields: Partial<ChainLog>): ChainLog {
  return {
    address: `0x${'c0'.repeat(20)}`,
    topics: [],
    data: '0x',
    blockNumber: BLOCK.number,
    blockHash: BLOCK.hash,
    transactionHash: hash(1),
    transactionIndex: 0,
    logIndex: 0,
    ...fields,
  }
}

export const APP_TOPIC: Hash32 = `0x${APP.slice(2).padStart(64, '0')}`

type Overrides = {
  publicEnv?: Uint8Array
  artifacts?: readonly { digest: Hex; registry: string }[]
  encryptedEnv?: Uint8Array
}

/** An AppUpgraded log of v1.5 as the contract would emit it, with any field broken at will. */
export function upgradeV15(
  release: Partial<ReleaseInput> = {},
  overrides: Overrides = {},
  fields: Partial<ChainLog> = {},
): ChainLog {
  const struct = structOf(release, overrides)
  const [, id, shape] = appUpgradedV15.inputs
  const data = encodeAbiParameters([id, shape] as never, [7n, struct] as never)
  return logOf({ topics: [APP_UPGRADED_V15_TOPIC, APP_TOPIC], data, ...fields })
}

export function upgradeV14(
  release: Partial<ReleaseInput> = {},
  overrides: Overrides = {},
  fields: Partial<ChainLog> = {},
): ChainLog {
  const struct = structOf(release, overrides)
  const [, id, shape] = appUpgradedV14.inputs
  const data = encodeAbiParameters([id, shape] as never, [7n, struct] as never)
  return logOf({ topics: [APP_UPGRADED_V14_TOPIC, APP_TOPIC], data, ...fields })
}

export function text(value: string): Uint8Array {
  return utf8ToBytes(value)
}

function structOf(release: Partial<ReleaseInput>, overrides: Overrides): Record<string, unknown> {
  const struct = releaseStruct({ imageDigest: DIGEST, ...release })
  return {
    ...struct,
    ...(overrides.publicEnv === undefined ? {} : { publicEnv: toHex(overrides.publicEnv) }),
    ...(overrides.encryptedEnv === undefined
      ? {}
      : { encryptedEnv: toHex(overrides.encryptedEnv) }),
    ...(overrides.artifacts === undefined
      ? {}
      : { rmsRelease: { artifacts: overrides.artifacts, upgradeByTime: 0 } }),
  }
}
