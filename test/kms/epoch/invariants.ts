/**
 * What must hold after every step of a simulated run, whatever the network, the disks and the members do:
 *
 *   I2  every dealing of an output deals the dealer's share of the output before: constant term = its public share there
 *   I3  at least t_old dealings, by members of the output before; a table of exactly the new threshold's degree
 *   I4  the master public key never changes
 *   I5  a threshold of the members signed the output before anybody counts it
 *   I7  one winner an epoch; winners follow each other; no number is used twice
 *   I8  who answers for a time answers with the share of the version in force then, or refuses
 *   I10 replaced shares and closed epochs' dealing seeds are gone from disk and memory after the grace window
 *
 * Curve arithmetic is done once for each output and each share; a step costs comparisons only.
 */
import { equalBytes } from '../../../sdk/bytes.ts'
import type { Address, Hash32 } from '../../../sdk/chain/types.ts'
import { publicShareOf } from '../../../sdk/crypto/bls.ts'
import { isEigenxError } from '../../../sdk/errors.ts'
import { parseDealing } from '../../../sdk/protocol/dealing.ts'
import { parseCertifiedBody, verifyCertifiedBody } from '../../../sdk/protocol/output.ts'
import { isOrigin } from '../../../sdk/protocol/terms.ts'
import type { CertifiedOutput, LogEntry, Output } from '../../../sdk/protocol/types.ts'
import { DOMAIN } from './sim-chain.ts'
import { keyServiceOf, type SimNode, type World } from './world.ts'

/** All nodes that run have looked at the chain at this moment of the clock. Throws when an invariant is broken. */
export function assertInvariants(world: World): void {
  const fail = (what: string): never => {
    throw new Error(`seed ${world.seed}, at ${world.clock}: ${what}`)
  }
  const running = world.nodes.filter((sim) => sim.node !== undefined)
  for (const sim of running) assertHistory(world, sim, fail)
  assertSources(world, fail)
  for (const sim of running) {
    assertShares(world, sim, fail)
    assertService(world, sim, fail)
  }
  assertErased(world, running, fail)
  const inForce = new Set(running.map((sim) => keyServiceOf(world, sim).inForce()?.hash))
  if (inForce.size > 1) fail('I8: two versions are in force')
  world.witness.looks += 1
}

type Fail = (what: string) => never

const addressOf = (sim: SimNode): Address => sim.identity.info.address

function ringOf(sim: SimNode): {
  outputs: readonly CertifiedOutput[]
  shares: ReadonlyMap<Hash32, bigint>
} {
  return sim.node?.keyRing() ?? { outputs: [], shares: new Map() }
}

/** I3, I4, I5, I7 over the settled outputs that a node counts. */
function assertHistory(world: World, sim: SimNode, fail: Fail): void {
  const { settled, winners } = world.witness
  const { outputs } = ringOf(sim)
  for (const [i, { output, hash }] of outputs.entries()) {
    const known = winners.get(output.epoch)
    if (known !== undefined && known !== hash) fail(`I7: two winners of epoch ${output.epoch}`)
    const before = outputs[i - 1]
    if (before !== undefined && output.prev !== before.hash)
      fail('I7: a winner does not follow the one before')
    if (!settled.has(hash)) settled.set(hash, verified(world, hash, fail))
    const judged = settled.get(hash) as Output
    if (!equalBytes(judged.mpk, output.mpk)) fail('I4: a node counts another output by that name')
    winners.set(output.epoch, hash)
  }
  const last = outputs.at(-1)?.output
  const next = sim.node?.status().nextEpoch ?? 0
  if (last !== undefined && next <= last.epoch) fail('I7: the number of a winner is open again')
}

/** Judges an output by the entry in the log and the entry that it follows, not by what a node remembers. */
function verified(world: World, hash: Hash32, fail: Fail): Output {
  const { output } = entryOf(world, hash) ?? fail('I1: a settled output is not in the log')
  const [first] = world.witness.settled.values()
  if (first !== undefined && !equalBytes(first.mpk, output.mpk))
    fail('I4: the master public key changed')
  const body = world.chain.entries().find((entry) => entry.outputHash === hash)?.body
  try {
    // Degree and value at 0 of the table, a threshold of signatures by the operator set of the config block.
    const members = world.chain.membersAt(output.configBlock.number)
    const judged = verifyCertifiedBody({
      body: body ?? new Uint8Array(),
      domain: DOMAIN,
      members,
    })
    if (judged.hash !== hash) fail('I1: an output is not what its hash names')
  } catch (error) {
    if (isEigenxError(error)) fail(`I3, I5: ${error.message}`)
    throw error
  }
  const previous = isOrigin(output) ? output : previousOf(world, output)
  if (previous === undefined) return fail('I2: the output before is not in the log')
  if (previous !== output && output.epoch <= previous.epoch) fail('I7: a number is used twice')
  const dealers = new Set(output.dealings.map(({ dealer }) => dealer))
  if (dealers.size < previous.threshold) fail('I3: fewer dealings than the old threshold')
  for (const dealer of dealers)
    if (!previous.members.some(({ address }) => address === dealer))
      fail('I3: a dealer was not a member')
  return output
}

