/**
 * What Intel and AMD publish, as their services give it. Nothing is verified here.
 *
 * Sources: Intel SGX and TDX Provisioning Certification Service API, version 4 (Get TDX TCB Info, Get TDX QE Identity, Get PCK CRL; issuer
 * chains come URL-encoded in a header); AMD 57230 (VCEK Certificate and KDS Interface Specification), CRL.
 * @module
 */
import {
  type SignedText,
  splitSignedResponse,
  type TdxCollateral,
} from '../../sdk/attest/collateral-bundle.ts'
import { CRL_LIMIT } from '../../sdk/attest/crl.ts'
import { parsePemChain } from '../../sdk/attest/pem.ts'
import type { SnpListName } from '../../sdk/attest/snp-list-names.ts'
import { parseUtf8 } from '../../sdk/bytes.ts'
import type { KmsConfig } from '../config.ts'
import { DownloadError, type Downloaded, type DownloadOptions, download } from './download.ts'

export type Services = Pick<
  KmsConfig['collateral'],
  'intelUrl' | 'intelRootCrlUrl' | 'amdUrl' | 'intelChannel'
>

const JSON_LIMIT = 128 * 1024
const CHAIN_LENGTH = 3

/** @throws DownloadError; EVIDENCE_MALFORMED when an answer has another form than the API says. */
export async function fetchTdxCollateral(
  fmspc: string,
  services: Services,
  options: DownloadOptions,
): Promise<TdxCollateral> {
  const { intelRootCrlUrl, intelChannel } = services
  const base = services.intelUrl.replace(/\/+$/, '')
  const update = `update=${intelChannel}`
  const [tcbInfo, qeIdentity, pckCrl, rootCrl] = await Promise.all([
    download(
      `${base}/tdx/certification/v4/tcb?fmspc=${fmspc.toUpperCase()}&${update}`,
      JSON_LIMIT,
      options,
    ),
    download(`${base}/tdx/certification/v4/qe/identity?${update}`, JSON_LIMIT, options),
    download(`${base}/sgx/certification/v4/pckcrl?ca=platform&encoding=der`, CRL_LIMIT, options),
    download(intelRootCrlUrl, CRL_LIMIT, options),
  ])
  return {
    tcbInfo: readSigned(tcbInfo, 'tcbInfo', 'TCB-Info-Issuer-Chain'),
    qeIdentity: readSigned(qeIdentity, 'enclaveIdentity', 'SGX-Enclave-Identity-Issuer-Chain'),
    rootCrl: rootCrl.body,
    pckCrl: pckCrl.body,
    pckCrlIssuerChain: readChain(pckCrl, 'SGX-PCK-CRL-Issuer-Chain'),
  }
}

/** @returns DER. @throws DownloadError */
export async function fetchSnpList(
  { product, kind }: SnpListName,
  { amdUrl }: Services,
  options: DownloadOptions,
): Promise<Uint8Array> {
  const url = `${amdUrl.replace(/\/+$/, '')}/${kind.toLowerCase()}/v1/${product}/crl`
  return (await download(url, CRL_LIMIT, options)).body
}

function readSigned(
  answer: Downloaded,
  member: Parameters<typeof splitSignedResponse>[1],
  header: string,
): SignedText {
  const signed = splitSignedResponse(parseUtf8(answer.body) ?? '', member)
  return { ...signed, issuerChain: readChain(answer, header) }
}

function readChain({ headers }: Downloaded, name: string): Uint8Array[] {
  let text: string
  try {
    text = decodeURIComponent(headers.get(name) ?? '')
  } catch {
    text = ''
  }
  const chain = parsePemChain(text, CHAIN_LENGTH)
  if (chain === undefined) throw new DownloadError(`no ${name}`)
  return chain
}
