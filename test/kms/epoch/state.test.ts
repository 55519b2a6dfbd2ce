/** The pure parts of a node's state, as tables. */
import { describe, expect, it } from 'vitest'
import { due, type Self, step } from '../../../kms/epoch/machine.ts'
import {
  comingMembers,
  EMPTY_STATE,
  EMPTY_VIEW,
  type EpochOptions,
  membershipChanged,
  type NodeState,
  turnOf,
  type View,
} from '../../../kms/epoch/state.ts'
import { blobHash } from '../../../sdk/protocol/dealing.ts'
import type { Winner } from '../../../sdk/protocol/log.ts'
import { outputHash } from '../../../sdk/protocol/output.ts'
import { NO_OUTPUT } from '../../../sdk/protocol/terms.ts'
import { CONFIG_BLOCK, DOMAIN, GENESIS, INFOS } from '../../sdk/protocol/kit.ts'

const OPTIONS: EpochOptions = {
  genesis: true,
  postSeconds: 6,
  vetoSeconds: 6,
  finalitySeconds: 4,
  graceSeconds: 20,
  slotMs: 4_000,
  patienceMs: 4_000,
  sessionMs: 40_000,
  reshareSeconds: 100,
  keyRotationSeconds: 0,
}
const [FIRST] = GENESIS.members
const self = (options: Partial<EpochOptions> = {}): Self => ({
  operator: FIRST?.address ?? '0x',
  options: { ...OPTIONS, ...options },
  root: NO_OUTPUT,
})
const winner: Winner = {
  output: GENESIS,
  hash: outputHash(DOMAIN, GENESIS),
  certificate: { signatures: [] },
  body: new Uint8Array([1]),
  blob: blobHash(new Uint8Array([1])),
  at: { block: CONFIG_BLOCK, logIndex: 0 },
}
const SETTLED: NodeState = {
  ...EMPTY_STATE,
  log: { winners: [winner], nextEpoch: 1, convictions: new Map(), changes: [] },
  through: 50n,
  finalTime: GENESIS.vetoBy + 1,
}
const set = (operators = INFOS): View['operators'] => ({
  avs: DOMAIN.avs,
  operatorSetId: DOMAIN.operatorSetId,
  operators,
  block: CONFIG_BLOCK,
})
const view = (change: Partial<View> = {}): View => ({
  ...EMPTY_VIEW,
  pending: SETTLED.log,
  operators: set(),
  ...change,
})
const leave = { operator: FIRST?.address ?? '0x', notAfter: 10_000, signature: new Uint8Array(65) }
const STRANGER = `0x${'ee'.repeat(20)}` as const
const key = (byte: number) => new Uint8Array(32).fill(byte)

describe('who the next members are', () => {
  it.each<[string, Partial<View>, boolean]>([
    ['the same set', {}, false],
    ['nothing known yet', { operators: undefined }, false],
    ['one less', { operators: set(INFOS.slice(1)) }, true],
    ['a leave', { leaves: [leave] }, true],
    [
      'a known key that is the same',
      { keys: new Map([[leave.operator, FIRST?.encryptionKey ?? key(1)]]) },
      false,
    ],
    ['a known key that is another', { keys: new Map([[leave.operator, key(9)]]) }, true],
    ['a key of a stranger', { keys: new Map([[STRANGER, key(9)]]) }, false],
  ])('%s', (_name, change, expected) => {
    expect(membershipChanged(view(change), SETTLED.log, SETTLED.finalTime)).toBe(expected)
  })

  it('are the operators without those that leave', () => {
    expect(comingMembers(view())).toEqual(GENESIS.members.map(({ address }) => address))
    expect(comingMembers(view({ leaves: [leave] }))).not.toContain(leave.operator)
  })
})

