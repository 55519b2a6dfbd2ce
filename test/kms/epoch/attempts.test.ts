/** Which attempts at an epoch a node follows when more are begun than it can. */
import { expect, it } from 'vitest'
import { type NodeEvent, type Self, step } from '../../../kms/epoch/machine.ts'
import { EMPTY_STATE, type NodeState } from '../../../kms/epoch/state.ts'
import type { Address } from '../../../sdk/chain/types.ts'
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
