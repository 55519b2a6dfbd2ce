import { execFile } from 'node:child_process'
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readFileBounded, replacePrivateFile, writePrivateFile } from '../../../sdk/node/files.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eigenx-files-'))
})
afterEach(() => rm(folder, { recursive: true }))

const modeOf = async (path: string) => (await stat(path)).mode & 0o777

describe('readFileBounded', () => {
  const limit = { field: 'the letter', maxBytes: 200_000 }
  const tooLarge = { code: 'INPUT_TOO_LARGE', details: { field: 'the letter', limit: 200_000 } }

  test('reads a file up to the limit, and nothing of one above it', async () => {
    const path = join(folder, 'letter')
    for (const size of [0, 1, 199_999, 200_000]) {
      await writeFile(path, new Uint8Array(size).fill(7))
      expect(await readFileBounded(path, limit)).toEqual(new Uint8Array(size).fill(7))
    }
    await writeFile(path, new Uint8Array(200_001))
    await expect(readFileBounded(path, limit)).rejects.toMatchObject(tooLarge)
  })

  test('ends on a device without end, whose size says 0', async () => {
    await expect(readFileBounded('/dev/zero', limit)).rejects.toMatchObject(tooLarge)
  })

  test('says what the file system says', async () => {
    await expect(readFileBounded(join(folder, 'none'), limit)).rejects.toMatchObject({
      code: 'ENOENT',
    })
    await expect(readFileBounded(folder, limit)).rejects.toMatchObject({ code: 'EISDIR' })
  })
})

describe.each([
  ['replacePrivateFile', replacePrivateFile],
  ['writePrivateFile', writePrivateFile],
])('%s', (_name, write) => {
  test('writes a new file and one that others could read, for the owner alone', async () => {
    const path = join(folder, 'secret')
    await write(path, 'first')
    expect([await readFile(path, 'utf8'), await modeOf(path)]).toEqual(['first', 0o600])
    await chmod(path, 0o644)
    await write(path, Uint8Array.of(1, 2, 3))
    expect([[...(await readFile(path))], await modeOf(path)]).toEqual([[1, 2, 3], 0o600])
    expect(await readdir(folder)).toEqual(['secret'])
  })

  test('whoever has the older file open does not see the new content', async () => {
    const path = join(folder, 'secret')
    await writeFile(path, 'older', { mode: 0o644 })
    const older = await stat(path)
    await write(path, 'newer')
    expect((await stat(path)).ino).not.toBe(older.ino)
  })

  test('fails without a trace where it cannot write', async () => {
    await expect(write(join(folder, 'none', 'secret'), 'x')).rejects.toMatchObject({
      code: 'ENOENT',
    })
    await mkdir(join(folder, 'taken'))
    await writeFile(join(folder, 'taken', 'inside'), '')
    await expect(write(join(folder, 'taken'), 'x')).rejects.toMatchObject({ code: 'EISDIR' })
    expect(await readdir(folder)).toEqual(['taken'])
  })
})

test('a link is replaced where the program chose the path, and followed where a person did', async () => {
  const [target, link] = [join(folder, 'target'), join(folder, 'link')]
  await writeFile(target, 'older', { mode: 0o644 })
  await symlink('target', link)
  await writePrivateFile(link, 'newer')
  expect((await lstat(link)).isSymbolicLink()).toBe(true)
  expect([await readFile(target, 'utf8'), await modeOf(target)]).toEqual(['newer', 0o600])
  await replacePrivateFile(link, 'own')
  expect((await lstat(link)).isFile()).toBe(true)
  expect(await readFile(target, 'utf8')).toBe('newer')
})

test('a pipe is written to and stays a pipe', async () => {
  const pipe = join(folder, 'pipe')
  await promisify(execFile)('mkfifo', [pipe])
  const [, text] = await Promise.all([writePrivateFile(pipe, 'through'), readFile(pipe, 'utf8')])
  expect(text).toBe('through')
  expect((await stat(pipe)).isFIFO()).toBe(true)
})
