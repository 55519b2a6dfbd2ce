import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js'
import { describe, expect, it } from 'vitest'
import { bindInitdata } from '../../../sdk/attest/binding.ts'
import { verifySnp } from '../../../sdk/attest/snp-verify.ts'
import type { SnpClaims } from '../../../sdk/attest/types.ts'
import { utf8ToBytes } from '../../../sdk/bytes.ts'
import { refusalOf } from '../../kit/errors.ts'
import { authorityOf, NOW } from '../../kit/snp-authority.ts'
import { issue } from './kit.ts'

const toml = utf8ToBytes('version = "0.1.0"\nalgorithm = "sha384"\n[data]\n')
const digests = { sha256: sha256(toml), sha384: sha384(toml), sha512: sha512(toml) }
const measurement = new Uint8Array(48).fill(0x5a)

async function claimsWith(hostData: Uint8Array): Promise<SnpClaims> {
  const { evidence } = await issue({ hostData })
  return verifySnp(evidence, (await authorityOf()).anchors, NOW).claims
}

describe('HOST_DATA', () => {
  it.each(['sha256', 'sha384', 'sha512'] as const)(
    'anchors the %s digest, cut to 32 bytes',
    async (algorithm) => {
      const digest = digests[algorithm]
      const claims = await claimsWith(digest.slice(0, 32))
      expect(bindInitdata(claims, { algorithm, digest }, [])).toMatchObject({
        binding: 'host_data',
        measurementCoversImage: false,
        checks: [
          { name: 'initdata.host-data', result: 'passed' },
          { name: 'initdata.measurement-covers-image', result: 'not-applicable' },
          { name: 'initdata.image-binds-initdata', result: 'not-applicable' },
        ],
      })
    },
  )

  it('that is zero anchors nothing', async () => {
    const claims = await claimsWith(new Uint8Array(32))
    const bound = bindInitdata(claims, { algorithm: 'sha384', digest: digests.sha384 }, [])
    expect(bound.binding).toBe('report_data')
  })

  it.each([
    ['another document', sha384(utf8ToBytes('other')).slice(0, 32)],
    ['the digest by another algorithm', digests.sha256],
    [
      'one bit more',
      Uint8Array.from(digests.sha384.slice(0, 32), (b, i) => (i === 31 ? b ^ 1 : b)),
    ],
    [
      'only a prefix of the digest',
      Uint8Array.from(digests.sha384.slice(0, 32), (b, i) => (i < 16 ? b : 0)),
    ],
  ])('of %s is refused', async (_, hostData) => {
    const claims = await claimsWith(hostData)
    const bind = () => bindInitdata(claims, { algorithm: 'sha384', digest: digests.sha384 }, [])
    expect(refusalOf(bind)).toEqual({
      code: 'INITDATA_MISMATCH',
      details: { anchor: 'host_data' },
    })
  })

  it('compares a short digest with zeros behind it', async () => {
    const digest = Uint8Array.of(1, 2, 3)
    const hostData = new Uint8Array(32)
    hostData.set(digest)
    const bound = bindInitdata(await claimsWith(hostData), { algorithm: 'x', digest }, [])
    expect(bound.binding).toBe('host_data')
  })
})

describe('the launch digest', () => {
  const initdata = { algorithm: 'sha384', digest: digests.sha384 }
  const entry = (coversImage: boolean, bindsInitdata = false, value = measurement) => [
    { value, coversImage, bindsInitdata },
  ]

  // The host writes HOST_DATA, so under an image that nobody knows it proves nothing about what runs.
  it.each([
    ['covers the image', entry(true), true, 'launch', 'self'],
    ['covers an image that guards REPORT_DATA', entry(true, true), true, 'launch', 'image'],
    ['covers firmware only', entry(false), false, 'self', 'self'],
    ['guards REPORT_DATA but covers firmware only', entry(false, true), false, 'self', 'self'],
    ['is not the listed one', entry(true, true, new Uint8Array(48).fill(1)), false, 'self', 'self'],
    [
      'is listed twice, the second time for more',
      [...entry(false), ...entry(true, true)],
      true,
      'launch',
      'image',
    ],
    ['is on no list', [], false, 'self', 'self'],
  ] as const)('%s', async (_, measurements, covers, anchored, unanchored) => {
    const bind = async (hostData: Uint8Array) =>
      bindInitdata(await claimsWith(hostData), initdata, measurements)
    expect(await bind(digests.sha384.slice(0, 32))).toMatchObject({
      binding: 'host_data',
      measurementCoversImage: covers,
      vouchedBy: anchored,
    })
    expect(await bind(new Uint8Array(32))).toMatchObject({
      binding: 'report_data',
      measurementCoversImage: covers,
      vouchedBy: unanchored,
    })
  })
})
