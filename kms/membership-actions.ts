/**
 * What `kms join`, `leave`, `backup`, `restore` and `import` do. Loaded only when one of them runs.
 * Files that hold secrets are written with mode 600 and never overwrite anything.
 * @module
 */
import { stat, writeFile } from 'node:fs/promises'
import { randomBytes } from '@noble/hashes/utils.js'
import { parseHex } from '../sdk/bytes.ts'
import { EigenxError, isEigenxError } from '../sdk/errors.ts'
import { readFileBounded, readTextFileBounded } from '../sdk/node/files.ts'
import { decisionSettings } from './authorize/settings.ts'
import {
  BACKUP_KEY_BYTES,
  type BackupKey,
  type BackupOwner,
  createBackup,
  MAX_BACKUP_BYTES,
  restoreBackup,
} from './backup.ts'
import { combineCustodianParts, createCustodianKey } from './custodians.ts'
import { loadKmsConfig } from './load-config.ts'
import { announceLeave, checkJoin, dealtOutIn } from './membership.ts'
import { describeImport, importShare, MAX_EXPORT_CHARS, parseExportedShare } from './migration.ts'
import { readOperatorKeys } from './signer.ts'
import { readStoreKey } from './store/key-file.ts'
import { openLibsqlStore } from './store/libsql.ts'
import type { Store } from './store/store.ts'
import { withChain } from './with-chain.ts'

const MAX_POLL_MS = 5000
const BACKUP = { field: 'a backup', maxBytes: MAX_BACKUP_BYTES }
/** An exported share is the longest of them. */
const SECRET_TEXT = { field: 'a key, passphrase, part or share', maxBytes: MAX_EXPORT_CHARS }

export type ConfigOption = { config: string }

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

export async function showJoin(configFile: string): Promise<string> {
  const config = await loadKmsConfig(configFile)
  const keys = await readOperatorKeys(config.operator)
  const { steps, joined } = await withChain(config, (deps) => checkJoin(deps, keys))
  const text = steps.map(({ done, text: step }) => `${done ? 'yes' : 'no '}  ${step}`).join('\n')
  if (joined) return text
  print(text)
  throw notYet('This operator has not joined yet.')
}

export type LeaveOptions = ConfigOption & { hours: string; force: boolean; check: boolean }

export async function leave(options: LeaveOptions): Promise<string> {
  const config = await loadKmsConfig(options.config)
  const { signer } = await readOperatorKeys(config.operator)
  const hours = Number(options.hours)
  if (!Number.isInteger(hours) || hours < 1) throw usage('--hours takes a whole number from 1 on.')
  return withChain(config, async (deps) => {
    if (!options.check) {
      const now = Math.floor(Date.now() / 1000)
      const { force } = options
      const heard = await announceLeave(deps, signer, { now, holdsSeconds: hours * 3600, force })
      print(`${heard} operators took the leave. Waiting for the epoch that deals this one out …`)
    }
    const deadline = Date.now() + hours * 3_600_000
    for (;;) {
      const epoch = await dealtOutIn(deps, signer)
      if (epoch !== undefined)
        return `Epoch ${epoch} is in force without this operator. Run \`eigenx-tee kms deregister\` now, then stop it.`
      if (options.check || Date.now() >= deadline)
        throw notYet('This operator is still needed: do not deregister it.')
      await new Promise((resolve) =>
        setTimeout(resolve, Math.min(config.epoch.pollMs, MAX_POLL_MS)),
      )
    }
  })
}

type KeyOptions = { passphraseFile?: string; keyFile?: string }
export type BackupOptions = ConfigOption &
  KeyOptions & { out: string; custodians?: string; threshold?: string }
export type RestoreOptions = ConfigOption & KeyOptions & { from: string; partFile?: string[] }

