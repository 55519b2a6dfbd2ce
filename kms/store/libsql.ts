/**
 * The store on disk: SQLite through libsql, in WAL mode with synchronous FULL, so a commit that returned survives power loss.
 *
 * - One process at a time: the database is locked exclusively for as long as it is open.
 * - A commit waits for the disk on another thread, so that answers to pods go on meanwhile. There is one connection, and a read on it
 *   would see what is not durable yet: everything else waits until the commit is through.
 * - Head and secrets are sealed (`seal.ts`); blobs are public bodies under their hash.
 * - Bytes that are the only parameter of a statement go in a list: libsql takes a lone object, bytes too, for named parameters.
 * - The file belongs to one operator, one operator set and one key. Any other is refused at opening, before a record is read or written,
 *   and so is the file of another program.
 * @module
 */
import Database from 'libsql/promise'
import { equalBytes, parseHex, toHex, utf8ToBytes } from '../../sdk/bytes.ts'
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

/** What the store uses of the engine, which declares no types: only `exec`, `prepare` and `all` leave the event loop free. */
type Engine = {
  exec(sql: string): Promise<void>
  prepare(sql: string): Promise<Statement>
  close(): void
}
type Statement = {
  run(...parameters: readonly unknown[]): void
  get(...parameters: readonly unknown[]): unknown
  all(...parameters: readonly unknown[]): Promise<readonly unknown[]>
}

/** @throws STORE_UNAVAILABLE, STORE_CORRUPT */
export async function openLibsqlStore(input: LibsqlStoreInput): Promise<Store> {
  const sealer = createSealer(input)
  const engine = await guard(() => openEngine(input.path))
  try {
    await guard(() => claim(engine, input, sealer))
    return storeOver(engine, await guard(() => prepareAll(engine)), sealer)
  } catch (error) {
    await closeEngine(engine)
    throw error
  }
}

/**
 * Folds the log into the file and gives the lock back. `close` alone does not: the engine keeps the connection open until
 * its prepared statements are garbage collected.
 */
function closeEngine(engine: Engine): Promise<void> {
  return guard(async () => {
    await engine.exec('PRAGMA journal_mode = DELETE')
    await engine.exec('PRAGMA locking_mode = NORMAL')
    await engine.exec('SELECT count(*) FROM owner')
    engine.close()
  })
}

async function openEngine(path: string): Promise<Engine> {
  const engine: Engine = new Database(path, {})
  try {
    await engine.exec('PRAGMA locking_mode = EXCLUSIVE')
    await demandOurs(engine)
    await engine.exec('PRAGMA journal_mode = WAL')
    await engine.exec('PRAGMA synchronous = FULL')
    // What is erased must not linger in free pages.
    await engine.exec('PRAGMA secure_delete = ON')
    // Takes the lock now, not at the first write.
    await engine.exec('BEGIN IMMEDIATE')
    await engine.exec(SCHEMA)
    await engine.exec('COMMIT')
    const check = (await engine.prepare('PRAGMA quick_check')).get()
    if (column(check, 'quick_check') !== 'ok') throw corrupt('database')
    return engine
  } catch (error) {
    engine.close()
    throw error
  }
}

/** Before anything is changed: a file with tables but no owner is another program's. */
async function demandOurs(engine: Engine): Promise<void> {
  const select = await engine.prepare("SELECT name FROM sqlite_master WHERE type = 'table'")
  const tables = (await select.all()).map((row) => column(row, 'name'))
  if (tables.length > 0 && !tables.includes('owner'))
    throw corrupt('owner', 'This file is the database of another program.')
}

/** Whose store this is; a new one becomes ours. */
async function claim(engine: Engine, input: LibsqlStoreInput, sealer: Sealer): Promise<void> {
  const label = `${input.operator.toLowerCase()} ${toHex(domainSeparator(input.domain))}`
  const row = (await engine.prepare('SELECT label, proof FROM owner WHERE id = 1')).get()
  if (row === undefined) {
    const proof = sealer.seal(['owner'], utf8ToBytes(label))
    const insert = await engine.prepare('INSERT INTO owner (id, label, proof) VALUES (1, ?, ?)')
    insert.run(label, proof)
    return
  }
  if (column(row, 'label') !== label)
    throw corrupt('owner', 'This store belongs to another operator or operator set.')
  const proof = column(row, 'proof')
  const proven = proof instanceof Uint8Array ? sealer.open(['owner'], proof) : undefined
  if (proven === undefined) throw corrupt('owner', 'This store was sealed with another key.')
  // The label is clear text, which whoever holds the file can change.
  if (!equalBytes(proven, utf8ToBytes(label)))
    throw corrupt('owner', 'This store belongs to another operator or operator set.')
}

