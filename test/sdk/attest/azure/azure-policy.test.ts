import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { AzureFields } from '../../../../helper/sim/azure-vm.ts'
import {
  azureNonce,
  bindAzureInitdata,
  checkAzureReportData,
} from '../../../../sdk/attest/azure-binding.ts'
import {
  type AllowedAzureImage,
  type AzurePolicy,
  appraiseAzure,
  DEFAULT_AZURE_POLICY,
} from '../../../../sdk/attest/azure-policy.ts'
import { verifyAzureTdx } from '../../../../sdk/attest/azure-verify.ts'
import { appraiseSnp, DEFAULT_SNP_POLICY } from '../../../../sdk/attest/snp-policy.ts'
import type { Check } from '../../../../sdk/attest/types.ts'
import { utf8ToBytes } from '../../../../sdk/bytes.ts'
import { refusalOf } from '../../../kit/errors.ts'
import { NOW } from '../../../kit/snp-authority.ts'
import { snpVm, tdxVm, verifySnpVm } from './kit.ts'

const claimsOf = async (fields: Partial<AzureFields> = {}) =>
  (await verifySnpVm(await (await snpVm()).issue(fields))).claims
const notAllowed = (check: string) => ({ code: 'EVIDENCE_NOT_ALLOWED', details: { check } })
const PCR4 = new Uint8Array(32).fill(0x44)
const OTHER = new Uint8Array(32).fill(0x45)
const MICROSOFT = new Uint8Array(48).fill(0x1d)
const KNOWN = { paravisors: { idKeyDigests: [MICROSOFT], mrTds: [] } }
const image = (pcrs: [number, Uint8Array][], flags: Partial<AllowedAzureImage> = {}) => ({
  pcrs: new Map(pcrs),
  coversImage: false,
  bindsInitdata: false,
  ...flags,
})

