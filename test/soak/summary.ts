/** What a soak tells: a line for each life, a table at the end, and a failure with its smallest plan. */
import type { LifeReport } from './life.ts'

export type Summary = {
  add(report: LifeReport): void
  epochs(): number
  failed(): boolean
  line(report: LifeReport): string
  text(): string
}

export function createSummary(): Summary {
  const begun = performance.now()
  const faults = new Map<string, number>()
  const told = new Map<string, number>()
  const sizes = new Map<number, number>()
  const seeds: number[] = []
  const sums = {
    epochs: 0,
    turns: 0,
    looks: 0,
    opened: 0,
    compared: 0,
    unseen: 0,
    days: 0,
    failures: 0,
  }
  const most = { blobs: 0, secrets: 0, headBytes: 0, remembered: 0 }
  const perMinute = () => Math.round((sums.epochs * 60_000) / (performance.now() - begun))
  return {
    epochs: () => sums.epochs,
    failed: () => sums.failures > 0,
    add: (report) => {
      seeds.push(report.plan.seed)
      sums.epochs += report.epochs
      sums.turns += report.turns
      sums.looks += report.looks
      sums.opened += report.opened
      sums.compared += report.compared
      sums.unseen += report.unseen
      sums.days += report.virtualSeconds / 86_400
      sums.failures += report.failure === undefined ? 0 : 1
      for (const key of ['blobs', 'secrets', 'headBytes', 'remembered'] as const)
        most[key] = Math.max(most[key], report.most[key])
      sizes.set(report.plan.n, (sizes.get(report.plan.n) ?? 0) + 1)
      merge(faults, report.faults)
      merge(told, report.told)
    },
    line: ({ plan, epochs, failure }) =>
      `seed ${plan.seed}: ${plan.n} members at first, ${epochs} epochs, ${failure === undefined ? 'held' : failure.message}` +
      ` (${sums.epochs} in all, ${perMinute()} a minute)`,
    text: () =>
      [
        `\n${sums.failures === 0 ? 'Every invariant held.' : 'AN INVARIANT WAS BROKEN.'}`,
        `seeds ${Math.min(...seeds)} to ${Math.max(...seeds)}, ${seeds.length} lives, ${sums.epochs} epochs, ${perMinute()} epochs a minute`,
        `${sums.turns} steps, invariants asserted ${sums.looks} times, old ciphertexts opened ${sums.opened} times, ${sums.days.toFixed(1)} days of virtual time`,
        `${sums.compared} outputs compared with their dealings, ${sums.unseen} not: no member that could be looked at had all of them in time`,
        `largest disk: ${most.blobs} bodies, ${most.secrets} secrets, a head of ${most.headBytes} bytes; largest memory: ${most.remembered} things beside the state`,
        `\nlives by members at genesis: ${[...sizes]
          .sort(([a], [b]) => a - b)
          .map(([n, count]) => `${count} of ${n}`)
          .join(', ')}`,
        `\nfaults\n${table(faults)}`,
        `\nwhat operators reported\n${table(told)}`,
      ].join('\n'),
  }
}

function merge(into: Map<string, number>, from: ReadonlyMap<string, number>): void {
  for (const [key, count] of from) into.set(key, (into.get(key) ?? 0) + count)
}

function table(counts: ReadonlyMap<string, number>): string {
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([name, count]) => `${String(count).padStart(9)}  ${name}`)
    .join('\n')
}

export function tellFailure({ plan, failure }: LifeReport): string {
  const { seed, n, depth, faults } = plan
  return [
    `\nseed ${seed}, ${n} members at first, ${depth} blocks not final: ${failure?.message}`,
    `with ${faults.length} faults:`,
    ...faults.map(
      ({ slot, kind, after, span, who, amount }) =>
        `  slot ${slot}, after ${after} s for ${span} s: ${kind} (who ${who}, amount ${amount})`,
    ),
    'what happened in the last slots (seconds):',
    ...(failure?.trace ?? []),
  ].join('\n')
}
