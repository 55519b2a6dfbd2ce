/**
 * A verdict about hardware evidence as a claims set of an Entity Attestation Token, for those who read such.
 *
 * Source: RFC 9711 (EAT), JSON encoding, sections 4.2 and 4.3: its names where it has one, and everything else in one member of our own,
 * `eigenx_tee`. A verdict is a list of named checks, which is what `measres` is for. The claims set is not signed: whoever passes
 * it on puts it into a JWT of their own.
 *
 * What is not mapped, and why: `ueid` has forms into which neither a CHIP_ID nor a PPID fits; `measurements` wants CoSWID; `oemboot`, `uptime`
 * and `bootcount` are about devices, and no report states them.
 * @module
 */
import { bytesToHex, toBase64Url, utf8ToBytes } from '../bytes.ts'
import type { AzureClaims } from './azure-types.ts'
import { isUnderDebug } from './tdx-td.ts'
import type { Check, Claims, InitdataBinding, SnpClaims, TdxClaims } from './types.ts'

/** Says which members a reader can expect: docs/protocol.md, EAT claims. */
export const EAT_PROFILE = 'urn:eigenx-tee:eat:1'

export type EatVerdict = {
  /** Facts of genuine evidence; absent where it is not genuine. */
  claims?: Claims | AzureClaims
  /** All of them, in order; of a refusal the last one failed. */
  checks: readonly Check[]
  /** Unix seconds at which it was judged. */
  at: number
  /** What anchors the initdata, where a document was compared. */
  binding?: InitdataBinding
  /** Code of the refusal, where there is one. */
  refusal?: string
  /** Under whose roots, where it is not the vendor's: a throw-away authority proves nothing. */
  trust?: string
}

/** `success` passed, `fail` failed, `not-run` does not apply. */
export type EatResult = 'success' | 'fail' | 'not-run'

export type EatSubmodule = {
  /** 64 bytes of REPORT_DATA, or the nonce of a vTPM's quote; base64url. Absent where it is shorter than the 8 bytes of a nonce. */
  eat_nonce?: string
  /** Private Enterprise Number: 3704 is AMD, 343 is Intel. */
  oemid?: number
  /** base64url of UTF-8. */
  hwmodel?: string
  dbgstat?: 'enabled' | 'disabled-since-boot'
  swname?: string
  swversion?: readonly [version: string, scheme: 'multipartnumeric']
  submods?: Readonly<Record<string, EatSubmodule>>
  eigenx_tee?: Readonly<Record<string, unknown>>
}

export type EatClaims = EatSubmodule & {
  eat_profile: typeof EAT_PROFILE
  /** Unix seconds. */
  iat: number
  /** By system (the first part of a check's name), each check and its result. */
  measres?: readonly (readonly [
    system: string,
    results: readonly (readonly [string, EatResult])[],
  ])[]
}

const AMD = 3704
const INTEL = 343

export function toEatClaims(verdict: EatVerdict): EatClaims {
  const { claims, checks, at, binding, refusal, trust } = verdict
  const facts = claims === undefined ? {} : describe(claims)
  const measres = resultsOf(checks)
  return {
    eat_profile: EAT_PROFILE,
    iat: at,
    ...facts,
    ...(measres.length === 0 ? {} : { measres }),
    eigenx_tee: {
      accepted: refusal === undefined && checks.every(({ result }) => result !== 'failed'),
      ...(refusal === undefined ? {} : { refusal }),
      ...(trust === undefined ? {} : { trust }),
      ...(binding === undefined ? {} : { initdata_binding: binding }),
      ...facts.eigenx_tee,
    },
  }
}

function describe(claims: Claims | AzureClaims): EatSubmodule {
  if (claims.tee === 'snp') return describeSnp(claims)
  if (claims.tee === 'tdx') return describeTdx(claims)
  return describeAzure(claims)
}

function describeSnp(claims: SnpClaims): EatSubmodule {
  const { tcb, firmware, leaf, launchMitigations, currentMitigations, cspId } = claims
  const { major, minor, build } = firmware.current
  return {
    ...nonce(claims.reportData),
    oemid: AMD,
    hwmodel: text(`SEV-SNP ${claims.product}`),
    dbgstat: claims.policy.debug ? 'enabled' : 'disabled-since-boot',
    submods: {
      firmware: {
        swname: 'SEV-SNP firmware',
        swversion: [`${major}.${minor}.${build}`, 'multipartnumeric'],
      },
    },
    eigenx_tee: {
      tee: claims.tee,
      signer: claims.signer,
      ...(cspId === undefined ? {} : { csp_id: cspId }),
      report_version: claims.reportVersion,
      report_data: bytesToHex(claims.reportData),
      measurement: bytesToHex(claims.measurement),
      host_data: bytesToHex(claims.hostData),
      vmpl: claims.vmpl,
      guest_svn: claims.guestSvn,
      policy: hex(claims.policy.raw),
      platform_info: hex(claims.platformInfo),
      chip_id: bytesToHex(claims.chipId),
      id_key_digest: bytesToHex(claims.idKeyDigest),
      // Without AUTHOR_KEY_EN nobody vouches for it.
      ...(claims.authorKeyEnabled ? { author_key_digest: bytesToHex(claims.authorKeyDigest) } : {}),
      tcb,
      ...(launchMitigations === undefined ? {} : { launch_mitigations: hex(launchMitigations) }),
      ...(currentMitigations === undefined ? {} : { current_mitigations: hex(currentMitigations) }),
      valid_until: leaf.notAfter,
      advisories: claims.advisories.map(({ id }) => id),
    },
  }
}

