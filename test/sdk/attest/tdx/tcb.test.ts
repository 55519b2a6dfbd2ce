import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import type { Json } from '../../../../helper/sim/tdx-collateral.ts'
import type { PartStatus, PlatformStatus } from '../../../../sdk/attest/collateral-json.ts'
import { evaluateTcb, moduleIdOf, type TcbInput } from '../../../../sdk/attest/tdx-tcb.ts'
import type { TdxTcbStatus } from '../../../../sdk/attest/types.ts'
import { claimsOf } from './kit.ts'

const zeros = () => new Array<number>(16).fill(0)
const svnOf = (...bytes: number[]) => Uint8Array.from([...bytes, ...zeros()].slice(0, 16))

/** A platform with one level of each kind, of the given statuses. */
function input(
  platform: PlatformStatus,
  module: PartStatus,
  qe: PartStatus,
  rest: Partial<TcbInput> = {},
): TcbInput {
  const facts = <S>(status: S, id: string) => ({ status, date: 1000, advisories: [id] })
  return {
    tcbInfo: {
      evaluationNumber: 19,
      levels: [
        { ...facts(platform, 'P'), sgxComponents: zeros(), tdxComponents: zeros(), pceSvn: 11 },
      ],
      modules: [
        {
          id: 'TDX_01',
          mrSigner: new Uint8Array(48),
          attributes: new Uint8Array(8),
          levels: [{ ...facts(module, 'M'), isvSvn: 0 }],
        },
      ],
    },
    qeIdentity: { evaluationNumber: 18, levels: [{ ...facts(qe, 'Q'), isvSvn: 6 }] },
    sgxComponents: zeros(),
    pceSvn: 11,
    teeTcbSvn: svnOf(5, 1, 3),
    qeIsvSvn: 6,
    ...rest,
  }
}

describe("Intel's convergence of platform, module and quoting enclave", () => {
  const table: [PlatformStatus, PartStatus, PartStatus, TdxTcbStatus][] = []
  const platforms: PlatformStatus[] = [
    'UpToDate',
    'SWHardeningNeeded',
    'ConfigurationNeeded',
    'ConfigurationAndSWHardeningNeeded',
    'OutOfDate',
    'OutOfDateConfigurationNeeded',
    'Revoked',
  ]
  const outOfDate: Record<PlatformStatus, TdxTcbStatus> = {
    UpToDate: 'OutOfDate',
    SWHardeningNeeded: 'OutOfDate',
    ConfigurationNeeded: 'OutOfDateConfigurationNeeded',
    ConfigurationAndSWHardeningNeeded: 'OutOfDateConfigurationNeeded',
    OutOfDate: 'OutOfDate',
    OutOfDateConfigurationNeeded: 'OutOfDateConfigurationNeeded',
    Revoked: 'Revoked',
  }
  for (const platform of platforms)
    table.push(
      [platform, 'UpToDate', 'UpToDate', platform],
      [platform, 'OutOfDate', 'UpToDate', outOfDate[platform]],
      [platform, 'UpToDate', 'OutOfDate', outOfDate[platform]],
      [platform, 'OutOfDate', 'OutOfDate', outOfDate[platform]],
      [platform, 'Revoked', 'UpToDate', 'Revoked'],
      [platform, 'UpToDate', 'Revoked', 'Revoked'],
      [platform, 'Revoked', 'OutOfDate', 'Revoked'],
    )

  it.each(table)('%s with module %s and enclave %s is %s', (platform, module, qe, status) => {
    const { tcb, advisories } = evaluateTcb(input(platform, module, qe))
    expect(tcb).toMatchObject({ status, platform, module, quotingEnclave: qe })
    expect(advisories).toEqual(['M', 'P', 'Q'])
  })

  it('does without a module level when the module has no major version', () => {
    const { tcb, advisories } = evaluateTcb(
      input('UpToDate', 'Revoked', 'UpToDate', { teeTcbSvn: svnOf(5, 0, 3) }),
    )
    expect(tcb.status).toBe('UpToDate')
    expect(tcb.module).toBeUndefined()
    expect(advisories).toEqual(['P', 'Q'])
  })
})

