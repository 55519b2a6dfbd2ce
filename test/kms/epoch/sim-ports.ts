/** How a simulated node reaches its disk, the chain and its peers, with everything that can go wrong there. */

import { sha256 } from '@noble/hashes/sha2.js'
import type { PeerPort, PushResult } from '../../../kms/epoch/ports.ts'
import type { EpochDeps } from '../../../kms/epoch/runtime.ts'
import { openMemoryStore } from '../../../kms/store/memory.ts'
import type { Store } from '../../../kms/store/store.ts'
import { concatBytes, uintBE, utf8ToBytes } from '../../../sdk/bytes.ts'
import type { OperatorInfo } from '../../../sdk/chain/types.ts'
import { EigenxError } from '../../../sdk/errors.ts'
import { messageKind } from '../../../sdk/protocol/codec.ts'
import { parseCandidate } from '../../../sdk/protocol/messages.ts'
import { parseSetup, sidOf } from '../../../sdk/protocol/terms.ts'
import { emptyPromise, noteStored } from './promises.ts'
import { DOMAIN } from './sim-chain.ts'
import { clockOf, later, type Moment, type SimNode, type World } from './world.ts'

/** What a node waits for a peer that does not answer. */
const TIMEOUT_MS = 5_000
const REPEATED_WITHIN_MS = 60_000

export class Crash extends Error {}

/** Uniform bytes from a seed and a name. */
export function seededRng(seed: number, name: string): (length: number) => Uint8Array {
  let counter = 0
  return (length) => {
    const out: Uint8Array[] = []
    for (let have = 0; have < length; have += 32)
      out.push(sha256(concatBytes(utf8ToBytes(`${seed}/${name}`), uintBE(counter++, 8))))
    return concatBytes(...out).subarray(0, length)
  }
}

function burn(sim: SimNode, moment: Moment): void {
  sim.fuse -= 1
  if (sim.crashAt?.(moment) === true) {
    sim.crashAt = undefined
    sim.fuse = 0
  }
  if (sim.fuse > 0) return
  sim.node?.close()
  sim.node = undefined
  throw new Crash('crashed')
}

/** Far more than the work of a turn takes. Time stands still in a turn, so work that repeats itself would never end. */
const MAX_CLOCK_READS = 100_000

function lookAtClock(world: World, sim: SimNode): number {
  sim.clockReads += 1
  if (sim.clockReads > MAX_CLOCK_READS) {
    world.witness.violations.push(`${sim.identity.info.address} does the same thing for ever`)
    throw new Error('for ever')
  }
  return clockOf(world, sim)
}

function fill(sim: SimNode): void {
  sim.diskSpace -= 1
  if (sim.diskSpace >= 0) return
  throw new EigenxError({
    code: 'STORE_UNAVAILABLE',
    message: 'No space left on the simulated device.',
    stage: 'store',
    details: { reason: 'no space' },
  })
}

/** Ports of one life of a node: after a crash this life can do nothing any more. */
export function depsOf(world: World, sim: SimNode): EpochDeps {
  const life = sim.restarts
  const alive = (): void => {
    if (sim.restarts !== life || sim.fuse <= 0) throw new Crash('dead')
  }
  const { medium } = sim
  const memory = openMemoryStore(medium, (when) => {
    alive()
    if (when === 'before') fill(sim)
    burn(sim, { at: 'commit', when })
  })
  const commit: Store['commit'] = async (writes) => {
    await memory.commit(writes)
    noteStored(medium, writes)
  }
  const store = { ...memory, commit }
  const chain = world.chain.view(() => sim.rpc)
  return {
    domain: DOMAIN,
    store,
    log: {
      read: (from) => chain.log.read(from),
      post: async (entry) => {
        alive()
        burn(sim, { at: 'post' })
        await chain.log.post(entry)
      },
      complain: async (complaint) => {
        alive()
        burn(sim, { at: 'post' })
        await chain.log.complain(complaint)
      },
    },
    membership: chain.membership,
    peers: peersOf(world, sim, alive),
    signer: sim.identity.signer,
    clock: () => lookAtClock(world, sim),
    rng: seededRng(world.seed, `${sim.identity.info.address}/${sim.restarts}`),
    pause: async () => undefined,
    report: (report) => {
      world.reports.push({ ...report, node: sim.identity.info.address })
    },
    fromBlock: 0n,
  }
}

const MAX_OVERHEARD = 16

function overhear({ overheard }: World, message: Uint8Array): void {
  const kind = messageKind(message)
  if (kind === 'candidate') {
    const { sid, output } = parseCandidate(message)
    overheard.candidate = { sid, output }
  }
  if (kind !== 'setup') return
  const setup = parseSetup(message)
  const { terms } = overheard
  terms.set(sidOf(DOMAIN, setup.terms), setup.terms)
  overheard.setup = setup
  for (const sid of terms.keys()) if (terms.size > MAX_OVERHEARD) terms.delete(sid)
}

function peersOf(world: World, sim: SimNode, alive: () => void): PeerPort {
  const travel = async (): Promise<void> => {
    if (world.delayMs > 0) await later(world, world.dice.below(world.delayMs))
  }
  /** The peer, when a request has arrived there. */
  const reach = async (peer: OperatorInfo): Promise<SimNode> => {
    const from = sim.identity.info.address
    const other = world.nodes.find((node) => node.identity.info.address === peer.address)
    const moved = other?.identity.info.socket !== peer.socket
    if (other?.node === undefined || moved || world.partition(from, peer.address))
      throw new Error('unreachable')
    if (world.dice.chance(world.loss)) throw new Error('lost')
    await travel()
    if (!other.hangs) return other
    await later(world, TIMEOUT_MS)
    throw new Error('timed out')
  }
  /** The answer can get lost too: then the request comes twice. */
  const answered = async <T>(answer: T): Promise<T> => {
    await travel()
    alive()
    if (world.dice.chance(world.loss)) throw new Error('answer lost')
    return answer
  }
  const repeat = (other: SimNode, message: Uint8Array): void => {
    if (!world.dice.chance(world.repeats)) return
    const at = world.clock + world.dice.below(REPEATED_WITHIN_MS)
    world.timers.push({ at, run: () => void other.node?.handler.receive(message) })
  }
  return {
    push: async (peer, message): Promise<PushResult> => {
      alive()
      burn(sim, { at: 'push', message })
      const sent = sim.tamper === undefined ? message : await sim.tamper(message, peer.address)
      overhear(world, message)
      if (sent === undefined) return 'accepted'
      if (sim.tamper === undefined)
        world.witness.violations.push(...emptyPromise(world.witness, sim, message))
      if (sim.muted) throw new Error('lost')
      const other = await reach(peer)
      const result = (await other.node?.handler.receive(sent)) ?? 'later'
      repeat(other, sent)
      return answered(result)
    },
    fetchBlob: async (peer, hash) => {
      alive()
      const other = await reach(peer)
      return answered(other.withholds ? undefined : await other.node?.handler.blob(hash))
    },
    fetchEncryptionKey: async (peer) => {
      alive()
      const other = await reach(peer)
      const announce = other.announces ?? other.node?.handler.encryptionKey
      return answered(await announce?.(sim.identity.info.address))
    },
  }
}
