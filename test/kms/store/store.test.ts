import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { chmod, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomBytes } from '@noble/hashes/utils.js'
import Database from 'libsql'
import { afterAll, describe, expect, it } from 'vitest'
import { createStoreKey, readStoreKey } from '../../../kms/store/key-file.ts'
import { openLibsqlStore } from '../../../kms/store/libsql.ts'
import { createMemoryMedium, openMemoryStore } from '../../../kms/store/memory.ts'
import type { SecretName, Store } from '../../../kms/store/store.ts'
import { bytesToHex, fromUintBE, uintBE, utf8ToBytes } from '../../../sdk/bytes.ts'
import { blobHash } from '../../../sdk/protocol/dealing.ts'
import { DOMAIN_OF_TESTS, OPERATOR_OF_TESTS } from './owner.ts'

const folder = mkdtempSync(join(tmpdir(), 'eigenx-store-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const KEY = new Uint8Array(32).fill(5)
let files = 0
const freshPath = () => join(folder, `${files++}.db`)
const open = (path: string, change: Partial<Parameters<typeof openLibsqlStore>[0]> = {}) =>
  openLibsqlStore({
    path,
    key: KEY,
    operator: OPERATOR_OF_TESTS,
    domain: DOMAIN_OF_TESTS,
    rng: randomBytes,
    ...change,
  })

const share: SecretName = { kind: 'share', epoch: 3, id: '0xab' }
const seed: SecretName = { kind: 'dealer-seed', epoch: 3, id: '' }
const value = utf8ToBytes('a secret of this operator')
const body = utf8ToBytes('a public body')

/** Two implementations, each with a way to open the same medium again. */
const media: [string, () => () => Promise<Store>][] = [
  [
    'memory',
    () => {
      const medium = createMemoryMedium()
      return async () => openMemoryStore(medium)
    },
  ],
  [
    'libsql',
    () => {
      const path = freshPath()
      return () => open(path)
    },
  ],
]

describe.each(media)('the %s store', (_name, createMedium) => {
  it('is empty at first', async () => {
    const store = await createMedium()()
    expect(await store.head()).toBeUndefined()
    expect(await store.secret(share)).toBeUndefined()
    expect(await store.secretNames('share')).toEqual([])
    expect(await store.blob(blobHash(body))).toBeUndefined()
    expect(await store.blobHashes()).toEqual([])
    await store.commit([])
    await store.close()
  })

  it('finds after reopening what was committed, and nothing that was erased', async () => {
    const reopen = createMedium()
    const store = await reopen()
    await store.commit([
      { type: 'setHead', head: uintBE(1, 4) },
      { type: 'putSecret', name: share, value },
      { type: 'putSecret', name: seed, value: body },
      { type: 'putBlob', bytes: body },
      { type: 'putBlob', bytes: value },
    ])
    await store.commit([
      { type: 'setHead', head: uintBE(2, 4) },
      { type: 'eraseSecret', name: seed },
      { type: 'deleteBlob', hash: blobHash(value) },
    ])
    await store.close()
    const again = await reopen()
    expect(await again.head()).toEqual(uintBE(2, 4))
    expect(await again.secret(share)).toEqual(value)
    expect(await again.secret({ ...share, epoch: 4 })).toBeUndefined()
    expect(await again.secret(seed)).toBeUndefined()
    expect(await again.secretNames('share')).toEqual([share])
    expect(await again.blobHashes()).toEqual([blobHash(body)])
    expect(await again.blob(blobHash(body))).toEqual(body)
    await again.close()
  })

  it('takes the same write twice, and erases what is not there', async () => {
    const store = await createMedium()()
    for (let i = 0; i < 2; i++)
      await store.commit([
        { type: 'putSecret', name: share, value },
        { type: 'putBlob', bytes: body },
        { type: 'eraseSecret', name: seed },
        { type: 'deleteBlob', hash: blobHash(value) },
      ])
    expect(await store.secret(share)).toEqual(value)
    await store.close()
  })

  it('does all of a commit or nothing', async () => {
    const store = await createMedium()()
    await store.commit([{ type: 'setHead', head: uintBE(1, 4) }])
    const spoilt = { type: 'deleteBlob' as const, hash: '0x12' as const }
    if (_name === 'libsql')
      await expect(
        store.commit([
          { type: 'setHead', head: uintBE(9, 4) },
          { type: 'putBlob', bytes: body },
          spoilt,
        ]),
      ).rejects.toThrow(RangeError)
    expect(await store.head()).toEqual(uintBE(1, 4))
    expect(await store.blobHashes()).toEqual([])
    await store.close()
  })
})

describe('the libsql store', () => {
  async function filled(): Promise<string> {
    const path = freshPath()
    const store = await open(path)
    await store.commit([
      { type: 'setHead', head: utf8ToBytes('head of the operator') },
      { type: 'putSecret', name: share, value },
      { type: 'putBlob', bytes: body },
    ])
    await store.close()
    return path
  }

  it('writes no secret and no head in clear', async () => {
    const raw = readFileSync(await filled()).toString('latin1')
    expect(raw).toContain('a public body')
    expect(raw).not.toContain('a secret of this operator')
    expect(raw).not.toContain('head of the operator')
  })

  it('refuses another key, another operator and another operator set', async () => {
    const path = await filled()
    const corrupt = { code: 'STORE_CORRUPT', details: { record: 'owner' } }
    for (const change of [
      { key: new Uint8Array(32).fill(6) },
      { operator: '0x00000000000000000000000000000000000000f2' as const },
      { domain: { ...DOMAIN_OF_TESTS, operatorSetId: 1 } },
    ])
      await expect(open(path, change)).rejects.toMatchObject(corrupt)
    await (await open(path)).close()
  })

  it('refuses another operator set also where the file says that it is of that one', async () => {
    const [path, other] = [await filled(), freshPath()]
    const domain = { ...DOMAIN_OF_TESTS, operatorSetId: 1 }
    await (await open(other, { domain })).close()
    const database = new Database(path)
    database.exec(
      `ATTACH '${other}' AS other; UPDATE owner SET label = (SELECT label FROM other.owner)`,
    )
    database.close()
    const refusal = { code: 'STORE_CORRUPT', message: expect.stringMatching(/operator set/) }
    await expect(open(path, { domain })).rejects.toMatchObject(refusal)
  })

  it('refuses the database of another program, and leaves it as it is', async () => {
    const path = freshPath()
    const database = new Database(path)
    database.exec('CREATE TABLE bookmarks (url TEXT)')
    database.close()
    const before = readFileSync(path)
    const refusal = { code: 'STORE_CORRUPT', message: expect.stringMatching(/another program/) }
    await expect(open(path)).rejects.toMatchObject(refusal)
    expect(readFileSync(path)).toEqual(before)
  })

  it('lets one process in at a time', async () => {
    const path = await filled()
    const first = await open(path)
    await expect(open(path)).rejects.toThrow(/cannot be read or written/)
    await first.close()
    await (await open(path)).close()
  })

  it.each([
    [
      'secret',
      "UPDATE secrets SET sealed = CAST(substr(sealed, 1, 40) || x'00' || substr(sealed, 42) AS BLOB)",
    ],
    ['secret cut short', 'UPDATE secrets SET sealed = CAST(substr(sealed, 1, 10) AS BLOB)'],
    ['secret of another epoch', 'UPDATE secrets SET epoch = 4'],
    ['secret of another kind', "UPDATE secrets SET kind = 'dealer-seed'"],
  ])('refuses a damaged %s', async (_name, sql) => {
    const path = await filled()
    damage(path, sql)
    const store = await open(path)
    const names = [share, { ...share, epoch: 4 }, { ...share, kind: 'dealer-seed' as const }]
    const results = await Promise.allSettled(names.map((name) => store.secret(name)))
    const refused = results.filter((result) => result.status === 'rejected')
    expect(refused).toHaveLength(1)
    expect(refused[0]?.reason).toMatchObject({ code: 'STORE_CORRUPT' })
    await store.close()
  })

  it('refuses a damaged head and a damaged body', async () => {
    const path = await filled()
    damage(path, "UPDATE head SET sealed = CAST(sealed || x'00' AS BLOB)")
    damage(path, "UPDATE blobs SET bytes = CAST('another body' AS BLOB)")
    const store = await open(path)
    await expect(store.head()).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
    await expect(store.blob(blobHash(body))).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
    await store.close()
  })

  it('refuses a file that is no database, and a folder that is not there', async () => {
    const path = freshPath()
    writeFileSync(path, randomBytes(8192))
    await expect(open(path)).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
    await expect(open(join(folder, 'nowhere', 'a.db'))).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    })
  })

  it('shows nothing of a commit to those who read beside it before it is durable, and undoes a failed one', async () => {
    const path = freshPath()
    const store = await open(path)
    await store.commit([{ type: 'setHead', head: uintBE(1, 4) }])
    let isDurable = false
    const commit = store.commit([{ type: 'setHead', head: uintBE(2, 4) }]).then(() => {
      isDurable = true
    })
    const read = store.head().then((head) => ({ head, isDurable }))
    const failing = store.commit([
      { type: 'setHead', head: uintBE(3, 4) },
      { type: 'deleteBlob', hash: '0x12' },
    ])
    const after = store.head()
    const last = store.commit([{ type: 'putBlob', bytes: body }])
    await expect(failing).rejects.toThrow(RangeError)
    expect(await read).toEqual({ head: uintBE(2, 4), isDurable: true })
    expect(await after).toEqual(uintBE(2, 4))
    await Promise.all([commit, last])
    await store.close()
    const again = await open(path)
    expect(await again.head()).toEqual(uintBE(2, 4))
    expect(await again.blobHashes()).toEqual([blobHash(body)])
    await again.close()
  })

  it('leaves the event loop free while commits wait for the disk', async () => {
    const store = await open(freshPath())
    let turns = 0
    let isOver = false
    const turn = () => {
      turns++
      if (!isOver) setImmediate(turn)
    }
    setImmediate(turn)
    for (let i = 0; i < 20; i++) await store.commit([{ type: 'setHead', head: uintBE(i, 4) }])
    isOver = true
    expect(turns).toBeGreaterThan(0)
    await store.close()
  })

  it('holds every acknowledged commit, whole, when its process is killed between any two writes', async () => {
    const path = freshPath()
    let next = 0
    for (let round = 0; round < 4; round++) {
      const acknowledged = await writeAndKill(path, next, 5 + 11 * round)
      const store = await open(path)
      const head = await store.head()
      const last = Number(fromUintBE(head ?? new Uint8Array()))
      expect(last).toBeGreaterThanOrEqual(acknowledged)
      expect(await store.secretNames('share')).toHaveLength(last + 1)
      expect(await store.blobHashes()).toHaveLength(last + 1)
      expect(await store.secret({ kind: 'share', epoch: acknowledged, id: 'x' })).toEqual(
        uintBE(acknowledged, 8),
      )
      await store.close()
      next = last + 1
    }
    expect(next).toBeGreaterThan(20)
  })
})

