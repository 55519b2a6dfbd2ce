/**
 * What the chain answers.
 * @module
 */

import { concatBytes, parseHex, toHex, utf8ToBytes } from '../../sdk/bytes.ts'
import {
  APP_UPGRADED_V14_TOPIC,
  APP_UPGRADED_V15_TOPIC,
} from '../../sdk/chain/abi/app-controller.ts'
import { parseSocket } from '../../sdk/chain/operators.ts'
import { parseAppUpgraded } from '../../sdk/chain/release-event.ts'
import { parseCallResult, parseHeader, parseLogs } from '../../sdk/chain/wire.ts'
import { APP_TOPIC, BLOCK, logOf, text, upgradeV14, upgradeV15 } from '../sdk/chain/fixtures.ts'
import { JSON_TOKENS, json, ofJson, ofText, type Target, total } from './kit.ts'

const filled = (length: number, value: number) => new Uint8Array(length).fill(value)
const log = {
  address: `0x${'aa'.repeat(20)}`,
  topics: [`0x${'11'.repeat(32)}`],
  data: '0xbeef',
  blockNumber: '0x10',
  blockHash: `0x${'22'.repeat(32)}`,
  transactionHash: `0x${'33'.repeat(32)}`,
  transactionIndex: '0x0',
  logIndex: '0x1',
  removed: false,
}

const release = (
  name: string,
  topic: `0x${string}`,
  logs: readonly { data: string }[],
): Target => ({
  name: `release-${name}`,
  seeds: () => logs.map(({ data }) => parseHex(data) ?? filled(1, 0)),
  dictionary: [
    filled(32, 0),
    filled(32, 0xff),
    concatBytes(filled(31, 0), Uint8Array.of(0x20)),
    ...JSON_TOKENS,
  ],
  prepare: () =>
    total((bytes) =>
      parseAppUpgraded(logOf({ topics: [topic, APP_TOPIC], data: toHex(bytes) }), BLOCK),
    ),
  cost: 4,
})
const CONTENTS = [{}, { publicEnv: text('{"A":"b","EIGENX_TEE_X":"1"}') }] as const

export const CHAIN_TARGETS: readonly Target[] = [
  {
    name: 'chain-header',
    seeds: () => [json({ number: '0x10', hash: `0x${'ab'.repeat(32)}`, timestamp: '0x65' })],
    dictionary: [...JSON_TOKENS, '"0x"', '0x', '"0x00"'],
    prepare: () =>
      total(ofJson(parseHeader), ({ number, timestamp }) => number >= 0n && timestamp >= 0),
    cost: 1,
  },
  {
    name: 'chain-call',
    seeds: () => [json('0xabcd')],
    dictionary: [...JSON_TOKENS, '0x'],
    prepare: () =>
      total(ofJson(parseCallResult), (hex) => toHex(parseHex(hex) ?? filled(1, 0)) === hex),
    cost: 1,
  },
  {
    name: 'chain-logs',
    seeds: () => [json([log]), json([log, { ...log, logIndex: '0x2', topics: [] }])],
    dictionary: [...JSON_TOKENS, '"0x"', '"removed":true', '"0x10"'],
    prepare: () =>
      total(
        ofJson((value) => parseLogs(value, 100)),
        (logs) => logs.every((item) => parseHex(item.data) !== undefined && item.logIndex >= 0),
      ),
    cost: 1,
  },
  release(
    'v15',
    APP_UPGRADED_V15_TOPIC,
    CONTENTS.map((change) => upgradeV15({}, change)),
  ),
  release(
    'v14',
    APP_UPGRADED_V14_TOPIC,
    CONTENTS.map((change) => upgradeV14({}, change)),
  ),
  {
    name: 'operator-socket',
    seeds: () => ['http://127.0.0.1:8000/', 'https://op.example.com/a/b'].map(utf8ToBytes),
    dictionary: ['http://', '@', '?', '#', '[::1]', ':', '/', '//', '\\', '%00', '..'],
    prepare: () =>
      total(ofText(parseSocket), (base) => !base.endsWith('/') && URL.canParse(`${base}/x`)),
    cost: 1,
  },
]