function entryOf(world: World, hash: Hash32): { output: Output; entry: LogEntry } | undefined {
  const entry = world.chain.entries().find(({ outputHash }) => outputHash === hash)
  return entry === undefined ? undefined : { output: parseCertifiedBody(entry.body).output, entry }
}

function previousOf(world: World, output: Output): Output | undefined {
  return world.witness.settled.get(output.prev) ?? entryOf(world, output.prev)?.output
}

/** I2, for the dealings whose bodies a disk still has. */
function assertSources(world: World, fail: Fail): void {
  const { settled, dealings } = world.witness
  for (const [hash, output] of settled) {
    const previous = isOrigin(output) ? undefined : previousOf(world, output)
    if (previous === undefined) continue
    for (const { dealer, hash: dealing } of output.dealings) {
      const name = `${hash}/${dealing}`
      if (dealings.has(name)) continue
      const body = world.nodes.map(({ medium }) => medium.blobs.get(dealing)).find(Boolean)
      if (body === undefined) continue
      const seat = previous.members.findIndex(({ address }) => address === dealer)
      const source = previous.publicShares[seat]
      const constant = parseDealing(body).commitment[0]
      if (source === undefined || constant === undefined || !equalBytes(source, constant))
        fail(`I2: ${dealer} dealt something else than its share`)
      dealings.add(name)
    }
  }
}

/** A share in memory is the share of the output it is filed under. */
function assertShares(world: World, sim: SimNode, fail: Fail): void {
  for (const [hash, share] of ringOf(sim).shares) {
    const name = `${addressOf(sim)}/${hash}/${share}`
    if (world.witness.shares.has(name)) continue
    // An output on its way has no entry yet, or lost it to a reorganisation.
    const output = world.witness.settled.get(hash) ?? entryOf(world, hash)?.output
    if (output === undefined) continue
    const seat = output.members.findIndex(({ address }) => address === addressOf(sim))
    const expected = output.publicShares[seat]
    if (expected === undefined || !equalBytes(publicShareOf(share), expected))
      fail(`I8: ${addressOf(sim)} holds a share that is not its own of ${hash}`)
    world.witness.shares.add(name)
  }
}

/** I8, now and at the start of every version that the node keeps. */
function assertService(world: World, sim: SimNode, fail: Fail): void {
  const service = keyServiceOf(world, sim)
  const { outputs } = ringOf(sim)
  const now = Math.floor(world.clock / 1000)
  const oldest = outputs[0]?.output.activateAt ?? now
  const starts = outputs.map(({ output }) => output.activateAt)
  for (const time of new Set([now, ...starts.filter((start) => start <= now)])) {
    if (time < oldest) continue
    const expected = [...world.witness.settled]
      .filter(([, output]) => output.activateAt <= time)
      .sort(([, a], [, b]) => a.activateAt - b.activateAt)
      .at(-1)?.[0]
    const answer = answerAt(service, time)
    if (answer !== undefined && answer !== expected)
      fail(`I8: ${addressOf(sim)} answers for ${time} with another version`)
  }
}

/** The output that answers; `undefined` for a refusal. */
function answerAt(service: ReturnType<typeof keyServiceOf>, time: number): Hash32 | undefined {
  try {
    return service.at(time).hash
  } catch (error) {
    if (isEigenxError(error) && error.stage === 'key') return undefined
    throw error
  }
}

/**
 * I10, on disk and in memory. A share may be there at one look past its time, not at two: what a node has erased it can take
 * up once more from the view of the log that it had before, and erases again at its next look.
 */
function assertErased(world: World, sims: readonly SimNode[], fail: Fail): void {
  const overdue = new Set(sims.flatMap((sim) => overdueOf(world, sim)))
  for (const left of overdue) if (world.witness.overdue.has(left)) fail(`I10: ${left}`)
  world.witness.overdue = overdue
  for (const sim of sims)
    for (const { name } of sim.medium.secrets.values())
      if (name.kind === 'dealer-seed' && name.epoch < (sim.node?.status().nextEpoch ?? 0))
        fail(`I10: ${addressOf(sim)} keeps its seed of epoch ${name.epoch}`)
}

function overdueOf(world: World, sim: SimNode): readonly string[] {
  const { outputs, shares } = ringOf(sim)
  const graceEnd = world.clock / 1000 - world.options.graceSeconds
  // The newest version that has replaced all before it for the whole grace window.
  const floor = outputs.findLast(({ output }) => output.activateAt <= graceEnd)?.output.epoch ?? 0
  const stored = [...sim.medium.secrets.values()].flatMap(({ name }) => {
    if (name.kind !== 'share') return []
    const winner = outputs.find(({ output }) => output.epoch === name.epoch)
    const lost = winner !== undefined && winner.hash !== name.id
    return name.epoch < floor || lost ? [`keeps a share of epoch ${name.epoch}, ${name.id}`] : []
  })
  const remembered = [...shares.keys()].flatMap((hash) => {
    const epoch = world.witness.settled.get(hash)?.epoch
    return epoch !== undefined && epoch < floor ? [`remembers a share of epoch ${epoch}`] : []
  })
  return [...stored, ...remembered].map((left) => `${addressOf(sim)} ${left}`)
}
