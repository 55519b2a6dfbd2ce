/**
 * TCB info and TD quoting enclave identity: Intel's two signed JSON documents, text in, record out. No signature, no dates compared.
 *
 * Source: Intel SGX and TDX Provisioning Certification Service API, version 4: TCB info version 3, enclave identity version 2. What is
 * signed is the text itself, so it is kept and never written again. Members that this reader does not know are ignored: Intel signs
 * them and adds some from time to time; a known member that is missing or of another type is refused.
 * @module
 */
import { parseHex } from '../bytes.ts'
import { malformed } from './checks.ts'
import { asObject, type EvidenceObject, parseEvidenceJson } from './evidence-json.ts'
import { TCB_COMPONENTS } from './tdx-pck.ts'

/** Statuses of a platform level; a module or quoting enclave level has the three of `PartStatus`. */
const PLATFORM_STATUSES = [
  'UpToDate',
  'SWHardeningNeeded',
  'ConfigurationNeeded',
  'ConfigurationAndSWHardeningNeeded',
  'OutOfDate',
  'OutOfDateConfigurationNeeded',
  'Revoked',
] as const
const PART_STATUSES = ['UpToDate', 'OutOfDate', 'Revoked'] as const
export type PlatformStatus = (typeof PLATFORM_STATUSES)[number]
export type PartStatus = (typeof PART_STATUSES)[number]

/** Intel's longest lists have about twenty. */
const LEVELS_LIMIT = 128
const MODULES_LIMIT = 64
const ADVISORIES_LIMIT = 128
const ADVISORY = /^[A-Za-z0-9-]{1,64}$/

/** What every level says besides its SVNs. `date` in Unix seconds. */
export type LevelFacts<S> = { status: S; date: number; advisories: readonly string[] }

export type PlatformLevel = LevelFacts<PlatformStatus> & {
  /** 16 each. */
  sgxComponents: readonly number[]
  tdxComponents: readonly number[]
  pceSvn: number
}

/** A level of a TDX module or of the quoting enclave. */
export type PartLevel = LevelFacts<PartStatus> & { isvSvn: number }

export type ModuleIdentity = {
  /** Upper case, e.g. `TDX_03`. */
  id: string
  /** 48 bytes. */
  mrSigner: Uint8Array
  /** 8 bytes as written. */
  attributes: Uint8Array
  levels: readonly PartLevel[]
}

/** Unix seconds and the number of the TCB recovery event. */
export type Issue = { issueDate: number; nextUpdate: number; evaluationNumber: number }

export type TcbInfo = Issue & {
  /** Lower-case hex. */
  fmspc: string
  pceId: string
  /** The identity of modules of major version 0. */
  module: Omit<ModuleIdentity, 'id' | 'levels'>
  /** Empty in documents from before modules had versions. */
  modules: readonly ModuleIdentity[]
  /** In Intel's order, best first. */
  levels: readonly PlatformLevel[]
}

export type QeIdentity = Issue & {
  miscSelect: { value: number; mask: number }
  /** 16 bytes each. */
  attributes: { value: Uint8Array; mask: Uint8Array }
  /** 32 bytes. */
  mrSigner: Uint8Array
  isvProdId: number
  levels: readonly PartLevel[]
}

/** @throws EVIDENCE_MALFORMED, INPUT_TOO_LARGE */
export function parseTcbInfo(text: string): TcbInfo {
  const read = createReader(parseEvidenceJson(text, 'tcb_info'), 'tcb_info')
  // An SGX document has the same form and is signed by the same key.
  read.constant('id', 'TDX')
  read.constant('version', 3n)
  read.constant('tcbType', 0n)
  const module = read.object('tdxModule')
  const modules = read.has('tdxModuleIdentities')
    ? read.list('tdxModuleIdentities', 0, MODULES_LIMIT).map(readModule)
    : []
  if (new Set(modules.map(({ id }) => id)).size !== modules.length)
    throw bad('tcb_info.tdxModuleIdentities')
  return {
    ...readIssue(read),
    fmspc: read.hexText('fmspc', 6),
    pceId: read.hexText('pceId', 2),
    module: { mrSigner: module.hex('mrsigner', 48), attributes: module.hex('attributes', 8) },
    modules,
    levels: read.list('tcbLevels', 1, LEVELS_LIMIT).map(readPlatformLevel),
  }
}

/** @throws EVIDENCE_MALFORMED, INPUT_TOO_LARGE */
export function parseQeIdentity(text: string): QeIdentity {
  const read = createReader(parseEvidenceJson(text, 'qe_identity'), 'qe_identity')
  // `QE` is the quoting enclave of SGX.
  read.constant('id', 'TD_QE')
  read.constant('version', 2n)
  const miscSelect = (name: string) => Number(BigInt(`0x${read.hexText(name, 4)}`))
  return {
    ...readIssue(read),
    miscSelect: { value: miscSelect('miscselect'), mask: miscSelect('miscselectMask') },
    attributes: { value: read.hex('attributes', 16), mask: read.hex('attributesMask', 16) },
    mrSigner: read.hex('mrsigner', 32),
    isvProdId: read.integer('isvprodid', 0xffff),
    levels: read.list('tcbLevels', 1, LEVELS_LIMIT).map(readPartLevel),
  }
}

