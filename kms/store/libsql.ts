/**
 * The store on disk: SQLite through libsql, in WAL mode with synchronous FULL, so a commit that returned survives power loss.
 *
 * - One process at a time: the database is locked exclusively for as long as it is open.
 * - Head and secrets are sealed (`seal.ts`); blobs are public bodies under their hash.
 * - Bytes that are the only parameter of a statement go in a list: libsql takes a lone object, bytes too, for named parameters.
 * - The file belongs to one operator, one operator set and one key. Any other is refused at opening, before anything is read or written.
 * @module
 */
import Database from 'libsql'
import { parseHex, toHex, utf8ToBytes } from '../../sdk/bytes.ts'
import type { Address, Hash32 } from '../../sdk/chain/types.ts'
import type { Rng } from '../../sdk/crypto/bls.ts'
import { EigenxError, isEigenxError } from '../../sdk/errors.ts'
import { blobHash } from '../../sdk/protocol/dealing.ts'
import { domainSeparator } from '../../sdk/protocol/digest.ts'
import type { Domain } from '../../sdk/protocol/types.ts'
import { createSealer, type Sealer } from './seal.ts'
import type { SecretName, Store, Write } from './store.ts'

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS owner (id INTEGER PRIMARY KEY CHECK (id = 1), label TEXT NOT NULL, proof BLOB NOT NULL);
  CREATE TABLE IF NOT EXISTS head (id INTEGER PRIMARY KEY CHECK (id = 1), sealed BLOB NOT NULL);
  CREATE TABLE IF NOT EXISTS secrets (
    kind TEXT NOT NULL, epoch INTEGER NOT NULL, id TEXT NOT NULL, sealed BLOB NOT NULL,
    PRIMARY KEY (kind, epoch, id)
  );
  CREATE TABLE IF NOT EXISTS blobs (hash BLOB PRIMARY KEY, bytes BLOB NOT NULL);
