/**
 * The head record's bytes: the node state as JSON, bytes as hex, block numbers as decimal strings. The store seals it, so a
 * parse failure means another program version or a broken disk: STORE_CORRUPT, and the process must not go on.
 * Bodies of winners are blobs; the head names them by hash.
 * @module
 */
import { z } from 'zod'
import { type Hex, parseHex, parseUtf8, toHex, utf8ToBytes } from '../../sdk/bytes.ts'
import type { BlockRef, Hash32 } from '../../sdk/chain/types.ts'
import { EigenxError, isEigenxError } from '../../sdk/errors.ts'
import type { Winner } from '../../sdk/protocol/log.ts'
import { parseCertifiedBody } from '../../sdk/protocol/output.ts'
import type { Leave } from '../../sdk/protocol/types.ts'
import type { NodeState, Session } from './state.ts'

const VERSION = 5

function hex(length: number): z.ZodType<Hex> {
  return z.custom<Hex>(
    (value) =>
      typeof value === 'string' &&
      value.startsWith('0x') &&
      value === value.toLowerCase() &&
      parseHex(value, length) !== undefined,
  )
}
const bytesField = (length?: number) =>
  z.string().transform((text, context) => {
    const bytes = parseHex(text, length)
    if (bytes !== undefined) return bytes
    context.addIssue('not hex of the right length')
    return z.NEVER
  })
const hash = hex(32)
const address = hex(20)
const count = z.number().int().nonnegative()
const blockNumber = z
  .string()
  .regex(/^(-1|\d{1,20})$/)
  .transform(BigInt)
const optionalTime = z
  .number()
  .nullable()
  .transform((value) => value ?? undefined)
const block = z.strictObject({ number: blockNumber, hash, timestamp: count })

const leave = z.strictObject({ operator: address, notAfter: count, signature: bytesField() })

const terms = z.strictObject({
  epoch: count,
  prev: hash,
  configBlock: block,
  leaves: z.array(leave),
  members: z.array(z.strictObject({ address, encryptionKey: bytesField(32) })),
  threshold: count,
})

const dealingRef = z.strictObject({ dealer: address, hash })

const session = z.strictObject({
  sid: hash,
  terms,
  proposer: address,
  setup: hash,
  openedAt: z.number(),
  usableAt: optionalTime,
  dealers: z.array(address),
  needed: count,
  dealings: z.array(
    z.strictObject({
      dealer: address,
      hash,
      status: z.enum(['unchecked', 'good', 'bad', 'badShare', 'convicted']),
    }),
  ),
  acks: z.array(z.strictObject({ recipient: address, dealings: z.array(hash) })),
  candidates: z.array(
    z.strictObject({
      hash,
      blob: hash,
      proposer: address,
      // Not in heads of the first builds.
      signature: bytesField()
        .nullish()
        .transform((value) => value ?? undefined),
      dealings: z.array(dealingRef),
      postBy: count,
      arrivedAt: z.number(),
      status: z.enum(['unchecked', 'good', 'bad']),
      signatures: z.array(z.strictObject({ operator: address, signature: bytesField() })),
      certifiedAt: optionalTime,
    }),
  ),
  failed: z.boolean(),
})

const head = z.strictObject({
  version: z.literal(VERSION),
  nextEpoch: count,
  convictions: z.array(z.tuple([address, z.strictObject({ epoch: count, at: count })])),
  // Not in heads of the first builds.
  changes: z.array(z.tuple([address, count])).default([]),
  winners: z.array(
    z.strictObject({ hash, body: hash, at: z.strictObject({ block, logIndex: count }) }),
  ),
  through: blockNumber,
  finalTime: count,
  opened: z
    .strictObject({ epoch: count, prev: hash, at: z.number() })
    .nullable()
    .transform((value) => value ?? undefined),
  sessions: z.array(session),
  // Not in heads of the first builds.
  abandoned: z
    .array(
      z.strictObject({
        hash,
        blob: hash,
        proposer: address,
        dealings: z.array(dealingRef),
        postBy: count,
        epoch: count,
      }),
    )
    .default([]),
  complaints: z.array(
    z.strictObject({
      epoch: count,
      dealing: hash,
      dealer: address,
      recipient: address,
      blob: hash,
    }),
  ),
  shares: z.array(
    z.strictObject({ output: hash, epoch: count, status: z.enum(['held', 'missing']) }),
  ),
  leaves: z.array(leave),
})

