/**
 * `eigenx-tee kms collateral fetch | list | check`: what Intel and AMD publish about their platforms, kept in the operator's folders.
 * @module
 */
import type { Command } from 'commander'
import { print } from './terminal.ts'

export type CollateralOptions = { config: string; json: boolean }

const actions = () => import('./collateral-actions.ts')

export function registerCollateralCommands(kms: Command): void {
  const collateral = kms
    .command('collateral')
    .description('fetch, list and check what Intel and AMD publish about their platforms')
  const command = (name: string, description: string) =>
    collateral
      .command(name)
      .description(description)
      .requiredOption('--config <file>', 'operator.toml, whose folders are meant')
      .option('--json', 'one JSON document on standard output', false)
  command('fetch', 'fetch, verify and write Intel’s collateral and AMD’s revocation lists')
    .option('--fmspc <hex...>', 'further kinds of TDX platforms, 12 hex digits each')
    .addHelpText(
      'after',
      `
Writes into attestation.tdx.collateral_dir and attestation.crl_dir, from the addresses in [collateral]. Each
part is verified up to the embedded roots before it takes the place of what was there, whole or not at all; what
is older, or does not verify, changes nothing. A running operator takes it up at its next look.
Exit code 1 when any part could not be fetched.

Example:
  $ eigenx-tee kms collateral fetch --config operator.toml --fmspc 00806f050000`,
    )
    .action(async (options: CollateralOptions & { fmspc?: string[] }) =>
      print(await (await actions()).fetchCollateral(options)),
    )
  command('list', 'tell what is in the folders, with dates and numbers')
    .addHelpText(
      'after',
      `
Each file is verified as of now: good, expired (genuine, but run out), bad with the code of the refusal, or
missing although the configuration asks for it.

Example:
  $ eigenx-tee kms collateral list --config operator.toml`,
    )
    .action(async (options: CollateralOptions) =>
      print(await (await actions()).listCollateral(options)),
    )
  command('check', 'exit code 1 when something is missing, broken, run out or about to')
    .option('--days <n>', 'how soon is about to; default: collateral.warn_days')
    .addHelpText(
      'after',
      `
For a cron job or a monitor. It looks at files only, and asks nobody.

Example:
  $ eigenx-tee kms collateral check --config operator.toml --days 14`,
    )
    .action(async (options: CollateralOptions & { days?: string }) =>
      print(await (await actions()).checkCollateral(options)),
    )
}
