/** The command `verify` with its options and its help. @module */
import { type Command, Option } from 'commander'
import { type Io, type KeepCode, UsageError } from './io.ts'
import type { VerifyInput } from './verify.ts'

export function registerVerifyCommand(program: Command, io: Io, keepCode: KeepCode): void {
  program
    .command('verify')
    .description('check a hardware report, an initdata document, or one against the other')
    .argument('<files...>', 'evidence (JSON or binary report), initdata (TOML or base64), or both')
    .option('--certificate <file...>', 'certificates of a binary report (DER or PEM)')
    .option('--report-data <hex>', 'demand these 64 bytes of REPORT_DATA')
    .addOption(
      new Option('--vmpl <level>', 'the privilege level the report must be of, 0 to 3')
        .default(0)
        .argParser(parseVmpl),
    )
    .option('--at <date>', 'verify as of this date (ISO 8601); default is now')
    .option(
      '--collateral <path...>',
      'Intel’s collateral of a TDX quote: JSON bundles, or folders of them',
    )
    .option(
      '--crl <path...>',
      'AMD’s revocation lists for an SNP report (vcek-milan.crl and so on), or folders of them',
    )
    .option(
      '--event-log <file>',
      'a log that has to lead to the registers of a TDX quote: CCEL, the agent’s text, or dstack’s JSON',
    )
    .option('--snp-roots <file>', 'trust these roots INSTEAD of AMD’s: for devnets only')
    .option('--tdx-roots <file>', 'trust these roots INSTEAD of Intel’s: for devnets only')
    .addOption(
      new Option('--json', 'one JSON document on standard output').default(false).conflicts('eat'),
    )
    .option('--explain', 'each check with its whole inputs and the source of its rule', false)
    .option('--eat', 'the verdict as an EAT claims set (RFC 9711) in JSON, not signed', false)
    .addHelpText(
      'after',
      `
Needs no network: the roots of AMD and Intel are part of this program. Evidence is told from initdata by content.
Evidence is what the Attestation Agent or the guest device gives: the agent’s JSON in any of its
forms (Azure’s VMs included), the JSON of a /secrets request, the 1184 bytes of an SNP report with --certificate, or a
TDX quote. Of an Azure VM, --report-data demands the nonce that is made of these bytes.
A TDX quote needs Intel’s collateral: with the evidence, or from --collateral. An event log has to lead to the registers.
Revocation lists that came with an SNP report count. With --crl, a current list for its certificate must be among those given.

Examples:
  $ eigenx-tee verify evidence.json
  $ eigenx-tee verify evidence.json initdata.toml      the report must also anchor the document
  $ eigenx-tee verify report.bin --certificate vcek.der --certificate ask.pem --at 2026-05-01
  $ eigenx-tee verify evidence.json --crl crl/ --explain
  $ eigenx-tee verify quote.bin --collateral collateral/ --at 2026-05-01
  $ eigenx-tee verify quote.bin --collateral collateral/ --event-log ccel.bin
  $ eigenx-tee verify evidence.json --json | jq '.checks[] | select(.result == "failed")'`,
    )
    .action(
      keepCode(async (files: string[], options: Omit<VerifyInput, 'files'>) => {
        const { verifyFiles } = await import('./verify.ts')
        return verifyFiles(io, { files, ...options })
      }),
    )
}

function parseVmpl(text: string): number {
  if (!/^[0-3]$/.test(text)) throw new UsageError('--vmpl: expected a number from 0 to 3')
  return Number(text)
}
