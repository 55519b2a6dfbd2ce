/** The method `eigenx-tdx` from request to answer, on evidence of a simulated authority. Each refusal changes one thing. */
import { describe, expect, it } from 'vitest'
import { SIM_BOOT_LOG, SIM_BOOT_RTMRS } from '../../helper/sim/tdx-event-log.ts'
import { SIM_PCK, type TdxAuthority, type TdxIssueOptions } from '../../helper/sim/tdx-evidence.ts'
import { parseInitdata } from '../../policy/initdata.ts'
import type { TdxSources } from '../../sdk/attest/tdx-verify.ts'
import { bytesToHex, toBase64 } from '../../sdk/bytes.ts'
import { partialSign } from '../../sdk/crypto/bls.ts'
import { DAY, tdxAuthority } from '../sdk/attest/tdx/kit.ts'
import {
  APP,
  annotated,
  container,
  makeInitdata,
  makePolicy,
  makeRsa,
  openPartial,
  type SecretsBody,
  TEST_TIME,
} from './kit.ts'
import {
  type TdxAnswer as Answer,
  askTdx as ask,
  COVERING,
  repeated as hex,
  makeTdxBody,
  type TdxSetup as Setup,
  type TdxPod,
  tdxWorld,
} from './tdx-kit.ts'
import { makeWorld, WIDE_LIMITS, type World } from './world.ts'

/** One below what the platform's level needs. */
const OLD_COMPONENTS = SIM_PCK.components.map((svn, index) => (index === 0 ? svn - 1 : svn))
const FOREIGN_INITDATA = makeInitdata(
  makePolicy({ containers: [container({ digest: `sha256:${'22'.repeat(32)}` })] }),
)
const RSA = makeRsa()
const OTHER_RSA = makeRsa()

/** The digest of the honest document with something behind it. */
function paddedWith(byte: number): Uint8Array {
  const { digest } = parseInitdata(annotated(makeInitdata()))
  return Uint8Array.from([...digest.subarray(0, 32), ...new Uint8Array(16).fill(byte)])
}

type Pod = Partial<TdxPod>

async function tdxBody(pod: Pod = {}): Promise<SecretsBody> {
  return makeTdxBody({ authority: await tdxAuthority(), rsa: RSA, ...pod })
}

function expectGrant(world: World, answer: Answer): void {
  expect(answer, JSON.stringify(answer)).toMatchObject({ status: 200 })
  const share = world.sharing.shares.get(world.operator) ?? 0n
  expect(openPartial(RSA, answer)).toEqual(partialSign(share, APP))
}

type Attack = {
  name: string
  setup?: Setup
  pod?: Pod | ((lookAlike: TdxAuthority) => Pod)
  /** Status as Go operators answer at this step, code, and the last check, which failed; a refusal that is no named check gives none. */
  expect: readonly [number, string, string?]
}

const SELF_ASSERTED = 'allow_self_asserted_initdata = true'
const OPT_IN = { publicEnv: { EIGENX_TEE_MIN_BINDING: 'report_data' } }
const report = (fields: TdxIssueOptions['report']): Pod => ({ report: fields })
const other48 = new Uint8Array(48).fill(0x66)

