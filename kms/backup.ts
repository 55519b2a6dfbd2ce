/**
 * An encrypted copy of what an operator cannot get back from others: its encryption keys, the shares it holds with the certified outputs that
 * they belong to, and a share of an older set's key that is imported and not reshared yet. Bodies, log and sessions come from the chain and the peers.
 *
 *   "eigenx-tee/backup/v1\n" || how (1) || salt (16) || nonce (12) || AES-256-GCM(key, JSON), everything before as associated data
 *   how 1: key = scrypt(passphrase, salt; N = 2^17, r = 8, p = 1);  how 2: key = HKDF-SHA-256(32 secret bytes, salt)
 *
 * A backup may be old. That is safe: a share is filed under the output that it belongs to and compared with that output's public share, and
 * the log alone says which output is in force, so an old share is erased or serves its own version, never a newer one.
 * @module
 */
import { gcm } from '@noble/ciphers/aes.js'
import { hkdf } from '@noble/hashes/hkdf.js'
import { scryptAsync } from '@noble/hashes/scrypt.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { z } from 'zod'
import { concatBytes, equalBytes, parseHex, parseUtf8, toHex, utf8ToBytes } from '../sdk/bytes.ts'
import type { Address, Hash32 } from '../sdk/chain/types.ts'
import {
  G2_BYTES,
  parseG2,
  parseScalar,
  publicShareOf,
  type Rng,
  serializeScalar,
} from '../sdk/crypto/bls.ts'
import { EigenxError, isEigenxError } from '../sdk/errors.ts'
import { domainSeparator } from '../sdk/protocol/digest.ts'
import { outputHash, parseCertifiedBody } from '../sdk/protocol/output.ts'
import { parseRistrettoScalar } from '../sdk/protocol/ristretto.ts'
import type { Domain } from '../sdk/protocol/types.ts'
import { encryptionKeyName } from './epoch/encryption-keys.ts'
import { encodeHead, parseHead } from './epoch/head.ts'
import { importedShareWrite, readImportedShare } from './epoch/imported.ts'
import { EMPTY_STATE } from './epoch/state.ts'
import type { Store, Write } from './store/store.ts'

const MAGIC = utf8ToBytes('eigenx-tee/backup/v1\n')
const SALT_BYTES = 16
const NONCE_BYTES = 12
const HEADER_BYTES = MAGIC.length + 1 + SALT_BYTES
export const MAX_BACKUP_BYTES = 4 * 1024 * 1024
export const BACKUP_KEY_BYTES = 32

/** What opens a backup. Secret. */
export type BackupKey = { how: 'passphrase'; passphrase: string } | { how: 'key'; key: Uint8Array }

export type BackupOwner = { operator: Address; domain: Domain }

const hex = (length?: number) =>
  z.string().transform((text, context) => {
    const bytes = parseHex(text, length)
    if (bytes !== undefined) return bytes
    context.addIssue('not hex of the right length')
    return z.NEVER
  })

/** The shares alone: certified bodies of the largest sets are 34 kB, and bytes are hex here. */
const MAX_SHARES_CHARS = 3 * 1024 * 1024
const MAX_ENTRIES = 64

const Content = z.strictObject({
  operator: z.string(),
  domain: z.string(),
  encryptionKeys: z
    .array(z.strictObject({ sequence: z.int().positive(), secret: hex(32) }))
    .max(MAX_ENTRIES),
  shares: z.array(z.strictObject({ body: hex(), share: hex(32) })).max(MAX_ENTRIES),
  imported: z.strictObject({ share: hex(32), mpk: hex(G2_BYTES) }).optional(),
})
type Content = z.output<typeof Content>

/**
 * Long grace times and short intervals leave an operator with more keys and shares than a backup takes: the newest are in it, which is what
 * pods ask for.
 * @returns The file.
 * @throws EigenxError STORE_CORRUPT, STORE_UNAVAILABLE; REQUEST_INVALID where there is nothing to back up
 */
