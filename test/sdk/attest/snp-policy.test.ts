import { describe, expect, it } from 'vitest'
import type { SnpReportFields } from '../../../helper/sim/evidence-report.ts'
import { appraiseSnp, DEFAULT_SNP_POLICY, type SnpPolicy } from '../../../sdk/attest/snp-policy.ts'
import { verifySnp } from '../../../sdk/attest/snp-verify.ts'
import type { Check, SnpProduct } from '../../../sdk/attest/types.ts'
import { refusalOf } from '../../kit/errors.ts'
import { authorityOf, NOW } from '../../kit/snp-authority.ts'
import { issue } from './kit.ts'

const id = (byte: number) => new Uint8Array(16).fill(byte)
const digest = (byte: number) => new Uint8Array(48).fill(byte)
const tcb = { bootloader: 4, tee: 0, snp: 24, microcode: 219 }
const turinTcb = { fmc: 1, bootloader: 1, tee: 1, snp: 4, microcode: 81 }
const hardening = DEFAULT_SNP_POLICY.require

type Case = {
  name: string
  fields?: Partial<SnpReportFields>
  product?: SnpProduct
  kind?: 'VCEK' | 'VLEK'
  policy?: Partial<SnpPolicy>
  /** Stable name of the check that must refuse, a whole refusal, or nothing where it is allowed. */
  refused?: string | object
}

const appraise = async ({ fields, product = 'Milan', kind = 'VCEK', policy }: Case) => {
  const authority = await authorityOf(product, kind)
  const { evidence } = await issue(fields, {}, authority)
  const { claims } = verifySnp(evidence, authority.anchors, NOW)
  const trace: Check[] = []
  const refusal = refusalOf(() => appraiseSnp(claims, { ...DEFAULT_SNP_POLICY, ...policy }, trace))
  return { refusal, trace }
}