function describeTdx(claims: TdxClaims): EatSubmodule {
  const { tcb, mrServiceTd, teeTcbSvn2 } = claims
  return {
    ...nonce(claims.reportData),
    oemid: INTEL,
    hwmodel: text(`TDX ${claims.fmspc}`),
    dbgstat: isUnderDebug(claims.tdAttributes) ? 'enabled' : 'disabled-since-boot',
    eigenx_tee: {
      tee: claims.tee,
      quote_version: claims.quoteVersion,
      td_version: claims.tdVersion,
      report_data: bytesToHex(claims.reportData),
      mr_td: bytesToHex(claims.mrTd),
      rtmrs: claims.rtmrs.map((value) => bytesToHex(value)),
      mr_config_id: bytesToHex(claims.mrConfigId),
      mr_owner: bytesToHex(claims.mrOwner),
      mr_owner_config: bytesToHex(claims.mrOwnerConfig),
      mr_seam: bytesToHex(claims.mrSeam),
      ...(mrServiceTd === undefined ? {} : { mr_service_td: bytesToHex(mrServiceTd) }),
      td_attributes: hex(claims.tdAttributes),
      xfam: hex(claims.xfam),
      tee_tcb_svn: bytesToHex(claims.teeTcbSvn),
      ...(teeTcbSvn2 === undefined ? {} : { tee_tcb_svn_2: bytesToHex(teeTcbSvn2) }),
      fmspc: claims.fmspc,
      tcb_status: tcb.status,
      tcb_date: tcb.date,
      tcb_evaluation_numbers: tcb.evaluationNumbers,
      valid_until: Math.min(claims.collateralExpires, claims.leaf.notAfter),
      advisories: claims.advisories.map(({ id }) => id),
    },
  }
}

/** The vTPM speaks for the guest; the hardware, one level down, for the paravisor that keeps the vTPM. */
function describeAzure(claims: AzureClaims): EatSubmodule {
  const { vtpm, vm, hardware } = claims
  const below = hardware.tee === 'snp' ? describeSnp(hardware) : describeTdx(hardware)
  return {
    ...nonce(vtpm.nonce),
    ...(below.dbgstat === undefined ? {} : { dbgstat: below.dbgstat }),
    submods: { hardware: below },
    eigenx_tee: {
      tee: claims.tee,
      vm_id: vm.id,
      secure_boot: vm.secureBoot,
      console: vm.consoleEnabled,
      pcrs: vtpm.pcrs.map((value) => bytesToHex(value)),
      vtpm_key: vtpm.keySha256,
      vtpm_nonce: bytesToHex(vtpm.nonce),
    },
  }
}

/** Checks of one name, such as those of every TCB component, are one result: the worst. */
function resultsOf(checks: readonly Check[]): NonNullable<EatClaims['measres']> {
  const systems = new Map<string, Map<string, EatResult>>()
  for (const { name, result } of checks) {
    const [system = name] = name.split('.')
    const results = systems.get(system) ?? new Map<string, EatResult>()
    systems.set(system, results)
    const before = results.get(name) ?? 'not-run'
    const now = RESULTS[result]
    results.set(name, SEVERITY.indexOf(now) > SEVERITY.indexOf(before) ? now : before)
  }
  return [...systems].map(([system, results]) => [system, [...results]] as const)
}

const RESULTS = {
  passed: 'success',
  failed: 'fail',
  'not-applicable': 'not-run',
} as const satisfies Record<Check['result'], EatResult>
const SEVERITY: readonly EatResult[] = ['not-run', 'success', 'fail']

/** RFC 9711, 4.1: 8 to 64 bytes. */
function nonce(bytes: Uint8Array): Pick<EatSubmodule, 'eat_nonce'> {
  return bytes.length >= 8 && bytes.length <= 64 ? { eat_nonce: toBase64Url(bytes) } : {}
}

const text = (value: string) => toBase64Url(utf8ToBytes(value))
const hex = (bits: bigint) => `0x${bits.toString(16)}`
