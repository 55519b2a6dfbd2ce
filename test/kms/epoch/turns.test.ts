/** Who proposes and posts when, at the speed of the machine that it runs on. */
import { describe, expect, it } from 'vitest'
import { due, type Self, step } from '../../../kms/epoch/machine.ts'
import { dueInSession, isUsable } from '../../../kms/epoch/session.ts'
import {
  type CandidateRecord,
  EMPTY_STATE,
  EMPTY_VIEW,
  type EpochOptions,
  type Session,
} from '../../../kms/epoch/state.ts'
import { NO_OUTPUT, sidOf } from '../../../sdk/protocol/terms.ts'
import { CONFIG_BLOCK, DOMAIN, GENESIS, hashOf, INFOS } from '../../sdk/protocol/kit.ts'

const SLOT = 1_000
const OPTIONS: EpochOptions = {
  genesis: true,
  postSeconds: 60,
  vetoSeconds: 6,
  finalitySeconds: 4,
  graceSeconds: 20,
  slotMs: SLOT,
  patienceMs: 500,
  sessionMs: 600_000,
  reshareSeconds: 0,
  keyRotationSeconds: 0,
}
const { prev, configBlock, leaves, members, threshold } = GENESIS
/** Epoch 0: the k-th member has the k-th turn. */
const ADDRESSES = members.map(({ address }) => address)
const OPERATORS_SET = {
  avs: DOMAIN.avs,
  operatorSetId: DOMAIN.operatorSetId,
  operators: INFOS,
  block: CONFIG_BLOCK,
}
const memberAt = (i: number) => ADDRESSES[i] ?? '0x'
const terms = { epoch: 0, prev, configBlock, leaves, members, threshold }
const DEALINGS = ADDRESSES.map((dealer) => ({ dealer, hash: hashOf(dealer) }))
const everyHash = DEALINGS.map(({ hash }) => hash)

/** All dealings are here and good in the eyes of `self`; who acknowledged them is given. */
function session(self: string, acks: number, change: Partial<Session> = {}): Session {
  return {
    sid: sidOf(DOMAIN, GENESIS),
    terms,
    proposer: memberAt(0),
    setup: hashOf('setup'),
    openedAt: 0,
    usableAt: undefined,
    dealers: ADDRESSES,
    needed: threshold,
    dealings: DEALINGS.map((dealing) => ({ ...dealing, status: 'good' as const })),
    acks: ADDRESSES.filter((address) => address !== self)
      .slice(0, acks)
      .map((recipient) => ({ recipient, dealings: everyHash })),
    candidates: [],
    failed: false,
    ...change,
  }
}

const does = (type: string, self: `0x${string}`, given: Session, now: number) =>
  dueInSession(given, self, true, OPTIONS, now).some((effect) => effect.type === type)

describe('when a session can be proposed from', () => {
  it('counts this node and a threshold of members in all', () => {
    expect(isUsable(session(memberAt(0), threshold - 2), memberAt(0))).toBe(false)
    expect(isUsable(session(memberAt(0), threshold - 1), memberAt(0))).toBe(true)
  })

  it('is remembered at the first event that makes it so, and stays', () => {
    const self: Self = { operator: memberAt(0), options: OPTIONS, root: NO_OUTPUT }
    const given = { ...EMPTY_STATE, sessions: [session(memberAt(0), threshold - 2)] }
    const ack = (i: number, now: number, state = given) => {
      const event = { type: 'acks' as const, recipient: memberAt(i), dealings: DEALINGS }
      const moved = step(self, state, { type: 'session', sid: session('', 0).sid, event }, now)
      if (moved.verdict !== 'valid') throw new Error(moved.verdict)
      return { ...moved.state, sessions: [...moved.state.sessions] }
    }
    const last = members.length - 1
    const usable = ack(last, 7_000)
    expect(usable.sessions[0]?.usableAt).toBe(7_000)
    expect(ack(last - 1, 9_000, usable).sessions[0]?.usableAt).toBe(7_000)
  })
})

