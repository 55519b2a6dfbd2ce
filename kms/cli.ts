/**
 * `eigenx-tee kms`: run an operator, ask how it is, make its first files.
 *
 * Results on standard output, logs too while serving (one JSON line each). Refusals are thrown; the
 * program around prints them and sets the exit code.
 * @module
 */
import type { Command } from 'commander'
import { registerCollateralCommands } from './collateral-commands.ts'
import { registerConfigCommands } from './config-commands.ts'
import { registerMembershipCommands } from './membership-commands.ts'
import { registerRegistrationCommands } from './registration-commands.ts'
import { print } from './terminal.ts'

export function registerKmsCommands(program: Command): void {
  const kms = program
    .command('kms')
    .description('run an operator: its first files, its service, and its way into and out of a set')
  kms
    .command('serve')
    .description('run an operator until SIGTERM or Ctrl-C')
    .requiredOption('--config <file>', 'operator.toml')
    .addHelpText(
      'after',
      `
Logs one JSON line per event on standard output; "listening" comes when requests are answered, and
"audit" lines tell each decision with every check. SIGTERM finishes answers in progress and exits 0.

Example:
  $ eigenx-tee kms serve --config /etc/eigenx/operator.toml`,
    )
    .action(async (options: { config: string }) => {
      const { serve } = await import('./commands.ts')
      await serve(options.config)
    })
  kms
    .command('status')
    .description('ask a running operator whether it can serve keys; exit code 1 when it cannot')
    .option('--config <file>', 'operator.toml of an operator on this machine')
    .option('--url <url>', 'base URL of any operator')
    .option('--json', 'the report as JSON', false)
    .addHelpText(
      'after',
      `
Examples:
  $ eigenx-tee kms status --url https://operator-3.example
  $ eigenx-tee kms status --config operator.toml --json | jq .finality`,
    )
    .action(async (options: { config?: string; url?: string; json: boolean }) => {
      const { showStatus } = await import('./status-actions.ts')
      print(await showStatus(options))
    })
  kms
    .command('init')
    .description('write a signing key, a store key and a first operator.toml into a folder')
    .argument('<folder>', 'made if missing; nothing in it is overwritten')
    .addOption(
      kms
        .createOption('--curve <name>', "the operator set's curve, as its key registrar says")
        .choices(['ecdsa', 'bn254'])
        .default('ecdsa'),
    )
    .addHelpText(
      'after',
      `
Key files get mode 600. The signing key is a secp256k1 key, or with --curve bn254 a BN254 key, which cannot pay:
a secp256k1 key for transactions comes with it. \`kms register\` makes the signing key known to your operator set.
Keep a copy of the folder's keys where you keep such things; the store is useless without.

Examples:
  $ eigenx-tee kms init ./operator && $EDITOR ./operator/operator.toml
  $ eigenx-tee kms init ./operator --curve bn254`,
    )
    .action(async (folder: string, options: { curve: 'ecdsa' | 'bn254' }) => {
      const { initFolder } = await import('./init.ts')
      print(await initFolder(folder, options.curve))
    })
  registerRegistrationCommands(kms)
  registerMembershipCommands(kms)
  registerCollateralCommands(kms)
  registerConfigCommands(kms)
}
