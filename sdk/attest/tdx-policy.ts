/**
 * Which genuine TDs an operator serves: a policy as data, and its application to verified claims.
 *
 * Everything here is about evidence that is authentic, so a refusal is EVIDENCE_NOT_ALLOWED or TCB_TOO_OLD, never EVIDENCE_INVALID.
 * Sources: Intel TDX Module ABI, tables ATTRIBUTES and TDREPORT_STRUCT; Intel SGX and TDX PCS API version 4, TCB statuses.
 * @module
 */
import { bytesToHex, equalBytes } from '../bytes.ts'
import { EigenxError } from '../errors.ts'
import { type CheckLog, createCheckLog, type Rule } from './checks.ts'
import { appraiseTd } from './tdx-td.ts'
import type { Check, TdxClaims, TdxTcbStatus } from './types.ts'
import { describeTime } from './x509.ts'

/** What an operator may allow. Revoked and unsupported platforms are not among it. */
export type AllowableTdxStatus = Exclude<TdxTcbStatus, 'Revoked' | 'NotSupported'>

type Rtmrs<T> = readonly [T, T, T, T]

/** A launch that the operator knows: the firmware, and what it may have measured after itself. */
export type AllowedTdxMeasurement = {
  /** 48 bytes: MRTD, which covers the virtual firmware. */
  mrTd: Uint8Array
  /** RTMR0 to 3, 48 bytes; `undefined`: any. */
  rtmrs: Rtmrs<Uint8Array | undefined>
  /** MRTD and the RTMRs of this entry cover kernel, initrd and root file system, not the firmware alone. */
  coversImage: boolean
  /** As for SNP: the image lets nothing but the helper have evidence made. */
  bindsInitdata: boolean
}

export type TdxPolicy = {
  statuses: readonly AllowableTdxStatus[]
  /** Days for which a platform that is out of date is served after a better level appeared. */
  graceDays: number
  /** Intel's ids, e.g. INTEL-SA-01036. `allowed` absent: any that is not denied. */
  advisories: { allowed?: readonly string[]; denied: readonly string[] }
  /** Lowest tcbEvaluationDataNumber of TCB info and of QE identity. */
  minimumEvaluationNumber: number
  /** Lowest TEE_TCB_SVN, byte by byte; empty: any. */
  minimumTeeTcbSvn: readonly number[]
  /** Debuggable and profiled TDs show their memory to the host: for tests on hardware only. */
  allowDebug: boolean
  /** A migration TD can move the TD to another machine, and replay its state. */
  allowMigration: boolean
  /** Without SEPT_VE_DISABLE the host can make the guest take exceptions where it chooses. */
  requireSeptVeDisable: boolean
  /** Performance counters are a side channel. */
  allowPerfmon: boolean
  allowPks: boolean
  allowKeyLocker: boolean
  /** XFAM bits that may be set. */
  xfamMask: bigint
  /** Values that may be there besides none. */
  serviceTds: readonly Uint8Array[]
  /** Empty: any. TDX modules by MRSEAM. */
  mrSeams: readonly Uint8Array[]
  /** Empty: any launch. */
  measurements: readonly AllowedTdxMeasurement[]
  /** Per register; empty: any. */
  rtmrs: Rtmrs<readonly Uint8Array[]>
  /** Empty: any, also none. */
  mrOwners: readonly Uint8Array[]
  mrOwnerConfigs: readonly Uint8Array[]
  /** FMSPCs, lower-case hex; empty: any. */
  fmspcs: readonly string[]
  /** Platforms by the PPID of their PCK, 16 bytes; empty: any. */
  ppids: readonly Uint8Array[]
}

/** x87, SSE, AVX, AVX-512, PKRU, PT, CET, UINTR, LBR, AMX: what TDX modules offer to guests today. */
export const KNOWN_XFAM = 0x6dbe7n

export const DEFAULT_TDX_POLICY: TdxPolicy = {
  statuses: ['UpToDate'],
  graceDays: 0,
  advisories: { denied: [] },
  minimumEvaluationNumber: 0,
  minimumTeeTcbSvn: [],
  allowDebug: false,
  allowMigration: false,
  requireSeptVeDisable: true,
  allowPerfmon: false,
  allowPks: true,
  allowKeyLocker: true,
  xfamMask: KNOWN_XFAM,
  serviceTds: [],
  mrSeams: [],
  measurements: [],
  rtmrs: [[], [], [], []],
  mrOwners: [],
  mrOwnerConfigs: [],
  fmspcs: [],
  ppids: [],
}

