/**
 * The operator sets that the final log and the open sessions refer to, across restarts: most chain providers soon forget the state of old
 * blocks, and the next epoch must check dealings of the last one's members. They are public, and sealed like secrets, because whoever
 * could change one would choose whose signatures this operator believes.
 * @module
 */
import { z } from 'zod'
import { parseUtf8, utf8ToBytes } from '../../sdk/bytes.ts'
import type { Hash32, OperatorSet } from '../../sdk/chain/types.ts'
import { EigenxError } from '../../sdk/errors.ts'
import type { SecretName, Store, Write } from '../store/store.ts'
import type { NodeState } from './state.ts'

const KIND = 'operator-set'

const hex = (bytes?: number) =>
  z.custom<`0x${string}`>(
    (value) =>
      typeof value === 'string' &&
      /^0x([0-9a-f]{2})*$/.test(value) &&
      (bytes === undefined || value.length === 2 + 2 * bytes),
  )

const Stored = z.strictObject({
  avs: hex(20),
  operatorSetId: z.int().nonnegative(),
  block: z.strictObject({
    number: z
      .string()
      .regex(/^\d{1,20}$/)
      .transform(BigInt),
    hash: hex(32),
    timestamp: z.int().nonnegative(),
  }),
  operators: z.array(
    z.strictObject({
      address: hex(20),
      socket: z.string(),
      signingKey: z.discriminatedUnion('curve', [
        z.strictObject({ curve: z.literal('ecdsa'), address: hex(20) }),
        z.strictObject({ curve: z.literal('bn254'), g1: hex(64), g2: hex(128) }),
      ]),
    }),
  ),
})

/** By the hash of the block that they were read at. @throws STORE_CORRUPT, STORE_UNAVAILABLE */
export async function loadOperatorSets(store: Store): Promise<Map<Hash32, OperatorSet>> {
  const sets = new Map<Hash32, OperatorSet>()
  for (const name of await store.secretNames(KIND)) {
    const bytes = await store.secret(name)
    const set = bytes === undefined ? undefined : parseSet(bytes)
    if (set === undefined || set.block.hash !== name.id) throw corrupt()
    sets.set(set.block.hash, set)
  }
  return sets
}

/**
 * Writes that bring the stored sets in line with a state: those it refers to and that are known, and no others.
 * @param stored - Hashes of the blocks whose sets are stored.
 */
export function operatorSetWrites(
  state: Pick<NodeState, 'log' | 'sessions'>,
  known: ReadonlyMap<Hash32, OperatorSet>,
  stored: ReadonlySet<Hash32>,
): Write[] {
  const needed = new Set([
    ...state.log.winners.map(({ output }) => output.configBlock.hash),
    ...state.sessions.map(({ terms }) => terms.configBlock.hash),
  ])
  const missing = [...needed].flatMap((block) =>
    stored.has(block) ? [] : (known.get(block) ?? []),
  )
  return [
    ...missing.map(
      (set): Write => ({
        type: 'putSecret',
        name: nameOf(set.block.hash),
        value: encodeSet(set),
      }),
    ),
    ...[...stored]
      .filter((block) => !needed.has(block))
      .map((block): Write => ({ type: 'eraseSecret', name: nameOf(block) })),
  ]
}

/** What is stored once the writes are. */
export function afterWrites(stored: ReadonlySet<Hash32>, writes: readonly Write[]): Set<Hash32> {
  const next = new Set<string>(stored)
  for (const write of writes) {
    if (write.type === 'putSecret' && write.name.kind === KIND) next.add(write.name.id)
    if (write.type === 'eraseSecret' && write.name.kind === KIND) next.delete(write.name.id)
  }
  return next as Set<Hash32>
}

function nameOf(block: Hash32): SecretName {
  return { kind: KIND, epoch: 0, id: block }
}

function encodeSet({ avs, operatorSetId, block, operators }: OperatorSet): Uint8Array {
  const number = block.number.toString()
  return utf8ToBytes(JSON.stringify({ avs, operatorSetId, block: { ...block, number }, operators }))
}

function parseSet(bytes: Uint8Array): OperatorSet | undefined {
  try {
    return Stored.safeParse(JSON.parse(parseUtf8(bytes) ?? '')).data
  } catch {
    return undefined
  }
}

function corrupt(): EigenxError<'STORE_CORRUPT'> {
  return new EigenxError({
    code: 'STORE_CORRUPT',
    message: 'A stored operator set is not what this program wrote.',
    stage: 'store',
    details: { record: KIND },
    hint: 'Restore a backup made by this operator, or start with an empty store and rejoin.',
  })
}