export async function createBackup(
  deps: { store: Store; rng: Rng },
  owner: BackupOwner,
  key: BackupKey,
): Promise<Uint8Array> {
  const { store, rng } = deps
  const encryptionKeys = await newestEncryptionKeys(store)
  const found = await readImportedShare(store)
  if (encryptionKeys.length === 0 && found === undefined)
    throw refuse('this operator has nothing to back up yet')
  const shares = await newestShares(store)
  const imported = found && {
    share: toHex(serializeScalar(found.share)),
    mpk: toHex(found.mpk),
  }
  const text = JSON.stringify({ ...ownerFields(owner), encryptionKeys, shares, imported })
  if (!Content.safeParse(JSON.parse(text)).success) throw corrupt()
  const how = Uint8Array.of(key.how === 'passphrase' ? 1 : 2)
  const header = concatBytes(MAGIC, how, rng(SALT_BYTES))
  const nonce = rng(NONCE_BYTES)
  const sealingKey = await deriveKey(key, header.subarray(-SALT_BYTES))
  const sealed = gcm(sealingKey, nonce, header).encrypt(utf8ToBytes(text))
  return concatBytes(header, nonce, sealed)
}

async function newestEncryptionKeys(
  store: Store,
): Promise<readonly { sequence: number; secret: string }[]> {
  const sequences = (await store.secretNames('encryption-key')).map((name) => Number(name.id))
  const keys: { sequence: number; secret: string }[] = []
  for (const sequence of sequences.sort((a, b) => b - a).slice(0, MAX_ENTRIES)) {
    const secret = await store.secret(encryptionKeyName(sequence))
    if (secret === undefined) throw corrupt()
    keys.push({ sequence, secret: toHex(secret) })
  }
  return keys.reverse()
}

async function newestShares(store: Store): Promise<readonly { body: string; share: string }[]> {
  const head = await store.head()
  const state = head && (await parseHead(head, (hash) => store.blob(hash)))
  const shares: { body: string; share: string }[] = []
  let chars = 0
  for (const { hash, output, body } of state?.log.winners.toReversed() ?? []) {
    const share = await store.secret({ kind: 'share', epoch: output.epoch, id: hash })
    if (share === undefined) continue
    chars += 2 * (body.length + share.length)
    if (shares.length === MAX_ENTRIES || chars > MAX_SHARES_CHARS) break
    shares.push({ body: toHex(body), share: toHex(share) })
  }
  return shares.reverse()
}

/**
 * Fills an empty store.
 * @returns What came back.
 * @throws EigenxError REQUEST_INVALID for a wrong key, a damaged file, another operator's backup, or a store in use.
 */
export async function restoreBackup(
  store: Store,
  owner: BackupOwner,
  key: BackupKey,
  file: Uint8Array,
): Promise<{ encryptionKeys: number; epochs: readonly number[]; imported: boolean }> {
  const content = await openBackup(file, key)
  const { operator, domain } = ownerFields(owner)
  if (content.operator !== operator || content.domain !== domain)
    throw refuse('it belongs to another operator or operator set')
  const used =
    (await store.head()) ??
    (await store.secretNames('encryption-key'))[0] ??
    (await store.secretNames('imported-share'))[0]
  if (used !== undefined) throw refuse('the store is in use; restore into a new one')
  const shares = content.shares.map((entry) => checkShare(owner, entry))
  const writes: Write[] = [
    ...content.encryptionKeys.map(({ sequence, secret }): Write => {
      if (parseRistrettoScalar(secret) === undefined) throw refuse('an encryption key is none')
      return { type: 'putSecret', name: encryptionKeyName(sequence), value: secret }
    }),
    ...shares.map(
      ({ hash, epoch, share }): Write => ({
        type: 'putSecret',
        name: { kind: 'share', epoch, id: hash },
        value: serializeScalar(share),
      }),
    ),
  ]
  if (content.imported !== undefined) writes.push(checkImported(content.imported))
  const head = encodeHead({
    ...EMPTY_STATE,
    shares: shares.map(({ hash, epoch }) => ({ output: hash, epoch, status: 'held' })),
  })
  await store.commit([...writes, { type: 'setHead', head }])
  return {
    encryptionKeys: content.encryptionKeys.length,
    epochs: shares.map(({ epoch }) => epoch),
    imported: content.imported !== undefined,
  }
}