const PCS = 'Intel SGX and TDX PCS API version 4'
const OPERATOR = 'operator policy'
const RULES = {
  platform: { name: 'tdx.policy.fmspc', source: OPERATOR },
  ppid: { name: 'tdx.policy.ppid', source: OPERATOR },
  status: { name: 'tdx.policy.tcb-status', source: PCS },
  advisories: { name: 'tdx.policy.advisories', source: OPERATOR },
  evaluation: { name: 'tdx.policy.evaluation-number', source: OPERATOR },
  svn: { name: 'tdx.policy.minimum-tee-tcb-svn', source: OPERATOR },
  mrSeam: { name: 'tdx.policy.mrseam', source: OPERATOR },
  measurement: { name: 'tdx.policy.measurement', source: OPERATOR },
  rtmr: { name: 'tdx.policy.rtmr', source: OPERATOR },
  mrOwner: { name: 'tdx.policy.mrowner', source: OPERATOR },
  mrOwnerConfig: { name: 'tdx.policy.mrownerconfig', source: OPERATOR },
} as const satisfies Record<string, Rule>

const DAY_SECONDS = 24 * 3600

/**
 * @param claims - From `verifyTdx`.
 * @param nowSeconds - Unix seconds, for the grace period.
 * @returns The checks in order; a rule that the policy leaves open is not applicable.
 * @throws EVIDENCE_NOT_ALLOWED naming the first check that fails, TCB_TOO_OLD naming the component.
 */
export function appraiseTdx(
  claims: TdxClaims,
  policy: TdxPolicy,
  nowSeconds: number,
  trace: Check[] = [],
): readonly Check[] {
  const log: CheckLog = createCheckLog(trace)
  checkPlatform(claims, policy, log)
  checkStatus(claims, policy, nowSeconds, log)
  checkAdvisories(claims, policy, log)
  checkFloors(claims, policy, log)
  appraiseTd(claims, policy, trace)
  checkListed(RULES.mrSeam, claims.mrSeam, policy.mrSeams, log)
  checkMeasurements(claims, policy, log)
  checkListed(RULES.mrOwner, claims.mrOwner, policy.mrOwners, log)
  checkListed(RULES.mrOwnerConfig, claims.mrOwnerConfig, policy.mrOwnerConfigs, log)
  return log.checks
}

/** The entry that this launch fits; of several the one that says most. */
export function findMeasurement(
  claims: Pick<TdxClaims, 'mrTd' | 'rtmrs'>,
  measurements: readonly AllowedTdxMeasurement[],
): AllowedTdxMeasurement | undefined {
  const fitting = measurements.filter(
    ({ mrTd, rtmrs }) =>
      equalBytes(mrTd, claims.mrTd) &&
      claims.rtmrs.every((value, index) => {
        const wanted = rtmrs[index]
        return wanted === undefined || equalBytes(wanted, value)
      }),
  )
  const worth = (entry: AllowedTdxMeasurement) =>
    entry.coversImage ? (entry.bindsInitdata ? 2 : 1) : 0
  return fitting.sort((a, b) => worth(b) - worth(a))[0]
}

function checkPlatform({ fmspc, leaf }: TdxClaims, policy: TdxPolicy, log: CheckLog): void {
  if (policy.fmspcs.length === 0) log.skip(RULES.platform, { fmspc })
  else
    log.allow(
      RULES.platform,
      policy.fmspcs.includes(fmspc),
      { fmspc, allowed: policy.fmspcs.join(', ') },
      'the platform is of a kind that this operator does not serve',
    )
  checkListed(RULES.ppid, leaf.ppid, policy.ppids, log)
}

function checkStatus(
  claims: TdxClaims,
  policy: TdxPolicy,
  nowSeconds: number,
  log: CheckLog,
): void {
  const { status, supersededAt } = claims.tcb
  const allowed = policy.statuses.some((entry) => entry === status)
  const graceUntil = graceEnd(claims, policy)
  log.allow(
    RULES.status,
    allowed || (graceUntil !== undefined && nowSeconds <= graceUntil),
    {
      status,
      allowed: policy.statuses.join(', '),
      ...(supersededAt === undefined ? {} : { supersededAt: describeTime(supersededAt) }),
      ...(graceUntil === undefined ? {} : { graceUntil: describeTime(graceUntil) }),
      now: describeTime(nowSeconds),
    },
    `the TCB status of the platform is ${status}`,
    'The host needs a firmware, microcode or TDX module update; a status can also be allowed by policy.',
  )
}