`

const SECRET_KINDS: readonly string[] = [
  'encryption-key',
  'dealer-seed',
  'share',
  'imported-share',
  'operator-set',
]

export type LibsqlStoreInput = {
  /** Database file; its folder must exist. `-wal` lies beside it. */
  path: string
  /** 32 secret bytes. */
  key: Uint8Array
  operator: Address
  domain: Domain
  rng: Rng
}

/** @throws STORE_UNAVAILABLE, STORE_CORRUPT */
export function openLibsqlStore(input: LibsqlStoreInput): Store {
  const sealer = createSealer(input)
  const database = guard(() => openDatabase(input.path))
  try {
    guard(() => claim(database, input, sealer))
  } catch (error) {
    closeDatabase(database)
    throw error
  }
  return storeOver(database, sealer)
}

/**
 * Folds the log into the file and gives the lock back. `close` alone does not: the engine keeps the connection open until
 * its prepared statements are garbage collected.
 */
function closeDatabase(database: Database.Database): void {
  guard(() => {
    database.exec('PRAGMA journal_mode = DELETE')
    database.exec('PRAGMA locking_mode = NORMAL')
    database.exec('SELECT count(*) FROM owner')
    database.close()
  })
}

function openDatabase(path: string): Database.Database {
  const database = new Database(path)
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE')
    database.exec('PRAGMA journal_mode = WAL')
    database.exec('PRAGMA synchronous = FULL')
    // What is erased must not linger in free pages.
    database.exec('PRAGMA secure_delete = ON')
    // Takes the lock now, not at the first write.
    database.exec('BEGIN IMMEDIATE')
    database.exec(SCHEMA)
    database.exec('COMMIT')
    const check = database.prepare('PRAGMA quick_check').get() as unknown
    if (column(check, 'quick_check') !== 'ok') throw corrupt('database')
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/** Whose store this is; a new one becomes ours. */
function claim(database: Database.Database, input: LibsqlStoreInput, sealer: Sealer): void {
  const label = `${input.operator.toLowerCase()} ${toHex(domainSeparator(input.domain))}`
  const row: unknown = database.prepare('SELECT label, proof FROM owner WHERE id = 1').get()
  if (row === undefined) {
    const proof = sealer.seal(['owner'], utf8ToBytes(label))
    database.prepare('INSERT INTO owner (id, label, proof) VALUES (1, ?, ?)').run(label, proof)
    return
  }
  if (column(row, 'label') !== label)
    throw corrupt('owner', 'This store belongs to another operator or operator set.')
  const proof = column(row, 'proof')
  if (!(proof instanceof Uint8Array) || sealer.open(['owner'], proof) === undefined)
    throw corrupt('owner', 'This store was sealed with another key.')
}

function storeOver(database: Database.Database, sealer: Sealer): Store {
  const apply = (write: Write): void => {
    switch (write.type) {
      case 'setHead':
        database
          .prepare('INSERT OR REPLACE INTO head (id, sealed) VALUES (1, ?)')
          .run([sealer.seal(['head'], write.head)])
        return
      case 'putSecret': {
        const { kind, epoch, id } = write.name
        database
          .prepare('INSERT OR REPLACE INTO secrets (kind, epoch, id, sealed) VALUES (?, ?, ?, ?)')
          .run(kind, epoch, id, sealer.seal(sealedName(write.name), write.value))
        return
      }
      case 'eraseSecret': {
        const { kind, epoch, id } = write.name
        database
          .prepare('DELETE FROM secrets WHERE kind = ? AND epoch = ? AND id = ?')
          .run(kind, epoch, id)
        return
      }
      case 'putBlob':
        database
          .prepare('INSERT OR REPLACE INTO blobs (hash, bytes) VALUES (?, ?)')
          .run(hashKey(blobHash(write.bytes)), write.bytes)
        return
      case 'deleteBlob':
        database.prepare('DELETE FROM blobs WHERE hash = ?').run([hashKey(write.hash)])
        return
    }
  }
  const commit = database.transaction((writes: readonly Write[]) => {
    writes.forEach(apply)
  })
  return {
    commit: async (writes) => {
      if (writes.length > 0) guard(() => commit.immediate(writes))
    },
    head: async () =>
      guard(() => {
        const row: unknown = database.prepare('SELECT sealed FROM head WHERE id = 1').get()
        return row === undefined ? undefined : unseal(sealer, ['head'], row)
      }),
    secret: async (name) =>
      guard(() => {
        const row: unknown = database
          .prepare('SELECT sealed FROM secrets WHERE kind = ? AND epoch = ? AND id = ?')
          .get(name.kind, name.epoch, name.id)
        return row === undefined ? undefined : unseal(sealer, sealedName(name), row)
      }),
    secretNames: async (kind) =>
      guard(() =>
        database
          .prepare('SELECT kind, epoch, id FROM secrets WHERE kind = ? ORDER BY epoch, id')
          .all(kind)
          .map(nameOf),
      ),
    blob: async (hash) =>
      guard(() => {
        const row: unknown = database
          .prepare('SELECT bytes FROM blobs WHERE hash = ?')
          .get([hashKey(hash)])
        if (row === undefined) return undefined
        const bytes = bytesColumn(row, 'bytes')
        if (blobHash(bytes) !== hash) throw corrupt('blob')
        return bytes
      }),
    blobHashes: async () =>
      guard(() =>
        database
          .prepare('SELECT hash FROM blobs ORDER BY hash')
          .all()
          .map((row: unknown) => toHex(bytesColumn(row, 'hash'))),
      ),
    close: async () => closeDatabase(database),
  }
}

function sealedName({ kind, epoch, id }: SecretName): readonly string[] {
  return ['secret', kind, String(epoch), id]
}

function hashKey(hash: Hash32): Uint8Array {
  const bytes = parseHex(hash, 32)
  if (bytes === undefined) throw new RangeError('a blob is named by 32 bytes of hex')
  return bytes
}

function unseal(sealer: Sealer, name: readonly string[], row: unknown): Uint8Array {
  const value = sealer.open(name, bytesColumn(row, 'sealed'))
  if (value === undefined) throw corrupt(name[1] ?? name[0] ?? 'record')
  return value
}

function nameOf(row: unknown): SecretName {
  const kind = column(row, 'kind')
  const epoch = column(row, 'epoch')
  const id = column(row, 'id')
  if (!isSecretKind(kind) || typeof epoch !== 'number' || typeof id !== 'string')
    throw corrupt('secrets')
  return { kind, epoch, id }
}

function isSecretKind(kind: unknown): kind is SecretName['kind'] {
  return typeof kind === 'string' && SECRET_KINDS.includes(kind)
}

function column(row: unknown, name: string): unknown {
  return typeof row === 'object' && row !== null && name in row ? Reflect.get(row, name) : undefined
}

function bytesColumn(row: unknown, name: string): Uint8Array {
  const value = column(row, name)
  // The engine hands out a Buffer from get() and an ArrayBuffer from all(); callers get plain bytes of their own.
  if (value instanceof Uint8Array || value instanceof ArrayBuffer) return new Uint8Array(value)
  throw corrupt(name)
}

/** Turns the engine's errors into ours; a damaged file is corruption, everything else unavailability. */
function guard<T>(work: () => T): T {
  try {
    return work()
  } catch (cause) {
    if (isEigenxError(cause)) throw cause
    if (cause instanceof RangeError || cause instanceof TypeError) throw cause
    const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown'
    if (/CORRUPT|NOTADB/.test(reason)) throw corrupt('database', undefined, cause)
    throw new EigenxError({
      code: 'STORE_UNAVAILABLE',
      message: 'The store cannot be read or written.',
      stage: 'store',
      details: { reason },
      hint: 'Is the disk full, read-only, or another process of this operator running?',
      cause,
    })
  }
}

function corrupt(
  record: string,
  message = 'A stored record does not open.',
  cause?: unknown,
): EigenxError<'STORE_CORRUPT'> {
  return new EigenxError({
    code: 'STORE_CORRUPT',
    message,
    stage: 'store',
    details: { record },
    hint: 'Check the key file and the path; restore a backup of this operator, or rejoin with an empty store.',
    cause,
  })
}
