/**
 * Judging the complaints of peers. Whether one is right takes as much arithmetic as a dealing, and whoever has its bytes can send it
 * again: so they are judged one at a time, in pieces with pauses between, and an accuser that lied once in a session is heard there no more,
 * except once about each dealing that this node has itself. Who refuses a candidate shows why in the words of such an accuser, maybe, and
 * two that conspire would else choose who believes them.
 *
 * That silences nobody else: only the recipient itself can prove what it was dealt, and a right complaint never turns out false. And it
 * decides nothing that must be equal everywhere: complaints that void an output are those in the log.
 * @module
 */
import type { Hash32 } from '../../sdk/chain/types.ts'
import { type Complaint, dealtShare } from '../../sdk/protocol/complaint.ts'
import type { Dealing } from '../../sdk/protocol/dealing.ts'
import type { Domain, Terms } from '../../sdk/protocol/types.ts'
import { shareFits, type Work } from './verify.ts'

/** `unheard`: of an accuser that lied before, and so not judged. */
export type Verdict = 'right' | 'wrong' | 'unheard'

export type Court = {
  /**
   * What a complaint about a dealing is.
   * @param held - The dealing's hash, if it is one of the session's here.
   * @throws COMPLAINT_INVALID when it is malformed or proves nothing.
   */
  judge(terms: Terms, complaint: Complaint, dealing: Dealing, held?: Hash32): Promise<Verdict>
  /** Forgets the liars of all other sessions. */
  keep(sids: ReadonlySet<Hash32>): void
  /** How many lies are remembered. */
  size(): number
}

export function createCourt(domain: Domain, work: Work): Court {
  const liars = new Map<string, Hash32>()
  let last: Promise<unknown> = Promise.resolve()

  const nameOf = (complaint: Complaint, { sid }: Dealing, held = '') =>
    `${sid}/${complaint.recipient}/${held}`

  const judgeNow = async (
    terms: Terms,
    complaint: Complaint,
    dealing: Dealing,
    held?: Hash32,
  ): Promise<Verdict> => {
    if (liars.has(nameOf(complaint, dealing, held))) return 'unheard'
    await work.pause()
    const share = dealtShare(domain, terms, complaint)
    if (share === undefined) return 'right'
    if (!(await shareFits(work, complaint.recipient, share, dealing.commitment))) return 'right'
    liars.set(nameOf(complaint, dealing), dealing.sid)
    liars.set(nameOf(complaint, dealing, held), dealing.sid)
    return 'wrong'
  }

  return {
    judge: (terms, complaint, dealing, held) => {
      if (liars.has(nameOf(complaint, dealing, held))) return Promise.resolve('unheard')
      const judged = last.then(() => judgeNow(terms, complaint, dealing, held))
      last = judged.catch(() => undefined)
      return judged
    },
    keep: (sids) => {
      for (const [name, sid] of liars) if (!sids.has(sid)) liars.delete(name)
    },
    size: () => liars.size,
  }
}
