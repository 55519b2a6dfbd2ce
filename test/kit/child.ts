/** Runs the package's own program as a user does, in a private temporary folder, and sees what is left afterwards. @module */
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

export type Child = {
  pid: number
  output: () => string
  /** The first match in the output. @throws When the child ends before, or after `timeoutMs`. */
  waitFor: (pattern: RegExp, timeoutMs: number) => Promise<RegExpMatchArray>
  /** To the whole foreground group, as a terminal's Ctrl-C does. */
  interrupt: () => void
  ended: Promise<number | null>
  /** What lies in the child's temporary folder. */
  leftFiles: () => string[]
  remove: () => void
}

export function startChild(command: string, argv: readonly string[]): Child {
  const folder = mkdtempSync(join(tmpdir(), 'e2e-'))
  // biome-ignore lint/style/noProcessEnv: the child gets the test's environment, except its temporary folder
  const env = { ...process.env, TMPDIR: folder, NO_COLOR: '1' }
  const child = spawn(command, [...argv], {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  let output = ''
  const append = (chunk: Buffer) => {
    output += chunk.toString('utf8')
  }
  child.stdout.on('data', append)
  child.stderr.on('data', append)
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  let over = false
  void ended.then(() => {
    over = true
  })
  return {
    pid: child.pid ?? -1,
    output: () => output,
    waitFor: async (pattern, timeoutMs) => {
      const deadline = Date.now() + timeoutMs
      for (;;) {
        const match = output.match(pattern)
        if (match !== null) return match
        if (over || Date.now() > deadline)
          throw new Error(`${over ? 'ended' : 'waited'} without ${pattern}:\n${output}`)
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    },
    interrupt: () => {
      if (child.pid !== undefined && !over) process.kill(-child.pid, 'SIGINT')
    },
    ended,
    leftFiles: () => readdirSync(folder).filter((name) => name.startsWith('eigenx-tee-')),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** Process ids that the program names in its output (`process 123`). */
export function namedProcesses(output: string): number[] {
  return [...output.matchAll(/process (\d+)/g)].map((match) => Number(match[1]))
}

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
