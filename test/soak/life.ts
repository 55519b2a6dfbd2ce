/** One simulated life: a world, a plan of faults, and what must hold at every step of it. */
import {
  activeHash,
  assertOpens,
  boot,
  createWorld,
  runUntil,
  type Sealed,
  seal,
} from '../kms/epoch/kit.ts'
import type { SimNode, World } from '../kms/epoch/world.ts'
import { beginFault, type Undo } from './faults.ts'
import { createLedger, type Ledger } from './ledger.ts'
import { beginLoss, type Copies, copyOf } from './losses.ts'
import { changeMembers, dismiss, isIn, register } from './membership.ts'
import { type Fault, isLoss, isMemberChange, type Plan } from './plan.ts'
import { surplusOf } from './tidy.ts'
import { createTrace, type Trace } from './trace.ts'

export type LifeReport = {
  plan: Plan
  epochs: number
  /** What nodes reported, by event. */
  told: Map<string, number>
  turns: number
  looks: number
  /** Times that old ciphertexts were opened. */
  opened: number
  /** Outputs that were compared with the dealings that they name, and those whose bodies were never all to be seen at once. */
  compared: number
  unseen: number
  virtualSeconds: number
  faults: Map<string, number>
  /** Largest number of bodies and secrets, and of bytes of a head, that a disk held, and of things that a node kept in memory. */
  most: { blobs: number; secrets: number; headBytes: number; remembered: number }
  failure: { slot: number; message: string; trace: readonly string[] } | undefined
}

/** Seconds without progress, after all faults are over, that are too many: the longest fault and what it may be followed by. */
const PATIENCE_SECONDS = 240
/** Steps of the clock: while messages are on their way, while something is going on, while nodes wait for the chain. */
const STEP_MS = { travelling: 500, busy: 1_000, quiet: 4_000 }

const RESTART_MS = 2_000

type Life = {
  world: World
  ledger: Ledger
  copies: Copies
  trace: Trace
  sealed: Sealed | undefined
  report: LifeReport
  lastOpened: string
  downSince: Map<SimNode, number>
  /** Under way: which end when. */
  open: { fault: Fault; until: number; undo: Undo }[]
}

/** @param isDetailed - Whether the trace of a failure tells retries too. */
export async function live(plan: Plan, isDetailed = false): Promise<LifeReport> {
  const life = birth(plan, isDetailed)
  let slot = 0
  try {
    for (; slot < plan.slots; slot++) await liveSlot(life, slot)
    assertCompared(life.report)
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    life.report.failure = { slot, message, trace: life.trace.lines() }
    if (!(error instanceof Error)) throw error
  }
  return life.report
}

/** One in twenty may close while those that have its bodies are down. */
function assertCompared({ epochs, compared, unseen }: LifeReport): void {
  if (unseen > 1 + epochs / 20)
    throw new Error(`I1, I2: ${compared} of ${epochs} outputs were compared with their dealings`)
}

function birth(plan: Plan, isDetailed: boolean): Life {
  const world = createWorld({
    seed: plan.seed,
    n: plan.pool,
    depth: plan.depth,
    options: {
      reshareSeconds: 2,
      postSeconds: 8,
      vetoSeconds: 16,
      finalitySeconds: 2 * plan.depth + 4,
      graceSeconds: plan.graceSeconds,
      keyRotationSeconds: plan.keyRotationSeconds,
      slotMs: 1_500,
      patienceMs: 2_000,
      sessionMs: 20_000,
    },
  })
  const ledger = createLedger(world)
  const told = new Map<string, number>()
  for (const sim of world.nodes.slice(0, plan.n)) ledger.registered.add(sim)
  register(world, ledger)
  return {
    world,
    ledger,
    copies: new Map(),
    trace: createTrace(world, told, isDetailed),
    sealed: undefined,
    lastOpened: '',
    downSince: new Map(),
    open: [],
    report: {
      plan,
      epochs: 0,
      told,
      turns: 0,
      looks: 0,
      opened: 0,
      compared: 0,
      unseen: 0,
      virtualSeconds: 0,
      faults: new Map(),
      most: { blobs: 0, secrets: 0, headBytes: 0, remembered: 0 },
      failure: undefined,
    },
  }
}

async function liveSlot(life: Life, slot: number): Promise<void> {
  const { world, ledger, trace, report } = life
  const begun = world.clock
  const before = world.witness.history.length
  trace.begin(slot)
  if (slot % 7 === 3) for (const sim of world.nodes) life.copies.set(sim, copyOf(sim.medium))
  const waiting = report.plan.faults.filter((fault) => fault.slot === slot)
  let quietSince = begun
  for (;;) {
    await revive(life)
    await beginDue(life, waiting, begun)
    await endDue(life)
    if (waiting.length > 0 || life.open.some(({ fault }) => fault.kind !== 'away for slots'))
      quietSince = world.clock
    else if (world.witness.history.length > before && isConverged(world, ledger)) break
    if (world.clock - quietSince > PATIENCE_SECONDS * 1000)
      throw new Error(`stalled: no convergence ${PATIENCE_SECONDS} s after the last fault`)
    await runUntil(world, () => false, 1, undefined, stepOf(life))
    afterTurn(life)
  }
  openOld(life)
  for (const sim of world.nodes) {
    const surplus = ledger.isExcused(sim) ? undefined : surplusOf(sim, report.plan.pool)
    if (surplus !== undefined) throw new Error(`leak: ${surplus}`)
  }
  trace.note(`slot ${slot} ends at output ${world.witness.history.length}`)
}

