/** Which candidates a session takes, and until when it keeps them: as a pure state machine. */
import { describe, expect, it } from 'vitest'
import { type NodeEvent, type Self, step } from '../../../kms/epoch/machine.ts'
import { dueInSession } from '../../../kms/epoch/session.ts'
import { EMPTY_STATE, EMPTY_VIEW, type NodeState } from '../../../kms/epoch/state.ts'
import type { Address } from '../../../sdk/chain/types.ts'
import { NO_OUTPUT, sidOf } from '../../../sdk/protocol/terms.ts'
import { DOMAIN, GENESIS, hashOf } from '../../sdk/protocol/kit.ts'

const { prev, configBlock, leaves, members, threshold } = GENESIS
const terms = { epoch: 0, prev, configBlock, leaves, members, threshold }
const sid = sidOf(DOMAIN, GENESIS)
const [FIRST, SECOND] = members.map(({ address }) => address) as [Address, Address]
const SELF: Self = {
  operator: SECOND,
  root: NO_OUTPUT,
  options: {
    genesis: true,
    postSeconds: 60,
    vetoSeconds: 6,
    finalitySeconds: 4,
    graceSeconds: 20,
    slotMs: 1_000,
    patienceMs: 1_000,
    sessionMs: 600_000,
    reshareSeconds: 0,
    keyRotationSeconds: 0,
  },
}

const stepAt = (state: NodeState, event: NodeEvent, seconds: number) =>
  step(SELF, state, event, seconds * 1000)

function take(state: NodeState, event: NodeEvent, seconds = 0): NodeState {
  const moved = stepAt(state, event, seconds)
  if (moved.verdict !== 'valid') throw new Error(`${moved.verdict}: ${moved.reason}`)
  return moved.state
}

const OPEN = take(EMPTY_STATE, {
  type: 'setup',
  sid,
  terms,
  proposer: FIRST,
  setup: hashOf('setup'),
})

const dealingOf = (dealer: Address, name: string) => ({ dealer, hash: hashOf(name) })
const candidate = (
  name: string,
  postBy: number,
  dealings = [dealingOf(FIRST, 'd')],
): NodeEvent => ({
  type: 'session',
  sid,
  event: {
    type: 'candidate',
    candidate: {
      hash: hashOf(name),
      blob: hashOf(`${name} body`),
      proposer: FIRST,
      signature: undefined,
      dealings,
      postBy,
    },
  },
})
const found = (name: string, ok: boolean): NodeEvent => ({
  type: 'session',
  sid,
  event: { type: 'candidateChecked', hash: hashOf(name), ok },
})
const fetched = (dealer: Address, name: string): NodeEvent => ({
  type: 'session',
  sid,
  event: { type: 'fetched', dealing: dealingOf(dealer, name) },
})
const final = (seconds: number): NodeEvent => ({
  type: 'log',
  log: EMPTY_STATE.log,
  through: BigInt(seconds),
  finalTime: seconds,
})
const share = (name: string): NodeEvent => ({
  type: 'share',
  share: { output: hashOf(name), epoch: 0, status: 'held' },
})
const does = (state: NodeState, seconds: number): string[] =>
  state.sessions.flatMap((session) =>
    dueInSession(session, SELF.operator, true, SELF.options, seconds * 1000).map(
      ({ type }) => type,
    ),
  )

describe('candidates of one proposer', () => {
  it('are three within the time to post one, however soon they have to be posted', () => {
    let state = OPEN
    for (const name of ['1', '2', '3']) state = take(state, candidate(name, 11), 10)
    expect(stepAt(state, candidate('4', 11), 10).verdict).toBe('skip')
    expect(stepAt(state, candidate('4', 71), 70).verdict).toBe('skip')
    state = take(state, candidate('4', 72), 71)
    expect(state.sessions[0]?.candidates).toHaveLength(4)
  })

  it('are twelve until the chain shows that they did not win', () => {
    let state = OPEN
    for (let i = 0; i < 12; i++) state = take(state, candidate(`${i}`, 100 * i + 1), 100 * i)
    expect(stepAt(state, candidate('12', 1301), 1300).verdict).toBe('skip')
    state = take(state, final(201), 1300)
    // What has to be posted by 201 may still be in a block of that second.
    expect(state.sessions[0]?.candidates.map(({ postBy }) => postBy)[0]).toBe(201)
    expect(stepAt(state, candidate('over', 200), 1300).verdict).toBe('skip')
    state = take(state, candidate('12', 1301), 1300)
  })
})

