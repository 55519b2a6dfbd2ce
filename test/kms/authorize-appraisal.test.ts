/** What a release demands of platforms beside its operators, and images that an operator lists for some days only. */
import { describe, expect, it } from 'vitest'
import { SIMULATED_MEASUREMENT } from '../../helper/sim/evidence-report.ts'
import { SIM_PCK } from '../../helper/sim/tdx-evidence.ts'
import { parseKmsConfig } from '../../kms/config.ts'
import type { Release } from '../../sdk/chain/types.ts'
import { refusalOf } from '../kit/errors.ts'
import { authorityOf } from '../kit/snp-authority.ts'
import { DAY, tdxAuthority } from '../sdk/attest/tdx/kit.ts'
import { makeBody, makeRelease, makeRsa, type SecretsBody, TEST_TIME } from './kit.ts'
import { COVERING, makeTdxBody, repeated, type TdxSetup, tdxWorld } from './tdx-kit.ts'
import {
  honestChain,
  KNOWN_IMAGE,
  makeWorld,
  operatorToml,
  PROBLEM,
  post,
  WIDE_LIMITS,
  type World,
} from './world.ts'

const RSA = makeRsa()
const OTHER = 'ab'.repeat(48)
const MRTD = repeated('7d')

async function ask(world: World, body: SecretsBody): Promise<string> {
  const response = await post(world, '/secrets', body, PROBLEM)
  const answer: { code?: string; checks?: { name: string; result: string }[] } =
    await response.json()
  if (answer.code === undefined) return 'granted'
  const failed = answer.checks?.filter(({ result }) => result === 'failed') ?? []
  return `${response.status} ${answer.code} ${failed.map(({ name }) => name).join()}`
}

async function askSnp(publicEnv: Release['publicEnv'], toml?: string, nowSeconds = TEST_TIME) {
  const world = await makeWorld({
    ...(toml === undefined ? {} : { toml: `${WIDE_LIMITS}\n[attestation]\n${toml}` }),
    chain: honestChain(makeRelease({ publicEnv })),
    now: () => 1000 * nowSeconds,
  })
  return ask(world, await makeBody(await authorityOf(), { rsa: RSA }))
}

async function askTdx(setup: TdxSetup, issue = {}) {
  const world = await tdxWorld(setup)
  return ask(world, await makeTdxBody({ authority: await tdxAuthority(), rsa: RSA, issue }))
}

