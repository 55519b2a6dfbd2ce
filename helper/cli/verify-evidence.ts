/**
 * Evidence of either processor as `verify` sees it: told apart by content, verified, and summarised for people.
 *
 * The policies are an operator's defaults, but for old hosts of AMD: whoever inspects a report wants to know whether it is genuine.
 * @module
 */
import { parseAaSnpEvidence } from '../../sdk/attest/aa-snp.ts'
import { parseAaTdxEvidence } from '../../sdk/attest/aa-tdx.ts'
import { bindInitdata } from '../../sdk/attest/binding.ts'
import { newestCollateral } from '../../sdk/attest/collateral-choice.ts'
import { checkReplay, type LogEvent } from '../../sdk/attest/event-log.ts'
import { parseAgentTextLog } from '../../sdk/attest/event-log-aael.ts'
import { parseCcel } from '../../sdk/attest/event-log-ccel.ts'
import { parseDstackLog } from '../../sdk/attest/event-log-dstack.ts'
import { appraiseSnp } from '../../sdk/attest/snp-policy.ts'
import { type SnpEvidence, verifySnp } from '../../sdk/attest/snp-verify.ts'
import { bindTdxInitdata } from '../../sdk/attest/tdx-binding.ts'
import { checkTdxEventLogs } from '../../sdk/attest/tdx-event-log.ts'
import { appraiseTdx, DEFAULT_TDX_POLICY } from '../../sdk/attest/tdx-policy.ts'
import { verifyTdx } from '../../sdk/attest/tdx-verify.ts'
import type { Check } from '../../sdk/attest/types.ts'
import { parseWireSnpEvidence } from '../../sdk/attest/wire-snp.ts'
import { parseWireTdxEvidence, type WireTdxEvidence } from '../../sdk/attest/wire-tdx.ts'
import { parseUtf8 } from '../../sdk/bytes.ts'
import type { Tee } from '../evidence.ts'
import { examineAzure } from './verify-azure.ts'
import { demandNotRevoked } from './verify-revocation.ts'
import {
  type EvidenceSources,
  type Examined,
  inspectionPolicy,
  summariseSnp,
  summariseTdx,
} from './verify-summary.ts'

const BINARY_REPORT_BYTES = 1184
const TDX_TEE_TYPE = 0x81

/** Evidence is JSON or binary; initdata is TOML or base64, and begins with neither `{` nor NUL-ridden bytes. */
export function isEvidence(bytes: Uint8Array): boolean {
  const text = parseUtf8(bytes)
  return text === undefined || text.includes('\0') || text.trimStart().startsWith('{')
}

/** Whose evidence this claims to be; the parser has the last word. */
export function teeOf(bytes: Uint8Array): Tee {
  const text = textOf(bytes)
  if (text === undefined)
    return bytes.length !== BINARY_REPORT_BYTES && bytes[4] === TDX_TEE_TYPE ? 'tdx' : 'snp'
  if (isAzure(text)) return /"td_quote"\s*:/.test(text) ? 'tdx' : 'snp'
  return /"quote"\s*:/.test(text) && !/"attestation_report"\s*:/.test(text) ? 'tdx' : 'snp'
}

/** Every form of it carries a TPM quote, and either the certificate beside it or the quote of the TD. */
function isAzure(text: string): boolean {
  return /"(vcek|td_quote)"\s*:/.test(text) && /"(tpm_)?quote"\s*:/.test(text)
}

/** @throws EVIDENCE_MALFORMED, INPUT_TOO_LARGE, EVIDENCE_INVALID; `checks` tells where */
export function examine(bytes: Uint8Array, sources: EvidenceSources, checks: Check[]): Examined {
  const tee = teeOf(bytes)
  if (isAzure(textOf(bytes) ?? '')) return examineAzure(bytes, tee, sources, checks)
  return tee === 'snp' ? examineSnp(bytes, sources, checks) : examineTdx(bytes, sources, checks)
}

function examineSnp(bytes: Uint8Array, sources: EvidenceSources, trace: Check[]): Examined {
  const { authorities, certificates, nowSeconds } = sources
  const evidence = parseSnp(bytes, certificates)
  const { claims } = verifySnp(evidence, authorities.snp, nowSeconds, trace)
  demandNotRevoked(claims, evidence.crls ?? [], sources, trace)
  const policy = inspectionPolicy(sources)
  return {
    claims,
    summary: summariseSnp(claims),
    reportData: claims.reportData,
    expected: (wanted) => wanted,
    appraise: (checks) => void appraiseSnp(claims, policy, checks),
    bind: (document, checks) => bindInitdata(claims, document, [], checks).binding,
  }
}

function examineTdx(bytes: Uint8Array, sources: EvidenceSources, trace: Check[]): Examined {
  const { authorities, collateral, nowSeconds } = sources
  const evidence = parseTdx(bytes)
  const { claims } = verifyTdx(evidence, authorities.tdx, nowSeconds, trace, {
    findCollateral: (platform) => newestCollateral(collateral, platform, nowSeconds),
  })
  checkTdxEventLogs(evidence, claims.rtmrs, trace)
  if (sources.eventLog !== undefined)
    checkReplay(parseEventLog(sources.eventLog), claims.rtmrs, trace)
  return {
    claims,
    summary: summariseTdx(claims),
    reportData: claims.reportData,
    expected: (wanted) => wanted,
    appraise: (checks) => void appraiseTdx(claims, DEFAULT_TDX_POLICY, nowSeconds, checks),
    bind: (document, checks) => bindTdxInitdata(claims, document, [], checks).binding,
  }
}

function parseSnp(bytes: Uint8Array, certificates: readonly Uint8Array[]): SnpEvidence {
  const text = textOf(bytes)
  if (text === undefined) return { report: bytes, certificates }
  // The agent's report is an object of fields; on the wire to the operators it is base64 text.
  const isWire = /"attestation_report"\s*:\s*"/.test(text)
  const parsed = isWire ? parseWireSnpEvidence(bytes) : parseAaSnpEvidence(text)
  return { ...parsed, certificates: [...parsed.certificates, ...certificates] }
}

function parseTdx(bytes: Uint8Array): WireTdxEvidence {
  const text = textOf(bytes)
  if (text === undefined) return { quote: bytes }
  // The agent names its logs in another way than the wire does.
  return /"(cc|aa)_eventlog"\s*:/.test(text)
    ? parseAaTdxEvidence(text)
    : parseWireTdxEvidence(bytes)
}

/** In any of its forms, told apart by how it begins. @throws EVIDENCE_MALFORMED, INPUT_TOO_LARGE */
function parseEventLog(bytes: Uint8Array): readonly LogEvent[] {
  const text = parseUtf8(bytes) ?? ''
  if (text.trimStart().startsWith('[')) return parseDstackLog(text).events
  return text.startsWith('INIT ') ? parseAgentTextLog(text).events : parseCcel(bytes)
}

function textOf(bytes: Uint8Array): string | undefined {
  const text = bytes.length === BINARY_REPORT_BYTES ? undefined : parseUtf8(bytes)
  return text?.trimStart().startsWith('{') === true ? text : undefined
}
