/**
 * The command line `eigenx-tee`: every subcommand with its help, each loaded only when it is asked
 * for, so that help and mistakes are answered at once.
 * @module
 */
import { Command, CommanderError, Option } from 'commander'
import { registerKmsCommands } from '../../kms/cli.ts'
import { registerSimulateCommand } from '../../kms/config-commands.ts'
import { isEigenxError } from '../../sdk/errors.ts'
import { registerHelperCommands } from '../commands.ts'
import { type ExitCode, type Io, type KeepCode, UsageError } from './io.ts'
import type { ReleaseInput } from './release.ts'
import { registerRulesCommands } from './rules-commands.ts'
import { registerVerifyCommand } from './verify-command.ts'
import { VERSION } from './version.ts'

const EXIT_CODES = `
Exit codes: 0 done or accepted, 1 refused, 2 wrong command line, unreadable file or bad configuration, 3 a bug.`

/** @returns The exit code; never throws. */
export async function run(argv: readonly string[], io: Io): Promise<ExitCode> {
  let exitCode: ExitCode = 0
  /** commander drops what an action returns. */
  const keepCode =
    <A extends readonly unknown[]>(handler: (...args: A) => Promise<ExitCode>) =>
    async (...args: A): Promise<void> => {
      exitCode = await handler(...args)
    }
  try {
    await createProgram(io, keepCode).parseAsync([...argv], { from: 'user' })
    return exitCode
  } catch (error) {
    return explainFailure(error, io)
  }
}

/** Every command with its options; `keepCode` wraps what they run. */
export function createProgram(io: Io, keepCode: KeepCode): Command {
  const program = new Command('eigenx-tee')
    .description(
      'Keys and secrets for attested pods: a quorum of operators checks what a pod runs, and hands back the shares of its key.',
    )
    .version(VERSION)
    .exitOverride()
    .showHelpAfterError('(add --help for the options)')
    .configureOutput({
      writeOut: (text) => io.out(text.trimEnd()),
      writeErr: (text) => io.err(text.trimEnd()),
    })
    .addHelpText(
      'after',
      `
Start here:
  $ eigenx-tee demo                          a whole devnet, one pod, its keys, four attacks; ends by itself
  $ eigenx-tee sim                           the same devnet, to develop against
  $ eigenx-tee release prepare pod.yaml      the initdata and on-chain pins of your pod
  $ eigenx-tee policy explain initdata.toml  what a pod's policy really allows
  $ eigenx-tee verify evidence.json          every check of a hardware report, one by one`,
    )
    .addHelpText('afterAll', EXIT_CODES)
  addDevnetCommands(program, io, keepCode)
  addSealingCommands(program, io, keepCode)
  registerVerifyCommand(program, io, keepCode)
  addPolicyCommands(program, io, keepCode)
  registerKmsCommands(program)
  registerHelperCommands(program)
  return program
}

function addDevnetCommands(program: Command, io: Io, keepCode: KeepCode): void {
  program
    .command('demo')
    .description('show the whole system at work, attacks included, and check every answer')
    .addOption(operatorsOption())
    .addOption(teeOption())
    .addHelpText(
      'after',
      `
Starts a real EVM node, the operators and a pod on loopback, prints what each of them checked, and
stops everything. Exit code 1 when anything does not behave as it must.

Example:
  $ eigenx-tee demo --operators 5`,
    )
    .action(
      keepCode(async (options: { operators: number; tee: 'snp' | 'tdx' }) => {
        const { runDemo } = await import('../sim/demo.ts')
        return runDemo(io, options)
      }),
    )
  program
    .command('sim')
    .description('run a devnet on loopback until Ctrl-C, to develop an app against')
    .addOption(operatorsOption())
    .addOption(teeOption())
    .option('--socket <path>', 'where to put the helper socket (default: a temporary folder)')
    .addHelpText(
      'after',
      `
Prints the socket path, a curl line and a few lines of SDK code. The keys are as throw-away as the
devnet: its hardware root of trust is made at start, and no production operator accepts it.

Example:
  $ eigenx-tee sim --socket ./eigenx.sock
  $ curl --unix-socket ./eigenx.sock http://eigenx/GetMnemonic`,
    )
    .action(
      keepCode(async (options: { operators: number; tee: 'snp' | 'tdx'; socket?: string }) => {
        const { runSim } = await import('../sim/sim.ts')
        const { operators, tee, socket } = options
        return runSim(io, {
          operators,
          tee,
          ...(socket === undefined ? {} : { socketPath: socket }),
        })
      }),
    )
}

