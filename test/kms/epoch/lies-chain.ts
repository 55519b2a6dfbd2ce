/** Lies on the chain: anybody can post into the log. */
import type { BlockRef } from '../../../sdk/chain/types.ts'
import {
  encodeCertifiedBody,
  outputHash,
  parseCertifiedBody,
} from '../../../sdk/protocol/output.ts'
import type { Liar } from './lies-proposer.ts'
import { DOMAIN } from './sim-chain.ts'
import type { World } from './world.ts'

export type Act = () => Promise<void>

/**
 * Every ten seconds one of: noise, the last entry with a signature missing, with another epoch's number or as it was, an old complaint
 * again, an old complaint under the newest epoch; and something that could be the next entry but for its signatures.
 */
export function actsOnLog({ world, sim, rng }: Liar): { act: Act } {
  const { log } = world.chain
  let next = 0
  return {
    act: async () => {
      if (world.clock < next) return
      next = world.clock + 10_000
      const [place = 0] = rng(1)
      sim.lied += 1
      await forgesNext(world, await someBlock(world, place))
      const entry = world.chain.entries().at(-1)
      const complaint = world.chain.complaints().at(-1)
      const [choice = 0] = rng(1)
      if (entry === undefined || choice < 40) {
        const body = rng(300)
        await log.complain({ epoch: choice, body })
        await log.post({ epoch: choice, prev: hashFrom(rng), outputHash: hashFrom(rng), body })
        return
      }
      if (complaint !== undefined && choice < 80)
        await log.complain({ epoch: entry.epoch, body: complaint.body })
      else if (choice < 140) {
        const { output, certificate } = parsed(entry.body) ?? {}
        if (output === undefined || certificate === undefined) return
        const signatures = certificate.signatures.slice(1)
        await log.post({
          ...entry,
          body: encodeCertifiedBody({ output, certificate: { signatures } }),
        })
      } else await log.post({ ...entry, epoch: choice < 200 ? entry.epoch : entry.epoch + 1 })
    },
  }
}

/** One that is good for an epoch, one before its time, or one with a lie about its age. */
async function someBlock(world: World, choice: number): Promise<BlockRef> {
  const { block } = await world.chain.membership.current()
  if (choice % 3 === 0) return block
  return choice % 3 === 1 ? world.chain.first : { ...block, timestamp: block.timestamp - 1 }
}

/**
 * Posts what could be the next entry but for its signatures, which need no key: whoever reads the log has to find out what the operator set of
 * the block was that it names.
 */
export async function forgesNext(
  world: World,
  configBlock: BlockRef,
  signatures = world.witness.history.at(-1)?.output.threshold ?? 0,
): Promise<void> {
  const last = world.witness.history.at(-1)
  if (last === undefined) return
  const now = world.chain.now()
  const output = {
    ...last.output,
    epoch: last.output.epoch + 1,
    prev: last.hash,
    configBlock,
    leaves: [],
    postBy: now + 600,
    vetoBy: now + 600,
    activateAt: now + 600,
  }
  const certificate = {
    signatures: output.members
      .slice(0, signatures)
      .map(({ address }) => ({ operator: address, signature: new Uint8Array(65).fill(1) })),
  }
  const { epoch, prev } = output
  const body = encodeCertifiedBody({ output, certificate })
  await world.chain.log.post({ epoch, prev, outputHash: outputHash(DOMAIN, output), body })
}

function parsed(body: Uint8Array) {
  try {
    return parseCertifiedBody(body)
  } catch {
    // Noise of an earlier turn.
    return undefined
  }
}

const hashFrom = (rng: (length: number) => Uint8Array): `0x${string}` =>
  `0x${Buffer.from(rng(32)).toString('hex')}`