describe('a release narrows what its operators allow', () => {
  it.each([
    ['by method, which fits', { EIGENX_TEE_METHODS: 'eigenx-tdx,eigenx-snp' }, 'granted'],
    [
      'by method, which does not',
      { EIGENX_TEE_METHODS: 'eigenx-tdx' },
      '403 EVIDENCE_NOT_ALLOWED release.methods',
    ],
    ['by launch, which fits', { EIGENX_TEE_MEASUREMENTS: SIMULATED_MEASUREMENT }, 'granted'],
    [
      'by launch, which does not',
      { EIGENX_TEE_MEASUREMENTS: OTHER },
      '403 EVIDENCE_NOT_ALLOWED release.measurements',
    ],
    ['by a status that SEV-SNP does not have', { EIGENX_TEE_TDX_STATUSES: 'UpToDate' }, 'granted'],
    [
      'by a lowest TCB, which is reached',
      { EIGENX_TEE_MINIMUM_SNP_TCB: 'Milan=bl4.tee0.snp24.uc219,Turin=fmc9' },
      'granted',
    ],
    [
      'by a lowest TCB, one part of which is not reached',
      { EIGENX_TEE_MINIMUM_SNP_TCB: 'Milan=bl0.snp25.uc0' },
      '403 TCB_TOO_OLD release.minimum-snp-tcb',
    ],
    [
      'by a lowest TCB of other product lines alone',
      { EIGENX_TEE_MINIMUM_SNP_TCB: 'Genoa=snp1' },
      '403 EVIDENCE_NOT_ALLOWED release.minimum-snp-tcb',
    ],
    ['by a mark that the grant lacks', { EIGENX_TEE_REFUSE_MARKS: 'tcb-grace' }, 'granted'],
  ])('%s', async (_name, publicEnv, expected) => {
    expect(await askSnp(publicEnv)).toBe(expected)
  })

  it('by a mark that the grant would carry', async () => {
    const refused = '403 EVIDENCE_NOT_ALLOWED release.refused-marks'
    const publicEnv = {
      EIGENX_TEE_MIN_BINDING: 'report_data',
      EIGENX_TEE_REFUSE_MARKS: 'unmeasured-image',
    }
    const loose = 'allow_self_asserted_initdata = true'
    expect(await askSnp(publicEnv, loose)).toBe(refused)
    const { EIGENX_TEE_REFUSE_MARKS: _, ...rest } = publicEnv
    expect(await askSnp(rest, loose)).toBe('granted')
  })

  it('by MRTD and TCB status of TDX', async () => {
    const tdx = `${COVERING}\nstatuses = ["UpToDate", "OutOfDate"]`
    const components = SIM_PCK.components.map((svn, index) => (index === 0 ? svn - 1 : svn))
    const old = { sgx: { pceSvn: 11, components } }
    const demand = (status: string) => ({
      publicEnv: { EIGENX_TEE_TDX_STATUSES: status, EIGENX_TEE_MEASUREMENTS: MRTD },
    })
    expect(await askTdx({ tdx, release: demand('UpToDate') }, old)).toBe(
      '403 EVIDENCE_NOT_ALLOWED release.tdx-statuses',
    )
    expect(await askTdx({ tdx, release: demand('UpToDate,OutOfDate') }, old)).toBe('granted')
    const snp = { publicEnv: { EIGENX_TEE_MINIMUM_SNP_TCB: 'Milan=snp255' } }
    expect(await askTdx({ release: snp })).toBe('granted')
    const foreign = { publicEnv: { EIGENX_TEE_MEASUREMENTS: OTHER } }
    expect(await askTdx({ release: foreign })).toBe('403 EVIDENCE_NOT_ALLOWED release.measurements')
  })

  it('and a malformed demand refuses everybody', async () => {
    expect(await askSnp({ EIGENX_TEE_REFUSE_MARKS: 'tcb-graze' })).toContain('RELEASE_INVALID')
  })
})

const day = (offset: number) =>
  new Date(1000 * (TEST_TIME + offset * DAY)).toISOString().slice(0, 10)

describe('an image that is listed for some days', () => {
  it.each([
    ['from today', `from = "${day(0)}"`, 'granted'],
    ['until today', `until = "${day(0)}"`, 'granted'],
    ['from tomorrow', `from = "${day(1)}"`, '401 EVIDENCE_NOT_ALLOWED snp.policy.measurement'],
    ['until yesterday', `until = "${day(-1)}"`, '401 EVIDENCE_NOT_ALLOWED snp.policy.measurement'],
  ])('%s', async (_name, window, expected) => {
    expect(await askSnp({}, `${KNOWN_IMAGE}\n${window}`)).toBe(expected)
  })

  it('does not make the list empty, which would admit any image', async () => {
    const both = `${KNOWN_IMAGE}\nuntil = "${day(-1)}"\n[[attestation.measurements]]\nvalue = "${OTHER}"`
    expect(await askSnp({}, both)).toBe('401 EVIDENCE_NOT_ALLOWED snp.policy.measurement')
  })

  it('works for TDs as well', async () => {
    const until = (offset: number) => COVERING.replace(' }', `, until = "${day(offset)}" }`)
    expect(await askTdx({ tdx: until(0) })).toBe('granted')
    expect(await askTdx({ tdx: until(-1) })).toBe('401 EVIDENCE_NOT_ALLOWED tdx.policy.measurement')
  })

  it.each([
    ['an end before the beginning', 'from = "2026-02-02"\nuntil = "2026-02-01"'],
    ['no date', 'from = "soon"'],
    ['a date that no calendar has', 'until = "2026-02-30"'],
  ])('is refused with %s', (_name, window) => {
    const toml = operatorToml(undefined, `[attestation]\n${KNOWN_IMAGE}\n${window}`)
    expect(refusalOf(() => parseKmsConfig(toml))).toMatchObject({ code: 'CONFIG_INVALID' })
  })
})
