/**
 * What must hold after every step of a simulated run, whatever the network, the disks and the members do:
 *
 *   I1  an output is in the log, and follows from the dealings that it names, all of its own session
 *   I2  every dealing of an output deals the dealer's share of the output before: constant term = its public share there
 *   I3  at least t_old dealings, by members of the output before; a table of exactly the new threshold's degree
 *   I4  the master public key never changes
 *   I5  a threshold of the members signed the output before anybody counts it
 *   I6  what an honest member says to others is on its disk before (`promises.ts`)
 *   I7  one winner an epoch; winners follow each other; no number is used twice
 *   I8  who answers for a time answers with the share of the version in force then, or refuses
 *   I9  somebody who may be asked has every body of the newest output
 *   I10 replaced shares and closed epochs' dealing seeds are gone from disk and memory after the grace window, and no share before
 *
 * The others are what runs are made of. I11: runs end with everybody at the newest output, also who had no share to deal (lost disks,
 * newcomers). I12: clocks are off by an hour, stop, and leap, and all of the above holds. I13: I4, whatever was missed.
 *
 * Curve arithmetic is done once for each output and each share; a step costs comparisons only.
 */
import { equalBytes } from '../../../sdk/bytes.ts'
import type { Address, Hash32 } from '../../../sdk/chain/types.ts'
import { publicShareOf } from '../../../sdk/crypto/bls.ts'
import { isEigenxError } from '../../../sdk/errors.ts'
import { accusedDealing, parseComplaint, verifyComplaint } from '../../../sdk/protocol/complaint.ts'
import { parseCertifiedBody, verifyCertifiedBody } from '../../../sdk/protocol/output.ts'
import { isOrigin } from '../../../sdk/protocol/terms.ts'
import type { LogComplaint, LogEntry, Output } from '../../../sdk/protocol/types.ts'
import { DOMAIN } from './sim-chain.ts'
import { assertObtainable, assertTranscripts } from './transcripts.ts'
import { clockOf, keyServiceOf, ringOf, type SimNode, type World } from './world.ts'

/** Nodes that can see the chain have looked at it at this moment of the clock. Throws when an invariant is broken. */
export function assertInvariants(world: World): void {
  const fail = (what: string): never => {
    throw new Error(`seed ${world.seed}, at ${world.clock}: ${what}`)
  }
  const running = world.nodes.filter((sim) => sim.node !== undefined)
  for (const sim of running) assertHistory(world, sim, fail)
  assertTranscripts(world, (output) => previousOf(world, output), fail)
  assertObtainable(world, fail)
  for (const sim of running) {
    assertShares(world, sim, fail)
    assertService(world, sim, fail)
  }
  assertErased(world, running, fail)
  assertPromises(world, fail)
  assertConvictions(world, fail)
  world.witness.looks += 1
}

type Fail = (what: string) => never

const addressOf = (sim: SimNode): Address => sim.identity.info.address

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
    const judged = settled.get(hash) ?? admit(world, hash, fail)
    if (!equalBytes(judged.mpk, output.mpk)) fail('I4: a node counts another output by that name')
  }
  const last = outputs.at(-1)?.output
  const next = sim.node?.status().nextEpoch ?? 0
  if (last !== undefined && next <= last.epoch) fail('I7: the number of a winner is open again')
}

/** Judges an output by the entry in the log and the entry that it follows, not by what a node remembers. */
function admit(world: World, hash: Hash32, fail: Fail): Output {
  const { history, settled, winners, unread } = world.witness
  const output = verified(world, hash, fail)
  const newest = history.at(-1)
  if (newest !== undefined && output.epoch <= newest.output.epoch)
    fail(`I7: a winner of epoch ${output.epoch} comes after one of epoch ${newest.output.epoch}`)
  settled.set(hash, output)
  winners.set(output.epoch, hash)
  history.push({ hash, output })
  unread.push(hash)
  return output
}