describe('a candidate that is over', () => {
  const held = () => {
    let state = take(OPEN, fetched(FIRST, 'd'))
    state = take(state, fetched(FIRST, 'd2'))
    state = take(state, fetched(FIRST, 'd3'))
    state = take(state, candidate('over', 60, [dealingOf(FIRST, 'd2')]))
    state = take(state, candidate('live', 600, [dealingOf(FIRST, 'd3')]))
    return take(take(state, found('over', true)), share('over'))
  }

  it('leaves nothing behind: no share, no output, no dealing that it alone named', () => {
    const moved = stepAt(held(), final(61), 0)
    if (moved.verdict !== 'valid') throw new Error('nothing moved')
    const [session] = moved.state.sessions
    expect(session?.candidates.map(({ hash }) => hash)).toEqual([hashOf('live')])
    expect(session?.dealings.map(({ hash }) => hash)).toEqual([hashOf('d'), hashOf('d3')])
    expect(session?.failed).toBe(true)
    expect(moved.state.shares).toEqual([])
    expect(moved.writes).toContainEqual({
      type: 'eraseSecret',
      name: { kind: 'share', epoch: 0, id: hashOf('over') },
    })
    const deleted = moved.writes.flatMap((write) => (write.type === 'deleteBlob' ? write.hash : []))
    expect(deleted.sort()).toEqual([hashOf('d2'), hashOf('over body')].sort())
  })

  it('is kept while only our own clock says so: it may be in the log', () => {
    const state = take(held(), final(60), 1_000_000)
    const ticked = stepAt(state, { type: 'tick', view: EMPTY_VIEW }, 1_000_000)
    const { shares, sessions } = ticked.verdict === 'valid' ? ticked.state : state
    expect(shares).toHaveLength(1)
    expect(sessions[0]?.candidates).toHaveLength(2)
  })
})

describe('a dealer that is convicted', () => {
  const complaint = (name: string): NodeEvent => ({
    type: 'complaint',
    sid,
    complaint: {
      epoch: 0,
      dealing: hashOf(name),
      dealer: FIRST,
      recipient: members[2]?.address ?? '0x',
      blob: hashOf(`complaint ${name}`),
    },
  })

  it('takes with it the candidates that name the dealing: they are neither signed nor posted, also if they were good', () => {
    let state = take(OPEN, candidate('c', 60))
    expect(does(state, 1)).toContain('checkCandidate')
    state = take(state, found('c', true))
    expect(does(state, 1)).toContain('sign')
    for (const { address: operator } of members)
      state = take(state, {
        type: 'session',
        sid,
        event: { type: 'signature', hash: hashOf('c'), operator, signature: new Uint8Array(65) },
      })
    expect(does(state, 50)).toContain('post')
    // About another of its dealings: there may be nobody that this one is bad for.
    expect(does(take(state, complaint('other')), 50)).toContain('post')
    state = take(state, complaint('d'))
    for (const type of ['sign', 'sendSignature', 'post', 'checkCandidate'])
      expect(does(state, 50)).not.toContain(type)
  })

  it('also those whose check ends after the complaint, and those that come later', () => {
    let state = take(take(OPEN, candidate('c', 60)), complaint('d'))
    expect(stepAt(state, found('c', true), 0).verdict).toBe('skip')
    state = take(state, candidate('later', 60))
    expect(state.sessions[0]?.candidates.map(({ status }) => status)).toEqual(['bad', 'bad'])
  })
})
