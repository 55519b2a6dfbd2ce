import { describe, expect, it } from 'vitest'
import { bindTdxInitdata } from '../../../../sdk/attest/tdx-binding.ts'
import {
  type AllowedTdxMeasurement,
  appraiseTdx,
  DEFAULT_TDX_POLICY,
  findMeasurement,
  type TdxPolicy,
} from '../../../../sdk/attest/tdx-policy.ts'
import type { Check, TdxClaims, TdxTcb, TdxTcbStatus } from '../../../../sdk/attest/types.ts'
import { refusalOf } from '../../../kit/errors.ts'
import { claimsOf, DAY, NOW, notAllowed } from './kit.ts'

const filled = (length: number, value: number) => new Uint8Array(length).fill(value)
const SEPT = 1n << 28n

type Case = {
  name: string
  claims?: (honest: TdxClaims) => Partial<TdxClaims>
  policy?: Partial<TdxPolicy>
  now?: number
  expect?: unknown
}

const attribute = (bits: bigint) => () => ({ tdAttributes: SEPT | bits })
const status =
  (value: TdxTcbStatus, rest: Partial<TdxTcb> = {}) =>
  (honest: TdxClaims) => ({
    tcb: { ...honest.tcb, status: value, ...rest },
  })
const advised = () => ({ advisories: [{ id: 'INTEL-SA-00001', message: '' }] })
const measurement = (rest: Partial<AllowedTdxMeasurement> = {}): AllowedTdxMeasurement => ({
  mrTd: filled(48, 0x7d),
  rtmrs: [undefined, undefined, undefined, undefined],
  coversImage: false,
  bindsInitdata: false,
  ...rest,
})
const tooOld = (component: string, required: number, reported: number) => ({
  code: 'TCB_TOO_OLD',
  details: { component, required, reported },
})
const superseded = { supersededAt: NOW - 10 * DAY }

