/**
 * What an operator's folders hold, file by file: dates, numbers, and whether it is still good. Reads; changes nothing.
 * @module
 */
import { X509Certificate } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { SnpTrustAnchors } from '../../sdk/attest/anchors.ts'
import {
  COLLATERAL_LIMIT,
  parseTdxCollateral,
  type TdxCollateral,
} from '../../sdk/attest/collateral-bundle.ts'
import { parseQeIdentity, parseTcbInfo } from '../../sdk/attest/collateral-json.ts'
import { verifyCollateral } from '../../sdk/attest/collateral-verify.ts'
import { CRL_LIMIT, parseCrl } from '../../sdk/attest/crl.ts'
import { openSnpCrl } from '../../sdk/attest/snp-crl.ts'
import { SNP_LISTS, snpListFile, snpListName } from '../../sdk/attest/snp-list-names.ts'
import type { TdxTrustAnchors } from '../../sdk/attest/tdx-anchors.ts'
import { EigenxError, isEigenxError } from '../../sdk/errors.ts'
import { readFileBounded } from '../../sdk/node/files.ts'
import type { KmsConfig } from '../config.ts'
import { tdxBundleFile, wantedLists } from './update.ts'

export type Holding = {
  vendor: 'intel' | 'amd'
  file: string
  /** `good`: verifies now. `expired`: would, but for its dates. `bad`: is no such document. `missing`: the configuration asks for it. */
  state: 'good' | 'expired' | 'bad' | 'missing'
  /** Code of the refusal, where it is bad. */
  code?: string
  /** Unix seconds, as far as the file says so. */
  issuedAt?: number
  expiresAt?: number
  /** FMSPC, or product line and kind. */
  about?: string
  /** Intel's tcbEvaluationDataNumber of both documents, or AMD's number of the list. */
  numbers?: string
  revoked?: number
}

export type InventoryInput = {
  config: Pick<KmsConfig, 'attestation' | 'collateral'>
  anchors: { snp: SnpTrustAnchors; tdx: TdxTrustAnchors }
  nowSeconds: number
}

/** @throws EigenxError CONFIG_INVALID when a folder cannot be read. */
export async function readInventory(input: InventoryInput): Promise<readonly Holding[]> {
  const { attestation, collateral } = input.config
  const { collateralDir } = attestation.tdx
  const { crlDir } = attestation
  return [
    ...(collateralDir === undefined ? [] : await readIntel(collateralDir, input)),
    ...(collateralDir === undefined
      ? []
      : await missing(collateralDir, 'intel', collateral.fmspcs.map(tdxBundleFile))),
    ...(crlDir === undefined ? [] : await readAmd(crlDir, input)),
    ...(crlDir === undefined
      ? []
      : await missing(crlDir, 'amd', wantedLists(input.config).map(snpListFile))),
  ]
}

/** What needs somebody: gone, broken, run out, or about to run out within so many days. */
export function needsAttention(holding: Holding, days: number, nowSeconds: number): boolean {
  const { state, expiresAt } = holding
  return state !== 'good' || (expiresAt !== undefined && expiresAt - nowSeconds < days * 86_400)
}

async function readIntel(folder: string, input: InventoryInput): Promise<Holding[]> {
  const names = (await namesIn(folder)).filter((name) => name.endsWith('.json')).sort()
  return Promise.all(
    names.map(async (file) => {
      const base = { vendor: 'intel', file } as const
      try {
        const bytes = await readFileBounded(join(folder, file), {
          field: 'collateral',
          maxBytes: COLLATERAL_LIMIT,
        })
        return { ...base, ...describeBundle(new TextDecoder().decode(bytes), input) }
      } catch (thrown) {
        return { ...base, state: 'bad' as const, code: codeOf(thrown) }
      }
    }),
  )
}