function verified(world: World, hash: Hash32, fail: Fail): Output {
  const entries = world.chain.entriesNamed(hash)
  if (entries.length === 0) fail('I1: a settled output is not in the log')
  const [first] = world.witness.settled.values()
  const judged = entries.map((entry) => judge(world, hash, entry))
  const output = judged.find((judgement) => typeof judgement !== 'string')
  if (output === undefined || typeof output === 'string') return fail(`I3, I5: ${judged.join()}`)
  if (first !== undefined && !equalBytes(first.mpk, output.mpk))
    fail('I4: the master public key changed')
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

/** Degree and value at 0 of the table, a threshold of signatures by the operator set of the config block. */
function judge(world: World, hash: Hash32, { body }: LogEntry): Output | string {
  try {
    const { configBlock } = parseCertifiedBody(body).output
    const members = world.chain.membersAt(configBlock.number)
    const found = verifyCertifiedBody({ body, domain: DOMAIN, members })
    return found.hash === hash ? found.output : 'an output is not what its hash names'
  } catch (error) {
    if (isEigenxError(error)) return error.message
    throw error
  }
}

/** Enough for what is under way at a time. */
const MAX_SOUND = 32

function outputNamed(world: World, hash: Hash32): Output | undefined {
  const { settled, sound } = world.witness
  const known = settled.get(hash) ?? sound.get(hash)
  if (known !== undefined) return known
  const judged = world.chain.entriesNamed(hash).map((entry) => judge(world, hash, entry))
  const output = judged.find((judgement) => typeof judgement !== 'string')
  if (output === undefined) return undefined
  for (const older of sound.keys()) if (sound.size > MAX_SOUND) sound.delete(older)
  sound.set(hash, output)
  return output
}

function previousOf(world: World, output: Output): Output | undefined {
  return outputNamed(world, output.prev)
}

/** A share in memory is the share of the output it is filed under, and stays while that is needed. */
function assertShares(world: World, sim: SimNode, fail: Fail): void {
  const life = sim.restarts
  const before = world.witness.shares.get(addressOf(sim))
  const known = before?.fitting ?? new Map<Hash32, bigint>()
  const { shares } = ringOf(sim)
  for (const hash of known.keys()) {
    if (shares.has(hash)) continue
    // Between two lives a disk may have been lost.
    if (before?.life === life && isNeeded(world, hash))
      fail(`I10: ${addressOf(sim)} erased its share of ${hash} before its time`)
    known.delete(hash)
  }
  for (const [hash, share] of shares) {
    if (known.get(hash) === share) continue
    // An output on its way has no entry yet, or lost it to a reorganisation.
    const output = outputNamed(world, hash)
    if (output === undefined) continue
    const seat = output.members.findIndex(({ address }) => address === addressOf(sim))
    const expected = output.publicShares[seat]
    if (expected === undefined || !equalBytes(publicShareOf(share), expected))
      fail(`I8: ${addressOf(sim)} holds a share that is not its own of ${hash}`)
    known.set(hash, share)
  }
  world.witness.shares.set(addressOf(sim), { life, fitting: known })
}

/** Whether a settled output was in force within the grace window: by the world's clock, which no node's own changes. */
function isNeeded(world: World, hash: Hash32): boolean {
  const { history } = world.witness
  const index = history.findIndex((known) => known.hash === hash)
  const next = history[index + 1]?.output
  const graceEnd = world.clock / 1000 - world.options.graceSeconds
  return index >= 0 && (next === undefined || next.activateAt > graceEnd)
}

/**
 * I8 for moments that clients may name: the true time, what the node takes for it, and the start of every version that it keeps, by what it
 * has seen of the chain. Who sees all of it counts everything that is settled there.
 */
function assertService(world: World, sim: SimNode, fail: Fail): void {
  const service = keyServiceOf(world, sim)
  const { outputs, keptSince } = ringOf(sim)
  const now = Math.floor(clockOf(world, sim) / 1000)
  const trueTime = Math.floor(world.clock / 1000)
  const seesAll = !sim.rpc.down && sim.rpc.behind === 0
  const newest = world.witness.history.at(-1)
  if (seesAll && newest !== undefined && newest.output.vetoBy < world.chain.finalTime())
    if (outputs.at(-1)?.hash !== newest.hash) fail(`I8: ${addressOf(sim)} misses what is settled`)
  const last = outputs.at(-1)?.output.epoch ?? -1
  const starts = outputs.map(({ output }) => output.activateAt)
  for (const time of new Set([trueTime, now, ...starts])) {
    if (time > now || time < keptSince) continue
    const expected = world.witness.history.findLast(
      ({ output }) => output.epoch <= last && output.activateAt <= time,
    )?.hash
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

/** I6, as the network saw it. */
function assertPromises(world: World, fail: Fail): void {
  const [first] = world.witness.violations
  if (first !== undefined) fail(first)
}

/** No complaint holds against a dealer that never lied. */
function assertConvictions(world: World, fail: Fail): void {
  const { convicted, judged } = world.witness
  for (const event of world.chain.complaints()) {
    const name = `${event.block.hash}/${event.logIndex}`
    if (judged.has(name)) continue
    judged.add(name)
    const dealer = convictedBy(world, event)
    if (dealer === undefined) continue
    if (!world.liars.has(dealer)) fail(`${dealer} never lied and is convicted`)
    convicted.set(dealer, event.epoch)
  }
}

function convictedBy(world: World, { body, epoch }: LogComplaint): Address | undefined {
  try {
    const complaint = parseComplaint(body)
    const { dealing, hash } = accusedDealing(complaint)
    const accused = world.chain
      .entries()
      .filter((entry) => entry.epoch === epoch)
      .map((entry) => judge(world, entry.outputHash, entry))
      .find((output) => typeof output !== 'string' && isUsedIn(output, hash))
    if (accused === undefined || typeof accused === 'string') return undefined
    verifyComplaint(DOMAIN, accused, complaint)
    return dealing.dealer
  } catch (error) {
    if (isEigenxError(error)) return undefined
    throw error
  }
}

const isUsedIn = (output: Output, dealing: Hash32): boolean =>
  output.dealings.some((used) => used.hash === dealing)

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
  const seen = Math.min(clockOf(world, sim) / 1000, sim.node?.status().finalTime ?? 0)
  const graceEnd = seen - world.options.graceSeconds
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