describe('the policy for Azure VMs', () => {
  it('takes a VM with secure boot, and records what it leaves open', async () => {
    const checks = appraiseAzure(await claimsOf(), DEFAULT_AZURE_POLICY)
    expect(checks.map(({ name, result }) => [name, result])).toEqual([
      ['azure.policy.paravisor', 'not-applicable'],
      ['azure.policy.host-data', 'passed'],
      ['azure.policy.tpm-enabled', 'passed'],
      ['azure.policy.secure-boot', 'passed'],
      ['azure.policy.console', 'passed'],
      ['azure.policy.fresh-report', 'not-applicable'],
      ['azure.policy.pcrs', 'not-applicable'],
    ])
  })

  const cases: [string, Partial<AzureFields>, Partial<AzurePolicy>, unknown][] = [
    [
      'refuses a VM without a vTPM',
      { tpmEnabled: false },
      {},
      notAllowed('azure.policy.tpm-enabled'),
    ],
    [
      'refuses a VM without secure boot',
      { secureBoot: false },
      {},
      notAllowed('azure.policy.secure-boot'),
    ],
    [
      'takes one without secure boot if told so',
      { secureBoot: false },
      { requireSecureBoot: false },
      'accepted',
    ],
    [
      'refuses a console if told so',
      {},
      { allowConsole: false },
      notAllowed('azure.policy.console'),
    ],
    [
      'takes a VM without a console',
      { consoleEnabled: false },
      { allowConsole: false },
      'accepted',
    ],
    ['takes a fresh report', { version: 2 }, { requireFreshReport: true }, 'accepted'],
    [
      'refuses a report of the boot if told so, whatever version the sender names',
      { version: 1 },
      { requireFreshReport: true },
      notAllowed('azure.policy.fresh-report'),
    ],
    ['takes a paravisor by its ID key', {}, KNOWN, 'accepted'],
    [
      'refuses a paravisor that somebody else signed',
      {},
      { paravisors: { idKeyDigests: [new Uint8Array(48).fill(0x1e)], mrTds: [MICROSOFT] } },
      notAllowed('azure.policy.paravisor'),
    ],
    [
      'takes one of several images',
      {},
      { images: [image([[4, OTHER]]), image([[4, PCR4]])] },
      'accepted',
    ],
    [
      'refuses a register of no listed image',
      {},
      { images: [image([[4, OTHER]])] },
      notAllowed('azure.policy.pcrs'),
    ],
    [
      'demands every register of an image',
      {},
      {
        images: [
          image([
            [4, PCR4],
            [9, PCR4],
          ]),
        ],
      },
      notAllowed('azure.policy.pcrs'),
    ],
    [
      'mixes no registers of two images',
      {},
      {
        images: [
          image([
            [4, PCR4],
            [11, OTHER],
          ]),
          image([
            [4, OTHER],
            [11, new Uint8Array(32).fill(0xbb)],
          ]),
        ],
      },
      notAllowed('azure.policy.pcrs'),
    ],
    [
      'refuses a register that no TPM has',
      {},
      { images: [image([[24, PCR4]])] },
      notAllowed('azure.policy.pcrs'),
    ],
  ]
  it.each(cases)('%s', async (_, fields, changes, expected) => {
    const claims = await claimsOf(fields)
    const policy = { ...DEFAULT_AZURE_POLICY, ...changes }
    expect(refusalOf(() => appraiseAzure(claims, policy))).toEqual(expected)
  })

  it('refuses a launch with host data, as container groups have it, whoever signed it', async () => {
    const evidence = await (await snpVm()).issue(
      {},
      { report: { hostData: new Uint8Array(32).fill(1) } },
    )
    const { claims } = await verifySnpVm(evidence)
    expect(refusalOf(() => appraiseAzure(claims, { ...DEFAULT_AZURE_POLICY, ...KNOWN }))).toEqual(
      notAllowed('azure.policy.host-data'),
    )
  })

  it('knows the paravisor of a TD by its MRTD', async () => {
    const { machine, authority } = await tdxVm()
    const { claims } = verifyAzureTdx(await machine.issue(), authority.anchors, NOW)
    const appraise = (mrTds: Uint8Array[]) =>
      refusalOf(() =>
        appraiseAzure(claims, {
          ...DEFAULT_AZURE_POLICY,
          paravisors: { idKeyDigests: [MICROSOFT], mrTds },
        }),
      )
    expect(appraise([claims.hardware.mrTd])).toBe('accepted')
    expect(appraise([MICROSOFT])).toEqual(notAllowed('azure.policy.paravisor'))
  })

  it('leaves paravisor, privilege level and ID key to the policy of the hardware', async () => {
    const { hardware } = await claimsOf()
    const appraise = (changes: object) =>
      refusalOf(() => appraiseSnp(hardware, { ...DEFAULT_SNP_POLICY, ...changes }))
    expect(appraise({ idKeyDigests: [new Uint8Array(48).fill(0x1d)] })).toBe('accepted')
    expect(appraise({ idKeyDigests: [new Uint8Array(48).fill(0x1e)] })).toEqual(
      notAllowed('snp.policy.id-key'),
    )
    expect(appraise({ vmpls: [1] })).toEqual(notAllowed('snp.policy.vmpl'))
  })
})

describe('the nonce of a request', () => {
  const reportData = new Uint8Array(64).fill(7)

  it('is short enough for the vTPM and text for every agent', () => {
    const nonce = azureNonce(reportData)
    expect(nonce).toHaveLength(43)
    expect(new TextDecoder().decode(nonce)).toMatch(/^[A-Za-z0-9_-]{43}$/)
    expect(new TextDecoder().decode(nonce)).toBe(
      createHash('sha256').update(reportData).digest('base64url'),
    )
  })

  it('is compared whole', async () => {
    const claims = await claimsOf({ nonce: azureNonce(reportData) })
    const check = (expected: Uint8Array) =>
      refusalOf(() => checkAzureReportData(claims, expected, 2))
    expect(check(reportData)).toBe('accepted')
    const mismatch = { code: 'REPORT_DATA_MISMATCH', details: { version: 2 } }
    expect(check(new Uint8Array(64))).toEqual(mismatch)
    expect(check(reportData.subarray(0, 63))).toEqual(mismatch)
  })

  it.each([
    ['nothing', new Uint8Array()],
    ['a prefix', azureNonce(reportData).subarray(0, 42)],
    ['a zero behind', Uint8Array.of(...azureNonce(reportData), 0)],
    ['the digest itself', new Uint8Array(createHash('sha256').update(reportData).digest())],
  ])('is not %s', async (_, nonce) => {
    const claims = await claimsOf({ version: 1, nonce })
    expect(refusalOf(() => checkAzureReportData(claims, reportData, 2))).toMatchObject({
      code: 'REPORT_DATA_MISMATCH',
    })
  })
})