const ATTACKS: readonly Attack[] = [
  {
    name: 'a TD that the host can debug',
    pod: report({ tdAttributes: (1n << 28n) | 1n }),
    expect: [401, 'EVIDENCE_NOT_ALLOWED', 'tdx.policy.debug'],
  },
  {
    name: 'a TD that a migration TD can move',
    pod: report({ tdAttributes: (1n << 28n) | (1n << 29n) }),
    expect: [401, 'EVIDENCE_NOT_ALLOWED', 'tdx.policy.migratable'],
  },
  {
    name: 'other firmware',
    pod: report({ mrTd: other48 }),
    expect: [401, 'EVIDENCE_NOT_ALLOWED', 'tdx.policy.measurement'],
  },
  {
    name: 'another kernel under the same firmware',
    pod: report({
      rtmrs: [other48, other48, new Uint8Array(48).fill(0xa2), new Uint8Array(48)],
    }),
    expect: [401, 'EVIDENCE_NOT_ALLOWED', 'tdx.policy.measurement'],
  },
  {
    name: 'a TDX module that is not listed',
    setup: { tdx: `${COVERING}\nmr_seams = ["${hex('5f')}"]` },
    expect: [401, 'EVIDENCE_NOT_ALLOWED', 'tdx.policy.mrseam'],
  },
  {
    name: 'a register that holds nothing listed',
    setup: { tdx: `${COVERING}\nrtmr3 = ["${hex('5f')}"]` },
    expect: [401, 'EVIDENCE_NOT_ALLOWED', 'tdx.policy.rtmr'],
  },
  {
    name: 'an owner that is not listed',
    setup: { tdx: `${COVERING}\nmr_owners = ["${hex('5f')}"]` },
    expect: [401, 'EVIDENCE_NOT_ALLOWED', 'tdx.policy.mrowner'],
  },
  {
    name: 'a configuration of the owner that is not listed',
    setup: { tdx: `${COVERING}\nmr_owner_configs = ["${hex('5f')}"]` },
    expect: [401, 'EVIDENCE_NOT_ALLOWED', 'tdx.policy.mrownerconfig'],
  },
  {
    name: 'a processor feature that the operator does not allow',
    setup: { tdx: `${COVERING}\nxfam = "0xe7"` },
    expect: [401, 'EVIDENCE_NOT_ALLOWED', 'tdx.policy.xfam'],
  },
  {
    name: 'protection keys where they are not allowed',
    setup: { tdx: `${COVERING}\nallow_pks = false` },
    pod: report({ tdAttributes: (1n << 28n) | (1n << 30n) }),
    expect: [401, 'EVIDENCE_NOT_ALLOWED', 'tdx.policy.pks'],
  },
  {
    name: 'Key Locker where it is not allowed',
    setup: { tdx: `${COVERING}\nallow_key_locker = false` },
    pod: report({ tdAttributes: (1n << 28n) | (1n << 31n) }),
    expect: [401, 'EVIDENCE_NOT_ALLOWED', 'tdx.policy.key-locker'],
  },
  {
    name: 'a machine that is not listed',
    setup: { tdx: `${COVERING}\nppids = ["${'5f'.repeat(16)}"]` },
    expect: [401, 'EVIDENCE_NOT_ALLOWED', 'tdx.policy.ppid'],
  },
  {
    name: 'a kind of platform that is not listed',
    setup: { tdx: `${COVERING}\nfmspcs = ["00806f050000"]` },
    expect: [401, 'EVIDENCE_NOT_ALLOWED', 'tdx.policy.fmspc'],
  },
  {
    name: 'a platform that is out of date',
    pod: { issue: { sgx: { pceSvn: 11, components: OLD_COMPONENTS } } },
    expect: [401, 'EVIDENCE_NOT_ALLOWED', 'tdx.policy.tcb-status'],
  },
  {
    name: 'a platform out of date for longer than the grace',
    setup: { tdx: `${COVERING}\ngrace_days = 30` },
    pod: { issue: { sgx: { pceSvn: 11, components: OLD_COMPONENTS } } },
    expect: [401, 'EVIDENCE_NOT_ALLOWED', 'tdx.policy.tcb-status'],
  },
  {
    name: 'an advisory that is denied, though the status is allowed',
    setup: {
      tdx: `${COVERING}\nstatuses = ["UpToDate", "OutOfDate"]\ndenied_advisories = ["INTEL-SA-01079"]`,
    },
    pod: { issue: { sgx: { pceSvn: 11, components: OLD_COMPONENTS } } },
    expect: [401, 'EVIDENCE_NOT_ALLOWED', 'tdx.policy.advisories'],
  },
  {
    name: 'collateral of an older recovery event',
    setup: { tdx: `${COVERING}\nminimum_evaluation_number = 20` },
    expect: [401, 'TCB_TOO_OLD', 'tdx.policy.evaluation-number'],
  },
  {
    name: 'collateral that has run out',
    setup: { nowSeconds: TEST_TIME + 40 * DAY },
    expect: [401, 'EVIDENCE_INVALID', 'tdx.tcb-info.validity'],
  },
  {
    name: 'no collateral from anybody',
    pod: { withCollateral: false },
    expect: [503, 'COLLATERAL_UNAVAILABLE', 'tdx.collateral'],
  },
  {
    name: 'a look-alike root',
    pod: (lookAlike) => ({ authority: lookAlike }),
    expect: [401, 'EVIDENCE_INVALID', 'tdx.pck-chain.root'],
  },
  {
    name: 'a quote signed by another attestation key',
    pod: (lookAlike) => ({
      issue: { signWith: { quote: lookAlike.keys.attestation.privateKey } },
    }),
    expect: [401, 'EVIDENCE_INVALID', 'tdx.quote-signature'],
  },
  {
    name: 'an event log of another boot than the registers tell',
    pod: { issue: { logs: { eventLog: SIM_BOOT_LOG } } },
    expect: [401, 'EVIDENCE_INVALID', 'tdx.event-log-replay'],
  },
  {
    name: 'an event log in which one digest is another one',
    pod: {
      issue: { logs: { eventLog: SIM_BOOT_LOG.with(200, 1 ^ (SIM_BOOT_LOG[200] ?? 0)) } },
      report: { rtmrs: SIM_BOOT_RTMRS },
    },
    expect: [401, 'EVIDENCE_INVALID', 'tdx.event-log-replay'],
  },
  {
    name: 'an event log that is none',
    pod: { issue: { logs: { eventLog: new Uint8Array(64) } } },
    expect: [401, 'EVIDENCE_MALFORMED'],
  },
  {
    name: 'an event log above the size of any evidence',
    pod: { issue: { logs: { eventLog: new Uint8Array(256 * 1024) } } },
    expect: [400, 'INPUT_TOO_LARGE'],
  },
  {
    name: 'a swapped RSA key',
    pod: { body: { rsa_pubkey_tmp: toBase64(OTHER_RSA.pem) } },
    expect: [401, 'REPORT_DATA_MISMATCH', 'report-data'],
  },
  {
    name: 'evidence bound to the method of another processor',
    pod: { bind: { method: 'eigenx-snp' } },
    expect: [401, 'REPORT_DATA_MISMATCH', 'report-data'],
  },
  {
    name: 'evidence bound to another processor',
    pod: { bind: { tee: 'snp' } },
    expect: [401, 'REPORT_DATA_MISMATCH', 'report-data'],
  },
  {
    name: 'evidence made for another app',
    pod: { bind: { appId: `0x${'aa'.repeat(20)}` } },
    expect: [401, 'REPORT_DATA_MISMATCH', 'report-data'],
  },
  {
    name: 'initdata that was swapped after the evidence was made',
    pod: { body: { cc_init_data: toBase64(annotated(FOREIGN_INITDATA)) } },
    expect: [401, 'REPORT_DATA_MISMATCH', 'report-data'],
  },
  {
    name: 'initdata that the launch did not anchor',
    pod: report({ mrConfigId: other48 }),
    expect: [401, 'INITDATA_MISMATCH', 'initdata.mr-config-id'],
  },
  {
    name: 'MRCONFIGID that agrees only in its first 32 bytes',
    pod: report({ mrConfigId: paddedWith(1) }),
    expect: [401, 'INITDATA_MISMATCH', 'initdata.mr-config-id'],
  },
  {
    name: 'an anchored document under a launch that nobody listed',
    setup: { tdx: '' },
    expect: [401, 'BINDING_TOO_WEAK', 'operator.self-asserted-initdata'],
  },
  {
    name: 'an anchored document under a known launch that covers the firmware only',
    setup: { tdx: `measurements = [{ mrtd = "${hex('7d')}" }]` },
    expect: [401, 'BINDING_TOO_WEAK', 'operator.self-asserted-initdata'],
  },
  {
    name: 'a known image in which nothing anchored the document',
    pod: { anchored: false },
    expect: [401, 'BINDING_TOO_WEAK', 'operator.self-asserted-initdata'],
  },
  {
    name: 'self-asserted initdata that only the operator allows',
    setup: { tdx: '', attestation: SELF_ASSERTED },
    expect: [401, 'BINDING_TOO_WEAK', 'release.min-binding'],
  },
  {
    name: 'a policy that admits another image',
    pod: { initdata: annotated(FOREIGN_INITDATA) },
    expect: [403, 'RELEASE_MISMATCH', 'policy.release-enforced'],
  },
  {
    name: 'the name of another method',
    pod: { body: { attestation_method: 'eigenx-snp' } },
    expect: [401, 'EVIDENCE_MALFORMED'],
  },
  {
    name: 'a name that no method has',
    pod: { body: { attestation_method: 'eigenx-TDX' } },
    expect: [401, 'METHOD_UNKNOWN'],
  },
  {
    name: 'the method where it is not enabled',
    setup: { methods: '"eigenx-snp"' },
    expect: [401, 'METHOD_DISABLED'],
  },
  {
    name: 'bytes that are no evidence',
    pod: { body: { attestation: toBase64(new Uint8Array(4096).fill(0xff)) } },
    expect: [401, 'EVIDENCE_MALFORMED'],
  },
]