function addSealingCommands(program: Command, io: Io, keepCode: KeepCode): void {
  program
    .command('encrypt')
    .description('encrypt a file so that only the attested pod of one app can open it')
    .argument('[file]', 'plaintext; - or nothing is standard input', '-')
    .requiredOption('--app <id>', 'the app id, 0x and 40 hex digits')
    .requiredOption(
      '--master-public-key <file>',
      'file with the operators’ master public key (hex, 96 bytes)',
    )
    .option('--out <file>', 'where to write the ciphertext; default is hex on standard output')
    .addHelpText(
      'after',
      `
Nobody has to be asked and nothing is uploaded: identity-based encryption needs the app id and the
master public key only. Take that key from your own check of the chain log, not from a web page.

Example:
  $ printf %s "$DB_PASSWORD" | eigenx-tee encrypt --app 0x1234… --master-public-key mpk.hex --out db.enc`,
    )
    .action(
      keepCode(
        async (file: string, options: { app: string; masterPublicKey: string; out?: string }) => {
          const { encryptFile } = await import('./sealing.ts')
          return encryptFile(io, { file, ...options })
        },
      ),
    )
  program
    .command('decrypt')
    .description('open a ciphertext with the key of its app')
    .argument('[file]', 'ciphertext, binary or hex; - or nothing is standard input', '-')
    .requiredOption('--app <id>', 'the app id under which it was encrypted')
    .requiredOption('--app-key-file <file>', 'file with the app key (hex, 48 bytes)')
    .option('--out <file>', 'where to write the plaintext (mode 600); default is standard output')
    .addHelpText(
      'after',
      `
The app key exists only inside an attested pod. It is read from a file, never from the command line,
because arguments are visible to every process of the machine.

Example:
  $ eigenx-tee decrypt --app 0x1234… --app-key-file /run/eigenx/app-key.hex db.enc`,
    )
    .action(
      keepCode(async (file: string, options: { app: string; appKeyFile: string; out?: string }) => {
        const { decryptFile } = await import('./sealing.ts')
        return decryptFile(io, { file, ...options })
      }),
    )
}

function addPolicyCommands(program: Command, io: Io, keepCode: KeepCode): void {
  const policy = program
    .command('policy')
    .description('read what a pod’s policy really allows, and try what an operator’s would')
  policy
    .command('explain')
    .description('list the containers, commands and host powers that a policy admits')
    .argument('<file>', 'initdata (TOML or base64) or policy.rego; - is standard input')
    .option('--json', 'one JSON document on standard output', false)
    .addHelpText(
      'after',
      `
Reads structure, not text: an image digest in a comment or an unused variable counts for nothing.
Exit code 1 when the policy would be refused whatever the release says.

Example:
  $ eigenx-tee policy explain initdata.toml`,
    )
    .action(
      keepCode(async (file: string, options: { json: boolean }) => {
        const { explainPolicy } = await import('./policy.ts')
        return explainPolicy(io, { file, json: options.json })
      }),
    )
  registerSimulateCommand(policy)
  registerRulesCommands(policy, io, keepCode)
  const release = program.command('release').description('prepare what goes on chain')
  release
    .command('prepare')
    .description('write policy.rego, initdata and the on-chain pins of a pod')
    .argument(
      '<pod>',
      'the pod’s YAML (every image with its digest), or a finished initdata document',
    )
    .option('--config <file>', 'eigenx.toml to put into the initdata')
    .option('--aa <file>', 'aa.toml of the Attestation Agent')
    .option('--cdh <file>', 'cdh.toml of the Confidential Data Hub')
    .option(
      '--image-config <image=file...>',
      'what an image brings along, as `skopeo inspect --config` prints it',
    )
    .option(
      '--app-container <name>',
      'the container that the release is about (default: the first)',
    )
    .option('--allow-logs', 'let the host read the containers’ output')
    .option(
      '--out <folder>',
      'write policy.rego, initdata.toml, annotation.txt and release.json there',
    )
    .option('--json', 'one JSON document on standard output', false)
    .addHelpText(
      'after',
      `
The pins go into publicEnv of your release, where the operators read them. The annotation goes into
the pod’s metadata as io.katacontainers.config.hypervisor.cc_init_data.

Example:
  $ eigenx-tee release prepare pod.yaml --config eigenx.toml --out release/`,
    )
    .action(
      keepCode(async (pod: string, options: Omit<ReleaseInput, 'pod'>) => {
        const { prepareReleaseFiles } = await import('./release.ts')
        return prepareReleaseFiles(io, { pod, ...options })
      }),
    )
}

function operatorsOption(): Option {
  return new Option('--operators <n>', 'how many operators, 2 to 10')
    .default(4)
    .argParser((text) => {
      const count = Number(text)
      if (!/^\d+$/.test(text) || count < 2 || count > 10)
        throw new UsageError('--operators: expected a number from 2 to 10')
      return count
    })
}

function teeOption(): Option {
  return new Option('--tee <name>', 'the simulated processor: AMD SEV-SNP or Intel TDX')
    .choices(['snp', 'tdx'])
    .default('snp')
}

function explainFailure(error: unknown, io: Io): ExitCode {
  // commander has printed its own message already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  if (error instanceof UsageError) {
    io.err(error.message)
    return 2
  }
  if (isEigenxError(error)) {
    io.err(`${error.code}: ${error.shortMessage}`)
    if (error.hint !== undefined) io.err(`  ${error.hint}`)
    return error.code === 'CONFIG_INVALID' ? 2 : 1
  }
  io.err(`INTERNAL: ${error instanceof Error ? (error.stack ?? error.message) : 'unknown failure'}`)
  return 3
}