/** Grace forgives being out of date and nothing else: configuration has to be allowed by itself. */
function graceEnd({ tcb }: TdxClaims, policy: TdxPolicy): number | undefined {
  const { status, supersededAt } = tcb
  if (supersededAt === undefined || policy.graceDays <= 0) return undefined
  const forgiven =
    status === 'OutOfDate' ||
    status === 'TDRelaunchAdvised' ||
    ((status === 'OutOfDateConfigurationNeeded' ||
      status === 'TDRelaunchAdvisedConfigurationNeeded') &&
      policy.statuses.includes('ConfigurationNeeded'))
  return forgiven ? supersededAt + policy.graceDays * DAY_SECONDS : undefined
}

function checkAdvisories(claims: TdxClaims, policy: TdxPolicy, log: CheckLog): void {
  const { allowed, denied } = policy.advisories
  const ids = claims.advisories.map(({ id }) => id)
  const refused = ids.filter(
    (id) => denied.includes(id) || (allowed !== undefined && !allowed.includes(id)),
  )
  const inputs = { advisories: ids.join(' '), refused: refused.join(' ') }
  if (allowed === undefined && denied.length === 0) log.skip(RULES.advisories, inputs)
  else
    log.allow(
      RULES.advisories,
      refused.length === 0,
      inputs,
      `the TCB level of the platform is subject to ${refused.join(', ')}`,
    )
}

function checkFloors(claims: TdxClaims, policy: TdxPolicy, log: CheckLog): void {
  const { minimumEvaluationNumber: least, minimumTeeTcbSvn } = policy
  const { evaluationNumbers } = claims.tcb
  if (least === 0) log.skip(RULES.evaluation, { minimum: 'none' })
  else
    for (const document of ['tcbInfo', 'qeIdentity'] as const)
      demandLevel(
        RULES.evaluation,
        `${document} evaluation number`,
        evaluationNumbers[document],
        least,
        log,
      )
  if (minimumTeeTcbSvn.length === 0) log.skip(RULES.svn, { minimum: 'none' })
  else
    minimumTeeTcbSvn.forEach((floor, index) => {
      demandLevel(RULES.svn, `tee_tcb_svn[${index}]`, claims.teeTcbSvn[index] ?? 0, floor, log)
    })
}

function demandLevel(
  rule: Rule,
  component: string,
  reported: number,
  required: number,
  log: CheckLog,
): void {
  log.expect(
    rule,
    reported >= required,
    { component, reported: String(reported), required: String(required) },
    () =>
      new EigenxError({
        code: 'TCB_TOO_OLD',
        message: `the platform's ${component} ${reported} is below ${required}`,
        stage: 'evidence',
        hint: 'The host needs an update, or its collateral is of an older recovery event.',
        details: { component, required, reported },
      }),
  )
}

function checkMeasurements(claims: TdxClaims, policy: TdxPolicy, log: CheckLog): void {
  const { mrTd, rtmrs } = claims
  const inputs = {
    mrTd: bytesToHex(mrTd),
    ...Object.fromEntries(rtmrs.map((value, index) => [`rtmr${index}`, bytesToHex(value)])),
    allowed: String(policy.measurements.length),
  }
  if (policy.measurements.length === 0) log.skip(RULES.measurement, inputs)
  else
    log.allow(
      RULES.measurement,
      findMeasurement(claims, policy.measurements) !== undefined,
      inputs,
      'the launch is not one that this operator knows',
    )
  rtmrs.forEach((value, index) => {
    const allowed = policy.rtmrs[index] ?? []
    const register = { register: String(index), value: bytesToHex(value) }
    if (allowed.length === 0) log.skip(RULES.rtmr, register)
    else
      log.allow(
        RULES.rtmr,
        allowed.some((entry) => equalBytes(entry, value)),
        { ...register, allowed: String(allowed.length) },
        `RTMR${index} is not on the operator's list`,
      )
  })
}

function checkListed(
  rule: Rule,
  value: Uint8Array,
  allowed: readonly Uint8Array[],
  log: CheckLog,
): void {
  const inputs = { value: bytesToHex(value), allowed: String(allowed.length) }
  if (allowed.length === 0) log.skip(rule, inputs)
  else
    log.allow(
      rule,
      allowed.some((entry) => equalBytes(entry, value)),
      inputs,
      `${rule.name.slice('tdx.policy.'.length)} is not on the operator's list`,
    )
}