describe('a level', () => {
  const base = input('UpToDate', 'UpToDate', 'UpToDate')
  const [level] = base.tcbInfo.levels
  const withLevel = (change: object, rest: Partial<TcbInput> = {}): TcbInput => ({
    ...base,
    tcbInfo: { ...base.tcbInfo, levels: level === undefined ? [] : [{ ...level, ...change }] },
    ...rest,
  })

  it.each([...zeros().keys()])('needs SGX component %i', (index) => {
    const needed = zeros().with(index, 3)
    const at = (svn: number) =>
      evaluateTcb(withLevel({ sgxComponents: needed }, { sgxComponents: zeros().with(index, svn) }))
        .tcb.status
    expect([at(2), at(3), at(4)]).toEqual(['NotSupported', 'UpToDate', 'UpToDate'])
  })

  it.each([...zeros().keys()])('needs TDX component %i, the module itself aside', (index) => {
    const needed = zeros().with(index, 3)
    const at = (svn: number, major: number) =>
      evaluateTcb(
        withLevel({ tdxComponents: needed }, { teeTcbSvn: svnOf(0, major).with(index, svn) }),
      ).tcb.status
    if (index >= 2) {
      expect([at(2, 1), at(3, 1)]).toEqual(['NotSupported', 'UpToDate'])
      expect([at(2, 0), at(3, 0)]).toEqual(['NotSupported', 'UpToDate'])
    }
    // Component 0 of a module with a major version is left to its identity.
    if (index === 0) {
      expect([at(2, 1), at(3, 1)]).toEqual(['UpToDate', 'UpToDate'])
      expect([at(2, 0), at(3, 0)]).toEqual(['NotSupported', 'UpToDate'])
    }
  })

  it('needs the PCE SVN', () => {
    const at = (pceSvn: number) => evaluateTcb(withLevel({}, { pceSvn })).tcb.status
    expect([at(10), at(11), at(12)]).toEqual(['NotSupported', 'UpToDate', 'UpToDate'])
  })

  it('of the quoting enclave needs its SVN', () => {
    const at = (qeIsvSvn: number) => evaluateTcb(withLevel({}, { qeIsvSvn })).tcb.status
    expect([at(5), at(6)]).toEqual(['NotSupported', 'UpToDate'])
  })

  it('of a module that the collateral does not know is not reached', () => {
    const status = evaluateTcb(withLevel({}, { teeTcbSvn: svnOf(5, 2) })).tcb.status
    expect(status).toBe('NotSupported')
  })

  it('counts in listed order, and tells since when a better one exists', () => {
    const best = { ...level, sgxComponents: zeros().with(0, 9), date: 5000, status: 'UpToDate' }
    const next = { ...level, sgxComponents: zeros().with(0, 8), date: 4000, status: 'UpToDate' }
    const old = { ...level, date: 2000, status: 'OutOfDate', advisories: ['A', 'A', 'B'] }
    const levels = [best, next, old] as TcbInput['tcbInfo']['levels']
    const at = (svn: number) =>
      evaluateTcb({
        ...base,
        tcbInfo: { ...base.tcbInfo, levels },
        sgxComponents: zeros().with(0, svn),
      })
    expect(at(9).tcb).toMatchObject({ status: 'UpToDate' })
    expect(at(9).tcb.supersededAt).toBeUndefined()
    expect(at(0)).toMatchObject({
      tcb: { status: 'OutOfDate', supersededAt: 4000, date: 1000 },
      advisories: ['A', 'B', 'M', 'Q'],
    })
  })
})

describe('a TD whose module was updated under it', () => {
  /** Launched with minor 1, now running minor 5. */
  const updated = (platform: PlatformStatus, launch: PartStatus, now: PartStatus): TcbInput => {
    const base = input(platform, 'UpToDate', 'UpToDate')
    const [module] = base.tcbInfo.modules
    const facts = { date: 1000, advisories: [] }
    const levels = [
      { ...facts, status: now, isvSvn: 5 },
      { ...facts, status: launch, isvSvn: 1 },
    ]
    const modules = module === undefined ? [] : [{ ...module, levels }]
    return {
      ...base,
      tcbInfo: { ...base.tcbInfo, modules },
      teeTcbSvn: svnOf(1, 1),
      teeTcbSvn2: svnOf(5, 1),
    }
  }

  it.each([
    ['UpToDate', 'OutOfDate', 'UpToDate', 'TDRelaunchAdvised'],
    ['SWHardeningNeeded', 'OutOfDate', 'UpToDate', 'TDRelaunchAdvised'],
    ['ConfigurationNeeded', 'OutOfDate', 'UpToDate', 'TDRelaunchAdvisedConfigurationNeeded'],
    [
      'ConfigurationAndSWHardeningNeeded',
      'OutOfDate',
      'UpToDate',
      'TDRelaunchAdvisedConfigurationNeeded',
    ],
    ['UpToDate', 'UpToDate', 'UpToDate', 'UpToDate'],
    ['UpToDate', 'OutOfDate', 'OutOfDate', 'OutOfDate'],
    ['OutOfDate', 'OutOfDate', 'UpToDate', 'OutOfDate'],
    ['OutOfDateConfigurationNeeded', 'OutOfDate', 'UpToDate', 'OutOfDateConfigurationNeeded'],
    ['UpToDate', 'UpToDate', 'OutOfDate', 'OutOfDate'],
    ['UpToDate', 'OutOfDate', 'Revoked', 'Revoked'],
    ['UpToDate', 'Revoked', 'UpToDate', 'Revoked'],
    ['Revoked', 'UpToDate', 'UpToDate', 'Revoked'],
  ] as [PlatformStatus, PartStatus, PartStatus, TdxTcbStatus][])(
    'on a platform %s, from module %s to %s, is %s',
    (platform, launch, now, status) => {
      expect(evaluateTcb(updated(platform, launch, now)).tcb.status).toBe(status)
    },
  )

  it('is not supported when the module that runs now is unknown', () => {
    const { tcb } = evaluateTcb({
      ...updated('UpToDate', 'UpToDate', 'UpToDate'),
      teeTcbSvn2: svnOf(5, 2),
    })
    expect(tcb.status).toBe('NotSupported')
  })
})

