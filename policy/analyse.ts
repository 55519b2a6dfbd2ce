/**
 * What a policy.rego really allows, without running it: the rules half by its hash, the data half by its structure.
 *
 * Never throws on content. A finding of severity `refuse` is a reason not to hand out keys unless the release
 * pins the whole initdata; `judge.ts` decides.
 * @module
 */

import { createHash } from 'node:crypto'
import { utf8ToBytes } from '../sdk/bytes.ts'
import { readEigenxData } from './eigenx-data.ts'
import { createFindings, makeFinding } from './findings.ts'
import type { JsonObject, JsonValue } from './json.ts'
import { readKataData } from './kata-data.ts'
import { MAX_POLICY, readDefaults, splitPolicy } from './rego.ts'
import { findRuleSet } from './rules.ts'
import { DATA_PATH, type DataReading } from './shape.ts'
import type { Finding, KnownRuleSet, PolicyAnalysis, RuleSet } from './types.ts'

const POLICY_PATH = 'policy.rego'

/** @param find The table of rule sets; another one than the program's own is for tests. */
export function analysePolicy(rego: string, find = findRuleSet): PolicyAnalysis {
  if (rego.length > MAX_POLICY)
    return unread(undefined, [
      makeFinding('refuse', 'POLICY_TOO_LARGE', POLICY_PATH, 'The policy is too large to be read.'),
    ])
  const parts = splitPolicy(rego)
  if (parts === undefined) return unread(undefined, [noData(), ...readPowers(rego)])
  const row = find(parts.rulesSha256)
  const findings: Finding[] = [
    ...(row === undefined ? [unknownRules(parts.rulesSha256)] : reportRules(row)),
    ...readPowers(parts.rules),
  ]
  if (!parts.data.ok) {
    const message = `The data half is not one strict JSON object: ${parts.data.reason} at offset ${parts.data.offset}.`
    findings.push(makeFinding('refuse', 'POLICY_DATA_MALFORMED', DATA_PATH, message))
    return { ...unread(parts.rulesSha256, findings), rules: publicRow(row) }
  }
  const reading = readData(row, parts.data.value)
  findings.push(...reading.findings)
  if (row !== undefined) findings.push(...reportCommon(row, parts.data.value))
  return {
    rules: publicRow(row),
    rulesSha256: parts.rulesSha256,
    logsReadable: reading.logsReadable,
    containers: reading.containers,
    findings,
  }
}

function unread(rulesSha256: string | undefined, findings: readonly Finding[]): PolicyAnalysis {
  return { rules: undefined, rulesSha256, logsReadable: true, containers: [], findings }
}

function publicRow(row: KnownRuleSet | undefined): RuleSet | undefined {
  if (row === undefined) return undefined
  const { sha256, name, version, pinsImage, pinsCommand, pinsEnv } = row
  return { sha256, name, version, pinsImage, pinsCommand, pinsEnv }
}

/** The data of an unknown rule set is read in the shape it looks like, for the report alone. */
function readData(row: KnownRuleSet | undefined, data: JsonObject): DataReading {
  const looksOurs = Object.hasOwn(data, 'format')
  const shape = row?.shape ?? (looksOurs ? 'eigenx' : 'kata')
  return shape === 'eigenx' ? readEigenxData(data) : readKataData(data)
}

function noData(): Finding {
  return makeFinding(
    'refuse',
    'RULES_UNKNOWN',
    POLICY_PATH,
    'The policy is hand-written: it has no policy_data, so its rules are none that is known.',
  )
}

function unknownRules(sha256: string): Finding {
  return makeFinding(
    'refuse',
    'RULES_UNKNOWN',
    POLICY_PATH,
    `The rules (SHA-256 ${sha256.slice(0, 16)}…) are none that is known, so what they allow is unknown.`,
  )
}

/** What a known rule set means for the image by itself. */
export function reportRules(row: KnownRuleSet): readonly Finding[] {
  const title = `${row.name} ${row.version}`
  if (row.pinsImage !== false)
    return [
      makeFinding(
        'info',
        'RULES_KNOWN',
        POLICY_PATH,
        `The rules are ${title}; they pin the image.`,
      ),
    ]
  if (!row.reviewed)
    return [
      makeFinding(
        'refuse',
        'RULES_UNREVIEWED',
        POLICY_PATH,
        `The rules are ${title}, which are listed by name: what they enforce has not been reviewed.`,
      ),
    ]
  return [
    makeFinding(
      'refuse',
      'IMAGE_NOT_PINNED',
      POLICY_PATH,
      `The rules are ${title}, which let the host choose what a container’s root file system holds.`,
    ),
  ]
}

/** What a `default X := true` line hands to the host in any rule set. */
const REFUSED_DEFAULTS = [
  'AllowRequestsFailingPolicy',
  'CopyFileRequest',
  'CreateContainerRequest',
  'ExecProcessRequest',
  'PullImageRequest',
  'SetPolicyRequest',
  'WriteStreamRequest',
  'AddSwapRequest',
  'UpdateEphemeralMountsRequest',
  'MemHotplugByProbeRequest',
]
const WARNED_DEFAULTS = [
  'CreateSandboxRequest',
  'ReadStreamRequest',
  'UpdateInterfaceRequest',
  'UpdateRoutesRequest',
  'SetGuestDateTimeRequest',
  'ReseedRandomDevRequest',
  'AddARPNeighborsRequest',
]

function readPowers(rules: string): readonly Finding[] {
  const findings = createFindings()
  for (const { name, value, line } of readDefaults(rules)) {
    if (!value) continue
    const path = `${POLICY_PATH}#line ${line}`
    const message = `${name} is allowed without a condition.`
    if (REFUSED_DEFAULTS.includes(name))
      findings.push(makeFinding('refuse', 'HOST_POWER', path, message))
    else if (WARNED_DEFAULTS.includes(name))
      findings.push(makeFinding('warn', 'HOST_POWER', path, message))
  }
  return findings.list()
}

/** The rules build their patterns from `common`: other values would be other rules. */
function reportCommon(row: KnownRuleSet, data: JsonObject): readonly Finding[] {
  if (row.commonSha256 === undefined) return []
  const digest = createHash('sha256').update(utf8ToBytes(canonicalJson(data.common ?? null)))
  if (digest.digest('hex') === row.commonSha256) return []
  return [
    makeFinding(
      'refuse',
      'POLICY_COMMON_CHANGED',
      `${DATA_PATH}.common`,
      'The patterns that the rules are built on are not those of the release of the tool.',
    ),
  ]
}

/** Sorted keys, no white space. The reader has bounded the depth. */
function canonicalJson(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(',')}}`
}
