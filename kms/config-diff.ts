/**
 * What another `operator.toml` would change: which of the changes accept more, which accept less. Values in, values out.
 *
 * Each key that decides about acceptance has one rule below; a test holds the rules to the schema. Everything else is told as it is.
 * @module
 */
import type { z } from 'zod'
import type { ConfigSchema } from './config.ts'

export type ConfigDocument = z.output<typeof ConfigSchema>

export type ConfigChange = {
  /** The key, by its name in the file. */
  path: string
  /** `other`: it does not decide who is accepted, or not by itself. */
  effect: 'more' | 'less' | 'other'
  text: string
}

type Kind =
  /** A switch, and what turning it on does. */
  | 'on-is-more'
  | 'on-is-less'
  /** A number that something must reach, absent is 0; or must not exceed. */
  | 'floor'
  | 'ceiling'
  /** Numbers by position. */
  | 'floors'
  /** What is served. */
  | 'choices'
  /** As `choices`, but an empty list means any; or only an absent one does. */
  | 'any-when-empty'
  | 'any-when-absent'
  /** What is refused, or demanded. */
  | 'demands'
  /** Bits that are demanded, `0x…`. */
  | 'bits'
  /** Bits that may be set. */
  | 'allowed-bits'
  /** A floor of numbers with points between them. */
  | 'version'
  /** Where something that refuses is read from. */
  | 'source'
  | 'neutral'

/** `*` stands for one part of a key. */
const RULES: Readonly<Record<string, Kind>> = {
  'attestation.methods': 'choices',
  'attestation.allow_self_asserted_initdata': 'on-is-more',
  'attestation.self_asserted_needs_opt_in': 'on-is-less',
  'attestation.accept_report_data_v1': 'on-is-more',
  'attestation.freshness_seconds': 'ceiling',
  'attestation.minimum_report_version': 'floor',
  'attestation.measurements': 'any-when-empty',
  'attestation.products': 'choices',
  'attestation.minimum_tcb.*.*': 'floor',
  'attestation.minimum_launch_tcb.*.*': 'floor',
  'attestation.tcb_floors': 'demands',
  'attestation.crl_dir': 'source',
  'attestation.crl_refresh_seconds': 'neutral',
  'attestation.require_crl': 'on-is-less',
  'attestation.crl_grace_days': 'ceiling',
  'attestation.required_mitigations.*': 'bits',
  'attestation.platform_info.required': 'demands',
  'attestation.platform_info.refused': 'demands',
  'attestation.required_policy': 'demands',
  'attestation.allow_smt': 'on-is-more',
  'attestation.signers': 'choices',
  'attestation.vmpls': 'choices',
  'attestation.minimum_firmware.*': 'version',
  'attestation.minimum_guest_abi': 'version',
  'attestation.minimum_guest_svn': 'floor',
  'attestation.id_key_digests': 'any-when-empty',
  'attestation.author_key_digests': 'any-when-empty',
  'attestation.family_ids': 'any-when-empty',
  'attestation.image_ids': 'any-when-empty',
  'attestation.csp_ids': 'any-when-empty',
  'attestation.chip_ids': 'any-when-empty',
  'attestation.tdx.measurements': 'any-when-empty',
  'attestation.tdx.statuses': 'choices',
  'attestation.tdx.grace_days': 'ceiling',
  'attestation.tdx.allowed_advisories': 'any-when-absent',
  'attestation.tdx.denied_advisories': 'demands',
  'attestation.tdx.minimum_evaluation_number': 'floor',
  'attestation.tdx.minimum_tee_tcb_svn': 'floors',
  'attestation.tdx.mr_seams': 'any-when-empty',
  'attestation.tdx.rtmr0': 'any-when-empty',
  'attestation.tdx.rtmr1': 'any-when-empty',
  'attestation.tdx.rtmr2': 'any-when-empty',
  'attestation.tdx.rtmr3': 'any-when-empty',
  'attestation.tdx.mr_owners': 'any-when-empty',
  'attestation.tdx.mr_owner_configs': 'any-when-empty',
  'attestation.tdx.xfam': 'allowed-bits',
  'attestation.tdx.allow_pks': 'on-is-more',
  'attestation.tdx.allow_key_locker': 'on-is-more',
  'attestation.tdx.ppids': 'any-when-empty',
  'attestation.tdx.fmspcs': 'any-when-empty',
  'attestation.tdx.collateral_dir': 'neutral',
  'attestation.tdx.collateral_refresh_seconds': 'neutral',
  'attestation.azure.id_key_digests': 'any-when-empty',
  'attestation.azure.mrtds': 'any-when-empty',
  'attestation.azure.minimum_guest_svn': 'floor',
  'attestation.azure.images': 'any-when-empty',
  'attestation.azure.require_secure_boot': 'on-is-less',
  'attestation.azure.allow_console': 'on-is-more',
  'attestation.azure.require_fresh_report': 'on-is-less',
  'attestation.*.project_id': 'neutral',
  'attestation.*.audiences': 'choices',
  'attestation.*.minimum_swversion': 'floor',
  'attestation.*.jwks.*': 'neutral',
  'attestation.*.refresh_seconds': 'neutral',
  'attestation.*.max_age_seconds': 'ceiling',
  'policy.allow_digest_only': 'on-is-more',
  'policy.serve_stopped_apps': 'on-is-more',
  'policy.allowed_apps': 'any-when-absent',
  'routes.app_sign': 'on-is-more',
  'routes.ecdsa_legacy': 'on-is-more',
}

