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

const DEFAULT_LEAVE_HOURS = 24

const actions = () => import('./membership-actions.ts')

export function registerMembershipCommands(kms: Command): void {
  const command = (name: string, description: string) =>
    kms.command(name).description(description).requiredOption('--config <file>', 'operator.toml')
  command(
    'join',
    'tell how far this operator has come with joining; exit code 1 until it is dealt in',
  ).action(async ({ config }: ConfigOption) => print(await (await actions()).showJoin(config)))
  command('leave', 'have this operator dealt out, and tell when it may deregister')
    .option('--hours <n>', 'how long the leave holds', String(DEFAULT_LEAVE_HOURS))
    .option('--force', 'leave although clients will miss this operator for a while', false)
    .option('--check', 'announce nothing; exit code 1 while it may not deregister yet', false)
    .addHelpText(
      'after',
      `
Keep the operator running: it deals once more. Deregister from the operator set only when this
command says so, then stop the operator. A leave that is not followed by deregistration ends after
its hours, and the operator is dealt in again.`,
    )
    .action(async (options: LeaveOptions) => print(await (await actions()).leave(options)))
  command('backup', 'write an encrypted backup of a stopped operator')
    .requiredOption('--out <file>', 'the backup')
    .option('--passphrase-file <file>', 'mode 600; its first line')
    .option('--key-file <file>', 'mode 600; 64 hex digits')
    .option('--custodians <n>', 'split a fresh key among so many, written beside the backup')
    .option('--threshold <n>', 'how many of them open it')
    .action(async (options: BackupOptions) => print(await (await actions()).backup(options)))
  command('restore', 'fill the empty store of a new operator from its backup')
    .requiredOption('--from <file>', 'the backup')
    .option('--passphrase-file <file>', 'as for backup')
    .option('--key-file <file>', 'as for backup')
    .option('--part-file <file...>', "custodians' parts")
    .action(async (options: RestoreOptions) => print(await (await actions()).restore(options)))
  command('import', 'take over the share of an older operator set, exported as JSON')
    .argument('<file>', 'mode 600; the exported key share of this very operator address')
    .action(async (file: string, { config }: ConfigOption) =>
      print(await (await actions()).importFile(file, config)),
    )
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}