export async function backup(options: BackupOptions): Promise<string> {
  const parts =
    options.custodians === undefined
      ? undefined
      : createCustodianKey(
          { custodians: Number(options.custodians), threshold: Number(options.threshold) },
          randomBytes,
        )
  const key: BackupKey =
    parts === undefined ? await readKey(options) : { how: 'key', key: parts.key }
  const file = await withStore(options.config, (store, owner) =>
    createBackup({ store, rng: randomBytes }, owner, key),
  )
  await writeNew(options.out, file)
  const names = (parts?.parts ?? []).map((_, i) => `${options.out}.part${i + 1}`)
  for (const [i, name] of names.entries()) await writeNew(name, `${parts?.parts[i] ?? ''}\n`)
  const rest =
    names.length === 0
      ? ''
      : `\nGive each custodian one of ${names.join(', ')} and delete them here; ${options.threshold} open the backup.`
  return `Wrote ${options.out}. It gets old when the encryption key rotates: repeat it from time to time.${rest}`
}

export async function restore(options: RestoreOptions): Promise<string> {
  const lines = await Promise.all((options.partFile ?? []).map(readSecretText))
  const key: BackupKey =
    lines.length > 0 ? { how: 'key', key: combineCustodianParts(lines) } : await readKey(options)
  const file = await readFileBounded(options.from, BACKUP).catch((error) =>
    unreadable(options.from, error),
  )
  const { encryptionKeys, epochs } = await withStore(options.config, (store, owner) =>
    restoreBackup(store, owner, key, file),
  )
  return `Restored ${encryptionKeys} encryption keys and the shares of ${epochs.length === 0 ? 'no epoch' : `epoch ${epochs.join(', ')}`}. Start the operator: it takes the rest from chain and peers.`
}

export async function importFile(file: string, configFile: string): Promise<string> {
  const exported = parseExportedShare(await readSecretText(file))
  await withStore(configFile, (store) => importShare(store, exported))
  return describeImport(exported)
}

async function withStore<T>(
  configFile: string,
  work: (store: Store, owner: BackupOwner) => Promise<T>,
): Promise<T> {
  const config = await loadKmsConfig(configFile)
  const owner = { operator: config.operator.address, domain: decisionSettings(config).domain }
  const store = await openLibsqlStore({
    ...owner,
    path: config.store.path,
    key: await readStoreKey(config.store.keyFile),
    rng: randomBytes,
  })
  try {
    return await work(store, owner)
  } finally {
    await store.close()
  }
}

async function readKey({ passphraseFile, keyFile }: KeyOptions): Promise<BackupKey> {
  if ((passphraseFile === undefined) === (keyFile === undefined))
    throw usage('Give one of --passphrase-file, --key-file and custodians.')
  if (passphraseFile !== undefined) {
    const passphrase = (await readSecretText(passphraseFile)).split(/\r?\n/)[0] ?? ''
    if (passphrase.length < 12) throw usage('The passphrase is shorter than 12 characters.')
    return { how: 'passphrase', passphrase }
  }
  const key = parseHex((await readSecretText(keyFile ?? '')).trim(), BACKUP_KEY_BYTES)
  if (key === undefined) throw usage('The key file does not hold 64 hex digits.')
  return { how: 'key', key }
}

async function readSecretText(path: string): Promise<string> {
  const { mode } = await stat(path).catch((error) => unreadable(path, error))
  if ((mode & 0o077) !== 0) throw usage(`${path} is readable by others.`)
  return readTextFileBounded(path, SECRET_TEXT).catch((error) => unreadable(path, error))
}

async function writeNew(path: string, content: Uint8Array | string): Promise<void> {
  try {
    await writeFile(path, content, { flag: 'wx', mode: 0o600, flush: true })
  } catch {
    throw usage(`${path} exists already or cannot be written.`)
  }
}

function unreadable(path: string, error: unknown): never {
  if (isEigenxError(error, 'INPUT_TOO_LARGE'))
    throw usage(`${path}: ${error.details.field} has at most ${error.details.limit} bytes.`)
  throw usage(`${path} cannot be read.`)
}

function notYet(message: string): EigenxError<'KEY_NOT_READY'> {
  return new EigenxError({ code: 'KEY_NOT_READY', message, stage: 'key', details: {} })
}

function usage(message: string): EigenxError<'CONFIG_INVALID'> {
  return new EigenxError({
    code: 'CONFIG_INVALID',
    message,
    stage: 'config',
    details: { path: '' },
  })
}
