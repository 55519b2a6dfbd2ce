/** A soak of some seconds with fixed seeds; `npm run soak` goes on for as long as asked. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { allActive, bootAll, createWorld, nodeAt, runUntil } from '../kms/epoch/kit.ts'
import type { SimNode } from '../kms/epoch/world.ts'
import { createLedger } from './ledger.ts'
import { type LifeReport, live } from './life.ts'
import { type Fault, type Plan, planOf } from './plan.ts'
import { shrink } from './shrink.ts'
import { createSummary, tellFailure } from './summary.ts'
import { surplusOf } from './tidy.ts'

/** One, two, three, four and seven members at first. */
const SEEDS: readonly [seed: number, slots: number][] = [
  [4, 40],
  [18, 40],
  [17, 60],
  [42, 40],
  [15, 15],
]

describe('a soak', () => {
  const reports: LifeReport[] = []

  beforeAll(async () => {
    for (const [seed, slots] of SEEDS) reports.push(await live(planOf(seed, slots)))
  }, 300_000)

  it('scenario 46: holds every invariant under random faults, and what was sealed to the first output opens to the end', () => {
    for (const report of reports) {
      expect(report.failure === undefined ? '' : tellFailure(report)).toBe('')
      expect(report.epochs).toBeGreaterThanOrEqual(report.plan.slots)
      expect(report.looks).toBe(report.turns)
      expect(report.opened).toBeGreaterThan(report.plan.slots / 2)
      // All but the last, which may not be settled for long enough to be read.
      expect(report.compared).toBeGreaterThanOrEqual(report.epochs - 1)
    }
    expect(new Set(reports.map(({ plan }) => plan.n))).toEqual(new Set([1, 2, 3, 4, 7]))
    const kinds = new Set(reports.flatMap(({ faults }) => [...faults.keys()]))
    expect(kinds.size).toBeGreaterThan(30)
  })

  it('scenario 47: keeps disks and memories as small at the end as after a few epochs', () => {
    // Between epochs every slot of a life holds them to what is named and needed; while one is made they may hold more.
    for (const { most, plan } of reports) {
      // Six sessions of a set that may have grown by three, with three candidates of each, and the outputs that are kept.
      const n = plan.pool
      expect(most.blobs).toBeLessThan(6 * (4 * n + 1) + 8 * (n + 1))
      expect(most.secrets).toBeLessThan(40)
      // A thing more with each epoch would be too many.
      expect(most.remembered).toBeLessThan(18 * n + 24)
      expect(most.headBytes).toBeLessThan(12_000 * n)
    }
  })

  it('notices what piles up, of any kind', async () => {
    const world = createWorld({ seed: 19, n: 2 })
    await bootAll(world)
    expect(await runUntil(world, allActive(world), 200)).toBe(true)
    const sim = nodeAt(world, 0)
    expect(surplusOf(sim, 2)).toBeUndefined()
    const { medium, node } = sim
    if (node === undefined) throw new Error('the node is down')
    const bodies = Array.from({ length: 20 }, (_, i) => [`0x${i}`, new Uint8Array()] as const)
    const blobs = new Map([...medium.blobs, ...bodies])
    const name = (id: string) => ({ kind: 'encryption-key' as const, epoch: 0, id })
    const keys = bodies.map(([id, value]) => [id, { name: name(id), value }] as const)
    const secrets = new Map([...medium.secrets, ...keys])
    for (const [spoilt, what] of [
      [{ ...sim, medium: { ...medium, blobs } }, /bodies/],
      [{ ...sim, medium: { ...medium, secrets } }, /secrets/],
      [{ ...sim, medium: { ...medium, head: new Uint8Array(5000) } }, /bytes of a head/],
      [{ ...sim, node: { ...node, remembered: () => 61 } }, /things in memory/],
    ] as const)
      expect(surplusOf(spoilt, 2)).toMatch(what)
  })

  it('is a pure function of its seed', async () => {
    const [seed, slots] = [17, 6]
    const [first, second] = [await live(planOf(seed, slots)), await live(planOf(seed, slots))]
    expect(second).toEqual(first)
    expect(await live(planOf(seed + 1, slots))).not.toEqual(first)
  })
})

