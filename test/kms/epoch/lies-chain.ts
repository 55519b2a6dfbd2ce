/** Lies on the chain: anybody can post into the log. */
import { encodeCertifiedBody, parseCertifiedBody } from '../../../sdk/protocol/output.ts'
import type { World } from './world.ts'

export type Act = () => Promise<void>

/**
 * Every ten seconds one of: noise, the last entry with a signature missing, with another epoch's number or as it was, an old complaint
 * again, an old complaint under the newest epoch.
 */
export function actsOnLog(liar: { world: World; rng: (length: number) => Uint8Array }): {
  act: Act
} {
  const { world, rng } = liar
  const { log } = world.chain
  let next = 0
  return {
    act: async () => {
      if (world.clock < next) return
      next = world.clock + 10_000
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
