import { describe, expect, it } from 'vitest'
import { createBackup, MAX_BACKUP_BYTES, restoreBackup } from '../../kms/backup.ts'
import { encryptionKeyName } from '../../kms/epoch/encryption-keys.ts'
import { encodeHead } from '../../kms/epoch/head.ts'
import { EMPTY_STATE } from '../../kms/epoch/state.ts'
import { createMemoryMedium, openMemoryStore } from '../../kms/store/memory.ts'
import type { Store, Write } from '../../kms/store/store.ts'
import type { Address } from '../../sdk/chain/types.ts'
import { publicShareOf, serializeScalar } from '../../sdk/crypto/bls.ts'
import { MAX_MEMBERS, MAX_SIGNATURE_BYTES } from '../../sdk/protocol/codec.ts'
import { blobHash } from '../../sdk/protocol/dealing.ts'
import { encodeCertifiedBody, outputHash } from '../../sdk/protocol/output.ts'
import { ristrettoPublicKey, serializeRistrettoScalar } from '../../sdk/protocol/ristretto.ts'
import type { Output } from '../../sdk/protocol/types.ts'
import { CONFIG_BLOCK, DOMAIN, GENESIS, hashOf } from '../sdk/protocol/kit.ts'
import { seededRng } from './epoch/kit.ts'

const key = { how: 'key', key: new Uint8Array(32).fill(5) } as const
const rng = seededRng(1, 'backup limits')
const SIGNATURE = new Uint8Array(MAX_SIGNATURE_BYTES)
const addresses = Array.from(
  { length: MAX_MEMBERS },
  (_, i): Address => `0x${i.toString(16).padStart(40, '0')}`,
)
const owner = { operator: addresses[0] ?? '0x', domain: DOMAIN }

/** As many winners, each with a share and an encryption key of its own: the operators of a long grace time. */
async function fill(epochs: number, members: readonly Address[]): Promise<Store> {
  const store = openMemoryStore(createMemoryMedium())
  const publicShare = publicShareOf(7n)
  const encryptionKey = ristrettoPublicKey(2n)
  const outputs = Array.from(
    { length: epochs },
    (_, epoch): Output => ({
      ...GENESIS,
      epoch,
      leaves: members.map((operator) => ({ operator, notAfter: 1, signature: SIGNATURE })),
      members: members.map((address) => ({ address, encryptionKey })),
      dealings: members.map((dealer) => ({ dealer, hash: hashOf(dealer) })),
      publicShares: members.map(() => publicShare),
    }),
  )
  const signatures = members.map((operator) => ({ operator, signature: SIGNATURE }))
  const winners = outputs.map((output) => {
    const body = encodeCertifiedBody({ output, certificate: { signatures } })
    const at = { block: CONFIG_BLOCK, logIndex: 0 }
    const hash = outputHash(DOMAIN, output)
    return { output, hash, certificate: { signatures }, body, blob: blobHash(body), at }
  })
  const writes = winners.flatMap(({ output, hash, body }): Write[] => [
    { type: 'putBlob', bytes: body },
    {
      type: 'putSecret',
      name: { kind: 'share', epoch: output.epoch, id: hash },
      value: serializeScalar(7n),
    },
    {
      type: 'putSecret',
      name: encryptionKeyName(output.epoch + 1),
      value: serializeRistrettoScalar(BigInt(output.epoch + 2)),
    },
  ])
  const log = { winners, nextEpoch: epochs, convictions: new Map(), changes: [] }
  await store.commit([...writes, { type: 'setHead', head: encodeHead({ ...EMPTY_STATE, log }) }])
  return store
}

describe('a backup of an operator that holds more than a backup takes', () => {
  it('has the newest shares and encryption keys', async () => {
    const store = await fill(144, addresses.slice(0, 3))
    const file = await createBackup({ store, rng }, owner, key)
    const restored = openMemoryStore(createMemoryMedium())
    const { encryptionKeys, epochs } = await restoreBackup(restored, owner, key, file)
    expect([encryptionKeys, epochs.length, epochs[0], epochs.at(-1)]).toEqual([64, 64, 80, 143])
    const names = await restored.secretNames('encryption-key')
    expect(names.map(({ id }) => Number(id)).sort((a, b) => a - b)[0]).toBe(81)
  })

  it('stays within the size that is restored, with the largest set', async () => {
    const store = await fill(64, addresses)
    const file = await createBackup({ store, rng }, owner, key)
    expect(file.length).toBeLessThanOrEqual(MAX_BACKUP_BYTES)
    const restored = openMemoryStore(createMemoryMedium())
    const { epochs } = await restoreBackup(restored, owner, key, file)
    expect(epochs.length).toBeGreaterThan(30)
    expect(epochs.at(-1)).toBe(63)
  })

  it('is not written of a key that could not be restored', async () => {
    const store = openMemoryStore(createMemoryMedium())
    const name = { kind: 'encryption-key', epoch: 0, id: '0' } as const
    await store.commit([{ type: 'putSecret', name, value: new Uint8Array(32) }])
    await expect(createBackup({ store, rng }, owner, key)).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
    })
  })
})
