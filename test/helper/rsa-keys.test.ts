import { createPublicKey } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createRsaKeys } from '../../helper/rsa-keys.ts'
import { type RsaJob, type RsaThread, startRsaThread } from '../../helper/rsa-thread.ts'
import { type RsaKeyPair, rsaSeed } from '../../sdk/crypto/rsa-seed.ts'
import { hex, readCases } from '../sdk/crypto/vectors.ts'

const seedOf = (byte: number) => new Uint8Array(32).fill(byte)
const pairOf = (byte: number): RsaKeyPair => ({
  privateKey: Uint8Array.of(byte),
  publicKey: Uint8Array.of(byte, byte),
})

/** Threads that find what their seed's first byte says, when the test lets them. */
function fakeThreads() {
  const started: { byte: number; finish: () => void; fail: () => void }[] = []
  let stopped = 0
  const start = async ({ seed }: RsaJob): Promise<RsaThread> => {
    const byte = seed[0] ?? 0
    const { promise, resolve, reject } = withResolvers<RsaKeyPair>()
    promise.catch(() => undefined)
    started.push({
      byte,
      finish: () => resolve(pairOf(byte)),
      fail: () => reject(new Error('broken')),
    })
    return {
      pair: promise,
      stop: async () => {
        stopped++
        reject(new Error('stopped'))
      },
    }
  }
  return { started, start, stopped: () => stopped }
}

function withResolvers<T>() {
  let resolve: (value: T) => void = () => undefined
  let reject: (reason: unknown) => void = () => undefined
  const promise = new Promise<T>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

describe('RSA keys', () => {
  test('are searched a few at once, the others wait their turn, and too many are refused', async () => {
    const { started, start } = fakeThreads()
    const rsa = createRsaKeys({ width: 2, start })
    const first = Array.from({ length: 18 }, (_, i) => rsa.make({ seed: seedOf(i), bits: 2048 }))
    const refused = seedOf(99)
    await expect(rsa.make({ seed: refused, bits: 2048 })).rejects.toMatchObject({
      code: 'OVERLOADED',
    })
    expect(refused).toEqual(seedOf(0))
    await turn()
    expect(started.map(({ byte }) => byte)).toEqual([0, 1])
    started[1]?.finish()
    expect(await first[1]).toEqual(pairOf(1))
    await turn()
    expect(started.map(({ byte }) => byte)).toEqual([0, 1, 2])
    started[0]?.fail()
    await expect(first[0]).rejects.toThrow('broken')
    for (let i = 2; i < first.length; i++) {
      await turn()
      started[i]?.finish()
      expect(await first[i]).toEqual(pairOf(i))
    }
    // What was refused for want of room is found later.
    const late = rsa.make({ seed: seedOf(99), bits: 2048 })
    await turn()
    started.at(-1)?.finish()
    expect(await late).toEqual(pairOf(99))
  })

  test('are remembered, and asked for twice are searched once; a failure is not remembered', async () => {
    const { started, start } = fakeThreads()
    const rsa = createRsaKeys({ width: 2, start })
    const both = [1, 2].map(() => rsa.make({ seed: seedOf(7), bits: 3072 }))
    await turn()
    started[0]?.finish()
    expect(await Promise.all(both)).toEqual([pairOf(7), pairOf(7)])
    expect(await rsa.make({ seed: seedOf(7), bits: 3072 })).toEqual(pairOf(7))
    const taken = seedOf(7)
    await rsa.make({ seed: taken, bits: 3072 })
    expect(taken).toEqual(seedOf(0))
    expect(started).toHaveLength(1)
    const broken = rsa.make({ seed: seedOf(8), bits: 3072 })
    await turn()
    started[1]?.fail()
    await expect(broken).rejects.toThrow('broken')
    const again = rsa.make({ seed: seedOf(8), bits: 3072 })
    await turn()
    started[2]?.finish()
    expect(await again).toEqual(pairOf(8))
  })

  test('end with the helper: searches stop, those who wait are told, keys are overwritten', async () => {
    const { started, start, stopped } = fakeThreads()
    const rsa = createRsaKeys({ width: 1, start })
    const done = rsa.make({ seed: seedOf(1), bits: 2048 })
    await turn()
    started[0]?.finish()
    const pair = await done
    const running = rsa.make({ seed: seedOf(2), bits: 2048 })
    const waiting = rsa.make({ seed: seedOf(3), bits: 2048 })
    running.catch(() => undefined)
    await turn()
    await Promise.all([
      rsa.stop(),
      expect(running).rejects.toThrow('stopped'),
      expect(waiting).rejects.toMatchObject({ code: 'KEY_NOT_READY' }),
    ])
    expect(stopped()).toBe(1)
    expect(pair.privateKey).toEqual(Uint8Array.of(0))
    await expect(rsa.make({ seed: seedOf(4), bits: 2048 })).rejects.toMatchObject({
      code: 'KEY_NOT_READY',
    })
  })
})

describe('a thread', () => {
  type RsaCase = { appKey: string; scope: string; bits: 2048 | 3072 | 4096; path: string }
  const [known] = readCases<RsaCase & { expect: { modulus: string } }>('derivation/rsa.json')

  test('finds the known key, while this one goes on', async () => {
    if (known === undefined) throw new Error('no cases')
    const seed = rsaSeed(hex(known.appKey), known)
    const { pair } = await startRsaThread({ seed, bits: known.bits })
    let turns = 0
    const count = () => void turns++
    const timer = setInterval(count, 1)
    const { publicKey } = await pair
    clearInterval(timer)
    expect(turns).toBeGreaterThan(0)
    const key = createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' })
    const { n = '' } = key.export({ format: 'jwk' })
    expect(Buffer.from(n, 'base64url').toString('hex')).toBe(known.expect.modulus)
  })

  test('that fails or is stopped says so and keeps nobody waiting', async () => {
    const seed = 'none' as unknown as Uint8Array
    const broken = await startRsaThread({ seed, bits: 2048 })
    await expect(broken.pair).rejects.toMatchObject({ code: 'INTERNAL' })
    const stopped = await startRsaThread({ seed: seedOf(1), bits: 4096 })
    await stopped.stop()
    await expect(stopped.pair).rejects.toMatchObject({ code: 'INTERNAL' })
  })
})
