/**
 * The genuine samples: each gets the answer of its table at the table's date, and every bit of what is signed counts.
 * @module
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { AMD_ANCHORS } from '../../sdk/attest/anchors.ts'
import { parseAzureSnpEvidence } from '../../sdk/attest/azure-evidence.ts'
import { verifyAzureSnp } from '../../sdk/attest/azure-verify.ts'
import { verifySnp } from '../../sdk/attest/snp-verify.ts'
import { parseTdxQuote } from '../../sdk/attest/tdx-quote.ts'
import { AZURE_SNP_SAMPLES, AZURE_TIME, readAzureText } from '../sdk/attest/azure/genuine.ts'
import { survivingFlips, survivingFlipsWithin } from '../sdk/attest/flips.ts'
import { genuineFolder, readGenuine, readVerifying, refusingCheck } from '../sdk/attest/genuine.ts'
import { readGenuineTdx, refusalInTable, verifyGenuineTdx } from '../sdk/attest/tdx/genuine.ts'
import { count, countFlips, createRow, type Row, type Section } from './tally.ts'

export const GENUINE_SECTIONS: readonly Section[] =
  genuineFolder === undefined
    ? []
    : [
        { name: 'genuine SNP reports', run: snpReports },
        { name: 'genuine TDX quotes', run: tdxQuotes },
        { name: 'genuine Azure SNP evidence', run: azureSnp },
      ]

function snpReports(): Row {
  const row = createRow('genuine SNP reports')
  for (const genuine of readGenuine()) {
    const check = refusingCheck(genuine)
    const verify = () => verifySnp(genuine.evidence, AMD_ANCHORS, genuine.now)
    count(row, verify, check === undefined ? undefined : { check })
  }
  for (const { evidence, now } of readVerifying()) {
    const { report, certificates } = evidence
    const [leaf = new Uint8Array()] = certificates
    const inReport = (flipped: Uint8Array) =>
      verifySnp({ ...evidence, report: flipped }, AMD_ANCHORS, now)
    const inLeaf = (flipped: Uint8Array) =>
      verifySnp({ ...evidence, certificates: [flipped] }, AMD_ANCHORS, now)
    countFlips(row, report.length, survivingFlips(report, inReport))
    countFlips(row, leaf.length, survivingFlips(leaf, inLeaf))
  }
  return row
}

function tdxQuotes(): Row {
  const row = createRow('genuine TDX quotes')
  const flipped = new Set<string>()
  for (const genuine of readGenuineTdx()) {
    const refusal = refusalInTable(genuine)
    count(row, () => verifyGenuineTdx(genuine), refusal)
    const { quote = '' } = genuine.row
    // With another bundle the same quote has the same signatures.
    if (refusal !== undefined || flipped.has(quote)) continue
    flipped.add(quote)
    // Up to the certificates: those are flipped in the DER of self-made ones.
    const end = Buffer.from(genuine.quote).indexOf('-----BEGIN')
    const verify = (changed: Uint8Array) => verifyGenuineTdx(genuine, changed)
    parseTdxQuote(genuine.quote)
    countFlips(row, end, survivingFlipsWithin(genuine.quote, [0, end], verify))
  }
  return row
}

function azureSnp(): Row {
  const row = createRow('genuine Azure SNP evidence')
  for (const [name] of AZURE_SNP_SAMPLES) {
    const evidence = parseAzureSnpEvidence(readAzureText(name))
    const verify = (changes: object) =>
      verifyAzureSnp({ ...evidence, ...changes }, AMD_ANCHORS, AZURE_TIME)
    count(row, () => verify({}), undefined)
    const { quote } = evidence
    const inQuote = (changes: object) => verify({ quote: { ...quote, ...changes } })
    const { message, signature } = quote
    countFlips(
      row,
      message.length,
      survivingFlips(message, (flipped) => inQuote({ message: flipped })),
    )
    countFlips(
      row,
      signature.length,
      survivingFlips(signature, (flipped) => inQuote({ signature: flipped })),
    )
  }
  const alone = readFileSync(
    join(genuineFolder ?? '', 'azure', 'az-snp-tpm-quote-v1-trustee.json'),
    'utf8',
  )
  count(row, () => parseAzureSnpEvidence(alone), {})
  return row
}