describe('the initdata in register 8', () => {
  const digest = new Uint8Array(createHash('sha256').update('initdata').digest())
  const initdata = { algorithm: 'sha256', digest }
  const bind = async (
    fields: Partial<AzureFields>,
    policy: Partial<AzurePolicy> = {},
    about = initdata,
  ) => bindAzureInitdata(await claimsOf(fields), about, { ...DEFAULT_AZURE_POLICY, ...policy })
  const refused = async (fields: Partial<AzureFields>, about = initdata) => {
    const claims = await claimsOf(fields)
    return refusalOf(() => bindAzureInitdata(claims, about, DEFAULT_AZURE_POLICY))
  }
  const mismatch = { code: 'INITDATA_MISMATCH', details: { anchor: 'pcr8' } }

  it('binds, and is worth as much as the image that did it', async () => {
    expect(await bind({ initdataDigest: digest })).toMatchObject({
      binding: 'pcr8',
      measurementCoversImage: false,
      vouchedBy: 'self',
    })
    const known = { ...KNOWN, images: [image([[4, PCR4]], { coversImage: true })] }
    expect(await bind({ initdataDigest: digest }, known)).toMatchObject({
      binding: 'pcr8',
      measurementCoversImage: true,
      vouchedBy: 'launch',
    })
  })

  it.each([
    ['an image without registers', { ...KNOWN, images: [image([], { coversImage: true })] }],
    ['a paravisor that nobody listed', { images: [image([[4, PCR4]], { coversImage: true })] }],
    [
      'another image than the listed one',
      { ...KNOWN, images: [image([[4, OTHER]], { coversImage: true })] },
    ],
  ])('is not vouched for by %s', async (_, said) => {
    expect(await bind({ initdataDigest: digest }, said)).toMatchObject({
      binding: 'pcr8',
      measurementCoversImage: false,
      vouchedBy: 'self',
    })
  })

  it('left zero is vouched for by the image or by nobody', async () => {
    const covering = (bindsInitdata: boolean) => ({
      ...KNOWN,
      images: [image([[4, PCR4]], { coversImage: true, bindsInitdata })],
    })
    const report = { binding: 'report_data' }
    expect(await bind({})).toMatchObject({ ...report, vouchedBy: 'self' })
    expect(await bind({}, covering(false))).toMatchObject({ ...report, vouchedBy: 'self' })
    expect(await bind({}, covering(true))).toMatchObject({ ...report, vouchedBy: 'image' })
  })

  it('is refused when it is of another document, extended twice, or set otherwise', async () => {
    const other = new Uint8Array(32).fill(9)
    expect(await refused({ initdataDigest: other })).toEqual(mismatch)
    const once = new Uint8Array(
      createHash('sha256').update(new Uint8Array(32)).update(digest).digest(),
    )
    expect(await refused({ pcrs: new Map([[8, once]]) })).toBe('accepted')
    expect(await refused({ pcrs: new Map([[8, once]]), initdataDigest: digest })).toEqual(mismatch)
    expect(await refused({ pcrs: new Map([[8, digest]]) })).toEqual(mismatch)
  })

  it('holds SHA-256 only', async () => {
    const long = new Uint8Array(createHash('sha384').update('initdata').digest())
    const about = { algorithm: 'sha384', digest: long }
    expect(await refused({ initdataDigest: long }, about)).toEqual(mismatch)
    expect(await refused({ initdataDigest: long.slice(0, 32) }, about)).toEqual(mismatch)
  })

  it('is recorded', async () => {
    const trace: Check[] = []
    const claims = await claimsOf({ initdataDigest: digest, nonce: utf8ToBytes('n') })
    bindAzureInitdata(claims, initdata, DEFAULT_AZURE_POLICY, trace)
    expect(trace.map(({ name, result }) => [name, result])).toEqual([
      ['initdata.pcr8', 'passed'],
      ['initdata.registers-cover-image', 'not-applicable'],
      ['initdata.image-binds-initdata', 'not-applicable'],
    ])
  })
})
