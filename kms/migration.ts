/**
 * Bringing an older operator set's key here (docs/operators.md, Coming and going): reads the share that a Go operator exported and puts it,
 * sealed, into this operator's store. The first epoch then proves and replaces it (`epoch/imported.ts`).
 *
 * The export is the operator's key share record as JSON:
 *   { "Version": 1750000000, "PrivateShare": "<decimal>", "MasterPublicKey": { "CompressedBytes": "<base64, 96 bytes>" }, "ParticipantIDs": [..] }
 * Other members are ignored. It must be imported under the operator address that it belongs to: the address is the share's x.
 * @module
 */
import { parse } from 'lossless-json'
import { z } from 'zod'
import { bytesToHex, equalBytes, parseAnyBase64, parseHex } from '../sdk/bytes.ts'
import { G2_BYTES, parseG2 } from '../sdk/crypto/bls.ts'
import { EigenxError, isEigenxError } from '../sdk/errors.ts'
import { parseGnarkScalar } from '../sdk/wire/gnark-fr.ts'
import { importedShareWrite, readImportedShare } from './epoch/imported.ts'
import type { Store } from './store/store.ts'

export const MAX_EXPORT_CHARS = 262_144

export type ExportedShare = {
  /** The old set's version, Unix seconds: all operators must import the same one. */
  version: number
  /** Secret. */
  share: bigint
  mpk: Uint8Array
  participants: number
}

const Text = z.string().max(200)
const Record = z.object({
  Version: Text.regex(/^\d{1,15}$/),
  PrivateShare: Text,
  MasterPublicKey: z.union([Text.max(400), z.object({ CompressedBytes: Text.max(400) })]),
  ParticipantIDs: z.array(z.unknown()).min(1).max(64),
})

/** @throws EigenxError REQUEST_INVALID; the message never holds a value from the file. */
export function parseExportedShare(text: string): ExportedShare {
  if (text.length > MAX_EXPORT_CHARS) throw invalid('the file is too long')
  let document: unknown
  try {
    // Numbers stay text: a share must not pass through a double.
    document = parse(text, undefined, { parseNumber: (digits) => digits })
  } catch {
    throw invalid('the file is not JSON')
  }
  const parsed = Record.safeParse(document)
  if (!parsed.success)
    throw invalid(`wrong or missing: ${parsed.error.issues[0]?.path.join('.') ?? ''}`)
  const { Version, PrivateShare, MasterPublicKey, ParticipantIDs } = parsed.data
  const share = read('PrivateShare', () => parseGnarkScalar(PrivateShare))
  if (share === 0n) throw invalid('PrivateShare is zero')
  const key =
    typeof MasterPublicKey === 'string' ? MasterPublicKey : MasterPublicKey.CompressedBytes
  const mpk = parseHex(key, G2_BYTES) ?? parseAnyBase64(key)
  if (mpk?.length !== G2_BYTES) throw invalid('MasterPublicKey is not 96 bytes')
  read('MasterPublicKey', () => parseG2(mpk))
  return { version: Number(Version), share, mpk, participants: ParticipantIDs.length }
}

/**
 * Stores the share for the first epoch. Repeating it with the same share is allowed.
 * @throws EigenxError REQUEST_INVALID when this operator has a key already, or imported another one.
 */
export async function importShare(store: Store, exported: ExportedShare): Promise<void> {
  const known = await readImportedShare(store)
  if (
    known !== undefined &&
    (known.share !== exported.share || !equalBytes(known.mpk, exported.mpk))
  )
    throw invalid('another share was imported before')
  const shares = await store.secretNames('share')
  if (shares.length > 0) throw invalid('this operator holds shares of a key already')
  await store.commit([importedShareWrite(exported.share, exported.mpk)])
}

/** For the operators to compare before they start. */
export function describeImport({ version, mpk, participants }: ExportedShare): string {
  return `Imported the share of version ${version} (${participants} participants).
Master public key: ${bytesToHex(mpk)}
Every operator must show the same version and key. Start them all; when the first epoch is active, destroy the old stores.`
}

function read<T>(field: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (isEigenxError(error)) throw invalid(`${field} is not valid`)
    throw error
  }
}

function invalid(reason: string): EigenxError<'REQUEST_INVALID'> {
  return new EigenxError({
    code: 'REQUEST_INVALID',
    message: `The share cannot be imported: ${reason}.`,
    stage: 'request',
    details: { path: 'export' },
  })
}