describe('when an epoch opens', () => {
  const active = GENESIS.activateAt
  const opensAt = (seconds: number, change: Partial<View> = {}, options = {}, state = SETTLED) => {
    const moved = step(self(options), state, { type: 'tick', view: view(change) }, seconds * 1000)
    return moved.verdict === 'valid' && moved.state.opened?.epoch === state.log.nextEpoch
  }
  const left = { operators: set(INFOS.slice(1)) }

  it.each<[string, boolean, boolean]>([
    ['before the interval is over', opensAt(active + 99), false],
    ['when it is over', opensAt(active + 100), true],
    [
      'never by time alone when it is off',
      opensAt(active + 9_999, {}, { reshareSeconds: 0 }),
      false,
    ],
    ['at once when a member goes', opensAt(active, left, { reshareSeconds: 0 }), true],
    ['but not before the activation', opensAt(active - 1, left), false],
    [
      'nor while a complaint may still void the last output',
      opensAt(active + 100, {}, {}, { ...SETTLED, finalTime: GENESIS.vetoBy }),
      false,
    ],
    [
      'nor while an entry waits for finality',
      opensAt(active + 100, { pending: { ...SETTLED.log, nextEpoch: 2 } }),
      false,
    ],
    ['nor without a look at the chain', opensAt(active + 100, { operators: undefined }), false],
    [
      'a genesis where it is allowed',
      opensAt(1, { pending: EMPTY_STATE.log }, {}, EMPTY_STATE),
      true,
    ],
    [
      'no genesis where it is not',
      opensAt(1, { pending: EMPTY_STATE.log }, { genesis: false }, EMPTY_STATE),
      false,
    ],
  ])('%s', (_name, opens, expected) => {
    expect(opens).toBe(expected)
  })
})

describe('leaves', () => {
  const add = (state: NodeState, notAfter: number) =>
    step(self(), state, { type: 'leave', leave: { ...leave, notAfter } }, 0)

  it('are kept once per operator, the longest, and dropped when they end', () => {
    const first = add(SETTLED, 5_000)
    if (first.verdict !== 'valid') throw new Error('kept')
    expect(add(first.state, 5_000).verdict).toBe('skip')
    const longer = add(first.state, 6_000)
    expect(longer).toMatchObject({ verdict: 'valid', state: { leaves: [{ notAfter: 6_000 }] } })
    const later = { ...first.state, finalTime: 5_001 }
    const ticked = step(self(), later, { type: 'tick', view: view() }, 0)
    expect(ticked).toMatchObject({ verdict: 'valid', state: { leaves: [] } })
  })

  it('are told to others by the operator that leaves alone', () => {
    const state = { ...SETTLED, leaves: [leave] }
    const sends = (operator: Self['operator']) =>
      due({ ...self(), operator }, state, view(), 0).some(({ type }) => type === 'sendLeave')
    expect(sends(leave.operator)).toBe(true)
    expect(sends(GENESIS.members[1]?.address ?? '0x')).toBe(false)
  })
})

describe('sweeping', () => {
  it('deletes what neither state nor pending entries name', () => {
    const [named] = GENESIS.dealings
    const stray = `0x${'cd'.repeat(32)}` as const
    const event = {
      type: 'sweep' as const,
      stored: [named?.hash ?? '0x', stray],
      pending: SETTLED.log,
    }
    for (const state of [SETTLED, { ...SETTLED, log: EMPTY_STATE.log }])
      expect(step(self(), state, event, 0)).toMatchObject({
        verdict: 'valid',
        writes: [{ type: 'deleteBlob', hash: stray }],
      })
    const clean = { ...event, stored: [named?.hash ?? '0x'] } as const
    expect(step(self(), SETTLED, clean, 0).verdict).toBe('skip')
  })
})

describe('turns', () => {
  it('go round from the epoch’s number, and strangers have none', () => {
    const members = GENESIS.members.map(({ address }) => address)
    const n = members.length
    for (let epoch = 0; epoch < 2 * n; epoch++)
      expect(members.map((member) => turnOf(members, member, epoch)).sort()).toEqual(
        members.map((_, i) => i),
      )
    expect(turnOf(members, members[0] ?? '0x', 0)).toBe(0)
    expect(turnOf(members, members[0] ?? '0x', 1)).toBe(n - 1)
    expect(turnOf(members, `0x${'ee'.repeat(20)}`, 0)).toBeUndefined()
  })
})
