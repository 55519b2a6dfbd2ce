/**
 * A throw-away Intel: makes TDX quotes and collateral that only a verifier with its root accepts. For the simulator and for tests.
 *
 * It plays Intel (root, PCK Platform CA, TCB signer), the platform (PCK), the quoting enclave and the TDX module, with the names,
 * keys and algorithms that Intel uses, so that the one production verifier reads what it makes.
 * @module
 */
import 'reflect-metadata'
import { createHash, KeyObject, sign } from 'node:crypto'
import { Extension } from '@peculiar/x509'
import type { TdxCollateral } from '../../sdk/attest/collateral-bundle.ts'
import { encodeCertificatePem } from '../../sdk/attest/pem.ts'
import type { TdxTrustAnchors } from '../../sdk/attest/tdx-anchors.ts'
import type { TdxEventLogs } from '../../sdk/attest/tdx-event-log.ts'
import { encodePckExtension, type PckExtension } from '../../sdk/attest/tdx-pck.ts'
import type { TdReport } from '../../sdk/attest/tdx-quote.ts'
import { SGX_EXTENSION } from '../../sdk/attest/tdx-x509.ts'
import { encodeWireTdxEvidence } from '../../sdk/attest/wire-tdx.ts'
import { bytesToHex, concatBytes, parseAnyBase64, toBase64, utf8ToBytes } from '../../sdk/bytes.ts'
import {
  type CertificateFields,
  type CrlFields,
  makeCertificate,
  makeCrl,
  makeKeys,
  P256,
} from './tdx-certificates.ts'
import { healthyQeIdentity, healthyTcbInfo, type Json } from './tdx-collateral.ts'
import {
  encodeQeReport,
  encodeQuote,
  encodeSigned,
  healthyQuote,
  type TdxQuoteFields,
} from './tdx-quote.ts'

const YEAR_SECONDS = 365 * 24 * 3600
const DAY_SECONDS = 24 * 3600

const ROLES = ['root', 'platformCa', 'pck', 'tcbSigner', 'attestation'] as const
export type TdxRole = (typeof ROLES)[number]
export type TdxKeys = Readonly<Record<TdxRole, CryptoKeyPair>>

export const TDX_NAMES = {
  root: 'Intel SGX Root CA',
  platformCa: 'Intel SGX PCK Platform CA',
  pck: 'Intel SGX PCK Certificate',
  tcbSigner: 'Intel SGX TCB Signing',
} as const

export const SIM_PCK: PckExtension = {
  ppid: new Uint8Array(16).fill(0x99),
  components: [7, 7, 2, 2, 3, 1, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0],
  pceSvn: 11,
  cpuSvn: new Uint8Array(16).fill(7),
  pceId: new Uint8Array(2),
  fmspc: Uint8Array.of(0x51, 0x80, 0x6f, 0, 0, 0),
  sgxType: 1,
  platformInstanceId: new Uint8Array(16).fill(0x77),
  dynamicPlatform: true,
  cachedKeys: true,
  smt: true,
}

type Lie<T> = (fields: T) => Partial<T> | Promise<Partial<T>>

/** Each changes one step of honest issuing. */
export type TdxIssueOptions = {
  version?: 4 | 5
  tdVersion?: '1.0' | '1.5'
  /** Unix seconds; the authority's own time by default. */
  at?: number
  report?: Partial<TdReport>
  quote?: Lie<TdxQuoteFields>
  sgx?: Partial<PckExtension>
  certificates?: Partial<Record<Exclude<TdxRole, 'attestation'>, Lie<CertificateFields>>>
  /** Leaf, Platform CA, root, as they go into the quote. */
  chain?: (certificates: Uint8Array[]) => Uint8Array[]
  /** Other keys than those that the certificates name. */
  signWith?: {
    quote?: CryptoKey
    qeReport?: CryptoKey
    tcbInfo?: CryptoKey
    qeIdentity?: CryptoKey
  }
  /** REPORTDATA of the quoting enclave. */
  bindKey?: (binding: Uint8Array) => Uint8Array
  tcbInfo?: (honest: Json) => Json
  qeIdentity?: (honest: Json) => Json
  /** Changes the JSON text before it is signed. */
  tcbInfoText?: (text: string) => string
  qeIdentityText?: (text: string) => string
  rootCrl?: Lie<CrlFields>
  pckCrl?: Lie<CrlFields>
  collateral?: (honest: TdxCollateral) => TdxCollateral
  /** Beside the quote, as the agent and the wire carry them; what they lead to has to be in `report.rtmrs`. */
  logs?: TdxEventLogs
}

