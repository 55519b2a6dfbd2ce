/** Operators of an older set bring their shares: the same key goes on under new shares. */
import { describe, expect, it } from 'vitest'
import { importedShareWrite } from '../../../kms/epoch/imported.ts'
import { importShare, parseExportedShare } from '../../../kms/migration.ts'
import { openMemoryStore } from '../../../kms/store/memory.ts'
import { bytesToHex, toBase64, utf8ToBytes } from '../../../sdk/bytes.ts'
import {
  operatorX,
  partialSign,
  publicShareOf,
  randomScalar,
  thresholdOf,
} from '../../../sdk/crypto/bls.ts'
import { decryptWithAppKey } from '../../../sdk/crypto/ibe.ts'
import { recombine } from '../../../sdk/crypto/recombine.ts'
import { evaluatePolynomial, randomPolynomial } from '../../../sdk/crypto/shamir.ts'
import { publicSharesOf } from '../../../sdk/protocol/output.ts'
import { importRoot } from '../../../sdk/protocol/terms.ts'
import { encodeGnarkScalar } from '../../../sdk/wire/gnark-fr.ts'
import { hex, readVectors } from '../../sdk/crypto/vectors.ts'
import {
  allActive,
  assertOneKey,
  bootAll,
  createWorld,
  keyServiceOf,
  nodeAt,
  runUntil,
  seal,
  seededRng,
  type World,
} from './kit.ts'

/** Shares of one old key, as its members exported them. */
async function importInto(
  world: World,
  spoil: (share: bigint, index: number) => bigint = (share) => share,
): Promise<Uint8Array> {
  const rng = seededRng(world.seed, 'old set')
  const secret = randomScalar(rng)
  const polynomial = randomPolynomial(secret, thresholdOf(world.nodes.length) - 1, rng)
  const mpk = publicShareOf(secret)
  for (const [i, { identity, medium }] of world.nodes.entries()) {
    const share = spoil(evaluatePolynomial(polynomial, operatorX(identity.info.address)), i)
    await openMemoryStore(medium).commit([importedShareWrite(share, mpk)])
  }
  return mpk
}

const importsLeft = (world: World) =>
  world.nodes.filter(({ medium }) =>
    [...medium.secrets.values()].some(({ name }) => name.kind === 'imported-share'),
  ).length

describe('scenario 45: an imported key', () => {
  it('goes on under new shares in one epoch; what was sealed to it before opens', async () => {
    const world = createWorld({ seed: 91, n: 3, options: { genesis: false } })
    const mpk = await importInto(world)
    const sealed = seal(mpk)
    await bootAll(world)
    expect(await runUntil(world, allActive(world), 160)).toBe(true)
    const { output } = keyServiceOf(world, nodeAt(world, 0)).at(0)
    expect(output.mpk).toEqual(mpk)
    expect(output.prev).toBe(importRoot(mpk))
    assertOneKey(world, sealed)
    await runUntil(world, () => importsLeft(world) === 0, 10)
    expect(importsLeft(world)).toBe(0)
  })

  it('is the one of the known answers, in files as Go exports them: what Go encrypted opens with the new shares', async () => {
    const go = readVectors<Record<string, string>>('protocol/vectors_ibe.json')
    const { mpk = '', appID: appId = '', ciphertext = '', appPrivateKey, plaintext = '' } = go
    const world = createWorld({ seed: 90, n: 4, options: { genesis: false } })
    const rng = seededRng(world.seed, 'set of the known answers')
    const polynomial = randomPolynomial(BigInt(go.masterScalarDec ?? ''), thresholdOf(4) - 1, rng)
    const compressed = JSON.stringify({ CompressedBytes: toBase64(hex(mpk)) })
    const old = new Map<string, bigint>()
    for (const { identity, medium } of world.nodes) {
      const { address } = identity.info
      const share = evaluatePolynomial(polynomial, operatorX(address))
      old.set(address, share)
      const file = `{"Version":1750000000,"PrivateShare":${encodeGnarkScalar(share)},"Commitments":[],"MasterPublicKey":${compressed},"IsActive":true,"ParticipantIDs":[1,2,3,4]}`
      await importShare(openMemoryStore(medium), parseExportedShare(file))
    }
    await bootAll(world)
    expect(await runUntil(world, allActive(world), 240)).toBe(true)
    expect(world.chain.entries()).toHaveLength(1)
    const holders = world.nodes.map((sim) => ({
      operator: sim.identity.info.address,
      ...keyServiceOf(world, sim).at(0),
    }))
    for (const { operator, share } of holders) expect(share).not.toBe(old.get(operator))
    const output = holders[0]?.output
    if (output === undefined) throw new Error('nobody is active')
    expect(bytesToHex(output.mpk)).toBe(mpk)
    for (const some of [holders.slice(0, 3), holders.slice(1)]) {
      const { appKey } = recombine({
        appId,
        masterPublicKey: output.mpk,
        threshold: output.threshold,
        publicShares: publicSharesOf(output),
        partials: some.map(({ operator, share }) => ({
          operator,
          partial: partialSign(share, appId),
        })),
      })
      expect(bytesToHex(appKey)).toBe(appPrivateKey)
      const opened = decryptWithAppKey({ appKey, appId, ciphertext: hex(ciphertext) })
      expect(opened).toEqual(utf8ToBytes(plaintext))
    }
  })

  it('leaves a wrong share out', async () => {
    const world = createWorld({ seed: 92, n: 4, options: { genesis: false } })
    const sealed = seal(await importInto(world, (share, i) => (i === 2 ? share + 1n : share)))
    await bootAll(world)
    expect(await runUntil(world, allActive(world), 240)).toBe(true)
    const { output } = keyServiceOf(world, nodeAt(world, 0)).at(0)
    expect(output.dealings.map(({ dealer }) => dealer)).not.toContain(
      nodeAt(world, 2).identity.info.address,
    )
    assertOneKey(world, sealed)
  })

  it('is refused when too few shares are of one polynomial: no key is better than another key', async () => {
    const world = createWorld({ seed: 93, n: 3, options: { genesis: false } })
    await importInto(world, (share, i) => share + BigInt(i))
    await bootAll(world)
    await runUntil(world, () => false, 60)
    expect(world.chain.entries()).toHaveLength(0)
    expect(world.reports.some(({ detail }) => detail?.code === 'KEY_MISMATCH')).toBe(true)
    expect(importsLeft(world)).toBe(3)
  })
})

describe('scenario 45: a member with software of another version', () => {
  it('is refused message by message, and holds up nobody; with the same version it is one of them', async () => {
    const world = createWorld({ seed: 94, n: 3, options: { reshareSeconds: 2 } })
    const other = nodeAt(world, 2)
    const answers = new Set<string | undefined>()
    other.tamper = async (message) => {
      const newer = Uint8Array.of(2, ...message.subarray(1))
      answers.add(await nodeAt(world, 0).node?.handler.receive(newer))
      return newer
    }
    await bootAll(world)
    const others = () =>
      [0, 1].every((i) => (keyServiceOf(world, nodeAt(world, i)).active()?.epoch ?? -1) >= 1)
    expect(await runUntil(world, others, 300)).toBe(true)
    expect([...answers]).toEqual(['refused'])
    const sealed = assertOneKey(world)
    other.tamper = undefined
    expect(await runUntil(world, allActive(world), 200)).toBe(true)
    assertOneKey(world, sealed)
  })
})