const cases: Case[] = [
  { name: 'a healthy Milan guest' },
  { name: 'a healthy Turin guest', product: 'Turin' },
  { name: 'a healthy guest under a VLEK', kind: 'VLEK' },
  // processors and firmware
  { name: 'Milan where only Genoa is served', policy: { products: ['Genoa'] }, refused: 'product' },
  { name: 'report version 2', fields: { version: 2 }, refused: 'report-version' },
  {
    name: 'report version 2 where it is taken',
    fields: { version: 2 },
    policy: { minimumReportVersion: 2 },
  },
  {
    name: 'a VLEK where only chips are served',
    kind: 'VLEK',
    policy: { signers: ['VCEK'] },
    refused: 'signer',
  },
  // guest policy
  { name: 'a debug guest', fields: { policy: 0xb0000n }, refused: 'debug' },
  {
    name: 'a debug guest where it is taken',
    fields: { policy: 0xb0000n },
    policy: { allowDebug: true },
  },
  { name: 'a migration agent', fields: { policy: 0x70000n }, refused: 'migration-agent' },
  {
    name: 'a bound migration agent without its bit',
    fields: { reportIdMa: new Uint8Array(32) },
    refused: 'migration-agent',
  },
  {
    name: 'a migration agent where it is taken',
    fields: { policy: 0x70000n, reportIdMa: new Uint8Array(32) },
    policy: { allowMigration: true },
  },
  { name: 'bit 17 clear', fields: { policy: 0x10000n }, refused: 'reserved-bits' },
  { name: 'bit 26 set', fields: { policy: 0x4030000n }, refused: 'reserved-bits' },
  { name: 'bit 63 set', fields: { policy: 0x8000000000030000n }, refused: 'reserved-bits' },
  { name: 'SMT where it is refused', policy: { allowSmt: false }, refused: 'smt' },
  { name: 'no SMT where it is refused', fields: { policy: 0x20000n }, policy: { allowSmt: false } },
  { name: 'CXL memory', fields: { policy: 0x230000n }, refused: 'cxl' },
  {
    name: 'CXL memory where it is taken',
    fields: { policy: 0x230000n },
    policy: { allowCxl: true },
  },
  ...(
    [
      ['singleSocket', 20n],
      ['memAes256Xts', 22n],
      ['raplDisabled', 23n],
      ['ciphertextHiding', 24n],
      ['pageSwapDisabled', 25n],
    ] as const
  ).flatMap(([name, bit]): Case[] => [
    {
      name: `${name} missing where it is required`,
      policy: { require: { ...hardening, [name]: true } },
      refused: 'hardening',
    },
    {
      name: `${name} there where it is required`,
      fields: { policy: 0x30000n | (1n << bit) },
      policy: { require: { ...hardening, [name]: true } },
    },
  ]),
  // privilege level
  { name: 'VMPL 1', fields: { vmpl: 1 }, refused: 'vmpl' },
  {
    name: 'VMPL 2 where only 1 speaks',
    fields: { vmpl: 2 },
    policy: { vmpls: [1] },
    refused: 'vmpl',
  },
  { name: 'VMPL 1 where it is taken', fields: { vmpl: 1 }, policy: { vmpls: [0, 1] } },
  { name: 'a report for the host', fields: { vmpl: 0xffffffff }, refused: 'vmpl' },
  // TCB
  { name: 'the very TCB that is the minimum', policy: { minimumTcb: { Milan: tcb } } },
  { name: 'a minimum for another product', policy: { minimumTcb: { Genoa: { ...tcb, snp: 99 } } } },
  ...(['bootloader', 'tee', 'snp', 'microcode'] as const).map(
    (component): Case => ({
      name: `${component} one below the minimum, everything else far above`,
      policy: {
        minimumTcb: {
          Milan: { bootloader: 0, tee: 0, snp: 0, microcode: 0, [component]: tcb[component] + 1 },
        },
      },
      refused: {
        code: 'TCB_TOO_OLD',
        details: { component, required: tcb[component] + 1, reported: tcb[component] },
      },
    }),
  ),
  {
    name: 'an FMC below the minimum',
    product: 'Turin',
    policy: { minimumTcb: { Turin: { ...turinTcb, fmc: 2 } } },
    refused: { code: 'TCB_TOO_OLD', details: { component: 'fmc', required: 2, reported: 1 } },
  },
  {
    name: 'a launch on older firmware than demanded',
    fields: { launchTcb: { ...tcb, snp: 20 } },
    policy: { minimumLaunchTcb: { Milan: { ...tcb, snp: 21 } } },
    refused: { code: 'TCB_TOO_OLD', details: { component: 'snp', required: 21, reported: 20 } },
  },
  {
    name: 'the very firmware that is the minimum',
    policy: { minimumFirmware: { Milan: { major: 1, minor: 55, build: 43 } } },
  },
  ...(
    [
      [1, 55, 44],
      [1, 56, 0],
      [2, 0, 0],
    ] as const
  ).map(
    ([major, minor, build]): Case => ({
      name: `firmware below ${major}.${minor}.${build}`,
      policy: { minimumFirmware: { Milan: { major, minor, build } } },
      refused: 'firmware',
    }),
  ),
  {
    name: 'new firmware that the host has not committed to',
    fields: { committed: { major: 1, minor: 55, build: 21 } },
    policy: { minimumFirmware: { Milan: { major: 1, minor: 55, build: 43 } } },
    refused: 'firmware',
  },
  {
    name: 'an older minor version with a higher build than the minimum',
    policy: { minimumFirmware: { Milan: { major: 1, minor: 54, build: 99 } } },
  },
  {
    name: 'a minimum of firmware for another product',
    policy: { minimumFirmware: { Genoa: { major: 9, minor: 0, build: 0 } } },
  },
  {
    name: 'a guest that may run on any ABI where one is demanded',
    policy: { minimumGuestAbi: { major: 0, minor: 31 } },
    refused: 'guest-abi',
  },
  {
    name: 'a guest that demands an ABI',
    fields: { policy: 0x3001fn },
    policy: { minimumGuestAbi: { major: 0, minor: 31 } },
  },
  {
    name: 'a guest that demands a minor ABI of an older major one',
    fields: { policy: 0x300ffn },
    policy: { minimumGuestAbi: { major: 1, minor: 0 } },
    refused: 'guest-abi',
  },
  { name: 'a guest image that is too old', policy: { minimumGuestSvn: 1 }, refused: 'guest-svn' },
  {
    name: 'a guest image that is new enough',
    fields: { guestSvn: 65547 },
    policy: { minimumGuestSvn: 65547 },
  },
  // platform
  {
    name: 'no alias check where it is demanded',
    fields: { platformInfo: 0x05n },
    policy: { platformInfo: { mustBeSet: 0x20n, mustBeClear: 0n } },
    refused: 'platform-info',
  },
  {
    name: 'an alias check where it is demanded',
    policy: { platformInfo: { mustBeSet: 0x20n, mustBeClear: 0n } },
  },
  {
    name: 'SMT on a platform that must not have it',
    policy: { platformInfo: { mustBeSet: 0n, mustBeClear: 1n } },
    refused: 'platform-info',
  },
  {
    name: 'bit 6, which Turin sets',
    fields: { platformInfo: 0x65n },
    policy: { platformInfo: { mustBeSet: 0x20n, mustBeClear: 0n } },
  },
  {
    name: 'a mitigation missing at launch',
    fields: { launchMitigations: 1n, currentMitigations: 3n },
    policy: { requiredMitigations: { Milan: 2n } },
    refused: 'mitigations',
  },
  {
    name: 'a mitigation missing now',
    fields: { launchMitigations: 3n, currentMitigations: 1n },
    policy: { requiredMitigations: { Milan: 2n } },
    refused: 'mitigations',
  },
  {
    name: 'mitigations that an old report cannot show',
    fields: { version: 4 },
    policy: { requiredMitigations: { Milan: 1n } },
    refused: 'mitigations',
  },
  {
    name: 'mitigations beyond 2^53',
    fields: { launchMitigations: 1n << 63n, currentMitigations: 1n << 63n },
    policy: { requiredMitigations: { Milan: 1n << 63n } },
  },
  // identities
  {
    name: 'a listed measurement',
    policy: { measurements: [{ value: digest(0x5a), coversImage: false, bindsInitdata: false }] },
  },
  {
    name: 'another measurement',
    policy: { measurements: [{ value: digest(1), coversImage: true, bindsInitdata: false }] },
    refused: 'measurement',
  },
  {
    name: 'a zero measurement, even if listed',
    fields: { measurement: digest(0) },
    policy: { measurements: [{ value: digest(0), coversImage: true, bindsInitdata: false }] },
    refused: 'measurement',
  },
  {
    name: 'no ID block where one is demanded',
    policy: { idKeyDigests: [digest(7)] },
    refused: 'id-key',
  },
  {
    name: 'the ID key that is demanded',
    fields: { idKeyDigest: digest(7) },
    policy: { idKeyDigests: [digest(6), digest(7)] },
  },
  {
    name: 'the author key that is demanded',
    fields: { authorKeyEnabled: true, authorKeyDigest: digest(8) },
    policy: { authorKeyDigests: [digest(8)] },
  },
  {
    name: 'an author key that nobody vouches for',
    fields: { authorKeyDigest: digest(8) },
    policy: { authorKeyDigests: [digest(8)] },
    refused: 'author-key',
  },
  {
    name: 'the family and image that are demanded',
    fields: { familyId: id(1), imageId: id(2) },
    policy: { familyIds: [id(1)], imageIds: [id(3), id(2)] },
  },
  { name: 'no family', policy: { familyIds: [id(0), id(1)] }, refused: 'family-id' },
  {
    name: 'an image that is called otherwise',
    fields: { imageId: id(4) },
    policy: { imageIds: [id(3)] },
    refused: 'image-id',
  },
  { name: 'a listed provider', kind: 'VLEK', policy: { cspIds: ['CN=cc-sim.example.com'] } },
  {
    name: 'another provider',
    kind: 'VLEK',
    policy: { cspIds: ['CN=cc-us-east-2.amazonaws.com'] },
    refused: 'csp-id',
  },
  { name: 'a chip where only providers are listed', policy: { cspIds: ['CN=x'] } },
  { name: 'a listed chip', policy: { chipIds: [new Uint8Array(64).fill(0xc1)] } },
  {
    name: 'another chip',
    policy: { chipIds: [new Uint8Array(64).fill(0xc2)] },
    refused: 'chip-id',
  },
]

