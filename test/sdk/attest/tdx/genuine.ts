/**
 * The genuine quotes of the shared folder, each with a collateral bundle and the verdicts of its table.
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseTdxCollateral, type TdxCollateral } from '../../../../sdk/attest/collateral-bundle.ts'
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