export type IssuedTdxEvidence = {
  quote: Uint8Array
  collateral: TdxCollateral
  /** What the Attestation Agent answers for it. */
  aaJson: () => string
  /** What is sent to an operator. */
  wire: () => Uint8Array
}

export type TdxAuthority = {
  anchors: TdxTrustAnchors
  keys: TdxKeys
  now: number
  issue: (options?: TdxIssueOptions) => Promise<IssuedTdxEvidence>
  /** Everything another process needs to issue under the same root. Contains private keys: of nothing but this simulation. */
  exportAuthority: () => Promise<string>
}

/** @param input.now - Unix seconds; certificates and documents begin a day earlier. */
export async function createTdxAuthority(input: { now: number }): Promise<TdxAuthority> {
  const pairs = await Promise.all(ROLES.map(async (role) => [role, await makeKeys()] as const))
  const keys = keysOf(new Map(pairs))
  return assemble(input.now, keys, await makeCertificate(rootFields(input.now, keys)))
}

/** @param text - What `exportAuthority` returned in another process. */
export async function importTdxAuthority(text: string): Promise<TdxAuthority> {
  const saved: unknown = JSON.parse(text)
  if (!isSaved(saved)) throw new Error('not an exported TDX authority')
  const pairs = await Promise.all(
    ROLES.map(async (role) => [role, await importPair(saved.keys[role])] as const),
  )
  return assemble(saved.now, keysOf(new Map(pairs)), decode(saved.root))
}

type SavedPair = { private: string; public: string }
type Saved = { now: number; root: string; keys: Record<TdxRole, SavedPair> }

function assemble(now: number, keys: TdxKeys, root: Uint8Array): TdxAuthority {
  const deps = { now, keys, root }
  return {
    anchors: { roots: [root] },
    keys,
    now,
    issue: (options = {}) => issue(deps, options),
    exportAuthority: async () => {
      const pairs = await Promise.all(
        ROLES.map(async (role) => [role, await exportPair(keys[role])] as const),
      )
      return JSON.stringify({ now, root: toBase64(root), keys: Object.fromEntries(pairs) })
    },
  }
}

type Deps = { now: number; keys: TdxKeys; root: Uint8Array }

async function issue(deps: Deps, options: TdxIssueOptions): Promise<IssuedTdxEvidence> {
  const at = options.at ?? deps.now
  const certificates = await makeCertificates(deps, options)
  const quote = makeQuote(deps.keys, certificates, options)
  const collateral = await makeCollateral(deps, certificates, at, options)
  const { logs = {} } = options
  return {
    quote,
    collateral,
    aaJson: () => encodeAaTdxJson(quote, logs),
    wire: () => encodeWireTdxEvidence({ quote, collateral, ...logs }),
  }
}

/** In the agent's order of members. */
function encodeAaTdxJson(quote: Uint8Array, { eventLog, agentLog }: TdxEventLogs): string {
  return JSON.stringify({
    cc_eventlog: eventLog === undefined ? null : toBase64(eventLog),
    quote: toBase64(quote),
    ...(agentLog === undefined ? {} : { aa_eventlog: agentLog }),
  })
}

type Certificates = Record<Exclude<TdxRole, 'attestation'>, Uint8Array>