describe('every status can be reached by a whole quote and its collateral', () => {
  const level = (json: Json, tcbStatus: string): Json => ({
    ...json,
    tcbLevels: (json.tcbLevels as Json[]).map((entry, index) =>
      index === 0 ? { ...entry, tcbStatus } : entry,
    ),
  })
  const oldModule = svnOf(2, 1, 3)
  const older = { report: { teeTcbSvn: oldModule }, version: 5 } as const

  it.each([
    ['UpToDate', {}],
    ['SWHardeningNeeded', { tcbInfo: (json: Json) => level(json, 'SWHardeningNeeded') }],
    ['ConfigurationNeeded', { tcbInfo: (json: Json) => level(json, 'ConfigurationNeeded') }],
    [
      'ConfigurationAndSWHardeningNeeded',
      { tcbInfo: (json: Json) => level(json, 'ConfigurationAndSWHardeningNeeded') },
    ],
    ['OutOfDate', { sgx: { components: [6, 6, 1, 1, 2, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0] } }],
    [
      'OutOfDateConfigurationNeeded',
      { tcbInfo: (json: Json) => level(json, 'OutOfDateConfigurationNeeded') },
    ],
    ['Revoked', { tcbInfo: (json: Json) => level(json, 'Revoked') }],
    ['NotSupported', { sgx: { components: zeros() } }],
    ['TDRelaunchAdvised', older],
    [
      'TDRelaunchAdvisedConfigurationNeeded',
      { ...older, tcbInfo: (json: Json) => level(json, 'ConfigurationNeeded') },
    ],
  ] as const)('%s', async (status, options) => {
    expect((await claimsOf(options)).tcb.status).toBe(status)
  })

  it('with the advisories of the levels that decided', async () => {
    const { advisories, tcb } = await claimsOf(older)
    expect(advisories.map(({ id }) => id)).toEqual(['INTEL-SA-01036'])
    expect(tcb).toMatchObject({ module: 'OutOfDate', current: 'UpToDate' })
    expect(tcb.supersededAt).toBe(Date.UTC(2025, 4, 14) / 1000)
  })
})

it('names modules as the collateral does', () => {
  expect(moduleIdOf(svnOf(1, 0))).toBeUndefined()
  expect(moduleIdOf(svnOf(1, 3))).toBe('TDX_03')
  expect(moduleIdOf(svnOf(1, 0x1a))).toBe('TDX_1A')
})

const svns = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 16, maxLength: 16 })
test.prop([svns, svns, fc.nat({ max: 15 })])(
  'a higher SVN never makes a status worse when levels are sorted',
  (have, needed, index) => {
    const base = input('UpToDate', 'UpToDate', 'UpToDate')
    const [level] = base.tcbInfo.levels
    const levels = [
      { ...level, sgxComponents: needed },
      { ...level, status: 'OutOfDate' },
    ] as TcbInput['tcbInfo']['levels']
    const at = (sgxComponents: number[]) =>
      evaluateTcb({ ...base, tcbInfo: { ...base.tcbInfo, levels }, sgxComponents }).tcb.status
    const raised = have.with(index, (have[index] ?? 0) + 1)
    expect(at(have) === 'UpToDate' && at(raised) !== 'UpToDate').toBe(false)
  },
)