function ownerFields({ operator, domain }: BackupOwner): { operator: string; domain: string } {
  return { operator: operator.toLowerCase(), domain: toHex(domainSeparator(domain)) }
}

async function openBackup(file: Uint8Array, key: BackupKey): Promise<Content> {
  if (file.length > MAX_BACKUP_BYTES || file.length < HEADER_BYTES + NONCE_BYTES)
    throw refuse('the file is not a backup')
  const header = file.subarray(0, HEADER_BYTES)
  if (!equalBytes(header.subarray(0, MAGIC.length), MAGIC)) throw refuse('the file is no backup')
  const needed = header[MAGIC.length] === 1 ? 'passphrase' : 'key'
  if (key.how !== needed) throw refuse(`it was made with a ${needed}`)
  const nonce = file.subarray(HEADER_BYTES, HEADER_BYTES + NONCE_BYTES)
  const sealingKey = await deriveKey(key, header.subarray(-SALT_BYTES))
  let text: string | undefined
  try {
    const sealed = file.subarray(HEADER_BYTES + NONCE_BYTES)
    text = parseUtf8(gcm(sealingKey, nonce, header).decrypt(sealed))
  } catch {
    throw refuse('wrong key, or the file is damaged')
  }
  const parsed = Content.safeParse(JSON.parse(text ?? 'null'))
  if (parsed.success) return parsed.data
  throw refuse('another version of this program wrote it')
}

/** The share must be the one that its output's public share stands for. */
function checkShare(
  { operator, domain }: BackupOwner,
  entry: Content['shares'][number],
): { hash: Hash32; epoch: number; share: bigint } {
  try {
    const { output } = parseCertifiedBody(entry.body)
    const share = parseScalar(entry.share)
    const index = output.members.findIndex(({ address }) => address === operator.toLowerCase())
    const expected = output.publicShares[index]
    if (expected !== undefined && equalBytes(expected, publicShareOf(share)))
      return { hash: outputHash(domain, output), epoch: output.epoch, share }
  } catch (error) {
    if (!isEigenxError(error)) throw error
  }
  throw refuse('a share does not fit its output')
}

function checkImported({ share, mpk }: NonNullable<Content['imported']>): Write {
  try {
    parseG2(mpk)
    return importedShareWrite(parseScalar(share), mpk)
  } catch (error) {
    if (!isEigenxError(error)) throw error
    throw refuse('the imported share is none')
  }
}

function deriveKey(key: BackupKey, salt: Uint8Array): Promise<Uint8Array> | Uint8Array {
  if (key.how === 'passphrase')
    return scryptAsync(key.passphrase.normalize('NFKC'), salt, {
      N: 2 ** 17,
      r: 8,
      p: 1,
      dkLen: 32,
    })
  if (key.key.length !== BACKUP_KEY_BYTES) throw new RangeError('a backup key has 32 bytes')
  return hkdf(sha256, key.key, salt, utf8ToBytes('eigenx-tee/backup/v1'), 32)
}

function refuse(reason: string): EigenxError<'REQUEST_INVALID'> {
  return new EigenxError({
    code: 'REQUEST_INVALID',
    message: `The backup cannot be used: ${reason}.`,
    stage: 'request',
    details: { path: 'backup' },
  })
}

function corrupt(): EigenxError<'STORE_CORRUPT'> {
  return new EigenxError({
    code: 'STORE_CORRUPT',
    message: 'The store holds an encryption key or a share that is none.',
    stage: 'store',
    details: { record: 'encryption-key' },
  })
}
