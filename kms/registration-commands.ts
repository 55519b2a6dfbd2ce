/** `eigenx-tee kms register | deregister`: an operator's place in its EigenLayer operator set. @module */
import type { Command } from 'commander'
import type { DeregisterOptions, RegisterOptions } from './registration-actions.ts'
import { print } from './terminal.ts'

const actions = () => import('./registration-actions.ts')

export function registerRegistrationCommands(kms: Command): void {
  const command = (name: string, description: string) =>
    kms
      .command(name)
      .description(description)
      .requiredOption('--config <file>', 'operator.toml')
      .option('--key-file <file>', "mode 600; the account's key, where another pays for the posts")
      .option('--dry-run', 'send nothing; print the transactions', false)
  command('register', 'register this operator for its EigenLayer operator set')
    .option('--metadata-uri <url>', 'for an account that is no EigenLayer operator yet', '')
    .option('--allocation-delay <blocks>', 'likewise', '0')
    .option('--force', 'register although clients or the other operators are not ready', false)
    .addHelpText(
      'after',
      `
Three steps, each left out when it is done already: the signing key in the key registrar, the account as an
EigenLayer operator, and the membership of the set with listen.public_url as its socket. Run it again after that
URL has changed. The process has to answer there first. The AVS may keep a list of operators that it allows.

Examples:
  $ eigenx-tee kms register --config operator.toml --dry-run
  $ eigenx-tee kms register --config operator.toml && eigenx-tee kms join --config operator.toml`,
    )
    .action(async (options: RegisterOptions) =>
      print(await (await actions()).register(options, print)),
    )
  command('deregister', 'take this operator out of its EigenLayer operator set, after kms leave')
    .option('--force', 'deregister although clients will miss its share', false)
    .addHelpText(
      'after',
      `
Refused while the key in force still counts on this operator. The signing key stays in the registrar: it serves if
the operator comes back.

Example:
  $ eigenx-tee kms leave --config operator.toml
  $ eigenx-tee kms deregister --config operator.toml`,
    )
    .action(async (options: DeregisterOptions) =>
      print(await (await actions()).deregister(options, print)),
    )
}
