import { describe, expect, it } from 'vitest'
import { createKeyService } from '../../kms/keys.ts'
import { outputHash } from '../../sdk/protocol/output.ts'
import { importRoot } from '../../sdk/protocol/terms.ts'
import type { CertifiedOutput } from '../../sdk/protocol/types.ts'
import { DOMAIN, GENESIS, successorOf } from '../sdk/protocol/kit.ts'

const certified = (output: typeof GENESIS): CertifiedOutput => ({
  output,
  hash: outputHash(DOMAIN, output),
  certificate: { signatures: [] },
})
const first = certified(GENESIS)
const second = certified(successorOf(GENESIS))
const third = certified(successorOf(second.output))

const serviceAt = (
  seconds: number,
  outputs = [first, second],
  without: CertifiedOutput[] = [],
  keptSince = 0,
) =>
  createKeyService({
    keyRing: () => ({
      outputs,
      keptSince,
      shares: new Map(
        outputs
          .filter((output) => !without.includes(output))
          .map(({ hash }, i) => [hash, BigInt(i + 1)]),
      ),
    }),
    clock: () => seconds * 1000 + 999,
  })

describe('the key service', () => {
  it('serves the version in force at the asked time', () => {
    const service = serviceAt(5_000)
    expect(service.at(1_300)).toMatchObject({
      version: 1_300,
      epoch: 0,
      hash: first.hash,
      share: 1n,
    })
    expect(service.at(2_299).version).toBe(1_300)
    expect(service.at(2_300)).toMatchObject({ version: 2_300, epoch: 1, share: 2n })
    expect(service.active()?.version).toBe(2_300)
  })

  it('takes no time and a time in the future for now', () => {
    const service = serviceAt(2_299)
    for (const time of [0, -1, 2_300, 99_999]) expect(service.at(time).version).toBe(1_300)
    expect(serviceAt(2_300).at(0).version).toBe(2_300)
  })

  it('has no key before the first activation', () => {
    for (const service of [serviceAt(1_299), serviceAt(5_000, [])]) {
      expect(service.active()).toBeUndefined()
      expect(service.inForce()).toBeUndefined()
      expect(() => service.at(0)).toThrow(expect.objectContaining({ code: 'KEY_NOT_READY' }))
    }
  })

  it('knows that there was no key before the genesis, and gives the oldest kept one after it', () => {
    expect(() => serviceAt(5_000).at(1_299)).toThrow(
      expect.objectContaining({
        code: 'KEY_VERSION_NOT_FOUND',
        details: { attestationTime: 1_299 },
      }),
    )
    expect(serviceAt(5_000, [second, third], [], 2_300).at(1_299).version).toBe(2_300)
  })

  it('refuses for a time whose version it should still have, instead of answering with the next', () => {
    const service = serviceAt(5_000, [second, third], [], 2_299)
    expect(() => service.at(2_298)).toThrow(
      expect.objectContaining({ code: 'KEY_VERSION_NOT_FOUND' }),
    )
    expect(service.at(2_300).version).toBe(2_300)
  })

  it('gives an imported key for times before the import', () => {
    const imported = certified({ ...GENESIS, prev: importRoot(GENESIS.mpk) })
    expect(serviceAt(5_000, [imported]).at(1).version).toBe(1_300)
  })

  it('refuses instead of answering with another version when its share is missing', () => {
    const service = serviceAt(5_000, [first, second], [second])
    expect(() => service.at(0)).toThrow(
      expect.objectContaining({ code: 'KEY_SHARE_MISSING', details: { version: 2_300 } }),
    )
    expect(service.active()).toBeUndefined()
    expect(service.inForce()?.hash).toBe(second.hash)
    expect(service.at(1_500).version).toBe(1_300)
  })
})