describe('a grant on TDX evidence', () => {
  it('goes to a known image that was launched with the document', async () => {
    const world = await tdxWorld()
    const answer = await ask(world, await tdxBody())
    expectGrant(world, answer)
    expect(answer.binding).toBe('mr_config_id')
    expect(answer.marks).toBeUndefined()
    const passed = ['tdx.quote-signature', 'tdx.tcb-status', 'report-data', 'initdata.mr-config-id']
    for (const name of passed) expect(world.log()).toContain(`{"name":"${name}"`)
  })

  it('goes to a quote of version 5 with a TD of version 1.5', async () => {
    const world = await tdxWorld()
    expectGrant(world, await ask(world, await tdxBody({ issue: { version: 5, tdVersion: '1.5' } })))
  })

  it('is marked where nobody vouches for the initdata and both sides allow it', async () => {
    const world = await tdxWorld({ tdx: '', attestation: SELF_ASSERTED, release: OPT_IN })
    const answer = await ask(world, await tdxBody({ anchored: false }))
    expectGrant(world, answer)
    expect(answer.binding).toBe('report_data')
    expect(answer.marks).toEqual(['self-asserted-initdata', 'unmeasured-image'])
  })

  it('goes to an image that lets nobody else name the document', async () => {
    const tdx = COVERING.replace('covers_image', 'binds_initdata = true, covers_image')
    const world = await tdxWorld({ tdx })
    const answer = await ask(world, await tdxBody({ anchored: false }))
    expectGrant(world, answer)
    expect(answer.binding).toBe('report_data')
  })

  it('needs no collateral of the pod where the operator keeps it', async () => {
    const { collateral } = await (await tdxAuthority()).issue()
    const asked: unknown[] = []
    const findCollateral: TdxSources['findCollateral'] = (platform) => {
      asked.push(platform)
      return collateral
    }
    const world = await tdxWorld({ sources: { findCollateral } })
    expectGrant(world, await ask(world, await tdxBody({ withCollateral: false })))
    expect(asked).toEqual([{ fmspc: '51806f000000', pceId: '0000' }])
  })

  it('goes to a pod whose event log leads to the registers, and tells how many events did', async () => {
    const [, rtmr1, rtmr2] = SIM_BOOT_RTMRS.map((value) => bytesToHex(value))
    const world = await tdxWorld({
      tdx: `measurements = [{ mrtd = "${hex('7d')}", rtmr1 = "${rtmr1}", rtmr2 = "${rtmr2}", covers_image = true }]`,
    })
    const pod = {
      issue: { logs: { eventLog: SIM_BOOT_LOG } },
      report: { rtmrs: SIM_BOOT_RTMRS },
    }
    expectGrant(world, await ask(world, await tdxBody(pod)))
    expect(world.log()).toContain('"inputs":{"register":"2","events":"2"')
  })

  it('is marked where days of grace let a platform through that is out of date', async () => {
    const world = await tdxWorld({ tdx: `${COVERING}\ngrace_days = 30` })
    const recently: TdxIssueOptions['tcbInfo'] = (honest) =>
      JSON.parse(JSON.stringify(honest).replaceAll('2025-05-14', '2026-05-14'))
    const sgx = { pceSvn: 11, components: OLD_COMPONENTS }
    const pod = { issue: { sgx, tcbInfo: recently } }
    const answer = await ask(world, await tdxBody(pod))
    expectGrant(world, answer)
    expect(answer.marks).toEqual(['tcb-grace'])
  })

  it('goes to a TD that fits every list of the operator', async () => {
    const tdx = [
      COVERING,
      `rtmr3 = ["${hex('00')}", "${hex('5f')}"]`,
      `mr_owners = ["${hex('00')}"]`,
      `mr_owner_configs = ["${hex('00')}"]`,
      `ppids = ["${'99'.repeat(16)}"]`,
      'xfam = "0x602e7"',
      'allow_pks = false',
      'allow_key_locker = false',
    ].join('\n')
    const world = await tdxWorld({ tdx })
    expectGrant(world, await ask(world, await tdxBody()))
  })

  it('goes to a platform that is out of date where the operator allows it', async () => {
    const world = await tdxWorld({ tdx: `${COVERING}\nstatuses = ["UpToDate", "OutOfDate"]` })
    const pod = { issue: { sgx: { pceSvn: 11, components: OLD_COMPONENTS } } }
    expectGrant(world, await ask(world, await tdxBody(pod)))
  })
})

