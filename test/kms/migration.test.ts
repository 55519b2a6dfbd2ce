import { describe, expect, it } from 'vitest'
import { readImportedShare } from '../../kms/epoch/imported.ts'
import { describeImport, importShare, parseExportedShare } from '../../kms/migration.ts'
import { createMemoryMedium, openMemoryStore } from '../../kms/store/memory.ts'
import { toBase64, toHex } from '../../sdk/bytes.ts'
import { CURVE_ORDER, publicShareOf } from '../../sdk/crypto/bls.ts'
import { importRoot } from '../../sdk/protocol/terms.ts'
import { encodeGnarkScalar } from '../../sdk/wire/gnark-fr.ts'

const mpk = publicShareOf(77n)
const exportOf = (share: bigint, key: unknown = { CompressedBytes: toBase64(mpk) }) =>
  `{"Version":1750000000,"PrivateShare":${encodeGnarkScalar(share)},"Commitments":[],` +
  `"MasterPublicKey":${JSON.stringify(key)},"IsActive":true,"ParticipantIDs":[1,2,3]}`

describe('an exported share', () => {
  it.each([5n, 123456789012345678901234567890n, CURVE_ORDER - 5n, CURVE_ORDER - 70000n])(
    'is read in every form that gnark writes (%i)',
    (share) => {
      expect(parseExportedShare(exportOf(share))).toEqual({
        version: 1_750_000_000,
        share,
        mpk,
        participants: 3,
      })
    },
  )

  it('may name the master public key in hex', () => {
    expect(parseExportedShare(exportOf(5n, toHex(mpk))).mpk).toEqual(mpk)
    expect(parseExportedShare(exportOf(5n, toHex(mpk).slice(2))).mpk).toEqual(mpk)
  })

  it.each([
    ['no JSON', 'PrivateShare: 5'],
    ['a list', '[]'],
    ['too much', ' '.repeat(300_000)],
    ['a share that is zero', exportOf(0n)],
    ['a share that is not reduced', exportOf(5n).replace('5,', `"${CURVE_ORDER}",`)],
    ['a share in hex', exportOf(5n).replace('5,', '"0x05",')],
    ['a key that is no point', exportOf(5n, { CompressedBytes: toBase64(new Uint8Array(96)) })],
    ['a key cut short', exportOf(5n, { CompressedBytes: toBase64(mpk.subarray(1)) })],
    ['no participants', exportOf(5n).replace('[1,2,3]', '[]')],
  ])('is refused as %s, without quoting it', (_name, text) => {
    expect(() => parseExportedShare(text)).toThrow(
      expect.objectContaining({ code: 'REQUEST_INVALID' }),
    )
    try {
      parseExportedShare(text)
    } catch (error) {
      expect(String(error)).not.toContain(CURVE_ORDER.toString())
    }
  })
})

describe('importing', () => {
  it('keeps the share for the first epoch, twice the same but never another', async () => {
    const medium = createMemoryMedium()
    const store = openMemoryStore(medium)
    const exported = parseExportedShare(exportOf(5n))
    await importShare(store, exported)
    await importShare(store, exported)
    expect(await readImportedShare(store)).toEqual({ share: 5n, mpk, root: importRoot(mpk) })
    const other = parseExportedShare(exportOf(6n))
    await expect(importShare(store, other)).rejects.toThrow(/another share/)
    expect(describeImport(exported)).toContain(toHex(mpk).slice(2))
    expect(describeImport(exported)).not.toMatch(/\b5\b/)
  })

  it('is refused by an operator that has a key, and a damaged record is found', async () => {
    const store = openMemoryStore(createMemoryMedium())
    const name = { kind: 'share', epoch: 3, id: `0x${'aa'.repeat(32)}` } as const
    await store.commit([{ type: 'putSecret', name, value: new Uint8Array(32).fill(1) }])
    const exported = parseExportedShare(exportOf(5n))
    await expect(importShare(store, exported)).rejects.toThrow(/holds shares/)
    const imported = { kind: 'imported-share', epoch: 0, id: '' } as const
    for (const length of [0, 32, 128]) {
      await store.commit([
        { type: 'putSecret', name: imported, value: new Uint8Array(length).fill(9) },
      ])
      await expect(readImportedShare(store)).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
    }
  })
})
