/** What `verify` is given beside evidence and initdata: certificates, collateral, and whom to trust. @module */
import { AMD_ANCHORS, parseSnpRoots, ROOTS_FILE } from '../../sdk/attest/anchors.ts'
import { COLLATERAL_LIMIT } from '../../sdk/attest/collateral-bundle.ts'
import { type OpenedCollateral, openCollateral } from '../../sdk/attest/collateral-choice.ts'
import { CRL_LIMIT } from '../../sdk/attest/crl.ts'
import { EVENT_LOG_LIMIT } from '../../sdk/attest/event-log.ts'
import { parseCertificatePem } from '../../sdk/attest/pem.ts'
import { SNP_LISTS, snpListFile } from '../../sdk/attest/snp-list-names.ts'
import { INTEL_ANCHORS, parseTdxRoots, type TdxTrustAnchors } from '../../sdk/attest/tdx-anchors.ts'
import { parseUtf8 } from '../../sdk/bytes.ts'
import { isEigenxError } from '../../sdk/errors.ts'
import type { Tee } from '../evidence.ts'
import { type Io, listInput, readInput, readTextInput, UsageError } from './io.ts'
import type { Authorities, GivenCrl } from './verify-summary.ts'

const TRUST = {
  amd: 'amd',
  intel: 'intel',
  notAmd: 'NOT AMD: roots given on the command line',
  notIntel: 'NOT INTEL: roots given on the command line',
} as const
export type Trust = (typeof TRUST)[keyof typeof TRUST]

export type RootsInput = { snpRoots?: string; tdxRoots?: string }

const CERTIFICATES = { field: 'a chain of certificates', maxBytes: 64 * 1024 }
const COLLATERAL = { field: 'collateral', maxBytes: COLLATERAL_LIMIT }
const CRL = { field: 'a revocation list', maxBytes: CRL_LIMIT }
const EVENT_LOG = { field: 'an event log', maxBytes: EVENT_LOG_LIMIT }
const TDX_ROOTS = { field: 'a set of roots', maxBytes: 64 * 1024 }
/** As many as an operator may keep. */
const COLLATERAL_FILES = 32
const PEM_BLOCK = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g

/** @throws UsageError; EigenxError CONFIG_INVALID for files that hold no roots */
export async function readAuthorities(io: Io, { snpRoots, tdxRoots }: RootsInput) {
  const authorities: Authorities = {
    snp:
      snpRoots === undefined
        ? AMD_ANCHORS
        : parseSnpRoots(await readTextInput(io, snpRoots, ROOTS_FILE)),
    tdx:
      tdxRoots === undefined
        ? INTEL_ANCHORS
        : parseTdxRoots(await readTextInput(io, tdxRoots, TDX_ROOTS)),
  }
  return authorities
}

export function trustOf(tee: Tee, { snpRoots, tdxRoots }: RootsInput): Trust {
  if (tee === 'snp') return snpRoots === undefined ? TRUST.amd : TRUST.notAmd
  return tdxRoots === undefined ? TRUST.intel : TRUST.notIntel
}

export async function readCertificates(io: Io, paths: readonly string[]): Promise<Uint8Array[]> {
  const certificates: Uint8Array[] = []
  for (const path of paths) {
    const bytes = await readInput(io, path, CERTIFICATES)
    // AMD's key server gives several PEM blocks in one file; anything else is DER.
    const blocks = parseUtf8(bytes)?.match(PEM_BLOCK) ?? []
    if (blocks.length === 0) certificates.push(bytes)
    for (const block of blocks) {
      const der = parseCertificatePem(block)
      if (der === undefined) throw new UsageError(`${path}: a PEM block is not a certificate`)
      certificates.push(der)
    }
  }
  return certificates
}

/**
 * AMD's lists, each by the name under which AMD publishes it. They are verified with the evidence.
 * @param paths - Files, or folders of `*.crl`.
 * @throws UsageError
 */
export async function readCrls(io: Io, paths: readonly string[]): Promise<GivenCrl[]> {
  const files: string[] = []
  for (const path of paths) {
    const names = await listInput(io, path)
    const lists = names?.filter((name) => name.endsWith('.crl')).sort()
    if (lists?.length === 0) throw new UsageError(`--crl: ${path} has no list`)
    files.push(...(lists?.map((name) => `${path.replace(/\/+$/, '')}/${name}`) ?? [path]))
  }
  return await Promise.all(
    files.map(async (file) => {
      const name = file.slice(file.lastIndexOf('/') + 1)
      const list = SNP_LISTS.find((known) => snpListFile(known) === name)
      if (list === undefined)
        throw new UsageError(
          `--crl: ${file} has none of the names ${SNP_LISTS.map(snpListFile).join(', ')}`,
        )
      return { ...list, der: await readInput(io, file, CRL) }
    }),
  )
}

export function readEventLog(io: Io, path: string): Promise<Uint8Array> {
  return readInput(io, path, EVENT_LOG)
}

/**
 * Bundles that verify as of the date; of the others a note goes to people, as an operator's log would have it.
 * @param paths - Files, or folders of `*.json`.
 * @throws UsageError
 */
export async function readCollateral(
  io: Io,
  paths: readonly string[],
  anchors: TdxTrustAnchors,
  nowSeconds: number,
): Promise<OpenedCollateral[]> {
  const files: string[] = []
  for (const path of paths) {
    const names = await listInput(io, path)
    const json = names?.filter((name) => name.endsWith('.json')).sort()
    files.push(...(json?.map((name) => `${path.replace(/\/+$/, '')}/${name}`) ?? [path]))
  }
  if (files.length > COLLATERAL_FILES)
    throw new UsageError(`--collateral: ${files.length} files, at most ${COLLATERAL_FILES}`)
  const bundles: OpenedCollateral[] = []
  for (const file of files) {
    const text = await readTextInput(io, file, COLLATERAL)
    try {
      bundles.push(openCollateral(text, anchors, nowSeconds))
    } catch (error) {
      if (!isEigenxError(error)) throw error
      io.err(`${file} is not used: ${error.code}: ${error.shortMessage}`)
    }
  }
  return bundles
}
