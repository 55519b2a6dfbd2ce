/**
 * Intel's evaluation of a TDX platform's TCB: SVNs and levels in, status out. Pure, and says nothing about what is allowed.
 *
 * Source: Intel SGX and TDX PCS API version 4, "TCB info", and the rules of Intel's quote verification library:
 *   1. The platform level is the first one listed of which every SVN is reached. If the TDX module has a major version (the
 *      second byte of TEE_TCB_SVN), the first two TDX components are the module's own and are left to its identity.
 *   2. The module level is the first one of `TDX_<major>` whose SVN is reached; the quoting enclave's likewise.
 *   3. A module or quoting enclave that is out of date makes a current platform out of date; a revoked one revokes it.
 *   4. TD 1.5 reports name the module that was there at launch and the one that runs now. If only the latter is current, the
 *      TD has to be launched again (TDRelaunchAdvised).
 * Where nothing is reached the result is NotSupported, which no policy can allow. A departure, on the safe side: if the
 * module that runs now is worse than the one at launch, its result counts.
 * @module
 */
import type {
  LevelFacts,
  PartLevel,
  PlatformLevel,
  QeIdentity,
  TcbInfo,
} from './collateral-json.ts'
import type { TdxTcb, TdxTcbStatus } from './types.ts'

export type TcbInput = {
  tcbInfo: Pick<TcbInfo, 'levels' | 'modules' | 'evaluationNumber'>
  qeIdentity: Pick<QeIdentity, 'levels' | 'evaluationNumber'>
  /** From the PCK certificate. */
  sgxComponents: readonly number[]
  pceSvn: number
  /** 16 bytes each. */
  teeTcbSvn: Uint8Array
  teeTcbSvn2?: Uint8Array
  qeIsvSvn: number
}

export type TcbResult = { tcb: TdxTcb; advisories: readonly string[] }

/** One part: the level that was reached, and since when a better one exists. */
type Reached = {
  status: TdxTcbStatus
  date?: number
  supersededAt?: number
  advisories: readonly string[]
}

type Evaluation = {
  status: TdxTcbStatus
  platform: Reached
  module: Reached | undefined
  parts: readonly Reached[]
}

const NOT_REACHED: Reached = { status: 'NotSupported', advisories: [] }

export function evaluateTcb(input: TcbInput): TcbResult {
  const qe = findLevel(input.qeIdentity.levels, ({ isvSvn }) => input.qeIsvSvn >= isvSvn)
  const launch = evaluateFor(input, input.teeTcbSvn, qe)
  const current =
    input.teeTcbSvn2 === undefined ? undefined : evaluateFor(input, input.teeTcbSvn2, qe)
  const status = current === undefined ? launch.status : combine(launch.status, current.status)
  const parts = [...launch.parts, ...(current?.parts ?? [])]
  const superseded = parts.flatMap(({ supersededAt }) => supersededAt ?? [])
  return {
    tcb: {
      status,
      date: Math.min(...parts.map(({ date }) => date ?? 0)),
      ...(superseded.length === 0 ? {} : { supersededAt: Math.min(...superseded) }),
      platform: launch.platform.status,
      ...(launch.module === undefined ? {} : { module: launch.module.status }),
      quotingEnclave: qe.status,
      ...(current === undefined ? {} : { current: current.status }),
      evaluationNumbers: {
        tcbInfo: input.tcbInfo.evaluationNumber,
        qeIdentity: input.qeIdentity.evaluationNumber,
      },
    },
    advisories: [...new Set(parts.flatMap(({ advisories }) => advisories))].sort(),
  }
}

/** `TDX_03` for a module of major version 3; none for major version 0. */
export function moduleIdOf(teeTcbSvn: Uint8Array): string | undefined {
  const major = teeTcbSvn[1] ?? 0
  return major === 0 ? undefined : `TDX_${major.toString(16).padStart(2, '0').toUpperCase()}`
}

function evaluateFor(input: TcbInput, svn: Uint8Array, qe: Reached): Evaluation {
  const id = moduleIdOf(svn)
  const platform = findLevel(input.tcbInfo.levels, (level) => reaches(input, svn, level))
  const module = id === undefined ? undefined : findModuleLevel(input, svn, id)
  const parts = [platform, ...(module === undefined ? [] : [module]), qe]
  return { status: converge(platform, module, qe), platform, module, parts }
}

function reaches(input: TcbInput, svn: Uint8Array, level: PlatformLevel): boolean {
  const first = moduleIdOf(svn) === undefined ? 0 : 2
  const atLeast = (have: ArrayLike<number>, needed: readonly number[], from: number) =>
    needed.every((least, index) => index < from || (have[index] ?? -1) >= least)
  return (
    atLeast(input.sgxComponents, level.sgxComponents, 0) &&
    input.pceSvn >= level.pceSvn &&
    atLeast(svn, level.tdxComponents, first)
  )
}

/** A module whose identity Intel does not publish in this collateral cannot be judged. */
function findModuleLevel(input: TcbInput, svn: Uint8Array, id: string): Reached {
  const identity = input.tcbInfo.modules.find((module) => module.id === id)
  const minor = svn[0] ?? 0
  const fits = ({ isvSvn }: PartLevel) => minor >= isvSvn
  return identity === undefined ? NOT_REACHED : findLevel(identity.levels, fits)
}

function findLevel<L extends LevelFacts<TdxTcbStatus>>(
  levels: readonly L[],
  fits: (level: L) => boolean,
): Reached {
  const index = levels.findIndex(fits)
  const level = levels[index]
  if (level === undefined) return NOT_REACHED
  const { status, date, advisories } = level
  // The last better level listed before it is what the platform should have moved to first.
  const better = levels.slice(0, index).findLast((above) => !isOutOfDate(above.status))
  return {
    status,
    date,
    advisories,
    ...(isOutOfDate(status) && better !== undefined ? { supersededAt: better.date } : {}),
  }
}

function converge(platform: Reached, module: Reached | undefined, qe: Reached): TdxTcbStatus {
  const all = [platform.status, module?.status, qe.status]
  if (all.includes('NotSupported')) return 'NotSupported'
  if (all.includes('Revoked')) return 'Revoked'
  if (module?.status !== 'OutOfDate' && qe.status !== 'OutOfDate') return platform.status
  switch (platform.status) {
    case 'UpToDate':
    case 'SWHardeningNeeded':
      return 'OutOfDate'
    case 'ConfigurationNeeded':
    case 'ConfigurationAndSWHardeningNeeded':
      return 'OutOfDateConfigurationNeeded'
    default:
      return platform.status
  }
}

/** What a running module that was updated under the TD means for the TD. */
function combine(launch: TdxTcbStatus, current: TdxTcbStatus): TdxTcbStatus {
  if (launch === 'NotSupported' || current === 'NotSupported') return 'NotSupported'
  if (launch === 'Revoked' || current === 'Revoked') return 'Revoked'
  if (isOutOfDate(current)) return isOutOfDate(launch) ? launch : current
  if (!isOutOfDate(launch)) return launch
  return needsConfiguration(launch) || needsConfiguration(current)
    ? 'TDRelaunchAdvisedConfigurationNeeded'
    : 'TDRelaunchAdvised'
}

function isOutOfDate(status: TdxTcbStatus): boolean {
  return status === 'OutOfDate' || status === 'OutOfDateConfigurationNeeded'
}

function needsConfiguration(status: TdxTcbStatus): boolean {
  return (
    status === 'ConfigurationNeeded' ||
    status === 'ConfigurationAndSWHardeningNeeded' ||
    status === 'OutOfDateConfigurationNeeded'
  )
}
