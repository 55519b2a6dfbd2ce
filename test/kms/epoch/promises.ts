/** I6: what an honest node says to others is on its disk before. */
import type { MemoryMedium } from '../../../kms/store/memory.ts'
import type { Write } from '../../../kms/store/store.ts'
import { toHex } from '../../../sdk/bytes.ts'
import type { Hash32 } from '../../../sdk/chain/types.ts'
import { messageKind } from '../../../sdk/protocol/codec.ts'
import { blobHash } from '../../../sdk/protocol/dealing.ts'
import { parseAcks, parseCandidate, parseSignature } from '../../../sdk/protocol/messages.ts'
import type { SimNode, Witness } from './world.ts'

const stored = new WeakMap<MemoryMedium, Set<string>>()

/** Takes note of what a disk has stored once: what a node says may be on its way while a session is pushed out, and what it stored for it erased. */
export function noteStored(medium: MemoryMedium, writes: readonly Write[]): void {
  const known = stored.get(medium) ?? new Set()
  stored.set(medium, known)
  for (const write of writes)
    if (write.type === 'putBlob') known.add(blobHash(write.bytes))
    else if (write.type === 'putSecret') known.add(`${write.name.kind} ${write.name.id}`)
}

/** What the disk of a node that sends this message never had. What it sends late, when the session is over, it may have erased. */
export function emptyPromise(
  { dealt }: Witness,
  sim: SimNode,
  message: Uint8Array,
): readonly string[] {
  const { secrets, blobs } = sim.medium
  const once = stored.get(sim.medium)
  const had = (hash: Hash32) => blobs.has(hash) || once?.has(hash) === true
  const open = sim.node?.status().sessions.some(({ sid }) => sid === sidIn(message))
  if (open !== true) return []
  const who = sim.identity.info.address
  switch (messageKind(message)) {
    case 'dealing': {
      const hash = blobHash(message)
      if (!had(hash)) return [`I6: ${who} deals and has not stored its dealing`]
      // One that it sent before may have come back to it, after it lost its disk.
      const isKnown = dealt.has(hash)
      dealt.add(hash)
      const seeded = [...secrets.values()].some(({ name }) => name.kind === 'dealer-seed')
      return isKnown || seeded ? [] : [`I6: ${who} deals and has not stored its seed`]
    }
    case 'acks':
      return parseAcks(message)
        .dealings.filter(({ hash }) => !had(hash))
        .map(({ hash }) => `I6: ${who} acknowledges ${hash} and has not stored it`)
    case 'candidate':
      return had(blobHash(parseCandidate(message).output))
        ? []
        : [`I6: ${who} proposes an output that it has not stored`]
    case 'signature': {
      const { output } = parseSignature(message)
      const held = [...secrets.values()].some(
        ({ name }) => name.kind === 'share' && name.id === output,
      )
      return held || once?.has(`share ${output}`) === true
        ? []
        : [`I6: ${who} signs ${output} and has not stored its share`]
    }
    default:
      return []
  }
}

/** In every message of a session it comes first. */
function sidIn(message: Uint8Array): string {
  return toHex(message.subarray(2, 34))
}
