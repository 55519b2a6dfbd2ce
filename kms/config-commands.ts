/** `eigenx-tee kms config diff` and `eigenx-tee policy simulate`: what other settings would accept. @module */
import type { Command } from 'commander'
import type { SimulateOptions } from './config-actions.ts'
import { print } from './terminal.ts'

const actions = () => import('./config-actions.ts')

export function registerConfigCommands(kms: Command): void {
  kms
    .command('config')
    .description('compare configurations')
    .command('diff')
    .description('tell which changes of a configuration accept more, and which accept less')
    .argument('<old>', 'operator.toml as it is')
    .argument('<new>', 'operator.toml as it would be')
    .option('--json', 'one JSON document on standard output', false)
    .addHelpText(
      'after',
      `
Both files must be valid. Values of chain.rpc_urls are not shown: they can carry keys.

Example:
  $ eigenx-tee kms config diff operator.toml operator.new.toml`,
    )
    .action(async (old: string, next: string, options: { json: boolean }) =>
      print(await (await actions()).showConfigDiff(old, next, options)),
    )
}

export function registerSimulateCommand(policy: Command): void {
  policy
    .command('simulate')
    .description('tell which of a folder of kept evidence an operator’s settings would accept')
    .argument(
      '<folder>',
      'evidence of agents, or bodies of POST /secrets; one JSON document a file',
    )
    .requiredOption('--config <file>', 'operator.toml whose settings are tried')
    .option('--against <file>', 'operator.toml to compare with')
    .option('--at <date>', 'judge as of this date (ISO 8601); default is now')
    .option('--json', 'one JSON document on standard output', false)
    .addHelpText(
      'after',
      `
Runs the code that judges requests, without the chain: of a request body everything up to the release, of
evidence alone whether it is genuine and its platform is served. Collateral and revocation lists come with the
evidence or from the folders of the configuration. With --against, exit code 1 when something that passed there
would be refused.

Example:
  $ eigenx-tee policy simulate evidence/ --config operator.new.toml --against operator.toml --at 2026-05-01`,
    )
    .action(async (folder: string, options: SimulateOptions) =>
      print(await (await actions()).simulatePolicy(folder, options)),
    )
}
