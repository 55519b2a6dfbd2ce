/** What `npm run faults` does without processes: the order of faults, and what counts as a broken promise. */
import { describe, expect, it } from 'vitest'
import type { Hash32 } from '../../sdk/chain/types.ts'
import { describeFault, type Fault, KINDS, planFaults } from './plan.ts'
import { formatReport } from './report.ts'
import { createLedger, judge, longestGap, type RunRecord, type Sighting } from './verdict.ts'

function take(count: number, seed: number, operators = 4): Fault[] {
  const plan = planFaults(seed, operators, 15)
  return Array.from({ length: count }, () => plan.next().value)
}

describe('the order of faults', () => {
  it('is a function of the seed', () => {
    expect(take(60, 7)).toEqual(take(60, 7))
    expect(take(60, 7)).not.toEqual(take(60, 8))
  })

  it('has every kind in every round, and hits every operator', () => {
    const faults = take(50 * KINDS.length, 7)
    for (let round = 0; round < 50; round++) {
      const kinds = faults.slice(KINDS.length * round, KINDS.length * (round + 1))
      expect(new Set(kinds.map(({ kind }) => kind))).toEqual(new Set(KINDS))
    }
    const hit = faults.flatMap((fault) => ('operator' in fault ? [fault.operator] : []))
    expect(new Set(hit)).toEqual(new Set([0, 1, 2, 3]))
    expect(new Set(faults.map(({ kind }) => kind).slice(0, 60)).size).toBe(KINDS.length)
  })

  it('never reaches the final blocks, and rests and lasts about a period at most', () => {
    for (const fault of take(600, 9)) {
      expect(fault.restMs).toBeLessThan(15_000)
      expect(fault.lastsMs).toBeLessThanOrEqual(16_000)
      if (fault.kind === 'reorg') expect([1, 2]).toContain(fault.depth)
      expect(describeFault(fault)).toContain(fault.kind)
    }
  })
})

const hash = (digit: string): Hash32 => `0x${digit.repeat(64)}`
const sighting = (fields: Partial<Sighting>): Sighting => ({
  atMs: 2_000_000,
  operator: 0,
  epoch: 1,
  version: 1000,
  outputHash: hash('1'),
  masterPublicKey: 'aa',
  ...fields,
})

describe('what operators may not contradict', () => {
  it('is nothing while they tell the same outputs, one after the other', () => {
    const ledger = createLedger('aa')
    const next = { epoch: 2, version: 1020, outputHash: hash('2') }
    const seen = [{}, { operator: 1 }, next, { operator: 1 }, { ...next, operator: 1 }]
    expect(seen.flatMap((fields) => ledger.note(sighting(fields)))).toEqual([])
    expect(ledger.activations()).toEqual([{ epoch: 1, version: 1000, outputHash: hash('1') }, next])
  })

  it.each([
    ['another master public key', { masterPublicKey: 'bb' }, /master public key/],
    ['another version of an epoch', { version: 1001 }, /version 1001 .* which was 1000/],
    ['another output of an epoch', { outputHash: hash('2') }, /which was 1000/],
    ['a later epoch with an earlier version', { epoch: 2, version: 999 }, /epoch 1 has 1000/],
    ['two epochs with one version', { epoch: 2, version: 1000 }, /epoch 1 has 1000/],
    ['an epoch that was before', { epoch: 0, version: 900 }, /went back from epoch 1 to 0/],
    ['a version before its time', { epoch: 2, version: 2001 }, /before its time/],
  ])('is broken by %s', (_, fields, what) => {
    const ledger = createLedger('aa')
    expect(ledger.note(sighting({}))).toEqual([])
    expect(ledger.note(sighting(fields)).join()).toMatch(what)
  })
})

const good: RunRecord = {
  seed: 1,
  operators: 4,
  threshold: 3,
  startedMs: 1_000_000,
  endedMs: 1_100_000,
  stallSeconds: 60,
  faults: { crash: 1, freeze: 1, store: 1, reorg: 1, outage: 1, blackout: 1 },
  storesNoticed: 1,
  impossible: [],
  activations: [
    { epoch: 0, version: 900, outputHash: hash('0') },
    { epoch: 1, version: 1030, outputHash: hash('1') },
    { epoch: 2, version: 1070, outputHash: hash('2') },
  ],
  sightings: 100,
  probes: [{ atMs: 1_000_000, when: 'at the start', granted: 3, tookMs: 900 }],
  failures: [],
}

describe('the verdict', () => {
  it('is good when every promise was kept', () => {
    expect(judge(good)).toEqual([])
    expect(longestGap(good)).toBe(40)
    expect(formatReport(good)).toMatch(/epochs +0 to 2, 3 seen(.|\n)*\nPASSED$/)
  })

  const failure = { atMs: 1_050_000, what: 'operator 2 ended by itself', logs: [['bye'], ['why']] }
  const few = { atMs: 0, when: 'after crash 2', granted: 2, tookMs: 1 }
  it.each<[string, Partial<RunRecord>, RegExp]>([
    ['something failed', { failures: [failure] }, /operator 2 ended by itself/],
    ['it was interrupted', { cutShort: 'interrupted' }, /cut short: interrupted/],
    ['a kind of fault never came', { faults: { ...good.faults, store: 0 } }, /kind store/],
    ['no write ever failed', { storesNoticed: 0 }, /no write failed/],
    ['no pod was booted', { probes: [] }, /no pod was booted/],
    ['too few operators granted', { probes: [few] }, /only 2 of 3 operators granted after crash 2/],
    ['nobody was heard', { sightings: 0 }, /no operator was heard/],
    ['epochs stopped', { endedMs: 1_131_000 }, /no new epoch for 61 s/],
    ['no epoch came at all', { activations: [] }, /no new epoch for 100 s/],
  ])('is bad when %s', (_, change, reason) => {
    const record = { ...good, ...change }
    expect(judge(record).join('\n')).toMatch(reason)
    expect(formatReport(record)).toMatch(/\nFAILED\n- /)
  })

  it('shows what the operators said when something failed', () => {
    const text = formatReport({ ...good, failures: [failure] })
    expect(text).toContain('FAILURE at 1970-01-01T00:17:30.000Z: operator 2 ended by itself')
    expect(text).toMatch(/operator 1 said last:\n {4}bye\n {2}operator 2 said last:\n {4}why/)
  })

  it('says which kinds this machine cannot do, and does not ask for them', () => {
    const faults = { ...good.faults, store: 0 }
    const record = { ...good, faults, storesNoticed: 0, impossible: ['store'] as const }
    expect(judge(record)).toEqual([])
    expect(formatReport(record)).toMatch(/\nPASSED, WITHOUT store$/)
    expect(formatReport(record)).toContain('store: needs the program prlimit')
  })
})