const STATEMENTS = {
  begin: 'BEGIN IMMEDIATE',
  setHead: 'INSERT OR REPLACE INTO head (id, sealed) VALUES (1, ?)',
  putSecret: 'INSERT OR REPLACE INTO secrets (kind, epoch, id, sealed) VALUES (?, ?, ?, ?)',
  eraseSecret: 'DELETE FROM secrets WHERE kind = ? AND epoch = ? AND id = ?',
  putBlob: 'INSERT OR REPLACE INTO blobs (hash, bytes) VALUES (?, ?)',
  deleteBlob: 'DELETE FROM blobs WHERE hash = ?',
  head: 'SELECT sealed FROM head WHERE id = 1',
  secret: 'SELECT sealed FROM secrets WHERE kind = ? AND epoch = ? AND id = ?',
  secretNames: 'SELECT kind, epoch, id FROM secrets WHERE kind = ? ORDER BY epoch, id',
  blob: 'SELECT bytes FROM blobs WHERE hash = ?',
  blobHashes: 'SELECT hash FROM blobs ORDER BY hash',
} as const

type Statements = Readonly<Record<keyof typeof STATEMENTS, Statement>>

/** Once: preparing goes through the event loop, and a commit that did so often would be long under way on a busy node. */
async function prepareAll(engine: Engine): Promise<Statements> {
  const prepared: Partial<Record<keyof typeof STATEMENTS, Statement>> = {}
  for (const name of Object.keys(STATEMENTS) as (keyof typeof STATEMENTS)[])
    prepared[name] = await engine.prepare(STATEMENTS[name])
  return prepared as Statements
}

function storeOver(engine: Engine, statements: Statements, sealer: Sealer): Store {
  const inOrder = createQueue()
  const apply = (write: Write): void => {
    switch (write.type) {
      case 'setHead':
        statements.setHead.run([sealer.seal(['head'], write.head)])
        return
      case 'putSecret': {
        const { kind, epoch, id } = write.name
        const sealed = sealer.seal(sealedName(write.name), write.value)
        statements.putSecret.run(kind, epoch, id, sealed)
        return
      }
      case 'eraseSecret': {
        const { kind, epoch, id } = write.name
        statements.eraseSecret.run(kind, epoch, id)
        return
      }
      case 'putBlob':
        statements.putBlob.run(hashKey(blobHash(write.bytes)), write.bytes)
        return
      case 'deleteBlob':
        statements.deleteBlob.run([hashKey(write.hash)])
        return
    }
  }
  const commit = async (writes: readonly Write[]): Promise<void> => {
    statements.begin.run()
    try {
      writes.forEach(apply)
      // Before this the changes are in memory; here the disk is waited for.
      await engine.exec('COMMIT')
    } catch (error) {
      // After some failures the engine has rolled back already, and refuses; what counts is why.
      await engine.exec('ROLLBACK').catch(() => undefined)
      throw error
    }
  }
  return {
    commit: async (writes) => {
      if (writes.length > 0) await inOrder(() => commit(writes))
    },
    head: () =>
      inOrder(() => {
        const row = statements.head.get()
        return row === undefined ? undefined : unseal(sealer, ['head'], row)
      }),
    secret: (name) =>
      inOrder(() => {
        const row = statements.secret.get(name.kind, name.epoch, name.id)
        return row === undefined ? undefined : unseal(sealer, sealedName(name), row)
      }),
    secretNames: (kind) =>
      inOrder(async () => (await statements.secretNames.all(kind)).map(nameOf)),
    blob: (hash) =>
      inOrder(() => {
        const row = statements.blob.get([hashKey(hash)])
        if (row === undefined) return undefined
        const bytes = bytesColumn(row, 'bytes')
        if (blobHash(bytes) !== hash) throw corrupt('blob')
        return bytes
      }),
    blobHashes: () =>
      inOrder(async () =>
        (await statements.blobHashes.all()).map((row) => toHex(bytesColumn(row, 'hash'))),
      ),
    close: () => inOrder(() => closeEngine(engine)),
  }
}

/** One piece of work at a time, in the order of the calls. */
function createQueue(): <T>(work: () => T | Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    const done = last.then(() => guard(work))
    last = done.catch(() => undefined)
    return done
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
async function guard<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work()
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
