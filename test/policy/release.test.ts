import { describe, expect, it } from 'vitest'
import { releaseDemand } from '../../policy/release.ts'
import { refusalOf } from '../kit/errors.ts'
import { APP_DIGEST, SIDE_DIGEST } from './agent-requests.ts'
import { APP_ID, demandOf, noPolicy } from './samples.ts'

const PIN = 'ab'.repeat(48)
const ROOT = 'cd'.repeat(32)

describe('releaseDemand', () => {
  it('demands the image alone where publicEnv pins nothing', () => {
    expect(demandOf({ publicEnv: { LOG_LEVEL: 'info' } })).toMatchObject({
      imageDigest: APP_DIGEST,
      additionalImages: [],
      initdataSha384: [],
      minBinding: undefined,
      allowLogs: false,
    })
  })

  it('reads lists with blanks, upper-case hex and 0x', () => {
    const demand = demandOf({
      publicEnv: { EIGENX_TEE_INITDATA_SHA384: `${PIN}, 0x${PIN.toUpperCase()}` },
    })
    expect(demand.initdataSha384).toEqual([PIN, PIN])
  })

  it('reads further images with and without their command, and layer roots', () => {
    const demand = demandOf({
      publicEnv: {
        EIGENX_TEE_IMAGES: `${SIDE_DIGEST}=${ROOT},${SIDE_DIGEST}`,
        EIGENX_TEE_LAYER_ROOTS: `${SIDE_DIGEST}=${ROOT}:${ROOT}`,
      },
    })
    expect(demand.additionalImages).toEqual([SIDE_DIGEST])
    expect(demand.additionalArgs).toEqual({ [SIDE_DIGEST]: [ROOT] })
    expect(demand.layerRoots).toEqual({ [SIDE_DIGEST]: [ROOT, ROOT] })
  })

  it('reads what it demands of platforms, and nothing where nothing is demanded', () => {
    expect(demandOf({}).appraisal).toEqual({})
    expect(
      demandOf({
        publicEnv: {
          EIGENX_TEE_METHODS: 'eigenx-snp, eigenx-tdx',
          EIGENX_TEE_MEASUREMENTS: `0x${PIN.toUpperCase()}`,
          EIGENX_TEE_TDX_STATUSES: 'UpToDate,SWHardeningNeeded',
          EIGENX_TEE_REFUSE_MARKS: 'tcb-grace,report-data-v1',
          EIGENX_TEE_MINIMUM_SNP_TCB: 'Milan=bl4.tee0.snp24.uc219, Turin=fmc1.uc255',
        },
      }).appraisal,
    ).toEqual({
      methods: ['eigenx-snp', 'eigenx-tdx'],
      measurements: [PIN],
      tdxStatuses: ['UpToDate', 'SWHardeningNeeded'],
      refusedMarks: ['tcb-grace', 'report-data-v1'],
      minimumSnpTcb: new Map([
        ['Milan', { product: 'Milan', bootloader: 4, tee: 0, snp: 24, microcode: 219 }],
        ['Turin', { product: 'Turin', fmc: 1, microcode: 255 }],
      ]),
    })
  })

  it.each(['launch', 'report_data'] as const)('reads the binding %s', (minBinding) => {
    expect(demandOf({ publicEnv: { EIGENX_TEE_MIN_BINDING: minBinding } }).minBinding).toBe(
      minBinding,
    )
  })

  it.each([
    ['an empty initdata pin', 'EIGENX_TEE_INITDATA_SHA384', ''],
    ['a short initdata pin', 'EIGENX_TEE_INITDATA_SHA384', PIN.slice(1)],
    ['a SHA-256 as initdata pin', 'EIGENX_TEE_INITDATA_SHA384', PIN.slice(32)],
    ['one bad pin among good ones', 'EIGENX_TEE_INITDATA_SHA384', `${PIN},x`],
    ['a trailing comma', 'EIGENX_TEE_INITDATA_SHA384', `${PIN},`],
    ['too many pins', 'EIGENX_TEE_INITDATA_SHA384', Array(65).fill(PIN).join(',')],
    ['an image without its algorithm', 'EIGENX_TEE_IMAGES', ROOT],
    ['an image by name', 'EIGENX_TEE_IMAGES', `app@${SIDE_DIGEST}`],
    ['an image with half a command hash', 'EIGENX_TEE_IMAGES', `${SIDE_DIGEST}=${ROOT.slice(1)}`],
    ['layer roots without an image', 'EIGENX_TEE_LAYER_ROOTS', ROOT],
    ['an empty list of roots', 'EIGENX_TEE_LAYER_ROOTS', `${SIDE_DIGEST}=`],
    [
      'two lists of roots for one image',
      'EIGENX_TEE_LAYER_ROOTS',
      `${SIDE_DIGEST}=${ROOT},${SIDE_DIGEST}=${ROOT}`,
    ],
    ['an unknown binding', 'EIGENX_TEE_MIN_BINDING', 'pcr8'],
    ['a binding in upper case', 'EIGENX_TEE_MIN_BINDING', 'LAUNCH'],
    ['an empty list of methods', 'EIGENX_TEE_METHODS', ''],
    ['a method in upper case', 'EIGENX_TEE_METHODS', 'eigenx-snp,EIGENX-TDX'],
    ['a short measurement', 'EIGENX_TEE_MEASUREMENTS', PIN.slice(1)],
    ['too many measurements', 'EIGENX_TEE_MEASUREMENTS', Array(65).fill(PIN).join(',')],
    ['a status with a blank', 'EIGENX_TEE_TDX_STATUSES', 'Up To Date'],
    ['an empty TCB', 'EIGENX_TEE_MINIMUM_SNP_TCB', ''],
    ['a TCB of no product line', 'EIGENX_TEE_MINIMUM_SNP_TCB', 'Venice=snp1'],
    ['a TCB without levels', 'EIGENX_TEE_MINIMUM_SNP_TCB', 'Milan='],
    ['a TCB with a level twice', 'EIGENX_TEE_MINIMUM_SNP_TCB', 'Milan=snp1.snp2'],
    ['a TCB out of order', 'EIGENX_TEE_MINIMUM_SNP_TCB', 'Milan=uc1.snp2'],
    ['a TCB beyond a byte', 'EIGENX_TEE_MINIMUM_SNP_TCB', 'Milan=uc256'],
    ['a TCB with a zero in front', 'EIGENX_TEE_MINIMUM_SNP_TCB', 'Milan=uc01'],
    ['a TCB with an unknown part', 'EIGENX_TEE_MINIMUM_SNP_TCB', 'Milan=svn1'],
    ['a TCB that ends in a point', 'EIGENX_TEE_MINIMUM_SNP_TCB', 'Milan=snp1.'],
    ['an FMC where there is none', 'EIGENX_TEE_MINIMUM_SNP_TCB', 'Genoa=fmc1'],
    ['two TCBs of one product line', 'EIGENX_TEE_MINIMUM_SNP_TCB', 'Milan=snp1,Milan=uc1'],
    ['a mark that does not exist', 'EIGENX_TEE_REFUSE_MARKS', 'tcb-grace,tcb-graze'],
    ['logs by another word', 'EIGENX_TEE_ALLOW_LOGS', 'yes'],
    ['a misspelt key', 'EIGENX_TEE_INITDATA_SHA348', PIN],
    ['a key in lower case', 'eigenx_tee_initdata_sha384', PIN],
    ['a key with a blank', 'EIGENX_TEE_INITDATA_SHA384 ', PIN],
  ])('refuses a release with %s', (_, key, value) => {
    expect(refusalOf(() => demandOf({ publicEnv: { [key]: value } }))).toMatchObject({
      code: 'RELEASE_INVALID',
      details: { appId: APP_ID },
    })
  })

  it.each(['', 'sha256:', APP_DIGEST.toUpperCase(), APP_DIGEST.slice(7), `${APP_DIGEST}0`])(
    'refuses the image digest %j',
    (imageDigest) => {
      expect(refusalOf(() => demandOf({ imageDigest }))).toMatchObject({ code: 'RELEASE_INVALID' })
    },
  )

  it('is not confused by keys that objects inherit', () => {
    const demand = releaseDemand({
      app: APP_ID,
      imageDigest: APP_DIGEST,
      publicEnv: { constructor: 'x', __proto__: 'y' },
      containerPolicy: noPolicy(),
    })
    expect(demand.initdataSha384).toEqual([])
  })
})