function damage(path: string, sql: string): void {
  const database = new Database(path)
  database.exec(sql)
  database.close()
}

/** @returns The last number that the writer reported before it was killed. */
function writeAndKill(path: string, first: number, commits: number): Promise<number> {
  const script = new URL('crash-writer.ts', import.meta.url).pathname
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', script, path, bytesToHex(KEY), String(first)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  return new Promise((resolve, reject) => {
    let text = ''
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      if (text.split('\n').length > commits) child.kill('SIGKILL')
    })
    child.on('error', reject)
    child.on('exit', () => resolve(Number(text.trim().split('\n').at(-1))))
  })
}

describe('the key file', () => {
  it('is made once, for its owner only, and read back', async () => {
    const path = join(folder, 'key')
    await createStoreKey(path, () => KEY)
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(await readStoreKey(path)).toEqual(KEY)
    await expect(createStoreKey(path, randomBytes)).rejects.toThrow()
  })

  it('is refused when others can read it, or when it holds no key', async () => {
    const path = join(folder, 'open-key')
    await createStoreKey(path, () => KEY)
    await chmod(path, 0o644)
    await expect(readStoreKey(path)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    writeFileSync(join(folder, 'bad-key'), 'ab'.repeat(31), { mode: 0o600 })
    await expect(readStoreKey(join(folder, 'bad-key'))).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    })
    await expect(readStoreKey(join(folder, 'no-key'))).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    })
  })
})
