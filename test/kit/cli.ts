/** The command line without a process: files in a map, output in lists. @module */
import type { ExitCode, Io } from '../../helper/cli/io.ts'
import { run } from '../../helper/cli/program.ts'
import { collectBounded } from '../../sdk/node/files.ts'

export type CliResult = {
  code: ExitCode
  /** What was written to standard output, one string per line. */
  out: string[]
  err: string[]
  bytes: Uint8Array[]
  files: Map<string, string | Uint8Array>
}

export async function runCli(
  argv: readonly string[],
  files: Readonly<Record<string, string | Uint8Array>> = {},
  world: { now?: Date; stdin?: Uint8Array; readOnly?: boolean } = {},
): Promise<CliResult> {
  const result: Omit<CliResult, 'code'> = { out: [], err: [], bytes: [], files: new Map() }
  const demandWritable = () => {
    if (world.readOnly) throw Object.assign(new Error('permission denied'), { code: 'EACCES' })
  }
  const io: Io = {
    out: (text) => void result.out.push(text),
    err: (text) => void result.err.push(text),
    writeBytes: (bytes) => void result.bytes.push(bytes),
    readFile: async (path, limit) => {
      const content = files[path]
      if (content === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' })
      const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content
      return collectBounded(streamOf(bytes), limit)
    },
    listFolder: async (path) => {
      const names = Object.keys(files)
        .filter((name) => name.startsWith(`${path}/`))
        .map((name) => name.slice(path.length + 1))
      if (names.length > 0) return names
      if (files[path] !== undefined) return undefined
      throw Object.assign(new Error('no such file'), { code: 'ENOENT' })
    },
    readStdin: (limit) => collectBounded(streamOf(world.stdin ?? new Uint8Array()), limit),
    writeFile: async (path, content) => {
      demandWritable()
      result.files.set(path, content)
    },
    makeFolder: async () => demandWritable(),
    color: false,
    now: () => world.now ?? new Date('2026-06-01T00:00:00Z'),
    interrupted: () => new Promise(() => {}),
  }
  return { code: await run(argv, io), ...result }
}

async function* streamOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
