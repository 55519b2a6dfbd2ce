/** What a run has shown, for a person. @module */
import { KINDS } from './plan.ts'
import { judge, longestGap, type RunRecord } from './verdict.ts'

export function formatReport(run: RunRecord): string {
  const { activations, probes, failures, impossible } = run
  const [first, last] = [activations[0], activations.at(-1)]
  const reasons = judge(run)
  const row = (name: string, text: string) => `${name.padEnd(12)}${text}`
  const waits = probes.map(({ tookMs }) => tookMs).sort((a, b) => a - b)
  const minutes = ((run.endedMs - run.startedMs) / 60_000).toFixed(1)
  const lines = [
    '',
    row(
      'run',
      `seed ${run.seed}, ${run.operators} operators, threshold ${run.threshold}, ${minutes} minutes`,
    ),
    row(
      'faults',
      `${KINDS.map((kind) => `${kind} ${run.faults[kind]}`).join(', ')}; writes failed in ${run.storesNoticed} of kind store`,
    ),
    ...impossible.map((kind) =>
      row('left out', `${kind}: needs the program prlimit (util-linux), which is not here`),
    ),
    row(
      'epochs',
      first === undefined || last === undefined
        ? 'none seen'
        : `${first.epoch} to ${last.epoch}, ${activations.length} seen in force; longest without a new one ${longestGap(run).toFixed(0)} s of ${run.stallSeconds} s allowed`,
    ),
    row('answers', `${run.sightings} of GET /pubkey compared`),
    row(
      'pods',
      `${probes.length} booted with the same keys; fewest grants ${Math.min(...probes.map(({ granted }) => granted))}; ${waits[waits.length >> 1] ?? 0} ms in the middle, ${waits.at(-1) ?? 0} ms at most`,
    ),
  ]
  for (const { atMs, what, logs } of failures) {
    lines.push('', `FAILURE at ${new Date(atMs).toISOString()}: ${what}`)
    logs.forEach((log, index) => {
      lines.push(`  operator ${index + 1} said last:`, ...log.map((line) => `    ${line}`))
    })
  }
  const passed = impossible.length === 0 ? 'PASSED' : `PASSED, WITHOUT ${impossible.join(', ')}`
  lines.push('', reasons.length === 0 ? passed : 'FAILED')
  for (const reason of reasons) lines.push(`- ${reason}`)
  return lines.join('\n')
}
