/**
 * The genuine evidence of Azure VMs in the shared folder.
 * @module
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { genuineFolder } from '../genuine.ts'

export const azureFolder = join(genuineFolder ?? '', 'azure')
export const readAzureBytes = (name: string) =>
  new Uint8Array(readFileSync(join(azureFolder, name)))
/** Inside the validity of every certificate, Unix seconds. */
export const AZURE_TIME = Date.UTC(2026, 6, 1) / 1000

/** Some samples are wrapped by the project that published them. */
export function readAzureText(name: string): string {
  const text = readFileSync(join(azureFolder, name), 'utf8')
  const { evidence }: { evidence?: unknown } = JSON.parse(text)
  return evidence === undefined ? text : JSON.stringify(evidence)
}

/** File, product, report version and what the nonce was. */
export const AZURE_SNP_SAMPLES = [
  ['az-snp-evidence-genoa-trustee.json', 'Genoa', 3, undefined],
  ['az-snp-evidence-v0-trustee.json', 'Milan', 3, 'challenge'],
  ['az-snp-evidence-v1-cdai.json', 'Milan', 2, 'challenge'],
  ['az-snp-evidence-v1-trustee.json', 'Milan', 3, 'challenge'],
  ['az-snp-live-evidence-cdai.json', 'Milan', 3, 'attestation-test-fixture'],
  ['az-snp-milan-v3-attestation-cdai.json', 'Milan', 3, ''],
] as const
