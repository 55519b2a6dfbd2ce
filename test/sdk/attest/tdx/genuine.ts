/**
 * The genuine quotes of the shared folder, each with a collateral bundle and the verdicts of its table.
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseTdxCollateral, type TdxCollateral } from '../../../../sdk/attest/collateral-bundle.ts'
import { INTEL_ANCHORS } from '../../../../sdk/attest/tdx-anchors.ts'
import { verifyTdx } from '../../../../sdk/attest/tdx-verify.ts'
import { sharedVectors } from '../../../kit/shared-vectors.ts'

const evidence = sharedVectors('evidence')
export const genuineTdx = evidence === undefined ? undefined : join(evidence, 'tdx')

export type GenuineTdx = {
  name: string
  row: Readonly<Record<string, string>>
  quote: Uint8Array
  /** The text of the bundle; absent where the table has none. */
  bundle: string | undefined
  /** Unix seconds. */
  now: number
}

export function readTable(file: string): Readonly<Record<string, string>>[] {
  if (genuineTdx === undefined) return []
  const [header = '', ...lines] = readFileSync(join(genuineTdx, file), 'utf8').trimEnd().split('\n')
  const names = header.split('\t')
  return lines.map((line) => {
    const values = line.split('\t')
    return Object.fromEntries(names.map((name, at) => [name, values[at] ?? '']))
  })
}

/** One case per row of QUOTES.tsv; none where the folder is absent. */
export function readGenuineTdx(): GenuineTdx[] {
  return readTable('QUOTES.tsv').map((row) => {
    const { quote = '', bundle = '-', time = '-' } = row
    return {
      name: `${quote} with ${bundle}`,
      row,
      quote: readQuote(quote),
      bundle: bundle === '-' ? undefined : readText(`bundles/${bundle}`),
      now: time === '-' ? Date.UTC(2026, 5, 1) / 1000 : Date.parse(time) / 1000,
    }
  })
}

export function collateralOf({ bundle }: GenuineTdx): TdxCollateral {
  if (bundle === undefined) throw new Error('this case has no bundle')
  return parseTdxCollateral(bundle)
}

export function quoteFiles(): string[] {
  return genuineTdx === undefined ? [] : readdirSync(join(genuineTdx, 'quotes')).sort()
}

export const readQuote = (name: string) => readBytes(`quotes/${name}`)
export const readBytes = (path: string) =>
  new Uint8Array(readFileSync(join(genuineTdx ?? '', path)))
export const readText = (path: string) => readFileSync(join(genuineTdx ?? '', path), 'utf8')

/** The column with the status by Intel's rule. */
export const STATUS = 'intelQvlRuleConverged'

export const isNotYetValid = ({ row, now }: GenuineTdx) =>
  Date.parse(row.pck_notBefore ?? '') / 1000 > now ||
  row['dcapqvl_js_0.3.9']?.includes('not yet valid') === true
export const isWithoutLists = ({ row }: GenuineTdx) => row.bundle?.includes('noCRL') === true

/** What the table says of a row: details of its refusal, or `undefined` where it verifies. */
export function refusalInTable(genuine: GenuineTdx): object | undefined {
  if (genuine.row.intelRoot === 'false') return { check: 'tdx.pck-chain.root' }
  if (isWithoutLists(genuine)) return { field: 'collateral.root_ca_crl' }
  return isNotYetValid(genuine) ? { check: 'tdx.pck.validity' } : undefined
}

/** @throws EigenxError as `verifyTdx`, and where the bundle itself is refused. */
export function verifyGenuineTdx(genuine: GenuineTdx, quote = genuine.quote) {
  const { bundle, now } = genuine
  const collateral = bundle === undefined ? {} : { collateral: collateralOf(genuine) }
  return verifyTdx({ quote, ...collateral }, INTEL_ANCHORS, now)
}