/** What an entry of a list vouches for beside being allowed: turning it on accepts more. */
const FLAGS = ['covers_image', 'binds_initdata'] as const
/** Sections that count only where their method is enabled. */
const OPTIONAL_SECTIONS = ['attestation.gcp', 'attestation.intel']

/** @returns The changes in order of their keys. */
export function diffConfigs(before: ConfigDocument, after: ConfigDocument): ConfigChange[] {
  const [old, next] = [flatten(before), flatten(after)]
  const changes: ConfigChange[] = []
  for (const section of OPTIONAL_SECTIONS) {
    const had = hasSection(old, section)
    if (had === hasSection(next, section)) continue
    changes.push({ path: section, effect: 'other', text: had ? 'removed' : 'added' })
    for (const path of [...old.keys(), ...next.keys()])
      if (path.startsWith(`${section}.`)) {
        old.delete(path)
        next.delete(path)
      }
  }
  for (const path of new Set([...old.keys(), ...next.keys()]))
    changes.push(...compare(path, old.get(path), next.get(path)))
  return changes.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
}

/** @returns `undefined` for a key that says nothing about acceptance. */
export function ruleOf(path: string): Kind | undefined {
  const parts = path.split('.')
  const found = Object.entries(RULES).find(([pattern]) => {
    const wanted = pattern.split('.')
    return (
      wanted.length === parts.length && wanted.every((part, i) => part === '*' || part === parts[i])
    )
  })
  return found?.[1]
}

type Value = unknown

function flatten(value: Value, path = '', into = new Map<string, Value>()): Map<string, Value> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    for (const [name, child] of Object.entries(value))
      flatten(child, path === '' ? name : `${path}.${name}`, into)
  else if (value !== undefined) into.set(path, value)
  return into
}

const hasSection = (leaves: ReadonlyMap<string, Value>, section: string) =>
  [...leaves.keys()].some((path) => path.startsWith(`${section}.`))

function compare(path: string, old: Value, next: Value): ConfigChange[] {
  if (JSON.stringify(old) === JSON.stringify(next)) return []
  const change = (effect: ConfigChange['effect'], text: string): ConfigChange => ({
    path,
    effect,
    text,
  })
  const values = `${describe(old)} -> ${describe(next)}`
  const towards = (more: boolean) => [change(more ? 'more' : 'less', values)]
  switch (ruleOf(path)) {
    case 'on-is-more':
      return towards(next === true)
    case 'on-is-less':
      return towards(next !== true)
    case 'floor':
      // A floor of zero and none are the same.
      return numberOf(old) === numberOf(next) ? [] : towards(numberOf(next) < numberOf(old))
    case 'ceiling':
      return towards(numberOf(next) > numberOf(old))
    case 'floors':
      return compareFloors(listOf(old), listOf(next), change)
    case 'choices':
      return compareLists(listOf(old), listOf(next), 'more', change)
    case 'any-when-empty':
      return compareAllowed(emptyIsAny(old), emptyIsAny(next), change)
    case 'any-when-absent':
      return compareAllowed(old, next, change)
    case 'demands':
      return compareLists(listOf(old), listOf(next), 'less', change)
    case 'bits':
      return compareBits([bitsOf(old), bitsOf(next)], 'demands', change)
    case 'allowed-bits':
      return compareBits([bitsOf(old), bitsOf(next)], 'allows', change)
    case 'version': {
      const order = compareVersions(old, next)
      return order === 0 ? [] : towards(order > 0)
    }
    case 'source':
      if (old === undefined) return [change('less', values)]
      return [change(next === undefined ? 'more' : 'other', values)]
    default:
      return [change('other', isSecretive(path) ? 'changed' : values)]
  }
}

type Change = (effect: ConfigChange['effect'], text: string) => ConfigChange

