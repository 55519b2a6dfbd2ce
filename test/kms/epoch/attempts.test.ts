/** Which attempts at an epoch a node follows when more are begun than it can. */
import { describe, expect, it } from 'vitest'
import { type NodeEvent, type Self, step } from '../../../kms/epoch/machine.ts'
import { EMPTY_STATE, type NodeState } from '../../../kms/epoch/state.ts'
import type { Address, Hash32 } from '../../../sdk/chain/types.ts'
import { EMPTY_LOG } from '../../../sdk/protocol/log.ts'
import { NO_OUTPUT } from '../../../sdk/protocol/terms.ts'
import { CONFIG_BLOCK, hashOf } from '../../sdk/protocol/kit.ts'

const SESSION_MS = 20_000
const MEMBERS = Array.from({ length: 30 }, (_, i) => ({
  address: `0x${(i + 1).toString(16).padStart(40, '0')}` as Address,
  encryptionKey: new Uint8Array(32).fill(1),
}))
const THRESHOLD = 20
/** As many as may lie. */
const LIARS = MEMBERS.slice(0, 10).map(({ address }) => address)
const HONEST = MEMBERS.slice(10).map(({ address }) => address)
const SELF: Self = {
  operator: HONEST[0] ?? '0x',
  root: NO_OUTPUT,
  options: {
    genesis: true,
    postSeconds: 60,
    vetoSeconds: 6,
    finalitySeconds: 4,
    graceSeconds: 20,
    slotMs: 1_000,
    patienceMs: 1_000,
    sessionMs: SESSION_MS,
    reshareSeconds: 0,
    keyRotationSeconds: 0,
  },
}

function take(state: NodeState, event: NodeEvent, now: number): NodeState {
  const moved = step(SELF, state, event, now)
  return moved.verdict === 'valid' ? moved.state : state
}

function open(state: NodeState, proposer: Address, name: string, now: number): NodeState {
  const terms = {
    epoch: 0,
    prev: NO_OUTPUT,
    configBlock: CONFIG_BLOCK,
    leaves: [],
    members: MEMBERS,
    threshold: THRESHOLD,
  }
  const setup = hashOf(`setup ${name}`)
  return take(state, { type: 'setup', sid: hashOf(name), terms, proposer, setup }, now)
}

const names = (state: NodeState) => state.sessions.map(({ sid }) => sid)

it('members that lie push out nobody but each other, however often they begin', () => {
  let state = open(EMPTY_STATE, HONEST[0] ?? '0x', 'honest', 0)
  for (let round = 0; round < 6; round++)
    for (const liar of LIARS) state = open(state, liar, `${liar} ${round}`, round * SESSION_MS)
  expect(state.sessions.length).toBe(LIARS.length + 2)
  expect(names(state)).toContain(hashOf('honest'))
  // Each of them is there with its newest.
  for (const liar of LIARS) expect(names(state)).toContain(hashOf(`${liar} 5`))
})

it('one that can still make it stays', () => {
  const [first, ...others] = HONEST as [Address, ...Address[]]
  const sid = hashOf('under way')
  const hash = hashOf('candidate')
  const candidate = {
    hash,
    blob: hash,
    proposer: first,
    signature: undefined,
    dealings: [],
    postBy: 1_000,
  }
  let state = open(EMPTY_STATE, first, 'under way', 0)
  state = take(state, { type: 'session', sid, event: { type: 'candidate', candidate } }, 0)
  const checked = { type: 'candidateChecked' as const, hash, ok: true }
  state = take(state, { type: 'session', sid, event: checked }, 0)
  for (const [i, other] of others.entries()) state = open(state, other, other, i)
  expect(names(state)).toContain(sid)
  // Once its time is over it is the first to go.
  expect(names(open(state, first, 'another', 1_001_000))).not.toContain(sid)
})

