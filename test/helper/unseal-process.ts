/** The helper's commands as a program, without the rest of the command line. */
import { Command } from 'commander'
import { registerHelperCommands } from '../../helper/commands.ts'
import { isEigenxError } from '../../sdk/errors.ts'

const program = new Command('eigenx-tee').version('0.0.0')
registerHelperCommands(program)
try {
  await program.parseAsync(process.argv)
} catch (error) {
  process.stderr.write(`${isEigenxError(error) ? `${error.code}: ${error.shortMessage}` : error}\n`)
  process.exitCode = 1
}