function rootFields(now: number, keys: TdxKeys): CertificateFields {
  return {
    subject: TDX_NAMES.root,
    issuer: TDX_NAMES.root,
    organization: 'Intel Corporation',
    serial: '22',
    notBefore: now - YEAR_SECONDS,
    notAfter: now + 20 * YEAR_SECONDS,
    publicKey: keys.root.publicKey,
    signingKey: keys.root.privateKey,
    signingHash: 'SHA-256',
    pathLength: 1,
    extensions: [],
    edit: (extensions) => extensions,
  }
}

async function makeCertificates(deps: Deps, options: TdxIssueOptions): Promise<Certificates> {
  const { now, keys } = deps
  const make = async (
    role: Exclude<TdxRole, 'attestation'>,
    serial: string,
    issuer: 'root' | 'platformCa',
    rest: Partial<CertificateFields>,
  ) => {
    const fields: CertificateFields = {
      ...rootFields(now, keys),
      subject: TDX_NAMES[role],
      issuer: TDX_NAMES[issuer],
      serial,
      notBefore: now - DAY_SECONDS,
      notAfter: now + 7 * YEAR_SECONDS,
      publicKey: keys[role].publicKey,
      signingKey: keys[issuer].privateKey,
      ...rest,
    }
    return makeCertificate({ ...fields, ...(await options.certificates?.[role]?.(fields)) })
  }
  const sgx = Uint8Array.from(encodePckExtension({ ...SIM_PCK, ...options.sgx }))
  return {
    root:
      options.certificates?.root === undefined
        ? deps.root
        : await make('root', '22', 'root', { notAfter: now + 20 * YEAR_SECONDS, pathLength: 1 }),
    platformCa: await make('platformCa', '33', 'root', { pathLength: 0 }),
    tcbSigner: await makeLeaf(make, 'tcbSigner', '44', 'root', []),
    pck: await makeLeaf(make, 'pck', '55', 'platformCa', [
      new Extension(SGX_EXTENSION, false, sgx),
    ]),
  }
}

/** Not an authority: without a path length. */
function makeLeaf<R>(
  make: (
    role: R,
    serial: string,
    issuer: 'root' | 'platformCa',
    rest: object,
  ) => Promise<Uint8Array>,
  role: R,
  serial: string,
  issuer: 'root' | 'platformCa',
  extensions: Extension[],
): Promise<Uint8Array> {
  return make(role, serial, issuer, { extensions, pathLength: undefined })
}

function makeQuote(
  keys: TdxKeys,
  certificates: Certificates,
  options: TdxIssueOptions,
): Uint8Array {
  const version = options.version ?? 4
  const honest = healthyQuote(version, options.tdVersion ?? (version === 4 ? '1.0' : '1.5'))
  const told = { ...honest, report: { ...honest.report, ...options.report } }
  const lies = options.quote?.(told)
  if (lies instanceof Promise) throw new Error('a quote is made at once')
  const fields: TdxQuoteFields = { ...told, ...lies }
  const attestationKey = pointOf(keys.attestation.publicKey)
  const digest = createHash('sha256').update(attestationKey).update(fields.authData).digest()
  const binding = concatBytes(Uint8Array.from(digest), new Uint8Array(32))
  const qeReport = encodeQeReport({
    ...fields.qe,
    reportData: options.bindKey?.(binding) ?? binding,
  })
  const signed = encodeSigned(fields)
  const { root, platformCa, pck } = certificates
  const chain = [pck, platformCa, root]
  return encodeQuote(signed, fields, {
    signature: signRaw(signed, options.signWith?.quote ?? keys.attestation.privateKey),
    attestationKey,
    qeReport,
    qeSignature: signRaw(qeReport, options.signWith?.qeReport ?? keys.pck.privateKey),
    pem: (options.chain?.(chain) ?? chain).map(encodeCertificatePem).join(''),
  })
}