function describeBundle(
  text: string,
  { anchors, nowSeconds }: InventoryInput,
): Omit<Holding, 'vendor' | 'file'> {
  const collateral = parseTdxCollateral(text)
  const tcbInfo = parseTcbInfo(collateral.tcbInfo.text)
  const qeIdentity = parseQeIdentity(collateral.qeIdentity.text)
  const lists = [collateral.rootCrl, collateral.pckCrl].map((der) => parseCrl(der))
  const expiresAt = Math.min(
    tcbInfo.nextUpdate,
    qeIdentity.nextUpdate,
    ...lists.map(({ nextUpdate }) => nextUpdate),
    ...endsOf(collateral),
  )
  const verify = (at: number) => verifyCollateral(collateral, anchors.tdx, at)
  return {
    about: tcbInfo.fmspc,
    issuedAt: tcbInfo.issueDate,
    expiresAt,
    numbers: `TCB ${tcbInfo.evaluationNumber}, QE ${qeIdentity.evaluationNumber}`,
    revoked: lists.reduce((sum, { revoked }) => sum + revoked.size, 0),
    ...judge(verify, expiresAt, nowSeconds),
  }
}

/** Of the certificates that a bundle is signed with. */
function endsOf({ tcbInfo, qeIdentity, pckCrlIssuerChain }: TdxCollateral): number[] {
  return [...tcbInfo.issuerChain, ...qeIdentity.issuerChain, ...pckCrlIssuerChain].map((der) =>
    Math.floor(Date.parse(new X509Certificate(der).validTo) / 1000),
  )
}

async function readAmd(folder: string, input: InventoryInput): Promise<Holding[]> {
  const there = new Set(await namesIn(folder))
  const lists = SNP_LISTS.filter((list) => there.has(snpListFile(list)))
  return Promise.all(
    lists.map(async (list) => {
      const file = snpListFile(list)
      const base = { vendor: 'amd', file, about: `${list.product} ${list.kind}` } as const
      try {
        const der = await readFileBounded(join(folder, file), { field: file, maxBytes: CRL_LIMIT })
        const crl = parseCrl(der, snpListName(list))
        const verify = (at: number) =>
          openSnpCrl({ ...list, der }, input.anchors.snp, new Map(), at)
        return {
          ...base,
          issuedAt: crl.thisUpdate,
          expiresAt: crl.nextUpdate,
          numbers: `list ${crl.number}`,
          revoked: crl.revoked.size,
          ...judge(verify, crl.nextUpdate, input.nowSeconds),
        }
      } catch (thrown) {
        return { ...base, state: 'bad' as const, code: codeOf(thrown) }
      }
    }),
  )
}

/** Past its end it is judged as of its end: a forgery must not pass for something that has merely run out. */
function judge(
  verify: (atSeconds: number) => unknown,
  expiresAt: number,
  nowSeconds: number,
): Pick<Holding, 'state' | 'code'> {
  const expired = nowSeconds > expiresAt
  try {
    verify(expired ? expiresAt : nowSeconds)
    return { state: expired ? 'expired' : 'good' }
  } catch (thrown) {
    return { state: 'bad', code: codeOf(thrown) }
  }
}

async function missing(
  folder: string,
  vendor: Holding['vendor'],
  files: readonly string[],
): Promise<Holding[]> {
  const there = new Set(await namesIn(folder))
  return files
    .filter((file) => !there.has(file))
    .map((file) => ({ vendor, file, state: 'missing' as const }))
}

/** A folder that is not there yet is empty. */
async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder)
  } catch (thrown) {
    if (codeOf(thrown) === 'ENOENT') return []
    throw new EigenxError({
      code: 'CONFIG_INVALID',
      message: `The folder ${folder} cannot be read.`,
      stage: 'config',
      details: { path: folder },
      cause: thrown,
    })
  }
}

function codeOf(thrown: unknown): string {
  if (isEigenxError(thrown)) return thrown.code
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : 'UNREADABLE'
}