describe('the ledger of a soak', () => {
  const createSet = async (n: number) => {
    const world = createWorld({ seed: 23, n })
    await bootAll(world)
    expect(await runUntil(world, allActive(world), 200)).toBe(true)
    const ledger = createLedger(world)
    for (const sim of world.nodes) ledger.registered.add(sim)
    const [first, second, third] = world.nodes as [SimNode, SimNode, SimNode]
    return { world, ledger, first, second, third }
  }

  it('lets as many fail as the sets in force and to come can bear', async () => {
    const { ledger, first, second } = await createSet(3)
    expect(ledger.mayFail(first)).toBe(true)
    ledger.troubled.add(second)
    expect(ledger.mayFail(first)).toBe(false)
    ledger.troubled.clear()
    ledger.registered.delete(second)
    expect(ledger.mayFail(first)).toBe(false)
  })

  it('counts on nobody that announced its leave, nor on one that comes and goes', async () => {
    const { world, ledger, first, second } = await createSet(3)
    ledger.leaves.set(second, world.chain.now() + 600)
    expect(ledger.mayFail(first)).toBe(false)
    expect(ledger.mayWander(first)).toBe(true)
    ledger.troubled.add(first)
    expect(ledger.mayWander(world.nodes[2] as SimNode)).toBe(false)
    ledger.troubled.clear()
    ledger.leaves.set(second, world.chain.finalTime() - 1)
    expect(ledger.mayFail(first)).toBe(true)
    ledger.wandering.set(second, { until: world.chain.now() + 600, outputs: 0 })
    expect(ledger.mayFail(first)).toBe(false)
  })

  it('knows that somebody sound may go and one that fails may stay', async () => {
    const { ledger, world, first, second, third } = await createSet(6)
    ledger.liars.add(first)
    ledger.wandering.set(first, { until: world.chain.now() + 600, outputs: 0 })
    expect(ledger.mayFail(second)).toBe(true)
    // Six bear two, and four bear one; but five bear one only, and the liar may be one of them.
    ledger.leaves.set(third, world.chain.now() + 600)
    expect(ledger.mayFail(second)).toBe(false)
  })
})

describe('a failure', () => {
  /** Fails when two kinds of faults come in this order, whatever else happens. */
  const run = async (plan: Plan): Promise<LifeReport> => {
    const at = (kind: Fault['kind']) => plan.faults.findIndex((fault) => fault.kind === kind)
    const [first, second] = [at('partition'), at('disk lost')]
    const broken = first >= 0 && second > first
    const slot = plan.faults[second]?.slot ?? 0
    const message = `seed 1, at ${plan.faults.length}: I8: node 0xab12 serves ${second}`
    return {
      plan,
      epochs: 0,
      turns: 0,
      looks: 0,
      opened: 0,
      compared: 0,
      unseen: 0,
      virtualSeconds: 0,
      told: new Map(),
      faults: new Map(),
      most: { blobs: 0, secrets: 0, headBytes: 0, remembered: 0 },
      failure: broken ? { slot, message, trace: ['what happened'] } : undefined,
    }
  }

  it('is made small: the faults that it takes, in as few slots', async () => {
    const fault = planOf(1, 40).faults[0]
    if (fault === undefined) throw new Error('a plan without faults')
    const others = planOf(2, 40).faults.filter(
      ({ kind }) => kind !== 'partition' && kind !== 'disk lost',
    )
    const faults = [
      ...others.filter(({ slot }) => slot < 12),
      { ...fault, kind: 'partition' as const, slot: 12 },
      ...others.filter(({ slot }) => slot >= 12 && slot < 25),
      { ...fault, kind: 'disk lost' as const, slot: 25 },
      ...others.filter(({ slot }) => slot > 25),
    ]
    const small = await shrink(await run({ ...planOf(2, 40), faults }), run)
    expect(small.plan.faults.map(({ kind, slot }) => [kind, slot])).toEqual([
      ['partition', 1],
      ['disk lost', 2],
    ])
    expect(small.plan.slots).toBe(3)
    const text = tellFailure(small)
    expect(text).toContain('I8: node')
    expect(text).toContain('partition')
    expect(text).toContain('what happened')
  })

  it('is counted, and ends the soak', async () => {
    const summary = createSummary()
    const plan = planOf(3, 5)
    summary.add(await run({ ...plan, faults: [] }))
    expect(summary.failed()).toBe(false)
    expect(summary.text()).toContain('Every invariant held.')
    const fault = planOf(1, 40).faults[0] as Fault
    const faults = [
      { ...fault, kind: 'partition' as const },
      { ...fault, kind: 'disk lost' as const },
    ]
    summary.add(await run({ ...plan, faults }))
    expect(summary.failed()).toBe(true)
    expect(summary.text()).toContain('AN INVARIANT WAS BROKEN.')
  })
})

describe('npm run soak', () => {
  const soak = (...args: string[]) =>
    spawnSync(process.execPath, ['--import', 'tsx', 'test/soak/main.ts', ...args], {
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      encoding: 'utf8',
    })

  it('tells seeds, faults and counts, over twins or over the curves', () => {
    const twins = soak('--epochs', '4', '--seed', '7', '--life', '4', '--workers', '1')
    expect(twins.stderr).toBe('')
    expect(twins.stdout).toMatch(/twins.*\n.*seed 7: .* held[\s\S]*Every invariant held\./)
    expect(twins.stdout).toMatch(/seeds 7 to 7, 1 lives, \d+ epochs/)
    expect(twins.status).toBe(0)
    const curves = soak('--epochs', '1', '--seed', '6', '--life', '1', '--workers', '1', '--real')
    expect(curves.stdout).toMatch(/^curves/)
    expect(curves.status).toBe(0)
  })

  it.each([
    [['--epochs', 'many'], /^--epochs is a whole number, 1 or more\n$/],
    [['--epochs', '0'], /^--epochs is a whole number, 1 or more\n$/],
    [['--epochs'], /^Option '--epochs <value>' argument missing[^\n]*\n$/],
    [['--epoch', '5'], /^Unknown option '--epoch'[^\n]*\n$/],
  ])('refuses %j with one line', (args, line) => {
    const { status, stdout, stderr } = soak(...args)
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr).toMatch(line)
  })
})