describe('a pod with TDX evidence is refused for', () => {
  it.each(ATTACKS)('$name', async (attack) => {
    const world = await tdxWorld(attack.setup)
    const lookAlike = await tdxAuthority('look-alike')
    const pod = typeof attack.pod === 'function' ? attack.pod(lookAlike) : attack.pod
    const answer = await ask(world, await tdxBody(pod))
    const [status, code, check] = attack.expect
    expect(answer, JSON.stringify(answer)).toMatchObject({ status, code })
    expect(answer).not.toHaveProperty('encrypted_partial_sig')
    const failed = (answer.checks ?? []).filter(({ result }) => result === 'failed')
    expect(failed.map(({ name }) => name)).toEqual(check === undefined ? [] : [check])
  })

  it('a revoked platform, also with an older list that does not know it', async () => {
    const world = await tdxWorld()
    const revoked = { pckCrl: () => ({ number: 2, revoked: ['55'] }) }
    const refused = await ask(world, await tdxBody({ issue: revoked }))
    expect(refused).toMatchObject({ status: 401, code: 'EVIDENCE_INVALID' })
    expect(refused.checks?.at(-1)).toMatchObject({ name: 'tdx.pck.not-revoked', result: 'failed' })
    expect(await ask(world, await tdxBody())).toMatchObject({
      status: 401,
      code: 'EVIDENCE_INVALID',
    })
  })

  it('lack of anything to verify with, as unready', async () => {
    const world = await makeWorld({
      toml: `${WIDE_LIMITS}\n[attestation]\nmethods = ["eigenx-tdx"]`,
      anchors: new Map(),
    })
    expect(await ask(world, await tdxBody())).toMatchObject({
      status: 503,
      code: 'METHOD_NOT_READY',
    })
  })
})