async function makeCollateral(
  { keys }: Deps,
  certificates: Certificates,
  at: number,
  options: TdxIssueOptions,
): Promise<TdxCollateral> {
  const { root, platformCa, tcbSigner } = certificates
  const period = { issueDate: at - DAY_SECONDS, nextUpdate: at + 29 * DAY_SECONDS }
  const tcbInfo = healthyTcbInfo({ ...period, fmspc: bytesToHex(SIM_PCK.fmspc), sgx: SIM_PCK })
  const qeIdentity = healthyQeIdentity(period)
  const text = (json: Json, edit: ((text: string) => string) | undefined) => {
    const written = JSON.stringify(json)
    return edit?.(written) ?? written
  }
  const signed = (document: string, key: CryptoKey | undefined) => ({
    text: document,
    signature: signRaw(utf8ToBytes(document), key ?? keys.tcbSigner.privateKey),
    issuerChain: [tcbSigner, root],
  })
  const crl = async (
    issuer: 'root' | 'platformCa',
    days: number,
    lie: Lie<CrlFields> | undefined,
  ) => {
    const fields: CrlFields = {
      issuer: TDX_NAMES[issuer],
      number: 1,
      thisUpdate: at - DAY_SECONDS,
      nextUpdate: at + days * DAY_SECONDS,
      revoked: [],
      signingKey: keys[issuer].privateKey,
      edit: (extensions) => extensions,
    }
    return makeCrl({ ...fields, ...(await lie?.(fields)) })
  }
  const { signWith } = options
  const honest: TdxCollateral = {
    tcbInfo: signed(
      text(options.tcbInfo?.(tcbInfo) ?? tcbInfo, options.tcbInfoText),
      signWith?.tcbInfo,
    ),
    qeIdentity: signed(
      text(options.qeIdentity?.(qeIdentity) ?? qeIdentity, options.qeIdentityText),
      signWith?.qeIdentity,
    ),
    rootCrl: await crl('root', 300, options.rootCrl),
    pckCrl: await crl('platformCa', 29, options.pckCrl),
    pckCrlIssuerChain: [platformCa, root],
  }
  return options.collateral?.(honest) ?? honest
}

/** r || s, as quotes and collateral carry it. */
function signRaw(bytes: Uint8Array, key: CryptoKey): Uint8Array {
  const signature = sign('sha256', bytes, {
    key: KeyObject.from(key),
    dsaEncoding: 'ieee-p1363',
  })
  return Uint8Array.from(signature)
}

/** x || y. */
function pointOf(key: CryptoKey): Uint8Array {
  const { x, y } = KeyObject.from(key).export({ format: 'jwk' })
  return concatBytes(decode(String(x)), decode(String(y)))
}

function keysOf(pairs: ReadonlyMap<TdxRole, CryptoKeyPair>): TdxKeys {
  const pair = (role: TdxRole) => {
    const found = pairs.get(role)
    if (found === undefined) throw new Error('a key is missing')
    return found
  }
  return {
    root: pair('root'),
    platformCa: pair('platformCa'),
    pck: pair('pck'),
    tcbSigner: pair('tcbSigner'),
    attestation: pair('attestation'),
  }
}

async function exportPair(pair: CryptoKeyPair): Promise<SavedPair> {
  const [pkcs8, spki] = await Promise.all([
    crypto.subtle.exportKey('pkcs8', pair.privateKey),
    crypto.subtle.exportKey('spki', pair.publicKey),
  ])
  return { private: toBase64(new Uint8Array(pkcs8)), public: toBase64(new Uint8Array(spki)) }
}

async function importPair(saved: SavedPair): Promise<CryptoKeyPair> {
  const [privateKey, publicKey] = await Promise.all([
    crypto.subtle.importKey('pkcs8', decode(saved.private), P256, true, ['sign']),
    crypto.subtle.importKey('spki', decode(saved.public), P256, true, ['verify']),
  ])
  return { privateKey, publicKey }
}

function decode(text: string): Uint8Array<ArrayBuffer> {
  const bytes = parseAnyBase64(text)
  if (bytes === undefined) throw new Error('not an exported TDX authority')
  return Uint8Array.from(bytes)
}

function isSaved(value: unknown): value is Saved {
  return typeof value === 'object' && value !== null && 'keys' in value && 'root' in value
}