function compareFloors(old: readonly Value[], next: readonly Value[], change: Change) {
  return Array.from({ length: Math.max(old.length, next.length) }, (_, index) => {
    const [was, is] = [numberOf(old[index]), numberOf(next[index])]
    return was === is ? [] : [change(is < was ? 'more' : 'less', `[${index}] ${was} -> ${is}`)]
  }).flat()
}

function compareAllowed(old: Value, next: Value, change: Change): ConfigChange[] {
  if (old === undefined)
    return [
      change('less', `any -> ${listOf(next).length} of them`),
      ...flagged(listOf(next), change),
    ]
  if (next === undefined) return [change('more', `${listOf(old).length} of them -> any`)]
  return compareLists(listOf(old), listOf(next), 'more', change)
}

/** Entries of a first list may also be believed more than any was before. */
function flagged(entries: readonly Value[], change: Change): ConfigChange[] {
  return entries.flatMap((entry) =>
    flagsOf(entry).length === 0
      ? []
      : [change('more', `${describe(entry)} now vouches for initdata`)],
  )
}

/** Entries are the same when they differ in nothing but what they vouch for. */
function compareLists(
  old: readonly Value[],
  next: readonly Value[],
  added: 'more' | 'less',
  change: Change,
): ConfigChange[] {
  const removed = added === 'more' ? 'less' : 'more'
  const was = new Map(old.map((entry) => [identityOf(entry), entry]))
  const is = new Map(next.map((entry) => [identityOf(entry), entry]))
  const changes: ConfigChange[] = []
  for (const [identity, entry] of is) {
    const before = was.get(identity)
    if (before === undefined) changes.push(change(added, `+ ${describe(entry)}`))
    else
      for (const flag of FLAGS) {
        const [had, has] = [flagsOf(before).includes(flag), flagsOf(entry).includes(flag)]
        if (had !== has)
          changes.push(
            change(has ? 'more' : 'less', `${describe(entry)}: ${flag} ${had} -> ${has}`),
          )
      }
  }
  for (const [identity, entry] of was)
    if (!is.has(identity)) changes.push(change(removed, `- ${describe(entry)}`))
  return changes
}

/** What one more bit means: a demand is met by less, an allowance by more. */
function compareBits(
  [old, next]: readonly [bigint, bigint],
  verb: 'demands' | 'allows',
  change: Change,
): ConfigChange[] {
  const hex = (bits: bigint) => `0x${bits.toString(16)}`
  const [onMore, onFewer] =
    verb === 'demands' ? (['less', 'more'] as const) : (['more', 'less'] as const)
  const added = next & ~old
  const removed = old & ~next
  return [
    ...(added === 0n ? [] : [change(onMore, `also ${verb} ${hex(added)}`)]),
    ...(removed === 0n ? [] : [change(onFewer, `no longer ${verb} ${hex(removed)}`)]),
  ]
}

/** None is the lowest. Below 0: the first is older. */
function compareVersions(a: Value, b: Value): number {
  const [left, right] = [a, b].map((value) =>
    typeof value === 'string' ? value.split('.').map(Number) : [],
  )
  return (
    Array.from({ length: 3 }, (_, at) => (left?.[at] ?? 0) - (right?.[at] ?? 0)).find(
      (difference) => difference !== 0,
    ) ?? 0
  )
}

const numberOf = (value: Value) => (typeof value === 'number' ? value : 0)
const listOf = (value: Value): readonly Value[] => (Array.isArray(value) ? value : [])
const bitsOf = (value: Value) => (typeof value === 'string' ? BigInt(value) : 0n)
const emptyIsAny = (value: Value) => (listOf(value).length === 0 ? undefined : value)

function flagsOf(entry: Value): readonly string[] {
  if (typeof entry !== 'object' || entry === null) return []
  return FLAGS.filter((flag) => Object.entries(entry).some(([k, v]) => k === flag && v === true))
}

function identityOf(entry: Value): string {
  if (typeof entry !== 'object' || entry === null) return JSON.stringify(entry)
  const rest = Object.entries(entry).filter(([name]) => !FLAGS.some((flag) => flag === name))
  return JSON.stringify(rest.sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Addresses can carry keys. */
const isSecretive = (path: string) => path.endsWith('rpc_urls')

/** Long digests are cut: whoever needs them whole reads the file. */
function describe(value: Value): string {
  if (value === undefined) return 'not set'
  if (typeof value === 'string') return value.length > 40 ? `${value.slice(0, 16)}…` : value
  if (Array.isArray(value)) return `[${value.map(describe).join(', ')}]`
  if (typeof value === 'object' && value !== null)
    return Object.entries(value)
      .filter(([, part]) => part !== undefined && part !== false)
      .map(([name, part]) => `${name} ${describe(part)}`)
      .join(', ')
  return String(value)
}
