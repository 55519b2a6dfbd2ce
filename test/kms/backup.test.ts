import { beforeAll, describe, expect, it } from 'vitest'
import { type BackupKey, createBackup, restoreBackup } from '../../kms/backup.ts'
import { combineCustodianParts, createCustodianKey } from '../../kms/custodians.ts'
import { importedShareWrite, readImportedShare } from '../../kms/epoch/imported.ts'
import { createMemoryMedium, openMemoryStore } from '../../kms/store/memory.ts'
import { toHex } from '../../sdk/bytes.ts'
import { publicShareOf } from '../../sdk/crypto/bls.ts'
import {
  activeHash,
  allActive,
  assertOneKey,
  boot,
  bootAll,
  createWorld,
  DOMAIN,
  keyServiceOf,
  kill,
  nodeAt,
  runUntil,
  type Sealed,
  type SimNode,
  seededRng,
  type World,
} from './epoch/kit.ts'

const rng = seededRng(1, 'backup')
const key: BackupKey = { how: 'key', key: rng(32) }
const ownerOf = (sim: SimNode) => ({ operator: sim.identity.info.address, domain: DOMAIN })
const storeOf = (sim: SimNode) => openMemoryStore(sim.medium)

describe('a rehearsed restore', () => {
  let world: World
  let sim: SimNode
  let sealed: Sealed
  let file: Uint8Array

  beforeAll(async () => {
    world = createWorld({ seed: 97, n: 2 })
    await bootAll(world)
    await runUntil(world, allActive(world), 120)
    sealed = assertOneKey(world)
    sim = nodeAt(world, 1)
    kill(sim)
    file = await createBackup({ store: storeOf(sim), rng }, ownerOf(sim), key)
  })

  it('brings the operator back on an empty disk, serving the version in force, with no peer alive', async () => {
    const inForce = activeHash(world, nodeAt(world, 0))
    sim.medium = createMemoryMedium()
    const back = await restoreBackup(storeOf(sim), ownerOf(sim), key, file)
    expect(back).toEqual({ encryptionKeys: 1, epochs: [0], imported: false })
    world.partition = () => true
    await boot(world, sim)
    await sim.node?.tick()
    expect(activeHash(world, sim)).toBe(inForce)
    world.partition = () => false
    assertOneKey(world, sealed)
    kill(sim)
  })

  it('of an old backup serves nothing that is not in force, and gets the newer share by its keys', async () => {
    await boot(world, sim)
    const old = await createBackup({ store: storeOf(sim), rng }, ownerOf(sim), key)
    world.options = { ...world.options, reshareSeconds: 2, graceSeconds: 2 }
    for (const other of world.nodes) kill(other)
    await bootAll(world)
    const newer = () =>
      world.nodes.every((node) => (keyServiceOf(world, node).active()?.epoch ?? 0) >= 2)
    expect(await runUntil(world, newer, 200)).toBe(true)
    const inForce = activeHash(world, nodeAt(world, 0))
    kill(sim)
    sim.medium = createMemoryMedium()
    await restoreBackup(storeOf(sim), ownerOf(sim), key, old)
    world.partition = () => true
    await boot(world, sim)
    await sim.node?.tick()
    // It knows from the chain what is in force, and that its share is of another output.
    expect(keyServiceOf(world, sim).inForce()?.hash).toBe(inForce)
    expect(() => keyServiceOf(world, sim).at(0)).toThrow(/does not hold a share/)
    world.partition = () => false
    expect(await runUntil(world, allActive(world), 80)).toBe(true)
    assertOneKey(world, sealed)
    kill(sim)
  })

  it('is refused with another key, another owner, a used store or a changed byte', async () => {
    const empty = () => openMemoryStore(createMemoryMedium())
    const refusal = (work: Promise<unknown>) =>
      expect(work).rejects.toMatchObject({ code: 'REQUEST_INVALID' })
    const owner = ownerOf(sim)
    await refusal(restoreBackup(empty(), owner, { how: 'key', key: rng(32) }, file))
    await refusal(restoreBackup(empty(), owner, { how: 'passphrase', passphrase: 'x' }, file))
    await refusal(restoreBackup(empty(), ownerOf(nodeAt(world, 0)), key, file))
    await refusal(
      restoreBackup(empty(), { ...owner, domain: { ...DOMAIN, chainId: 1 } }, key, file),
    )
    await refusal(restoreBackup(storeOf(nodeAt(world, 0)), owner, key, file))
    for (const at of [0, 25, 45, 60, file.length - 1])
      await refusal(
        restoreBackup(
          empty(),
          owner,
          key,
          file.map((b, i) => (i === at ? b ^ 1 : b)),
        ),
      )
    await refusal(restoreBackup(empty(), owner, key, file.subarray(0, 30)))
    await refusal(restoreBackup(empty(), owner, key, new Uint8Array(5_000_000)))
  })

  it('brings back a share that is imported and not reshared yet: nobody else has it', async () => {
    const [medium, empty] = [createMemoryMedium(), createMemoryMedium()]
    const [share, mpk] = [12345n, publicShareOf(6789n)]
    await openMemoryStore(medium).commit([importedShareWrite(share, mpk)])
    const copy = await createBackup({ store: openMemoryStore(medium), rng }, ownerOf(sim), key)
    const back = await restoreBackup(openMemoryStore(empty), ownerOf(sim), key, copy)
    expect(back).toEqual({ encryptionKeys: 0, epochs: [], imported: true })
    expect(await readImportedShare(openMemoryStore(empty))).toMatchObject({ share, mpk })
    await expect(restoreBackup(openMemoryStore(medium), ownerOf(sim), key, copy)).rejects.toThrow(
      /in use/,
    )
  })

  it('shows no secret in the file, which differs each time', async () => {
    const store = storeOf(nodeAt(world, 0))
    const owner = ownerOf(nodeAt(world, 0))
    const [one, two] = [
      await createBackup({ store, rng }, owner, key),
      await createBackup({ store, rng }, owner, key),
    ]
    expect(toHex(one)).not.toBe(toHex(two))
    for (const { value } of nodeAt(world, 0).medium.secrets.values())
      expect(toHex(one)).not.toContain(toHex(value).slice(2))
  })

  it('opens with a passphrase in any normal form', async () => {
    const store = storeOf(nodeAt(world, 0))
    const owner = ownerOf(nodeAt(world, 0))
    const made: BackupKey = { how: 'passphrase', passphrase: 'schlüssel wort' }
    const typed: BackupKey = { how: 'passphrase', passphrase: 'schlu\u0308ssel wort' }
    const backup = await createBackup({ store, rng }, owner, made)
    const back = await restoreBackup(openMemoryStore(createMemoryMedium()), owner, typed, backup)
    expect(back.encryptionKeys).toBe(1)
  })
})

