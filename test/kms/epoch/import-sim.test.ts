/** Operators of an older set bring their shares: the same key goes on under new shares. */
import { describe, expect, it } from 'vitest'
import { importedShareWrite } from '../../../kms/epoch/imported.ts'
import { openMemoryStore } from '../../../kms/store/memory.ts'
import { operatorX, publicShareOf, randomScalar, thresholdOf } from '../../../sdk/crypto/bls.ts'
import { evaluatePolynomial, randomPolynomial } from '../../../sdk/crypto/shamir.ts'
import { importRoot } from '../../../sdk/protocol/terms.ts'
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

describe('a member with software of another version', () => {
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
