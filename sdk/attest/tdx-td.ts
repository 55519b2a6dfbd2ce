/**
 * Whether the host can look into a TD, move it or disturb it: its attributes, its processor features and what is bound to it.
 *
 * Source: Intel TDX Module ABI, tables ATTRIBUTES, XFAM and TDREPORT_STRUCT.
 * @module
 */
import { bytesToHex, equalBytes, isZero } from '../bytes.ts'
import { type CheckLog, createCheckLog, type Rule } from './checks.ts'
import type { TdxPolicy } from './tdx-policy.ts'
import type { Check, TdxClaims } from './types.ts'

const ATTRIBUTES = 'Intel TDX Module ABI, ATTRIBUTES'
const RULES = {
  reserved: { name: 'tdx.policy.reserved-bits', source: ATTRIBUTES },
  debug: { name: 'tdx.policy.debug', source: ATTRIBUTES },
  migratable: { name: 'tdx.policy.migratable', source: ATTRIBUTES },
  sept: { name: 'tdx.policy.sept-ve-disable', source: ATTRIBUTES },
  perfmon: { name: 'tdx.policy.perfmon', source: ATTRIBUTES },
  pks: { name: 'tdx.policy.pks', source: ATTRIBUTES },
  keyLocker: { name: 'tdx.policy.key-locker', source: ATTRIBUTES },
  xfam: { name: 'tdx.policy.xfam', source: 'Intel TDX Module ABI, XFAM' },
  serviceTd: { name: 'tdx.policy.service-td', source: 'Intel TDX Module ABI, TDREPORT_STRUCT' },
} as const satisfies Record<string, Rule>

/** Bits 7:0, "TD under debug": DEBUG and the profiling modes; any of them makes the TD untrusted. */
const TUD = 0xffn
const BIT = {
  servTdExt: 1n << 17n,
  septVeDisable: 1n << 28n,
  migratable: 1n << 29n,
  pks: 1n << 30n,
  keyLocker: 1n << 31n,
  perfmon: 1n << 63n,
} as const
/** Besides those: ICSSD, LASS and TPA. */
const KNOWN_ATTRIBUTES =
  TUD |
  Object.values(BIT).reduce((all, bit) => all | bit, 0n) |
  (1n << 16n) |
  (1n << 27n) |
  (1n << 62n)
/** The firmware of a TD must always have them. */
const FIXED_XFAM = 0x3n

/** The host can look into such a TD. */
export function isUnderDebug(tdAttributes: bigint): boolean {
  return (tdAttributes & TUD) !== 0n
}

/**
 * The part of `appraiseTdx` that is about the TD alone: whether the host can look into it, move it or disturb it.
 * @throws EVIDENCE_NOT_ALLOWED naming the first check that fails
 */
export function appraiseTd(
  td: Pick<TdxClaims, 'tdAttributes' | 'xfam' | 'mrServiceTd'>,
  policy: TdxPolicy,
  trace: Check[] = [],
): void {
  const log: CheckLog = createCheckLog(trace)
  checkAttributes(td, policy, log)
  checkServiceTd(td, policy, log)
}

function checkAttributes(
  { tdAttributes, xfam }: Pick<TdxClaims, 'tdAttributes' | 'xfam'>,
  policy: TdxPolicy,
  log: CheckLog,
): void {
  const inputs = { tdAttributes: hex(tdAttributes) }
  const may = (rule: Rule, bits: bigint, allowed: boolean, message: string) =>
    log.allow(rule, (tdAttributes & bits) === 0n || allowed, inputs, message)
  log.allow(
    RULES.reserved,
    (tdAttributes & ~KNOWN_ATTRIBUTES) === 0n,
    inputs,
    'the TD has attributes that are reserved',
  )
  may(RULES.debug, TUD, policy.allowDebug, 'the TD can be debugged or profiled by the host')
  may(
    RULES.migratable,
    BIT.migratable | BIT.servTdExt,
    policy.allowMigration,
    'the TD can be moved by a migration TD',
  )
  log.allow(
    RULES.sept,
    (tdAttributes & BIT.septVeDisable) !== 0n || !policy.requireSeptVeDisable,
    inputs,
    'the TD leaves the host free to inject exceptions on its private memory (SEPT_VE_DISABLE is clear)',
  )
  may(RULES.perfmon, BIT.perfmon, policy.allowPerfmon, 'the TD uses performance counters')
  may(RULES.pks, BIT.pks, policy.allowPks, 'the TD uses supervisor protection keys')
  may(RULES.keyLocker, BIT.keyLocker, policy.allowKeyLocker, 'the TD uses Key Locker')
  log.allow(
    RULES.xfam,
    (xfam & ~policy.xfamMask) === 0n && (xfam & FIXED_XFAM) === FIXED_XFAM,
    { xfam: hex(xfam), mask: hex(policy.xfamMask) },
    'the TD uses processor features outside the allowed ones',
  )
}

/** TD 1.0 cannot have one bound. */
function checkServiceTd(
  { mrServiceTd }: Pick<TdxClaims, 'mrServiceTd'>,
  policy: TdxPolicy,
  log: CheckLog,
): void {
  if (mrServiceTd === undefined) {
    log.skip(RULES.serviceTd, { tdVersion: '1.0' })
    return
  }
  log.allow(
    RULES.serviceTd,
    isZero(mrServiceTd) || policy.serviceTds.some((entry) => equalBytes(entry, mrServiceTd)),
    { mrServiceTd: bytesToHex(mrServiceTd), allowed: String(policy.serviceTds.length) },
    'a service TD that this operator does not know is bound to the TD',
  )
}

const hex = (bits: bigint) => `0x${bits.toString(16)}`
