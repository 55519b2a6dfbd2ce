import { Script } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { EigenxError } from '../../sdk/errors.ts'
import { startCoverage } from './coverage.ts'
import { canonical, type Run, stable, type Target, verifier } from './kit.ts'
import { createMutator, createRandom, MAX_INPUT } from './mutate.ts'
import { corpusNames, readCorpus, runTarget } from './run.ts'
import { TARGETS } from './targets.ts'

/** Divided by the target's cost. Long runs: `npm run fuzz`. */
const EXECUTIONS = 300
const SEED = 1

describe('mutated inputs, and those that found something once', () => {
  it.each(TARGETS)('$name refuses in its own words, or reads faithfully', async (target) => {
    const report = await runTarget(target, { executions: EXECUTIONS, seed: SEED })
    expect(report.failures).toEqual([])
    expect(report.accepted).toBeGreaterThan(0)
    expect(report.refused + report.accepted).toBe(report.executions)
  })

  it('are for targets of one name each, and no folder of the corpus is forgotten', () => {
    const names = TARGETS.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    expect(names).toEqual(expect.arrayContaining(corpusNames()))
  })
})

const planted = (run: Run): Target => ({
  name: 'planted',
  seeds: () => [Uint8Array.of(1, 2, 3, 4)],
  dictionary: [],
  prepare: () => run,
  cost: 1,
})
const refusal = new EigenxError({
  code: 'INPUT_TOO_LARGE',
  message: 'too large',
  stage: 'request',
  details: { field: 'planted', limit: 4 },
})
const found = async (run: Run) =>
  (await runTarget(planted(run), { executions: 500, seed: SEED })).failures.map(
    ({ reason }) => reason,
  )
const copy = (bytes: Uint8Array) => Uint8Array.from(bytes)

describe('the runner', () => {
  it('finds a crash behind one byte', async () => {
    const reasons = await found((bytes) => {
      if (bytes.length > 4) throw refusal
      if (bytes[2] === 0) throw new TypeError('planted')
      return 'accepted'
    })
    expect(reasons).toContain('TypeError: planted')
  })

  it('takes a typed refusal for one', async () => {
    expect(
      await found((bytes) => {
        if (bytes[3] !== 4) throw refusal
        return 'accepted'
      }),
    ).toEqual([])
  })

  it('finds a reader that ignores a byte, and one that changes its input', async () => {
    const ignoring = canonical(
      (bytes) => (bytes.length === 4 ? bytes.subarray(0, 3) : undefined),
      (value) => Uint8Array.of(...value, 4),
    )
    expect(await found(ignoring)).toContainEqual(expect.stringContaining('re-encoded'))
    const writing = canonical((bytes) => bytes.fill(0), copy)
    expect(await found(writing)).toContainEqual(expect.stringContaining('changed its input'))
  })

  it('finds a writer that loses something', async () => {
    const losing = stable(copy, (value) => value.subarray(0, 4))
    expect(await found(losing)).toContainEqual(expect.stringContaining('another one'))
  })

  it('finds a verifier that looks at the first bytes only', async () => {
    const sloppy = await verifier([Uint8Array.of(1, 2, 3, 4)], (bytes) => {
      if (bytes[0] !== 1) throw refusal
      return [...bytes]
    })
    expect(await found(sloppy)).toContainEqual(expect.stringContaining('nobody signed'))
  })

  it('does not take a target whose seeds are refused', async () => {
    expect(await found(() => 'refused')).toContain('seed 0 is refused')
  })

  it('finds what never ends soon', async () => {
    const slow: Run = () => {
      // Work, not waiting: the processor's time is what counts.
      const start = process.cpuUsage()
      while (process.cpuUsage(start).user < 150_000);
      return 'accepted'
    }
    const report = await runTarget(planted(slow), { executions: 0, seed: SEED, hangs: true })
    expect(report.failures.map(({ kind }) => kind)).toEqual(['hang'])
  })
})

describe('coverage', () => {
  /** Compiled when called, each time anew: V8 counts the blocks only of what it compiles after the start. */
  let compiled = 0
  const compile = (folder: string): Run =>
    new Script(
      `(bytes) => { // ${compiled++}
        if (bytes[0] !== 0x65) return 'accepted'
        if (bytes[1] !== 0x69) return 'accepted'
        if (bytes[2] !== 0x67) return 'refused'
        if (bytes[3] !== 0x65) return 'refused'
        throw new TypeError('planted')
      }`,
      { filename: `file:///planted/${folder}/planted.ts` },
    ).runInThisContext()
  const bytes = (text: string) => new TextEncoder().encode(text)

  it('grows when a block is reached for the first time, and only then', async () => {
    const coverage = await startCoverage(/^file:\/\/\/planted\/sdk\//)
    try {
      const run = compile('sdk')
      const grows = async (text: string) => {
        await run(bytes(text))
        return coverage.grew()
      }
      expect(await grows('----')).toBe(true)
      expect(await grows('++++')).toBe(false)
      await run(bytes('e---'))
      expect(await coverage.wouldGrow()).toBe(true)
      expect(await grows('e---')).toBe(true)
      expect(await grows('e+++')).toBe(false)
      expect(await grows('ei--')).toBe(true)
      expect(await grows('ei++')).toBe(false)
      expect(await grows('e---')).toBe(false)
    } finally {
      await coverage.stop()
    }
  })

  it('is of the scripts that are asked for', async () => {
    const coverage = await startCoverage(/^file:\/\/\/planted\/sdk\//)
    try {
      await coverage.grew()
      await compile('test')(bytes('ei--'))
      expect(await coverage.grew()).toBe(false)
    } finally {
      await coverage.stop()
    }
  })

  it('leads to a crash behind four bytes, which chance alone does not find', async () => {
    const coverage = await startCoverage(/^file:\/\/\/planted\/sdk\//)
    try {
      const options = { executions: 100_000, seed: SEED }
      const target = () => ({ ...planted(compile('sdk')), dictionary: ['e', 'i', 'g'] })
      expect((await runTarget(target(), options)).failures).toEqual([])
      const report = await runTarget(target(), { ...options, coverage })
      expect(report.found.map(([first]) => first)).toContain(0x65)
      expect(new Set(report.failures.map(({ reason }) => reason))).toEqual(
        new Set(['TypeError: planted']),
      )
      expect(report.failures.length).toBeGreaterThan(0)
    } finally {
      await coverage.stop()
    }
  })
})

describe('mutations', () => {
  const seeds = [
    Uint8Array.from({ length: 64 }, (_, i) => i),
    new TextEncoder().encode('{"a":[1,23]}'),
  ]
  const draw = (seed: number) => {
    const next = createMutator(seeds, ['null'], createRandom(seed))
    return Array.from({ length: 500 }, next)
  }

  it('are the same again for the same seed, and others for another', () => {
    expect(draw(7)).toEqual(draw(7))
    expect(draw(7)).not.toEqual(draw(8))
  })

  it('are many, bounded, and leave the seeds alone', () => {
    const before = seeds.map(copy)
    const drawn = draw(7)
    expect(new Set(drawn.map(String)).size).toBeGreaterThan(450)
    expect(Math.max(...drawn.map(({ length }) => length))).toBeLessThanOrEqual(MAX_INPUT)
    expect(seeds).toEqual(before)
  })

  it('of nothing are something', () => {
    const next = createMutator([new Uint8Array()], [], createRandom(1))
    const lengths = Array.from({ length: 20 }, () => next().length)
    expect(Math.max(...lengths)).toBeGreaterThan(0)
  })

  it('of the corpus are read from its files', () => {
    expect(readCorpus('no such target')).toEqual([])
  })
})
