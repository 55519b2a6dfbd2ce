/**
 * Child processes of a devnet: started from the built program, watched line by line, stopped by
 * their own id and never outliving the process that started them.
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { EigenxError } from '../../sdk/errors.ts'

const STOP_GRACE_MS = 5000
/** Lines kept for the message of a failed start, and for whoever asks. */
const KEPT_LINES = 2000

export type ProgramOptions = {
  /** For messages: `operator 2`, `helper`. */
  name: string
  /** A JavaScript file; it runs under the Node of this process. */
  path: string
  args: readonly string[]
  cwd?: string
}

export type Program = {
  pid: number
  /** Everything it has printed, both streams, in order of arrival; the oldest lines may be gone. */
  lines: () => readonly string[]
  /** The first match of any line, already printed or to come. @throws TIMEOUT, or when the program ends before. */
  waitFor: <T>(match: (line: string) => T | undefined, timeoutMs: number) => Promise<T>
  /** SIGTERM, then SIGKILL when it does not obey. */
  stop: () => Promise<void>
  /** SIGKILL: a crash, as far as the program can tell. */
  kill: () => Promise<void>
  isRunning: () => boolean
}

const running = new Set<ChildProcess>()

/** One listener for all children: a devnet of ten operators must not look like a listener leak. */
function killAll(): void {
  for (const child of running) child.kill('SIGKILL')
}

export function startProgram(options: ProgramOptions): Program {
  const child = spawn(process.execPath, [options.path, ...options.args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  })
  if (running.size === 0) process.once('exit', killAll)
  running.add(child)
  const kept: string[] = []
  const watchers = new Set<(line: string | undefined) => void>()
  const exited = new Promise<void>((resolve) => {
    const end = () => {
      running.delete(child)
      if (running.size === 0) process.off('exit', killAll)
      for (const watcher of watchers) watcher(undefined)
      resolve()
    }
    // 'close' comes after the last line; 'exit' may come before it.
    child.once('close', end)
    child.once('error', end)
  })
  const onLine = (line: string) => {
    kept.push(line)
    if (kept.length > KEPT_LINES) kept.shift()
    for (const watcher of watchers) watcher(line)
  }
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', onLine)

  const signal = async (name: 'SIGTERM' | 'SIGKILL') => {
    if (!running.has(child)) return exited
    child.kill(name)
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_GRACE_MS)
    await exited
    clearTimeout(timer)
  }
  return {
    pid: child.pid ?? -1,
    lines: () => kept,
    waitFor: (match, timeoutMs) =>
      waitForLine(
        { name: options.name, kept, watchers, isRunning: () => running.has(child) },
        match,
        timeoutMs,
      ),
    stop: () => signal('SIGTERM'),
    kill: () => signal('SIGKILL'),
    isRunning: () => running.has(child),
  }
}

type Watched = {
  name: string
  kept: readonly string[]
  watchers: Set<(line: string | undefined) => void>
  isRunning: () => boolean
}

function waitForLine<T>(
  watched: Watched,
  match: (line: string) => T | undefined,
  timeoutMs: number,
): Promise<T> {
  const { name, kept, watchers } = watched
  for (const line of kept) {
    const found = match(line)
    if (found !== undefined) return Promise.resolve(found)
  }
  if (!watched.isRunning()) return Promise.reject(ended(watched))
  return new Promise<T>((resolve, reject) => {
    const finish = (settle: () => void) => {
      clearTimeout(timer)
      watchers.delete(watcher)
      settle()
    }
    const watcher = (line: string | undefined) => {
      if (line === undefined) return finish(() => reject(ended(watched)))
      const found = match(line)
      if (found !== undefined) finish(() => resolve(found))
    }
    const timer = setTimeout(() => {
      finish(() =>
        reject(
          new EigenxError({
            code: 'TIMEOUT',
            message: `${name} was not ready within ${timeoutMs} ms; its last lines:\n${tail(kept)}`,
            stage: 'config',
            details: { what: name, afterMs: timeoutMs },
          }),
        ),
      )
    }, timeoutMs)
    watchers.add(watcher)
  })
}

function ended({ name, kept }: Watched): EigenxError<'INTERNAL'> {
  return new EigenxError({
    code: 'INTERNAL',
    message: `${name} ended; its last lines:\n${tail(kept)}`,
    stage: 'config',
    details: {},
  })
}

function tail(lines: readonly string[]): string {
  return lines.slice(-15).join('\n')
}
