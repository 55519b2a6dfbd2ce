/**
 * Which attestation tokens have served: a token's id (jti) is good for one grant, across restarts too.
 *
 * A decision reserves the id in memory, and commits it to disk before its answer leaves, or gives it back. So a crash, or a refusal that
 * is nobody's fault, costs the pod nothing, and an answer that went out is on record. Ids are kept until their token has expired, so
 * the table is bounded by what can still be replayed; when it is full, new tokens wait.
 * @module
 */
import { sha256 } from '@noble/hashes/sha2.js'
import Database from 'libsql'
import { bytesToHex, frame, utf8ToBytes } from '../../sdk/bytes.ts'
import { EigenxError, isEigenxError } from '../../sdk/errors.ts'

export type TokenUse = {
  method: string
  jti: string
  /** Unix seconds. */
  expiresAt: number
}

export type Reservation = {
  /** On disk when it returns. @throws STORE_UNAVAILABLE; the reservation stands. */
  commit: () => void
  /** The token may be used again. Does nothing after a commit. */
  release: () => void
}

export type TokenUses = {
  /** @throws EVIDENCE_REPLAYED, OVERLOADED, STORE_UNAVAILABLE */
  reserve: (use: TokenUse, nowSeconds: number) => Reservation
  /** Ids on record. */
  count: () => number
  close: () => void
}

export type TokenUsesOptions = {
  /** Database file; its folder must exist. `-wal` and `-shm` lie beside it. */
  path: string
  /** Ids on record at once. Default: 100000. */
  limit?: number
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS uses (id BLOB PRIMARY KEY, expires INTEGER NOT NULL) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS uses_by_expiry ON uses (expires);
`
/** Kept beyond the expiry, for a clock that is set back. */
const MARGIN_SECONDS = 600
const PURGE_EVERY_SECONDS = 60

/** @throws STORE_UNAVAILABLE, STORE_CORRUPT */
export function openTokenUses(options: TokenUsesOptions): TokenUses {
  const { limit = 100_000 } = options
  const database = guard(() => openDatabase(options.path))
  const pending = new Set<string>()
  let onRecord = guard(() => countRows(database))
  let purgeAt = 0

  const purge = (nowSeconds: number) => {
    purgeAt = nowSeconds + PURGE_EVERY_SECONDS
    database.prepare('DELETE FROM uses WHERE expires < ?').run([nowSeconds - MARGIN_SECONDS])
    onRecord = countRows(database)
  }
  return {
    reserve: (use, nowSeconds) => {
      const id = idOf(use)
      const name = bytesToHex(id)
      const known = guard(() => {
        // A clock that was set back purges at once, and so finds its rhythm again.
        if (nowSeconds >= purgeAt || nowSeconds < purgeAt - PURGE_EVERY_SECONDS) purge(nowSeconds)
        return database.prepare('SELECT 1 FROM uses WHERE id = ?').get([id]) !== undefined
      })
      if (known || pending.has(name)) throw replayed(use.method)
      if (onRecord + pending.size >= limit) throw full(limit)
      pending.add(name)
      return {
        commit: () => {
          if (!pending.has(name)) return
          guard(() =>
            database.prepare('INSERT INTO uses (id, expires) VALUES (?, ?)').run(id, use.expiresAt),
          )
          pending.delete(name)
          onRecord++
        },
        release: () => void pending.delete(name),
      }
    },
    count: () => onRecord,
    close: () => void guard(() => database.close()),
  }
}

function openDatabase(path: string): Database.Database {
  const database = new Database(path)
  try {
    database.exec('PRAGMA journal_mode = WAL')
    database.exec('PRAGMA synchronous = FULL')
    const check: unknown = database.prepare('PRAGMA quick_check').get()
    if (!isRow(check) || check.quick_check !== 'ok') throw corrupt()
    database.exec(SCHEMA)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

function countRows(database: Database.Database): number {
  const row: unknown = database.prepare('SELECT count(*) AS n FROM uses').get()
  if (!isRow(row) || typeof row.n !== 'number') throw corrupt()
  return row.n
}

/** Issuers choose ids on their own, so the method is part of the name. */
function idOf({ method, jti }: TokenUse): Uint8Array {
  return sha256(frame([utf8ToBytes(method), utf8ToBytes(jti)]))
}

function isRow(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function guard<T>(work: () => T): T {
  try {
    return work()
  } catch (cause) {
    if (isEigenxError(cause)) throw cause
    const damaged = cause instanceof Error && /malformed|not a database/.test(cause.message)
    if (damaged) throw corrupt(cause)
    throw new EigenxError({
      code: 'STORE_UNAVAILABLE',
      message: 'The record of used tokens cannot be read or written.',
      stage: 'store',
      details: { reason: 'tokens' },
      cause,
    })
  }
}

function corrupt(cause?: unknown): EigenxError<'STORE_CORRUPT'> {
  return new EigenxError({
    code: 'STORE_CORRUPT',
    message: 'The record of used tokens is damaged.',
    stage: 'store',
    details: { record: 'tokens' },
    hint: 'Remove the file: tokens that have not expired can then serve once more, to the pod that holds their RSA key.',
    cause,
  })
}

function replayed(method: string): EigenxError<'EVIDENCE_REPLAYED'> {
  return new EigenxError({
    code: 'EVIDENCE_REPLAYED',
    message: 'The attestation token has been used already.',
    stage: 'evidence',
    details: { method },
    hint: 'Ask the launcher for a fresh token; one serves a single start.',
  })
}

function full(limit: number): EigenxError<'OVERLOADED'> {
  return new EigenxError({
    code: 'OVERLOADED',
    message: 'service unavailable',
    stage: 'request',
    details: { limit },
    hint: 'The record of used tokens is full; it empties as they expire.',
  })
}
