import { describe, expect, it } from 'vitest'
import {
  APP_CREATED_TOPIC,
  UPGRADE_CONFIRMED_TOPIC,
} from '../../../sdk/chain/abi/app-controller.ts'
import { parseAppUpgraded } from '../../../sdk/chain/release-event.ts'
import {
  confirmsBlock,
  isUpgrade,
  selectConfirmedUpgrade,
} from '../../../sdk/chain/release-rule.ts'
import { type ChainLog, parseLogs } from '../../../sdk/chain/wire.ts'
import { APP_TOPIC, BLOCK, hash, logOf, readVector, upgradeV14, upgradeV15 } from './fixtures.ts'

const upgrade = (logIndex: number, transaction = logIndex) =>
  upgradeV15({}, {}, { logIndex, transactionHash: hash(transaction) })
const creation = (logIndex: number, transaction = logIndex) =>
  logOf({ topics: [APP_CREATED_TOPIC], logIndex, transactionHash: hash(transaction) })
const confirmation = (blockNumber: bigint, logIndex: number) =>
  logOf({ topics: [UPGRADE_CONFIRMED_TOPIC, APP_TOPIC], blockNumber, logIndex })

type Row = [
  name: string,
  upgrades: ChainLog[],
  confirmation: ChainLog | undefined,
  creation: ChainLog | undefined,
  expected: number | 'none' | 'ambiguous',
]

const later = BLOCK.number + 5n
const table: Row[] = [
  ['no event', [], undefined, undefined, 'none'],
  ['one event', [upgrade(3)], undefined, undefined, 3],
  ['one event of v1.4', [upgradeV14({}, {}, { logIndex: 4 })], undefined, undefined, 4],
  [
    'created with A, upgraded to B beside it',
    [upgrade(1, 9), upgrade(5)],
    undefined,
    creation(0, 9),
    1,
  ],
  [
    'that, and B confirmed later',
    [upgrade(1, 9), upgrade(5)],
    confirmation(later, 0),
    creation(0, 9),
    5,
  ],
  ['A, confirmed, B', [upgrade(1), upgrade(5)], confirmation(BLOCK.number, 3), undefined, 1],
  [
    'A, B, confirmed, C',
    [upgrade(1), upgrade(2), upgrade(5)],
    confirmation(BLOCK.number, 3),
    undefined,
    2,
  ],
  [
    'A, B, confirmed in a later block',
    [upgrade(1), upgrade(5)],
    confirmation(later, 0),
    undefined,
    5,
  ],
  ['A, B and nothing that confirms', [upgrade(1), upgrade(5)], undefined, undefined, 'ambiguous'],
  [
    'created with A and B in one transaction',
    [upgrade(1, 9), upgrade(2, 9)],
    undefined,
    creation(0, 9),
    'ambiguous',
  ],
  ['created elsewhere in the block', [upgrade(1), upgrade(5)], undefined, creation(7), 'ambiguous'],
  [
    'a confirmation before both',
    [upgrade(4), upgrade(5)],
    confirmation(BLOCK.number, 1),
    undefined,
    'ambiguous',
  ],
  [
    'two of v1.4, which confirms nothing',
    [upgradeV14({}, {}, { logIndex: 1 }), upgradeV14({}, {}, { logIndex: 2 })],
    undefined,
    creation(0, 1),
    'ambiguous',
  ],
  [
    'one of each version',
    [upgradeV14({}, {}, { logIndex: 1 }), upgrade(2)],
    confirmation(later, 0),
    undefined,
    'ambiguous',
  ],
]

describe('the confirmed release of a block', () => {
  it.each(table)('%s', (_name, upgrades, confirmed, created, expected) => {
    const selected = selectConfirmedUpgrade({
      upgrades,
      confirmation: confirmed,
      creation: created,
    })
    expect(typeof selected === 'string' ? selected : selected.logIndex).toBe(expected)
  })

  it('is the confirmed one in the block recorded from the real AppController', () => {
    const fixture = readVector('real-appcontroller-sameblock.json')
    const logs = parseLogs(fixture.logs, 100) ?? []
    const upgrades = logs.filter(isUpgrade)
    expect(upgrades).toHaveLength(2)
    const selected = selectConfirmedUpgrade({
      upgrades,
      confirmation: logs.find((log) =>
        confirmsBlock(log, BigInt(fixture.latestReleaseBlockNumber)),
      ),
      creation: logs.find((log) => log.topics[0] === APP_CREATED_TOPIC),
    })
    if (typeof selected === 'string') throw new Error(selected)
    const { imageDigest } = parseAppUpgraded(selected, BLOCK)
    expect(imageDigest).toBe(`sha256:${fixture.confirmedDigest.slice(2)}`)
    expect(imageDigest).not.toBe(`sha256:${fixture.unconfirmedDigest.slice(2)}`)
  })

  it('is confirmed only by an event that names this very block', () => {
    const data = `0x${BLOCK.number.toString(16).padStart(64, '0')}` as const
    const log = logOf({ topics: [UPGRADE_CONFIRMED_TOPIC, APP_TOPIC], data })
    expect(confirmsBlock(log, BLOCK.number)).toBe(true)
    expect(confirmsBlock(log, BLOCK.number + 1n)).toBe(false)
    expect(confirmsBlock({ ...log, data: `${data}00` }, BLOCK.number)).toBe(false)
    expect(confirmsBlock({ ...log, topics: [APP_CREATED_TOPIC] }, BLOCK.number)).toBe(false)
  })
})
