/**
 * The genuine reports of the shared folder with the verdicts of its table.
 * @module
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseSnpReport } from '../../../sdk/attest/snp-report.ts'
import type { SnpEvidence } from '../../../sdk/attest/snp-verify.ts'
import { sharedVectors } from '../../kit/shared-vectors.ts'

export const genuineFolder = sharedVectors('evidence')

export type GenuineCase = {
  name: string
  row: Readonly<Record<string, string>>
  evidence: SnpEvidence
  /** Inside the certificate's validity; 2026-07-01 where the table has none. */
  now: number
}

/** One case per row of REPORTS.tsv; none where the folder is absent. */
export function readGenuine(): GenuineCase[] {
  if (genuineFolder === undefined) return []
  const folder = join(genuineFolder, 'snp')
  const [header = '', ...lines] = readFileSync(join(folder, 'REPORTS.tsv'), 'utf8')
    .trim()
    .split('\n')
  const names = header.split('\t')
  return lines.map((line) => {
    const values = line.split('\t')
    const row = Object.fromEntries(names.map((name, at) => [name, values[at] ?? '']))
    const read = (path: string) => new Uint8Array(readFileSync(join(folder, path)))
    const { file = '', cert = '', nb = '' } = row
    return {
      name: `${file} with ${cert}`,
      row,
      evidence: { report: read(file), certificates: cert === '-' ? [] : [read(cert)] },
      now: nb === '' ? Date.UTC(2026, 6, 1) / 1000 : Date.parse(nb) / 1000 + 24 * 3600,
    }
  })
}

/** Rows whose evidence verifies, one per report: certificates issued twice carry the same key. */
export function readVerifying(): GenuineCase[] {
  const seen = new Set<string>()
  return readGenuine().filter(({ row, evidence }) => {
    const { file = '', sig } = row
    const first = sig === 'true' && evidence.certificates.length > 0 && !seen.has(file)
    if (first) seen.add(file)
    return first && parseSnpReport(evidence.report).version > 1
  })
}

/** What the table says of a row: the check that refuses it, or `undefined` where it verifies. */
export function refusingCheck({ row }: GenuineCase): string | undefined {
  if (row.cert === '-') return 'snp.one-leaf'
  return row.tcbmatch === 'true' ? undefined : 'snp.leaf-tcb-equals-reported'
}