describe('a candidate that this node signed in an attempt that is pushed out', () => {
  const candidateOf = (proposer: Address, name: string, postBy: number) => ({
    hash: hashOf(name),
    blob: hashOf(`${name} body`),
    proposer,
    signature: undefined,
    dealings: [{ dealer: proposer, hash: hashOf(`dealing of ${name}`) }],
    postBy,
  })
  const sign = (state: NodeState, sid: Hash32, hash: Hash32): NodeState => {
    const signature = new Uint8Array(65)
    const share = { output: hash, epoch: 0, status: 'held' as const }
    return [
      { type: 'candidateChecked' as const, hash, ok: true },
      { type: 'signature' as const, hash, operator: SELF.operator, signature },
    ].reduce(
      (signed, event) => take(signed, { type: 'session', sid, event }, 0),
      take(state, { type: 'share', share }, 0),
    )
  }
  const propose = (state: NodeState, sid: Hash32, candidate: ReturnType<typeof candidateOf>) =>
    take(state, { type: 'session', sid, event: { type: 'candidate', candidate } }, 0)
  /** With so many attempts of others that there is room for none of the first ones. */
  const pushAllOut = (state: NodeState, round = '') =>
    LIARS.concat(HONEST.slice(1)).reduce(
      (crowded, other) => open(crowded, other, `${other}${round}`, 1_001_000),
      state,
    )
  const final = (finalTime: number, nextEpoch = 0): NodeEvent => ({
    type: 'log',
    log: { ...EMPTY_LOG, nextEpoch },
    through: BigInt(finalTime),
    finalTime,
  })
  const deleted = (state: NodeState, event: NodeEvent) => {
    const moved = step(SELF, state, event, 1_001_000)
    if (moved.verdict !== 'valid') throw new Error('nothing moved')
    const hashes = moved.writes.flatMap((write) => (write.type === 'deleteBlob' ? write.hash : []))
    return { ...moved, hashes }
  }
  const sid = hashOf('mine')

  const abandoned = () => {
    let state = propose(
      open(EMPTY_STATE, SELF.operator, 'mine', 0),
      sid,
      candidateOf(SELF.operator, 'signed', 1_000),
    )
    state = propose(state, sid, candidateOf(SELF.operator, 'unsigned', 1_000))
    state = pushAllOut(sign(state, sid, hashOf('signed')))
    expect(names(state)).not.toContain(sid)
    return state
  }

  it('keeps its bodies and its share: others may have a certificate of it', () => {
    const state = abandoned()
    expect(state.abandoned.map(({ hash }) => hash)).toEqual([hashOf('signed')])
    // In the second of its end it may still be in a block.
    const { state: after, hashes } = deleted(state, final(1_000))
    expect(hashes).toEqual([])
    expect(after.abandoned).toHaveLength(1)
    expect(after.shares).toHaveLength(1)
  })

  it('keeps them until the chain shows that it did not win', () => {
    const { state, hashes, writes } = deleted(abandoned(), final(1_001))
    expect(hashes.sort()).toEqual([hashOf('signed body'), hashOf('dealing of signed')].sort())
    expect(writes).toContainEqual({
      type: 'eraseSecret',
      name: { kind: 'share', epoch: 0, id: hashOf('signed') },
    })
    expect([state.abandoned, state.shares]).toEqual([[], []])
  })

  it('or until the epoch is decided otherwise', () => {
    const { state, hashes } = deleted(abandoned(), final(900, 1))
    expect(hashes).toContain(hashOf('signed body'))
    expect(state.abandoned).toEqual([])
  })

  it('is kept once, however often the attempt comes back', () => {
    let state = open(abandoned(), SELF.operator, 'mine', 2_002_000)
    state = propose(state, sid, candidateOf(SELF.operator, 'signed', 1_000))
    state = pushAllOut(sign(state, sid, hashOf('signed')), ' again')
    expect(state.abandoned.map(({ hash }) => hash)).toEqual([hashOf('signed')])
  })

  it('costs its proposer the next ones when there are twelve', () => {
    const [liar, other] = LIARS as [Address, Address]
    let state = EMPTY_STATE
    for (let i = 0; i < 12; i++) {
      const attempt = hashOf(`attempt ${i}`)
      state = open(state, liar, `attempt ${i}`, i * SESSION_MS)
      state = propose(state, attempt, candidateOf(liar, `c${i}`, 1_000))
      state = sign(state, attempt, hashOf(`c${i}`))
    }
    state = pushAllOut(state, ' late')
    expect(state.abandoned).toHaveLength(12)
    const [session] = state.sessions
    if (session === undefined) throw new Error('no session')
    const count = (after: NodeState) => after.sessions[0]?.candidates.length
    expect(count(propose(state, session.sid, candidateOf(liar, 'more', 5_000)))).toBe(0)
    expect(count(propose(state, session.sid, candidateOf(other, 'theirs', 5_000)))).toBe(1)
    state = deleted(state, final(1_001)).state
    expect(count(propose(state, session.sid, candidateOf(liar, 'more', 5_000)))).toBe(1)
  })
})
