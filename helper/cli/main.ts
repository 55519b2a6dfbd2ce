#!/usr/bin/env node
/**
 * The program `eigenx-tee`: gives the commands the real world and its exit code back.
 * @module
 */
import { mkdir, readdir, stat } from 'node:fs/promises'
import { collectBounded, readFileBounded, writePrivateFile } from '../../sdk/node/files.ts'
import type { Io } from './io.ts'
import { run } from './program.ts'

// biome-ignore lint/style/noProcessEnv: https://no-color.org is asked for in the environment
const noColor = process.env.NO_COLOR !== undefined && process.env.NO_COLOR !== ''

const io: Io = {
  out: (text) => void process.stdout.write(`${text}\n`),
  err: (text) => void process.stderr.write(`${text}\n`),
  writeBytes: (bytes) => void process.stdout.write(bytes),
  readFile: readFileBounded,
  listFolder: async (path) => ((await stat(path)).isDirectory() ? readdir(path) : undefined),
  readStdin: (limit) => collectBounded(process.stdin, limit),
  // What this program writes may be a secret that it decrypted, also into a file that was there before.
  writeFile: writePrivateFile,
  makeFolder: async (path) => void (await mkdir(path, { recursive: true })),
  color: process.stdout.isTTY === true && !noColor,
  now: () => new Date(),
  interrupted: () =>
    new Promise((resolve) => {
      process.once('SIGINT', () => resolve())
      process.once('SIGTERM', () => resolve())
    }),
}

// Who reads may stop reading, as `head` does; what the command was asked to do goes on.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })

process.exitCode = await run(process.argv.slice(2), io)