describe('custodians', () => {
  const { key: secret, parts } = createCustodianKey({ custodians: 5, threshold: 3 }, rng)

  it('open it with any three of five parts, in any order', () => {
    for (const [a, b, c] of [
      [0, 1, 2],
      [4, 2, 0],
      [1, 3, 4],
    ] as const) {
      const chosen = [parts[a] ?? '', parts[b] ?? '', parts[c] ?? '']
      expect(combineCustodianParts(chosen)).toEqual(secret)
    }
    expect(combineCustodianParts(parts)).toEqual(secret)
  })

  it('do not with fewer, repeated, damaged or foreign ones', () => {
    const [one = '', two = '', three = ''] = parts
    const foreign = createCustodianKey({ custodians: 3, threshold: 3 }, rng).parts[2] ?? ''
    const damaged = three.replace(/.$/, (last) => (last === '0' ? '1' : '0'))
    for (const wrong of [[], [one], [one, two], [one, two, two], [one, two, foreign]])
      expect(() => combineCustodianParts(wrong)).toThrow(
        expect.objectContaining({ code: 'REQUEST_INVALID' }),
      )
    expect(() => combineCustodianParts([one, two, damaged])).toThrow(/damaged/)
    expect(() => combineCustodianParts([one, two, 'garbage'])).toThrow(/damaged/)
  })

  it('are two at least, and no more parts are needed than there are', () => {
    for (const [custodians, threshold] of [
      [3, 1],
      [2, 3],
      [33, 2],
      [Number('3x'), 2],
      [3, Number.NaN],
      [3.5, 2],
      [3, 2.5],
    ] as const)
      expect(() => createCustodianKey({ custodians, threshold }, rng)).toThrow(/threshold/)
  })
})