function stepOf({ world, open }: Life): number {
  if (world.timers.length > 0) return STEP_MS.travelling
  const isQuiet = world.nodes.every(({ node }) => {
    const { phase } = node?.status() ?? { phase: 'idle' }
    return phase === 'idle' || phase === 'settling'
  })
  return isQuiet && open.length === 0 ? STEP_MS.quiet : STEP_MS.busy
}

/** Operators start what has ended, after a moment. */
async function revive({ world, ledger, downSince }: Life): Promise<void> {
  for (const sim of world.nodes) {
    const wanted = ledger.registered.has(sim) || isIn(world, sim)
    if (sim.node !== undefined || !wanted || ledger.heldDown.has(sim)) downSince.delete(sim)
    else if (!downSince.has(sim)) downSince.set(sim, world.clock)
    else if (world.clock - (downSince.get(sim) ?? 0) >= RESTART_MS) await startAgain(world, sim)
  }
}

async function startAgain(world: World, sim: SimNode): Promise<void> {
  try {
    await boot(world, sim)
  } catch (error) {
    // Nothing to write on: it comes up when there is.
    if (sim.diskSpace > 0) throw error
  }
}

async function beginDue(life: Life, waiting: Fault[], begun: number): Promise<void> {
  const { world, ledger, trace, report } = life
  for (const fault of [...waiting]) {
    if (world.clock < begun + fault.after * 1000) continue
    waiting.splice(waiting.indexOf(fault), 1)
    const undo = await begin(life, fault)
    const kind = undo === undefined ? 'left out: too many in trouble, or nobody there' : fault.kind
    report.faults.set(kind, (report.faults.get(kind) ?? 0) + 1)
    trace.note(`${undo === undefined ? 'left out' : 'begins'}: ${fault.kind}`)
    if (undo === undefined) continue
    life.open.push({ fault, undo, until: world.clock + fault.span * 1000 })
  }
  ledger.review()
}

async function begin({ world, ledger, copies }: Life, fault: Fault): Promise<Undo | undefined> {
  if (isLoss(fault)) return beginLoss(world, fault, ledger, copies)
  if (!isMemberChange(fault)) return beginFault(world, fault, ledger)
  return (await changeMembers(world, fault, ledger)) ? () => undefined : undefined
}

async function endDue(life: Life): Promise<void> {
  for (const entry of life.open.filter(({ until }) => until <= life.world.clock)) {
    await entry.undo()
    life.trace.note(`ends: ${entry.fault.kind}`)
    life.open = life.open.filter((other) => other !== entry)
  }
}

/** Everybody who can be expected to holds the share of the newest output, whose members are those that are registered. */
function isConverged(world: World, { registered, isLeaving, isExcused }: Ledger): boolean {
  const newest = world.witness.history.at(-1)
  if (newest === undefined || newest.output.activateAt * 1000 > world.clock) return false
  const staying = [...registered].filter((sim) => !isLeaving(sim))
  const addresses = newest.output.members.map(({ address }) => address)
  return (
    addresses.length === registered.size &&
    staying.length === addresses.length &&
    staying.every(
      (sim) =>
        addresses.includes(sim.identity.info.address) &&
        (isExcused(sim) || (sim.node !== undefined && activeHash(world, sim) === newest.hash)),
    )
  )
}

function afterTurn(life: Life): void {
  const { world, ledger, report, trace } = life
  report.turns += 1
  report.looks = world.witness.looks
  report.epochs = world.witness.history.length
  report.compared = world.witness.compared
  report.unseen = report.epochs - report.compared - world.witness.unread.length
  report.virtualSeconds = world.clock / 1000 - 1_800_000_000
  trace.look()
  dismiss(world, ledger)
  for (const { medium, node } of world.nodes) {
    const { most } = report
    most.remembered = Math.max(most.remembered, node?.remembered() ?? 0)
    most.blobs = Math.max(most.blobs, medium.blobs.size)
    most.secrets = Math.max(most.secrets, medium.secrets.size)
    most.headBytes = Math.max(most.headBytes, medium.head?.length ?? 0)
  }
  openOld(life)
}

/** What was sealed at the first output opens with the shares of the one in force, whenever enough of them are awake. */
function openOld(life: Life): void {
  const { world, ledger } = life
  const now = world.clock / 1000
  const inForce = world.witness.history.findLast(({ output }) => output.activateAt <= now)
  if (inForce === undefined) return
  life.sealed ??= seal(inForce.output.mpk)
  const holders = world.nodes.flatMap((sim) => {
    const share = sim.node?.keyRing().shares.get(inForce.hash)
    return share === undefined ? [] : [{ operator: sim.identity.info.address, share }]
  })
  const name = `${inForce.hash} ${holders.map(({ operator }) => operator).join()}`
  if (name === life.lastOpened) return
  life.lastOpened = name
  const liars = new Set([...ledger.liars].map((sim) => sim.identity.info.address))
  if (holders.filter(({ operator }) => !liars.has(operator)).length < inForce.output.threshold)
    return
  assertOpens(world, inForce.output, holders, life.sealed, liars)
  life.report.opened += 1
}