describe('turns count from there', () => {
  const proposes = (i: number, usableAt: number, now: number) =>
    does('propose', memberAt(i), session(memberAt(i), members.length, { usableAt }), now)

  it('on a quick machine one slot after the other', () => {
    expect(proposes(0, 600, 600)).toBe(true)
    expect(proposes(1, 600, 600 + SLOT - 1)).toBe(false)
    expect(proposes(1, 600, 600 + SLOT)).toBe(true)
  })

  it('on a slow one in turns of half the time that the dealings took', () => {
    expect(proposes(0, 40_000, 40_000)).toBe(true)
    expect(proposes(1, 40_000, 59_999)).toBe(false)
    expect(proposes(1, 40_000, 60_000)).toBe(true)
  })

  it('and nobody proposes while another’s candidate is on its way', () => {
    const candidate: CandidateRecord = {
      hash: hashOf('c'),
      blob: hashOf('b'),
      proposer: memberAt(0),
      signature: undefined,
      dealings: DEALINGS,
      postBy: 1_000,
      arrivedAt: 0,
      status: 'unchecked',
      signatures: [],
      certifiedAt: undefined,
    }
    const proposes = (change: Partial<CandidateRecord>, now: number) => {
      const candidates = [{ ...candidate, ...change }]
      const given = session(memberAt(1), members.length, { usableAt: 600, candidates })
      return does('propose', memberAt(1), given, now)
    }
    expect(proposes({ status: 'good' }, 100_000)).toBe(false)
    expect(proposes({ status: 'good' }, 1_000_001)).toBe(true)
    // One that cannot be checked, or not yet, is waited for until everybody had one turn more.
    const secondTurn = 600 + (1 + members.length) * SLOT
    expect(proposes({}, secondTurn - 1)).toBe(false)
    expect(proposes({}, secondTurn)).toBe(true)
    expect(proposes({ proposer: memberAt(1) }, secondTurn)).toBe(false)
  })

  it('and a new session waits for a candidate that was found good, until one came to nothing', () => {
    const later = (candidates: CandidateRecord[], failed = false) => {
      const state = {
        ...EMPTY_STATE,
        opened: { epoch: 0, prev: NO_OUTPUT, at: 0 },
        sessions: [session(memberAt(0), 0, { candidates, failed })],
      }
      const self: Self = { operator: memberAt(0), options: OPTIONS, root: NO_OUTPUT }
      const view = { ...EMPTY_VIEW, operators: OPERATORS_SET }
      return due(self, state, view, 700_000).some(({ type }) => type === 'proposeSetup')
    }
    const good: CandidateRecord = {
      hash: hashOf('good'),
      blob: hashOf('good body'),
      proposer: memberAt(2),
      signature: undefined,
      dealings: DEALINGS,
      postBy: 800,
      arrivedAt: 0,
      status: 'good',
      signatures: [],
      certifiedAt: undefined,
    }
    expect(later([good])).toBe(false)
    expect(later([{ ...good, status: 'unchecked' }])).toBe(true)
    expect(later([{ ...good, postBy: 600 }, good])).toBe(true)
    expect(later([good], true)).toBe(true)
  })

  /** Whether a member posts a candidate of member 1, certified at that time in a session usable from then. */
  const postsAt = (i: number, now: number, usableAt: number, certifiedAt: number) => {
    const signature = new Uint8Array(65)
    const candidate: CandidateRecord = {
      hash: hashOf('c'),
      blob: hashOf('b'),
      proposer: memberAt(1),
      signature: undefined,
      dealings: DEALINGS,
      postBy: 1_000,
      arrivedAt: 0,
      status: 'good',
      signatures: ADDRESSES.map((operator) => ({ operator, signature })),
      certifiedAt,
    }
    const change = { usableAt, candidates: [candidate] }
    return does('post', memberAt(i), session(memberAt(i), members.length, change), now)
  }

  it('likewise for posting a certified candidate: its proposer at once, the others in turn', () => {
    const posts = (i: number, now: number) => postsAt(i, now, 40_000, 50_000)
    expect(posts(1, 50_000)).toBe(true)
    expect(posts(0, 69_999)).toBe(false)
    expect(posts(0, 70_000)).toBe(true)
  })

  it('but not before its proposer’s post can be in a block and seen: a quarter of the time for posting, one transaction an epoch', () => {
    const posts = (i: number, now: number) => postsAt(i, now, 1_000, 2_000)
    expect(posts(1, 2_000)).toBe(true)
    expect(posts(0, 16_999)).toBe(false)
    expect(posts(0, 17_000)).toBe(true)
    expect(posts(2, 18_999)).toBe(false)
    expect(posts(2, 19_000)).toBe(true)
  })
})
