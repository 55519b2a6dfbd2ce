/**
 * What `kms join`, `leave`, `backup`, `restore` and `import` do. Loaded only when one of them runs.
 * Files that hold secrets are written with mode 600 and never overwrite anything.
 * @module
 */
import { writeFile } from 'node:fs/promises'
import { randomBytes } from '@noble/hashes/utils.js'
import { EigenxError, isEigenxError } from '../sdk/errors.ts'
import { readFileBounded } from '../sdk/node/files.ts'
import { decisionSettings } from './authorize/settings.ts'
import {
  type BackupKey,
  type BackupOwner,
  createBackup,
  MAX_BACKUP_BYTES,
  restoreBackup,
} from './backup.ts'
import { combineCustodianParts, createCustodianKey } from './custodians.ts'
import { usage } from './errors.ts'
import { readKeyFile, readSecretFile } from './key-file.ts'
import { loadKmsConfig } from './load-config.ts'
import { announceLeave, checkJoin, dealtOutIn } from './membership.ts'
import { describeImport, importShare, MAX_EXPORT_CHARS, parseExportedShare } from './migration.ts'
import { readOperatorKeys } from './signer.ts'
import { readStoreKey } from './store/key-file.ts'
import { openLibsqlStore } from './store/libsql.ts'
import type { Store } from './store/store.ts'
import { print } from './terminal.ts'
import { withChain } from './with-chain.ts'

const MAX_POLL_MS = 5000
const BACKUP = { field: 'a backup', maxBytes: MAX_BACKUP_BYTES }
const PASSPHRASE = { what: 'the passphrase', field: '--passphrase-file', maxBytes: 1024 }
const PART = { what: "a custodian's part", field: '--part-file', maxBytes: 1024 }
const EXPORT = { what: 'the exported share', field: 'file', maxBytes: MAX_EXPORT_CHARS }

export type ConfigOption = { config: string }

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
  const { custodians, threshold } = options
  const { key, parts } =
    custodians === undefined && threshold === undefined
      ? { key: await readKey(options), parts: [] }
      : custodianKey(options)
  const file = await withStore(options.config, (store, owner) =>
    createBackup({ store, rng: randomBytes }, owner, key),
  )
  await writeNew(options.out, file)
  const names = parts.map((_, i) => `${options.out}.part${i + 1}`)
  for (const [i, name] of names.entries()) await writeNew(name, `${parts[i] ?? ''}\n`)
  const rest =
    names.length === 0
      ? ''
      : `\nGive each custodian one of ${names.join(', ')} and delete them here; ${threshold} open the backup.`
  return `Wrote ${options.out}. It gets old when the encryption key rotates: repeat it from time to time.${rest}`
}

function custodianKey(options: BackupOptions): { key: BackupKey; parts: readonly string[] } {
  if (options.passphraseFile !== undefined || options.keyFile !== undefined) throw notOneKey()
  const { key, parts } = createCustodianKey(
    { custodians: Number(options.custodians), threshold: Number(options.threshold) },
    randomBytes,
  )
  return { key: { how: 'key', key }, parts }
}

export async function restore(options: RestoreOptions): Promise<string> {
  const { passphraseFile, keyFile, partFile = [] } = options
  if (partFile.length > 0 && (passphraseFile ?? keyFile) !== undefined) throw notOneKey()
  const lines = await Promise.all(partFile.map((path) => readSecretFile(path, PART)))
  const key: BackupKey =
    lines.length > 0 ? { how: 'key', key: combineCustodianParts(lines) } : await readKey(options)
  const file = await readFileBounded(options.from, BACKUP).catch((error) =>
    unreadable(options.from, error),
  )
  const { encryptionKeys, epochs, imported } = await withStore(options.config, (store, owner) =>
    restoreBackup(store, owner, key, file),
  )
  const shares = epochs.length === 0 ? 'no epoch' : `epoch ${epochs.join(', ')}`
  return `Restored ${encryptionKeys} encryption keys${imported ? ', the imported share' : ''} and the shares of ${shares}. Start the operator: it takes the rest from chain and peers.`
}

export async function importFile(file: string, configFile: string): Promise<string> {
  const exported = parseExportedShare(await readSecretFile(file, EXPORT))
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
  if ((passphraseFile === undefined) === (keyFile === undefined)) throw notOneKey()
  if (passphraseFile !== undefined) {
    const passphrase = (await readSecretFile(passphraseFile, PASSPHRASE)).split(/\r?\n/)[0] ?? ''
    if (passphrase.length < 12) throw usage('The passphrase is shorter than 12 characters.')
    return { how: 'passphrase', passphrase }
  }
  const file = { what: 'the backup key', field: '--key-file' }
  return { how: 'key', key: await readKeyFile(keyFile ?? '', file) }
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

function notOneKey(): EigenxError<'CONFIG_INVALID'> {
  return usage('Give one of --passphrase-file, --key-file and custodians.')
}

function notYet(message: string): EigenxError<'KEY_NOT_READY'> {
  return new EigenxError({ code: 'KEY_NOT_READY', message, stage: 'key', details: {} })
}