/** Field by field and by no replacer, which would be called for every value: a head is written at every commit. */
export function encodeHead(state: NodeState): Uint8Array {
  const { log, through, opened, sessions, leaves, ...rest } = state
  const record = {
    version: VERSION,
    nextEpoch: log.nextEpoch,
    convictions: [...log.convictions],
    changes: log.changes,
    winners: log.winners.map(({ hash, blob, at }) => ({
      hash,
      body: blob,
      at: { block: writeBlock(at.block), logIndex: at.logIndex },
    })),
    through: through.toString(),
    opened: opened ?? null,
    sessions: sessions.map(writeSession),
    leaves: leaves.map(writeLeave),
    ...rest,
  }
  return utf8ToBytes(JSON.stringify(record))
}

function writeSession(entry: Session) {
  return {
    ...entry,
    terms: {
      ...entry.terms,
      configBlock: writeBlock(entry.terms.configBlock),
      leaves: entry.terms.leaves.map(writeLeave),
      members: entry.terms.members.map(({ address, encryptionKey }) => ({
        address,
        encryptionKey: toHex(encryptionKey),
      })),
    },
    usableAt: entry.usableAt ?? null,
    candidates: entry.candidates.map((candidate) => ({
      ...candidate,
      signature: candidate.signature === undefined ? null : toHex(candidate.signature),
      signatures: candidate.signatures.map(({ operator, signature }) => ({
        operator,
        signature: toHex(signature),
      })),
      certifiedAt: candidate.certifiedAt ?? null,
    })),
  }
}

const writeBlock = ({ number, hash, timestamp }: BlockRef) => ({
  number: number.toString(),
  hash,
  timestamp,
})

const writeLeave = ({ operator, notAfter, signature }: Leave) => ({
  operator,
  notAfter,
  signature: toHex(signature),
})

/**
 * @param blob - Reads a body by its hash.
 * @throws STORE_CORRUPT
 */
export async function parseHead(
  bytes: Uint8Array,
  blob: (hash: Hash32) => Promise<Uint8Array | undefined>,
): Promise<NodeState> {
  const parsed = head.safeParse(parseJson(bytes))
  if (!parsed.success) throw corrupt('head')
  const { version: _version, nextEpoch, convictions, changes, winners, ...rest } = parsed.data
  const standing: Winner[] = []
  for (const winner of winners) {
    const body = await blob(winner.body)
    if (body === undefined) throw corrupt('body of a winner')
    standing.push({ ...parseStored(body), ...winner, body, blob: winner.body })
  }
  const log = {
    winners: standing,
    nextEpoch,
    convictions: new Map(convictions),
    changes,
  }
  return { ...rest, log }
}

function parseStored(body: Uint8Array): ReturnType<typeof parseCertifiedBody> {
  try {
    return parseCertifiedBody(body)
  } catch (cause) {
    if (isEigenxError(cause)) throw corrupt('body of a winner', cause)
    throw cause
  }
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(parseUtf8(bytes) ?? '')
  } catch {
    return undefined
  }
}

function corrupt(record: string, cause?: unknown): EigenxError<'STORE_CORRUPT'> {
  return new EigenxError({
    code: 'STORE_CORRUPT',
    message: 'A stored record is not what this program wrote.',
    stage: 'store',
    details: { record },
    hint: 'Restore a backup made by this operator, or start with an empty store and rejoin.',
    cause,
  })
}
