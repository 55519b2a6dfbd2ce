import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomBytes } from '@noble/hashes/utils.js'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { decisionSettings } from '../../kms/authorize/settings.ts'
import { readImportedShare } from '../../kms/epoch/imported.ts'
import { initFolder } from '../../kms/init.ts'
import { loadKmsConfig } from '../../kms/load-config.ts'
import { backup, importFile, restore } from '../../kms/membership-actions.ts'
import { readStoreKey } from '../../kms/store/key-file.ts'
import { openLibsqlStore } from '../../kms/store/libsql.ts'
import type { Store } from '../../kms/store/store.ts'
import { toBase64 } from '../../sdk/bytes.ts'
import { publicShareOf } from '../../sdk/crypto/bls.ts'

let folder: string
let config: string
const file = (name: string) => join(folder, name)
const secret = (name: string, text: string) => writeFile(file(name), text, { mode: 0o600 })

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eigenx-backup-'))
  await initFolder(folder)
  config = file('operator.toml')
  const sample = await readFile(config, 'utf8')
  await writeFile(config, sample.replaceAll('https://…', 'https://rpc.example'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function withStore<T>(work: (store: Store) => Promise<T>): Promise<T> {
  const loaded = await loadKmsConfig(config)
  const store = await openLibsqlStore({
    path: loaded.store.path,
    key: await readStoreKey(loaded.store.keyFile),
    operator: loaded.operator.address,
    domain: decisionSettings(loaded).domain,
    rng: randomBytes,
  })
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

const KEY = { kind: 'encryption-key', epoch: 0, id: '1700000000' } as const
const VALUE = new Uint8Array(32).fill(3)
const fillStore = () =>
  withStore((store) => store.commit([{ type: 'putSecret', name: KEY, value: VALUE }]))

async function loseDisk(): Promise<void> {
  for (const name of await readdir(folder)) if (name.startsWith('operator.db')) await rm(file(name))
}

describe('kms backup and restore', () => {
  it('bring the encryption key back with a passphrase; the file is private and never overwritten', async () => {
    await fillStore()
    await secret('pass', 'correct horse battery\n')
    const options = { config, passphraseFile: file('pass') }
    expect(await backup({ ...options, out: file('b') })).toContain(file('b'))
    expect((await stat(file('b'))).mode & 0o777).toBe(0o600)
    await expect(backup({ ...options, out: file('b') })).rejects.toThrow(/exists already/)
    await expect(restore({ ...options, from: file('b') })).rejects.toThrow(/in use/)
    await loseDisk()
    expect(await restore({ ...options, from: file('b') })).toContain('1 encryption key')
    expect(await withStore((store) => store.secret(KEY))).toEqual(VALUE)
  })

  it('split the key among custodians; two of three open it', async () => {
    await fillStore()
    await backup({ config, out: file('b'), custodians: '3', threshold: '2' })
    await loseDisk()
    await expect(restore({ config, from: file('b'), partFile: [file('b.part1')] })).rejects.toThrow(
      /2 different parts/,
    )
    await restore({ config, from: file('b'), partFile: [file('b.part3'), file('b.part1')] })
    expect(await withStore((store) => store.secret(KEY))).toEqual(VALUE)
  })

  it.each([
    { custodians: '3x', threshold: '2' },
    { custodians: '3' },
    { custodians: '3', threshold: '2.5' },
    { custodians: '3', threshold: '4' },
    { custodians: '1', threshold: '1' },
    { threshold: '2' },
    { custodians: '3', threshold: '2', passphraseFile: 'pass' },
    { custodians: '3', threshold: '2', keyFile: 'key' },
  ])('refuse %o and write nothing', async (options) => {
    await fillStore()
    const before = await readdir(folder)
    await expect(backup({ config, out: file('b'), ...options })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    })
    expect(await readdir(folder)).toEqual(before)
  })

  it('refuse parts beside another key', async () => {
    const parts = { partFile: [file('a')], passphraseFile: file('pass') }
    await expect(restore({ config, from: file('b'), ...parts })).rejects.toThrow(/Give one/)
  })

  it('refuse weak, readable and missing keys, and an operator without anything', async () => {
    const out = file('b')
    await secret('key', 'ab'.repeat(32))
    await expect(backup({ config, out, keyFile: file('key') })).rejects.toThrow(
      /nothing to back up/,
    )
    await secret('pass', 'short')
    await expect(backup({ config, out, passphraseFile: file('pass') })).rejects.toThrow(/shorter/)
    await expect(backup({ config, out })).rejects.toThrow(/Give one/)
    await chmod(file('key'), 0o644)
    await expect(backup({ config, out, keyFile: file('key') })).rejects.toThrow(
      /readable by others/,
    )
    await expect(backup({ config, out, keyFile: file('none') })).rejects.toThrow(/cannot be read/)
    await expect(stat(out)).rejects.toThrow()
  })
})

describe('files that are too large', () => {
  const usage = (message: RegExp) =>
    expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(message) })

  it('are refused by their kind, and endless ones too', async () => {
    await secret('big', 'a'.repeat(262_145))
    await secret('backup', 'a'.repeat(4 * 1024 * 1024 + 1))
    await secret('key', 'ab'.repeat(32))
    await expect(importFile(file('big'), config)).rejects.toEqual(
      usage(/exported share .*big has more than 262144 bytes/),
    )
    const options = { config, out: file('b'), from: file('backup') }
    await expect(backup({ ...options, passphraseFile: file('big') })).rejects.toEqual(
      usage(/passphrase .*big has more than 1024 bytes/),
    )
    await expect(restore({ ...options, partFile: [file('big')] })).rejects.toEqual(
      usage(/custodian's part .*big has more than 1024 bytes/),
    )
    await expect(restore({ ...options, keyFile: file('key') })).rejects.toEqual(
      usage(/backup: a backup has at most 4194304 bytes/),
    )
    await expect(loadKmsConfig('/dev/zero')).rejects.toEqual(
      usage(/zero is larger than 262144 bytes/),
    )
    await writeFile(file('store.key'), 'ab'.repeat(513))
    await expect(withStore(async () => undefined)).rejects.toEqual(usage(/more than 1024 bytes/))
  })
})

describe('kms import', () => {
  it('puts the exported share into the store and shows what all operators must agree on', async () => {
    const mpk = publicShareOf(9n)
    await secret(
      'export.json',
      JSON.stringify({
        Version: 1750000000,
        PrivateShare: '123456789012345678901234567890',
        MasterPublicKey: { CompressedBytes: toBase64(mpk) },
        ParticipantIDs: [1, 2, 3],
      }),
    )
    const text = await importFile(file('export.json'), config)
    expect(text).toContain('version 1750000000')
    expect(text).not.toContain('123456789012345678901234567890')
    const imported = await withStore(readImportedShare)
    expect(imported).toMatchObject({ share: 123456789012345678901234567890n, mpk })
  })
})