const cases: Case[] = [
  { name: 'an honest TD' },
  ...(
    [
      'SWHardeningNeeded',
      'ConfigurationNeeded',
      'ConfigurationAndSWHardeningNeeded',
      'OutOfDate',
      'OutOfDateConfigurationNeeded',
      'TDRelaunchAdvised',
      'TDRelaunchAdvisedConfigurationNeeded',
    ] as const
  ).flatMap((value): Case[] => [
    {
      name: `a platform ${value} by default`,
      claims: status(value),
      expect: notAllowed('tdx.policy.tcb-status'),
    },
    {
      name: `a platform ${value} when allowed`,
      claims: status(value),
      policy: { statuses: [value] },
    },
  ]),
  ...(['Revoked', 'NotSupported'] as const).map(
    (value): Case => ({
      name: `a platform ${value}, whatever the policy`,
      claims: status(value, superseded),
      policy: {
        statuses: [...DEFAULT_TDX_POLICY.statuses, 'OutOfDate', 'ConfigurationNeeded'],
        graceDays: 10_000,
      },
      expect: notAllowed('tdx.policy.tcb-status'),
    }),
  ),
  {
    name: 'a platform out of date within its grace',
    claims: status('OutOfDate', superseded),
    policy: { graceDays: 10 },
  },
  {
    name: 'a platform out of date a second after its grace',
    claims: status('OutOfDate', superseded),
    policy: { graceDays: 10 },
    now: NOW + 1,
    expect: notAllowed('tdx.policy.tcb-status'),
  },
  {
    name: 'a platform out of date since nobody knows when',
    claims: status('OutOfDate'),
    policy: { graceDays: 10_000 },
    expect: notAllowed('tdx.policy.tcb-status'),
  },
  {
    name: 'a platform to be configured too: grace does not forgive that',
    claims: status('OutOfDateConfigurationNeeded', superseded),
    policy: { graceDays: 10 },
    expect: notAllowed('tdx.policy.tcb-status'),
  },
  {
    name: 'a platform to be configured too, where configuration is allowed',
    claims: status('OutOfDateConfigurationNeeded', superseded),
    policy: { graceDays: 10, statuses: ['UpToDate', 'ConfigurationNeeded'] },
  },
  { name: 'an advisory that nobody denied', claims: advised },
  {
    name: 'an advisory that is denied',
    claims: advised,
    policy: { advisories: { denied: ['INTEL-SA-00001'] } },
    expect: notAllowed('tdx.policy.advisories'),
  },
  {
    name: 'an advisory outside the allowed ones',
    claims: advised,
    policy: { advisories: { allowed: ['INTEL-SA-00002'], denied: [] } },
    expect: notAllowed('tdx.policy.advisories'),
  },
  {
    name: 'an advisory among the allowed ones',
    claims: advised,
    policy: { advisories: { allowed: ['INTEL-SA-00001'], denied: [] } },
  },
  {
    name: 'TCB info of an older recovery event',
    policy: { minimumEvaluationNumber: 20 },
    expect: tooOld('tcbInfo evaluation number', 20, 19),
  },
  {
    name: 'a QE identity of an older recovery event',
    claims: ({ tcb }) => ({ tcb: { ...tcb, evaluationNumbers: { tcbInfo: 19, qeIdentity: 18 } } }),
    policy: { minimumEvaluationNumber: 19 },
    expect: tooOld('qeIdentity evaluation number', 19, 18),
  },
  { name: 'both of the demanded recovery event', policy: { minimumEvaluationNumber: 19 } },
  {
    name: 'an old module',
    policy: { minimumTeeTcbSvn: [5, 1, 4] },
    expect: tooOld('tee_tcb_svn[2]', 4, 3),
  },
  { name: 'a module at the floor', policy: { minimumTeeTcbSvn: [5, 1, 3] } },
  ...Array.from(
    { length: 8 },
    (_, bit): Case => ({
      name: `a TD under debug, bit ${bit}`,
      claims: attribute(1n << BigInt(bit)),
      expect: notAllowed('tdx.policy.debug'),
    }),
  ),
  { name: 'a TD under debug when allowed', claims: attribute(1n), policy: { allowDebug: true } },
  ...[8, 15, 18, 26, 32, 61].map(
    (bit): Case => ({
      name: `reserved attribute ${bit}`,
      claims: attribute(1n << BigInt(bit)),
      expect: notAllowed('tdx.policy.reserved-bits'),
    }),
  ),
  {
    name: 'a TD that can be migrated',
    claims: attribute(1n << 29n),
    expect: notAllowed('tdx.policy.migratable'),
  },
  {
    name: 'a TD with an extended service TD',
    claims: attribute(1n << 17n),
    expect: notAllowed('tdx.policy.migratable'),
  },
  {
    name: 'a TD that can be migrated when allowed',
    claims: attribute(1n << 29n),
    policy: { allowMigration: true },
  },
  {
    name: 'a TD without SEPT_VE_DISABLE',
    claims: () => ({ tdAttributes: 0n }),
    expect: notAllowed('tdx.policy.sept-ve-disable'),
  },
  {
    name: 'a TD without SEPT_VE_DISABLE where not demanded',
    claims: () => ({ tdAttributes: 0n }),
    policy: { requireSeptVeDisable: false },
  },
  {
    name: 'performance counters',
    claims: attribute(1n << 63n),
    expect: notAllowed('tdx.policy.perfmon'),
  },
  {
    name: 'performance counters when allowed',
    claims: attribute(1n << 63n),
    policy: { allowPerfmon: true },
  },
  { name: 'protection keys', claims: attribute(1n << 30n) },
  {
    name: 'protection keys when forbidden',
    claims: attribute(1n << 30n),
    policy: { allowPks: false },
    expect: notAllowed('tdx.policy.pks'),
  },
  { name: 'Key Locker', claims: attribute(1n << 31n) },
  {
    name: 'Key Locker when forbidden',
    claims: attribute(1n << 31n),
    policy: { allowKeyLocker: false },
    expect: notAllowed('tdx.policy.key-locker'),
  },
  {
    name: 'an unknown processor feature',
    claims: () => ({ xfam: 0x3n | (1n << 40n) }),
    expect: notAllowed('tdx.policy.xfam'),
  },
  {
    name: 'no SSE: no such TD exists',
    claims: () => ({ xfam: 0x1n }),
    expect: notAllowed('tdx.policy.xfam'),
  },
  {
    name: 'a bound service TD',
    claims: () => ({ mrServiceTd: filled(48, 1) }),
    expect: notAllowed('tdx.policy.service-td'),
  },
  {
    name: 'a bound service TD that is listed',
    claims: () => ({ mrServiceTd: filled(48, 1) }),
    policy: { serviceTds: [filled(48, 1)] },
  },
  {
    name: 'another module',
    policy: { mrSeams: [filled(48, 2)] },
    expect: notAllowed('tdx.policy.mrseam'),
  },
  { name: 'a listed module', policy: { mrSeams: [filled(48, 0x5e)] } },
  {
    name: 'another launch',
    policy: { measurements: [measurement({ mrTd: filled(48, 1) })] },
    expect: notAllowed('tdx.policy.measurement'),
  },
  { name: 'a listed launch', policy: { measurements: [measurement()] } },
  {
    name: 'a listed launch with another kernel',
    policy: {
      measurements: [measurement({ rtmrs: [undefined, filled(48, 1), undefined, undefined] })],
    },
    expect: notAllowed('tdx.policy.measurement'),
  },
  {
    name: 'another register 2',
    policy: { rtmrs: [[], [], [filled(48, 1)], []] },
    expect: notAllowed('tdx.policy.rtmr'),
  },
  { name: 'a listed register 2', policy: { rtmrs: [[], [], [filled(48, 0xa2)], []] } },
  {
    name: 'another owner',
    policy: { mrOwners: [filled(48, 1)] },
    expect: notAllowed('tdx.policy.mrowner'),
  },
  { name: 'a set owner where any will do', claims: () => ({ mrOwner: filled(48, 9) }) },
  {
    name: 'another owner configuration',
    policy: { mrOwnerConfigs: [filled(48, 1)] },
    expect: notAllowed('tdx.policy.mrownerconfig'),
  },
  {
    name: 'another kind of platform',
    policy: { fmspcs: ['000000000000'] },
    expect: notAllowed('tdx.policy.fmspc'),
  },
  { name: 'a listed kind of platform', policy: { fmspcs: ['51806f000000'] } },
  {
    name: 'another machine',
    policy: { ppids: [filled(16, 1)] },
    expect: notAllowed('tdx.policy.ppid'),
  },
]