describe('the platform policy', () => {
  it.each(cases)('$name', async (entry) => {
    const { refusal, trace } = await appraise(entry)
    const { refused } = entry
    const expected =
      typeof refused === 'string'
        ? { code: 'EVIDENCE_NOT_ALLOWED', details: { check: `snp.policy.${refused}` } }
        : (refused ?? 'accepted')
    expect(refusal).toEqual(expected)
    expect(trace.filter(({ result }) => result === 'failed')).toHaveLength(refused ? 1 : 0)
    expect(trace.at(-1)?.result === 'failed').toBe(refused !== undefined)
  })

  it('records every rule, also those that it leaves open', async () => {
    const { trace } = await appraise({ name: '' })
    expect(new Set(trace.map(({ name }) => name)).size).toBe(24)
  })
})

describe('advisories', () => {
  const idsOf = async (product: SnpProduct, fields: Partial<SnpReportFields>) => {
    const authority = await authorityOf(product)
    const { evidence } = await issue(fields, {}, authority)
    return verifySnp(evidence, authority.anchors, NOW).claims.advisories.map(({ id }) => id)
  }

  it('name what no check of a report can undo', async () => {
    expect(await idsOf('Genoa', {})).toEqual(['CVE-2024-56161', 'CVE-2025-0033'])
  })

  it('name aliased memory unless the report says that it was looked for', async () => {
    expect(await idsOf('Genoa', { platformInfo: 0x05n })).toContain('CVE-2024-21944')
    expect(await idsOf('Genoa', { version: 2 })).toContain('CVE-2024-21944')
  })

  it('name the secrets of Milan chips on Milan only', async () => {
    expect(await idsOf('Milan', {})).toContain('arXiv:2605.12990')
    expect(await idsOf('Turin', {})).not.toContain('arXiv:2605.12990')
  })
})
