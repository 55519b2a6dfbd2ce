/**
 * Writes that a power cut left half done: the log beside the database cut off, or with other bytes in it, at any place. What opens is the
 * state after one of the commits, whole; or nothing opens.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomBytes } from '@noble/hashes/utils.js'
import { afterAll, expect, it } from 'vitest'
import { openLibsqlStore } from '../../../kms/store/libsql.ts'
import { fromUintBE, uintBE } from '../../../sdk/bytes.ts'
import { isEigenxError } from '../../../sdk/errors.ts'
import { blobHash } from '../../../sdk/protocol/dealing.ts'
import { createRandom } from '../../fuzz/mutate.ts'
import { DOMAIN_OF_TESTS, OPERATOR_OF_TESTS } from './owner.ts'

const folder = mkdtempSync(join(tmpdir(), 'eigenx-torn-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let files = 0
const COMMITS = 12
const KEY = new Uint8Array(32).fill(5)
const SHARE = { kind: 'share', epoch: 3, id: '0xab' } as const
/** More than a page, so that a commit takes several frames of the log. */
const bodyOf = (i: number) => new Uint8Array(9_000).fill(i)

const open = (path: string) =>
  openLibsqlStore({
    path,
    key: KEY,
    operator: OPERATOR_OF_TESTS,
    domain: DOMAIN_OF_TESTS,
    rng: randomBytes,
  })

/** The files as they lie on the disk after the last commit, with the store still open. */
async function write(): Promise<{ database: Uint8Array; log: Uint8Array }> {
  const path = join(folder, 'whole.db')
  const store = await open(path)
  for (let i = 1; i <= COMMITS; i++)
    await store.commit([
      { type: 'putSecret', name: SHARE, value: uintBE(i, 32) },
      { type: 'putBlob', bytes: bodyOf(i) },
      { type: 'deleteBlob', hash: blobHash(bodyOf(i - 1)) },
      { type: 'setHead', head: uintBE(i, 4) },
    ])
  // A Buffer's slices are views of it.
  const bytesOf = (file: string) => new Uint8Array(readFileSync(file))
  const [database, log] = [bytesOf(path), bytesOf(`${path}-wal`)]
  await store.close()
  return { database, log }
}

/** Which commit the files show the state after; `undefined` when they are refused. */
async function read(database: Uint8Array, log: Uint8Array): Promise<bigint | undefined> {
  // The engine may remember a file for longer than it is open.
  const path = join(folder, `torn-${files++}.db`)
  writeFileSync(path, database)
  writeFileSync(`${path}-wal`, log)
  try {
    const store = await open(path)
    try {
      const head = fromUintBE((await store.head()) ?? new Uint8Array(1))
      const share = fromUintBE((await store.secret(SHARE)) ?? new Uint8Array(1))
      const bodies = await store.blobHashes()
      expect(share).toBe(head)
      expect(bodies).toEqual(head === 0n ? [] : [blobHash(bodyOf(Number(head)))])
      for (const hash of bodies) expect(await store.blob(hash)).toEqual(bodyOf(Number(head)))
      return head
    } finally {
      await store.close()
    }
  } catch (error) {
    if (isEigenxError(error) && error.stage === 'store') return undefined
    throw error
  }
}

it('scenario 8: leave the state after a commit, or are refused', async () => {
  const { database, log } = await write()
  expect(await read(database, log)).toBe(BigInt(COMMITS))
  const random = createRandom(8)
  const seen = new Set<bigint | undefined>()
  for (let i = 0; i < 60; i++) {
    const at = random(log.length)
    seen.add(await read(database, log.slice(0, at)))
    const garbage = log.slice()
    for (let k = at; k < Math.min(at + 512, log.length); k++) garbage[k] = random(256)
    seen.add(await read(database, garbage))
  }
  // Most places lie behind some commit.
  expect(seen.size).toBeGreaterThan(COMMITS / 2)
})
