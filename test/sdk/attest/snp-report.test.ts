import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import { encodeReport, healthyReport } from '../../../helper/sim/evidence-report.ts'
import {
  packTcb,
  parseSnpReport,
  productOfCpuid,
  REPORT_SIZE,
  unpackTcb,
} from '../../../sdk/attest/snp-report.ts'
import { refusalOf } from '../../kit/errors.ts'

const tcb = { bootloader: 1, tee: 2, snp: 3, microcode: 219 }

describe('the report parser', () => {
  it('reads every field from its place', () => {
    const fill = (size: number, byte: number) => new Uint8Array(size).fill(byte)
    const bytes = encodeReport(
      {
        ...healthyReport('Milan', 'VCEK'),
        guestSvn: 65547,
        policy: 0x3ff031fn,
        familyId: fill(16, 1),
        imageId: fill(16, 2),
        vmpl: 3,
        platformInfo: 0x8000000000000027n,
        authorKeyEnabled: true,
        reportData: fill(64, 3),
        measurement: fill(48, 4),
        hostData: fill(32, 5),
        idKeyDigest: fill(48, 6),
        authorKeyDigest: fill(48, 7),
        reportId: fill(32, 8),
        reportIdMa: fill(32, 9),
        chipId: fill(64, 10),
        current: { major: 1, minor: 55, build: 29 },
        committed: { major: 1, minor: 54, build: 28 },
        launchMitigations: 1n << 63n,
        currentMitigations: 2n,
      },
      'Milan',
    )
    expect(parseSnpReport(bytes)).toMatchObject({
      version: 5,
      guestSvn: 65547,
      policy: {
        abiMajor: 3,
        abiMinor: 0x1f,
        smt: true,
        migrateMa: true,
        debug: true,
        singleSocket: true,
        cxl: true,
        memAes256Xts: true,
        raplDisabled: true,
        ciphertextHiding: true,
        pageSwapDisabled: true,
      },
      familyId: fill(16, 1),
      imageId: fill(16, 2),
      vmpl: 3,
      platformInfo: 0x8000000000000027n,
      authorKeyEnabled: true,
      maskChipKey: false,
      signingKey: 'VCEK',
      reportData: fill(64, 3),
      measurement: fill(48, 4),
      hostData: fill(32, 5),
      idKeyDigest: fill(48, 6),
      authorKeyDigest: fill(48, 7),
      reportId: fill(32, 8),
      reportIdMa: fill(32, 9),
      cpuid: { family: 0x19, model: 1, stepping: 1 },
      chipId: fill(64, 10),
      current: { major: 1, minor: 55, build: 29 },
      committed: { major: 1, minor: 54, build: 28 },
      launchMitigations: 1n << 63n,
      currentMitigations: 2n,
    })
  })

  it('gives copies, so that the caller cannot change a report after it was verified', () => {
    const bytes = encodeReport(healthyReport('Milan', 'VCEK'), 'Milan')
    const report = parseSnpReport(bytes)
    bytes.fill(0xee)
    expect(report.measurement).toEqual(new Uint8Array(48).fill(0x5a))
    expect(report.signed[0]).toBe(5)
  })

  it('reads a report inside a larger buffer', () => {
    const bytes = encodeReport(healthyReport('Milan', 'VCEK'), 'Milan')
    const larger = new Uint8Array(5 + REPORT_SIZE + 5).fill(0xee)
    larger.set(bytes, 5)
    expect(parseSnpReport(larger.subarray(5, 5 + REPORT_SIZE))).toEqual(parseSnpReport(bytes))
  })

  it('refuses every other length', () => {
    for (const length of [0, 1, 672, 816, 1183, 1185, 2368])
      expect(refusalOf(() => parseSnpReport(new Uint8Array(length)))).toMatchObject({
        code: 'EVIDENCE_MALFORMED',
        details: { field: 'length' },
      })
  })

  test.prop([fc.uint8Array({ minLength: REPORT_SIZE, maxLength: REPORT_SIZE })])(
    'refuses random bytes',
    (bytes) => {
      expect(refusalOf(() => parseSnpReport(bytes))).toMatchObject({ code: 'EVIDENCE_MALFORMED' })
    },
  )
})

describe('the TCB', () => {
  it('has two layouts', () => {
    expect(packTcb(tcb, 'Milan')).toEqual(Uint8Array.of(1, 2, 0, 0, 0, 0, 3, 219))
    expect(packTcb({ fmc: 9, ...tcb }, 'Turin')).toEqual(Uint8Array.of(9, 1, 2, 3, 0, 0, 0, 219))
  })

  it.each([
    ['Milan', [2, 3, 4, 5]],
    ['Genoa', [2, 3, 4, 5]],
    ['Turin', [4, 5, 6]],
  ] as const)('of %s has reserved bytes', (product, reserved) => {
    for (const at of [0, 1, 2, 3, 4, 5, 6, 7]) {
      const packed = new Uint8Array(8)
      packed[at] = 1
      const refused = refusalOf(() => unpackTcb(packed, product, 'tcb')) !== 'accepted'
      expect(refused).toBe((reserved as readonly number[]).includes(at))
    }
  })

  test.prop([fc.uint8Array({ minLength: 8, maxLength: 8 }), fc.constantFrom('Milan', 'Turin')])(
    'packs to what it was unpacked from',
    (packed, product) => {
      if (refusalOf(() => unpackTcb(packed, product, 'tcb')) !== 'accepted') return
      expect(packTcb(unpackTcb(packed, product, 'tcb'), product)).toEqual(packed)
    },
  )
})

it('every family and model is of at most one product', () => {
  const found = { Milan: 0, Genoa: 0, Turin: 0 }
  for (let family = 0; family < 256; family++)
    for (let model = 0; model < 256; model++) {
      const product = productOfCpuid({ family, model })
      if (product !== undefined) found[product]++
    }
  expect(found).toEqual({ Milan: 16, Genoa: 32, Turin: 18 })
  expect(productOfCpuid({ family: 0x19, model: 0xa0 })).toBe('Genoa')
  expect(productOfCpuid({ family: 0x1a, model: 0x50 })).toBeUndefined()
})