function readIssue(read: Reader): Issue {
  const issueDate = read.time('issueDate')
  const nextUpdate = read.time('nextUpdate')
  if (nextUpdate <= issueDate) throw bad(`${read.path}.nextUpdate`)
  return {
    issueDate,
    nextUpdate,
    evaluationNumber: read.integer('tcbEvaluationDataNumber', 0xffff_ffff),
  }
}

function readModule(read: Reader): ModuleIdentity {
  const id = read.text('id', /^TDX_[0-9A-Fa-f]{2}$/).toUpperCase()
  return {
    id,
    mrSigner: read.hex('mrsigner', 48),
    attributes: read.hex('attributes', 8),
    levels: read.list('tcbLevels', 1, LEVELS_LIMIT).map(readPartLevel),
  }
}

function readPlatformLevel(read: Reader): PlatformLevel {
  const tcb = read.object('tcb')
  const components = (name: string) =>
    tcb
      .list(name, TCB_COMPONENTS, TCB_COMPONENTS)
      .map((component) => component.integer('svn', 0xff))
  return {
    ...readFacts(read, PLATFORM_STATUSES),
    sgxComponents: components('sgxtcbcomponents'),
    tdxComponents: components('tdxtcbcomponents'),
    pceSvn: tcb.integer('pcesvn', 0xffff),
  }
}

function readPartLevel(read: Reader): PartLevel {
  return {
    ...readFacts(read, PART_STATUSES),
    isvSvn: read.object('tcb').integer('isvsvn', 0xffff),
  }
}

function readFacts<S extends string>(read: Reader, statuses: readonly S[]): LevelFacts<S> {
  const text = read.text('tcbStatus', /^[A-Za-z]{1,64}$/)
  // A status that is unknown here would have to be guessed to be good or bad.
  const status = statuses.find((known) => known === text)
  if (status === undefined) throw bad(`${read.path}.tcbStatus`)
  return {
    status,
    date: read.time('tcbDate'),
    advisories: read.has('advisoryIDs')
      ? read.texts('advisoryIDs', ADVISORY, ADVISORIES_LIMIT)
      : [],
  }
}

/** Typed members of one object; each refusal names the path. */
type Reader = {
  path: string
  has: (name: string) => boolean
  constant: (name: string, value: string | bigint) => void
  text: (name: string, form: RegExp) => string
  texts: (name: string, form: RegExp, limit: number) => string[]
  integer: (name: string, most: number) => number
  hex: (name: string, bytes: number) => Uint8Array
  /** Lower case. */
  hexText: (name: string, bytes: number) => string
  /** Unix seconds of `2026-01-31T00:00:00Z`. */
  time: (name: string) => number
  object: (name: string) => Reader
  list: (name: string, least: number, most: number) => Reader[]
}

const ISO_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/

function createReader(object: EvidenceObject, path: string): Reader {
  const at = (name: string) => `${path}.${name}`
  const text: Reader['text'] = (name, form) => {
    const value = object[name]
    if (typeof value !== 'string' || !form.test(value)) throw bad(at(name))
    return value
  }
  const hexText: Reader['hexText'] = (name, bytes) =>
    text(name, new RegExp(`^[0-9A-Fa-f]{${2 * bytes}}$`)).toLowerCase()
  const nested = (value: unknown, where: string) => {
    const inner = asObject(value)
    if (inner === undefined) throw bad(where)
    return createReader(inner, where)
  }
  const array = (name: string, least: number, most: number) => {
    const value = object[name]
    if (!Array.isArray(value) || value.length < least || value.length > most) throw bad(at(name))
    return value as unknown[]
  }
  return {
    path,
    has: (name) => object[name] !== undefined,
    constant: (name, value) => {
      if (object[name] !== value) throw bad(at(name))
    },
    text,
    texts: (name, form, limit) =>
      array(name, 0, limit).map((value) => {
        if (typeof value !== 'string' || !form.test(value)) throw bad(at(name))
        return value
      }),
    integer: (name, most) => {
      const value = object[name]
      if (typeof value !== 'bigint' || value < 0n || value > BigInt(most)) throw bad(at(name))
      return Number(value)
    },
    hex: (name, bytes) => parseHex(hexText(name, bytes)) ?? new Uint8Array(bytes),
    hexText,
    time: (name) => {
      const value = text(name, ISO_TIME)
      const milliseconds = Date.parse(value)
      // Dates that do not exist (31 June) read as none, or as another day.
      if (
        Number.isNaN(milliseconds) ||
        new Date(milliseconds).toISOString().slice(0, 19) !== value.slice(0, 19)
      )
        throw bad(at(name))
      return milliseconds / 1000
    },
    object: (name) => nested(object[name], at(name)),
    list: (name, least, most) =>
      array(name, least, most).map((value, index) => nested(value, `${at(name)}[${index}]`)),
  }
}

const bad = (field: string) => malformed(field, `collateral: bad ${field}`)
