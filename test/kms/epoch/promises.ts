/** I6: what an honest node says to others is on its disk before. */
import { toHex } from '../../../sdk/bytes.ts'
import { messageKind } from '../../../sdk/protocol/codec.ts'
import { blobHash } from '../../../sdk/protocol/dealing.ts'
import { parseAcks, parseCandidate, parseSignature } from '../../../sdk/protocol/messages.ts'
import type { SimNode, Witness } from './world.ts'

/** What is missing on the disk of a node that sends this message. What it sends late, when the session is over, it may have erased. */
export function emptyPromise(
  { dealt }: Witness,
  sim: SimNode,
  message: Uint8Array,
): readonly string[] {
  const { secrets, blobs } = sim.medium
  const open = sim.node?.status().sessions.some(({ sid }) => sid === sidIn(message))
  if (open !== true) return []
  const who = sim.identity.info.address
  switch (messageKind(message)) {
    case 'dealing': {
      const hash = blobHash(message)
      if (!blobs.has(hash)) return [`I6: ${who} deals and has not stored its dealing`]
      // One that it sent before may have come back to it, after it lost its disk.
      const isKnown = dealt.has(hash)
      dealt.add(hash)
      const seeded = [...secrets.values()].some(({ name }) => name.kind === 'dealer-seed')
      return isKnown || seeded ? [] : [`I6: ${who} deals and has not stored its seed`]
    }
    case 'acks':
      return parseAcks(message)
        .dealings.filter(({ hash }) => !blobs.has(hash))
        .map(({ hash }) => `I6: ${who} acknowledges ${hash} and has not stored it`)
    case 'candidate':
      return blobs.has(blobHash(parseCandidate(message).output))
        ? []
        : [`I6: ${who} proposes an output that it has not stored`]
    case 'signature': {
      const { output } = parseSignature(message)
      const held = [...secrets.values()].some(
        ({ name }) => name.kind === 'share' && name.id === output,
      )
      return held ? [] : [`I6: ${who} signs ${output} and has not stored its share`]
    }
    default:
      return []
  }
}

/** In every message of a session it comes first. */
function sidIn(message: Uint8Array): string {
  return toHex(message.subarray(2, 34))
}
