/** Intel's and AMD's services on loopback, over documents of a simulated authority; any path can be made to lie. */
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TdxCollateral } from '../../sdk/attest/collateral-bundle.ts'
import { encodeCertificatePem } from '../../sdk/attest/pem.ts'
import { bytesToHex } from '../../sdk/bytes.ts'

export type VendorServices = {
  url: string
  /** FMSPC in upper case, as Intel is asked -> collateral. */
  platforms: Map<string, TdxCollateral>
  /** `/vcek/v1/Milan/crl` -> DER. */
  lists: Map<string, Uint8Array>
  /** Beginning of a path with its query -> another answer than the honest one. */
  lies: Map<string, RequestListener>
  /** Paths with queries, in order of arrival. */
  asked: string[]
  stop: () => Promise<void>
}

export const ROOT_CRL_PATH = '/IntelSGXRootCA.der'

export async function startVendorServices(): Promise<VendorServices> {
  const platforms: VendorServices['platforms'] = new Map()
  const lists: VendorServices['lists'] = new Map()
  const lies: VendorServices['lies'] = new Map()
  const asked: string[] = []
  const server = createServer((request, response) => {
    const path = request.url ?? ''
    asked.push(path)
    const lie = [...lies].find(([prefix]) => path.startsWith(prefix))?.[1]
    if (lie !== undefined) return lie(request, response)
    const answer = honest(path, platforms) ?? lists.get(path)
    if (answer === undefined) return response.writeHead(404).end('not here')
    if (answer instanceof Uint8Array) return response.writeHead(200).end(answer)
    return response.writeHead(200, answer.headers).end(answer.body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    platforms,
    lists,
    lies,
    asked,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

type Answer = { headers: Record<string, string>; body: string | Uint8Array }

function honest(path: string, platforms: VendorServices['platforms']): Answer | undefined {
  const url = new URL(path, 'http://vendor')
  const [first] = platforms.values()
  const chain = (certificates: readonly Uint8Array[]) =>
    encodeURIComponent(certificates.map(encodeCertificatePem).join(''))
  const signed = (member: string, header: string, document: TdxCollateral['tcbInfo']): Answer => ({
    headers: { [header]: chain(document.issuerChain), 'content-type': 'application/json' },
    body: `{"${member}":${document.text},"signature":"${bytesToHex(document.signature)}"}`,
  })
  if (url.pathname === '/tdx/certification/v4/tcb') {
    const found = platforms.get(url.searchParams.get('fmspc') ?? '')
    return found && signed('tcbInfo', 'TCB-Info-Issuer-Chain', found.tcbInfo)
  }
  if (first === undefined) return undefined
  if (url.pathname === '/tdx/certification/v4/qe/identity')
    return signed('enclaveIdentity', 'SGX-Enclave-Identity-Issuer-Chain', first.qeIdentity)
  if (path === '/sgx/certification/v4/pckcrl?ca=platform&encoding=der')
    return {
      headers: { 'SGX-PCK-CRL-Issuer-Chain': chain(first.pckCrlIssuerChain) },
      body: first.pckCrl,
    }
  if (path === ROOT_CRL_PATH) return { headers: {}, body: first.rootCrl }
  return undefined
}
