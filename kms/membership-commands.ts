/**
 * `eigenx-tee kms join | leave | backup | restore | import`: what an operator does around its running node.
 * @module
 */
import type { Command } from 'commander'
import type {
  BackupOptions,
  ConfigOption,
  LeaveOptions,
  RestoreOptions,
} from './membership-actions.ts'
import { print } from './terminal.ts'

const DEFAULT_LEAVE_HOURS = 24

const actions = () => import('./membership-actions.ts')

export function registerMembershipCommands(kms: Command): void {
  const command = (name: string, description: string) =>
    kms.command(name).description(description).requiredOption('--config <file>', 'operator.toml')
  command(
    'join',
    'tell how far this operator has come with joining; exit code 1 until it is dealt in',
  )
    .addHelpText(
      'after',
      `
A checklist: key, registration, socket, share. It changes nothing, so run it as often as you like. Start the
operator and register it on chain first (kms register); the running operators deal it in with their next epoch.

Example:
  $ eigenx-tee kms join --config operator.toml`,
    )
    .action(async ({ config }: ConfigOption) => print(await (await actions()).showJoin(config)))
  command('leave', 'have this operator dealt out, and tell when it may deregister')
    .option('--hours <n>', 'how long the leave holds', String(DEFAULT_LEAVE_HOURS))
    .option('--force', 'leave although clients will miss this operator for a while', false)
    .option('--check', 'announce nothing; exit code 1 while it may not deregister yet', false)
    .addHelpText(
      'after',
      `
Keep the operator running: it deals once more. Deregister from the operator set (kms deregister) only when
this command says so, then stop the operator. A leave that is not followed by deregistration ends after
its hours, and the operator is dealt in again.

Examples:
  $ eigenx-tee kms leave --config operator.toml --hours 48
  $ eigenx-tee kms leave --config operator.toml --check    exit code 0: it may deregister`,
    )
    .action(async (options: LeaveOptions) => print(await (await actions()).leave(options)))
  command('backup', 'write an encrypted backup of a stopped operator')
    .requiredOption('--out <file>', 'the backup')
    .option('--passphrase-file <file>', 'mode 600; its first line')
    .option('--key-file <file>', 'mode 600; 64 hex digits')
    .option('--custodians <n>', 'split a fresh key among so many, written beside the backup')
    .option('--threshold <n>', 'how many of them open it')
    .addHelpText(
      'after',
      `
Give one of --passphrase-file, --key-file, or --custodians with --threshold. Stop the operator first. Nothing
is overwritten. A backup gets old when the encryption key rotates: repeat it from time to time.

Examples:
  $ eigenx-tee kms backup --config operator.toml --out operator.backup --passphrase-file passphrase.txt
  $ eigenx-tee kms backup --config operator.toml --out operator.backup --custodians 5 --threshold 3`,
    )
    .action(async (options: BackupOptions) => print(await (await actions()).backup(options)))
  command('restore', 'fill the empty store of a new operator from its backup')
    .requiredOption('--from <file>', 'the backup')
    .option('--passphrase-file <file>', 'as for backup')
    .option('--key-file <file>', 'as for backup')
    .option('--part-file <file...>', "custodians' parts")
    .addHelpText(
      'after',
      `
The configuration names the same operator and set as the backup, and a store that is new. Each share is
compared with its certified output; the operator takes the rest from chain and peers when it starts.

Examples:
  $ eigenx-tee kms restore --config operator.toml --from operator.backup --passphrase-file passphrase.txt
  $ eigenx-tee kms restore --config operator.toml --from operator.backup --part-file a.part b.part c.part`,
    )
    .action(async (options: RestoreOptions) => print(await (await actions()).restore(options)))
  command('import', 'take over the share of an older operator set, exported as JSON')
    .argument('<file>', 'mode 600; the exported key share of this very operator address')
    .addHelpText(
      'after',
      `
Every operator of the older set imports its own export under its own address, then all start. The printed
version and master public key must be the same everywhere. The first epoch reshares that key; destroy the
older stores once it is active.

Example:
  $ eigenx-tee kms import export.json --config operator.toml`,
    )
    .action(async (file: string, { config }: ConfigOption) =>
      print(await (await actions()).importFile(file, config)),
    )
}
