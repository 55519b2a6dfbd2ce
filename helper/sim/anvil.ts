/**
 * Starts a real EVM node (anvil) on loopback for the sim and for tests, and stops exactly that process.
 *
 * The binary comes from npm: `@foundry-rs/anvil-<platform>-<arch>`, an optional dependency; elsewhere an `anvil`
 * on PATH is used. The platform binary is spawned directly, without the wrapper package, so that there is one
 * process to stop.
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { arch, platform } from 'node:os'
import { dirname, join } from 'node:path'
import { EigenxError } from '../../sdk/errors.ts'

export type AnvilOptions = {
  /** Seconds between blocks, fractions allowed. Absent: a block per transaction. */
  blockTimeSeconds?: number
  /** @default 31337 */
  chainId?: number
  /** Rules of the EVM; never the binary's own default, which moves with its version. @default 'prague' */
  hardfork?: 'cancun' | 'prague'
  /** finalized lies 2 epochs behind the head, safe one. @default 1 */
  slotsInAnEpoch?: number
  /** @default 30000000 */
  blockGasLimit?: number
  /** Path of the binary. Absent: the one from npm, else `anvil` on PATH. */
  binary?: string
  /** @default 20000 */
  startTimeoutMs?: number
}

export type Anvil = {
  /** `http://127.0.0.1:<port>` */
  url: string
  chainId: number
  pid: number
  /** Ends the process and waits for it. Safe to call twice. */
  stop(): Promise<void>
}

const STOP_GRACE_MS = 3000
/** What a failing start may quote of the binary's own output. */
const OUTPUT_TAIL_CHARS = 400
const LISTENING = /Listening on 127\.0\.0\.1:(\d+)/

/** @throws EigenxError CONFIG_INVALID where there is no binary, TIMEOUT where it does not get ready. */
export async function startAnvil(options: AnvilOptions = {}): Promise<Anvil> {
  const chainId = options.chainId ?? 31337
  const child = spawn(options.binary ?? findAnvil(), anvilArguments(options, chainId), {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const killOnExit = () => child.kill('SIGKILL')
  process.once('exit', killOnExit)
  const releaseGuard = guardAgainstOrphan(child)
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', () => resolve())
  }).finally(() => {
    process.off('exit', killOnExit)
    releaseGuard()
  })

  const port = await waitForPort(child, options.startTimeoutMs ?? 20_000)
  const pid = child.pid
  if (pid === undefined) throw startFailed('anvil has no process id')
  // The node keeps printing; an unread pipe would block it in the end.
  child.stdout?.resume()
  child.stderr?.resume()
  return {
    url: `http://127.0.0.1:${port}`,
    chainId,
    pid,
    stop: () => stopChild(child, exited),
  }
}

function anvilArguments(options: AnvilOptions, chainId: number): string[] {
  const { blockTimeSeconds, hardfork = 'prague', slotsInAnEpoch = 1 } = options
  const { blockGasLimit = 30_000_000 } = options
  return [
    ['--host', '127.0.0.1', '--port', '0', '--color', 'never'],
    ['--chain-id', String(chainId), '--hardfork', hardfork],
    ['--slots-in-an-epoch', String(slotsInAnEpoch), '--gas-limit', String(blockGasLimit)],
    // Transactions of one block stay in the order of their arrival, so that tests can compose blocks.
    ['--order', 'fifo'],
    blockTimeSeconds === undefined ? [] : ['--block-time', String(blockTimeSeconds)],
  ].flat()
}

/**
 * A process that is killed runs no exit handler, and its node would live on. So a shell waits for the end of a pipe
 * that only this process holds open: it ends when this process does, however that happens.
 * @returns Ends the guard; called when the node is gone, so that its process id cannot be another's by then.
 */
function guardAgainstOrphan(child: ChildProcess): () => void {
  if (child.pid === undefined || platform() === 'win32') return () => {}
  const script = 'read -r _; kill -9 "$1"'
  const guard = spawn('/bin/sh', ['-c', script, 'sh', String(child.pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    // A group of its own: Ctrl-C in a terminal must not end the guard before its time.
    detached: true,
  })
  // Without a shell there is no guard; the exit handler remains.
  guard.once('error', () => {})
  guard.stdin.once('error', () => {})
  guard.unref()
  return () => guard.kill('SIGKILL')
}

/** Names of the npm packages use Go's words for the architectures. */
function findAnvil(): string {
  const architecture = arch() === 'x64' ? 'amd64' : arch()
  const name = `@foundry-rs/anvil-${platform()}-${architecture}`
  const binary = platform() === 'win32' ? 'anvil.exe' : 'anvil'
  try {
    const manifest = createRequire(import.meta.url).resolve(`${name}/package.json`)
    return join(dirname(manifest), 'bin', binary)
  } catch {
    // Not installed for this platform: spawn looks on PATH.
    return binary
  }
}

async function waitForPort(child: ChildProcess, timeoutMs: number): Promise<number> {
  let output = ''
  let onOutput: ((chunk: Buffer) => void) | undefined
  let timer: NodeJS.Timeout | undefined
  try {
    return await new Promise<number>((resolve, reject) => {
      timer = setTimeout(() => {
        reject(
          new EigenxError({
            code: 'TIMEOUT',
            message: 'anvil did not get ready in time',
            stage: 'chain',
            details: { what: 'anvil start', afterMs: timeoutMs },
          }),
        )
      }, timeoutMs)
      onOutput = (chunk) => {
        output += chunk.toString('utf8')
        const port = LISTENING.exec(output)?.[1]
        if (port !== undefined) resolve(Number(port))
      }
      child.stdout?.on('data', onOutput)
      child.stderr?.on('data', onOutput)
      child.once('error', (cause) => reject(startFailed('anvil cannot be started', cause)))
      child.once('exit', (code) => {
        const tail = output.trim().slice(-OUTPUT_TAIL_CHARS)
        reject(startFailed(`anvil ended at once with code ${code}: ${tail}`))
      })
    })
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  } finally {
    clearTimeout(timer)
    if (onOutput !== undefined) {
      child.stdout?.off('data', onOutput)
      child.stderr?.off('data', onOutput)
    }
  }
}

async function stopChild(child: ChildProcess, exited: Promise<void>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return exited
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_GRACE_MS)
  await exited
  clearTimeout(timer)
}

function startFailed(message: string, cause?: unknown): EigenxError<'CONFIG_INVALID'> {
  return new EigenxError({
    code: 'CONFIG_INVALID',
    message,
    stage: 'chain',
    details: { path: 'anvil' },
    hint: `Install @foundry-rs/anvil-${platform()}-${arch() === 'x64' ? 'amd64' : arch()} with npm, or put an anvil binary (Foundry 1.7 or newer) on PATH.`,
    cause,
  })
}