const honestTd = claimsOf({ version: 5 })

describe('the TDX policy judges', () => {
  it.each(cases)('$name', async ({ claims, policy, now = NOW, expect: wanted = 'accepted' }) => {
    const honest = await honestTd
    const trace: Check[] = []
    const refusal = refusalOf(() =>
      appraiseTdx(
        { ...honest, ...claims?.(honest) },
        { ...DEFAULT_TDX_POLICY, ...policy },
        now,
        trace,
      ),
    )
    expect(refusal).toEqual(wanted)
    const failed = trace.filter(({ result }) => result === 'failed')
    expect(failed).toHaveLength(wanted === 'accepted' ? 0 : 1)
  })
})

describe('initdata', () => {
  const digest = filled(48, 0xcc)
  const launch = async (mrConfigId: Uint8Array) => ({ ...(await honestTd), mrConfigId })
  const covering = [measurement({ coversImage: true })]

  it('is anchored by MRCONFIGID under an image that is known', async () => {
    const claims = await launch(digest)
    const bound = bindTdxInitdata(claims, { algorithm: 'sha384', digest }, covering)
    expect(bound).toMatchObject({ binding: 'mr_config_id', vouchedBy: 'launch' })
  })

  it('is vouched for by nobody under an image that is not', async () => {
    const claims = await launch(digest)
    const bound = bindTdxInitdata(claims, { algorithm: 'sha384', digest }, [measurement()])
    expect(bound).toMatchObject({ binding: 'mr_config_id', vouchedBy: 'self' })
  })

  it('is vouched for by an image that guards its evidence, else by itself, where nothing is anchored', async () => {
    const claims = await launch(new Uint8Array(48))
    const bind = (measurements: AllowedTdxMeasurement[]) =>
      bindTdxInitdata(claims, { algorithm: 'sha384', digest }, measurements)
    expect(bind([])).toMatchObject({ binding: 'report_data', vouchedBy: 'self' })
    expect(bind(covering)).toMatchObject({ vouchedBy: 'self', measurementCoversImage: true })
    expect(bind([measurement({ coversImage: true, bindsInitdata: true })])).toMatchObject({
      vouchedBy: 'image',
    })
    expect(bind([measurement({ bindsInitdata: true })])).toMatchObject({ vouchedBy: 'self' })
  })

  it.each([
    ['sha256', 32],
    ['sha384', 48],
    ['sha512', 64],
  ])('by %s is padded or cut to all 48 bytes', async (algorithm, length) => {
    const long = Uint8Array.from({ length }, (_, index) => index + 1)
    const fitted = new Uint8Array(48)
    fitted.set(long.subarray(0, 48))
    const bind = async (mrConfigId: Uint8Array) =>
      bindTdxInitdata(await launch(mrConfigId), { algorithm, digest: long }, [])
    expect((await bind(fitted)).binding).toBe('mr_config_id')
    for (const index of [0, 31, 32, 47]) {
      const other = fitted.with(index, (fitted[index] ?? 0) ^ 0x80)
      const claims = await launch(other)
      expect(refusalOf(() => bindTdxInitdata(claims, { algorithm, digest: long }, []))).toEqual({
        code: 'INITDATA_MISMATCH',
        details: { anchor: 'mr_config_id' },
      })
    }
  })
})

it('of several fitting measurements the one that says most counts', async () => {
  const claims = await claimsOf()
  const most = measurement({ coversImage: true, bindsInitdata: true })
  const entries = [measurement(), most, measurement({ coversImage: true })]
  expect(findMeasurement(claims, entries)).toBe(most)
})
