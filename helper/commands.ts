/**
 * `eigenx-tee helper serve`, `unseal` and `doctor`.
 *
 * The flags say where things are on this machine and nothing more: which app, operators and chain is
 * decided by the attested initdata. Modules are loaded by the command that needs them.
 * @module
 */
import { once } from 'node:events'
import { type Command, InvalidArgumentError } from 'commander'
import { HELPER_SOCKET } from '../sdk/client/endpoint.ts'
import { EigenxError } from '../sdk/errors.ts'
import { collectBounded } from '../sdk/node/files.ts'
import { DEFAULT_CACHE_DIR } from './env-cache.ts'

export function registerHelperCommands(program: Command): void {
  const helper = program
    .command('helper')
    .description('what runs inside a pod: proves what the pod is, and hands out its keys')

  helper
    .command('serve')
    .description('obtain the app key from the operators and serve it on a Unix socket')
    .option('--socket <path>', 'where to listen', HELPER_SOCKET)
    .option('--socket-mode <octal>', 'permission bits of the socket', parseMode, 0o600)
    .option('--port <number>', 'also listen on this loopback port', parsePort)
    .option('--initdata <path...>', "the pod's initdata; the first file that exists")
    .addHelpText(
      'after',
      `
Which app, operators and chain this pod belongs to comes from "eigenx.toml" in its initdata,
never from flags: initdata is in the hardware report, flags are not.

Example:
  $ eigenx-tee helper serve
  $ curl --unix-socket /run/eigenx/eigenx.sock 'http://pod/GetAddresses?count=2'`,
    )
    .action(
      async (options: {
        socket: string
        socketMode: number
        port?: number
        initdata?: readonly string[]
      }) => {
        const { startHelper } = await import('./serve.ts')
        const helperProcess = await startHelper({
          socketPath: options.socket,
          socketMode: options.socketMode,
          version: program.version() ?? 'unknown',
          log: writeLog,
          ...(options.port === undefined ? {} : { port: options.port }),
          ...(options.initdata === undefined ? {} : { initdataPaths: options.initdata }),
        })
        await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
        await helperProcess.stop()
      },
    )

  helper
    .command('unseal')
    .description(
      'answer one request of the Confidential Data Hub: JSON on stdin, the value on stdout',
    )
    .option('--cache-dir <path>', 'folder on tmpfs for the opened environment', DEFAULT_CACHE_DIR)
    .option('--no-cache', 'attest for every request')
    .option('--initdata <path...>', "the pod's initdata; the first file that exists")
    .addHelpText(
      'after',
      `
The contract is that of the Go helper. Fields on stdin that name operators or a chain are ignored.

Example:
  $ echo '{"app_id":"0x…","key":"DB_PASSWORD"}' | eigenx-tee helper unseal`,
    )
    .action(async (options: { cacheDir: string; cache: boolean; initdata?: readonly string[] }) => {
      const { MAX_UNSEAL_BYTES, unseal } = await import('./unseal.ts')
      const { INITDATA_PATHS, readPodConfig } = await import('./initdata-file.ts')
      const value = await unseal(
        {
          readPod: async () => await readPodConfig(options.initdata ?? INITDATA_PATHS),
          obtain: async (pod) => {
            const { obtainIdentity } = await import('./obtain.ts')
            return await obtainIdentity(pod)
          },
          cacheDir: options.cache ? options.cacheDir : undefined,
          warn: (message) => process.stderr.write(`eigenx-tee: ${message}\n`),
        },
        await collectBounded(process.stdin, { field: 'stdin', maxBytes: MAX_UNSEAL_BYTES }),
      )
      process.stdout.write(value)
    })

  helper
    .command('doctor')
    .description(
      'say what this pod has, what its hardware vouches for, and what is missing for a key',
    )
    .option('--initdata <path...>', "the pod's initdata; the first file that exists")
    .option('--json', 'one JSON document on standard output', false)
    .addHelpText(
      'after',
      `
Looks and changes nothing, and prints nothing secret. Exit code 1 when no key can be had like this;
a warning depends on what operators and the release allow.

Example:
  $ eigenx-tee helper doctor`,
    )
    .action(async (options: { initdata?: readonly string[]; json: boolean }) => {
      const { runDoctor } = await import('./run-doctor.ts')
      const { text, healthy } = await runDoctor(options)
      process.stdout.write(`${text}\n`)
      if (!healthy)
        throw new EigenxError({
          code: 'KEY_NOT_READY',
          message: 'No key can be had like this; see the findings.',
          stage: 'key',
          details: {},
        })
    })
}

/** One JSON object a line on stderr; journald takes it as it is. */
function writeLog(
  level: string,
  event: string,
  fields: Readonly<Record<string, string | number>> = {},
): void {
  const line = JSON.stringify({ time: new Date().toISOString(), level, event, ...fields })
  process.stderr.write(`${line}\n`)
}

function parseMode(text: string): number {
  if (!/^0?[0-7]{3}$/.test(text)) throw new InvalidArgumentError('expected three octal digits')
  return Number.parseInt(text, 8)
}

function parsePort(text: string): number {
  const port = Number(text)
  if (!/^[0-9]{1,5}$/.test(text) || port > 65_535)
    throw new InvalidArgumentError('expected a port number, 0 for a free one')
  return port
}
