/** A made-up operator set with a real shared key, servers that answer or lie, and a pod's initdata. */
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { KeyTable } from '../../helper/quorum.ts'
import { encodeAaJson } from '../../helper/sim/evidence-json.ts'
import { encodeReport, healthyReport } from '../../helper/sim/evidence-report.ts'
import { encodeInitdata, parseInitdata } from '../../policy/initdata.ts'
import type { Initdata } from '../../policy/types.ts'
import { bytesToHex, utf8ToBytes } from '../../sdk/bytes.ts'
import type { Address } from '../../sdk/chain/types.ts'
import {
  operatorX,
  partialSign,
  publicShareOf,
  randomScalar,
  thresholdOf,
} from '../../sdk/crypto/bls.ts'
import { evaluatePolynomial, randomPolynomial } from '../../sdk/crypto/shamir.ts'
import { wrapPartial } from '../../sdk/wire/rsa-oaep.ts'
import { encodeSecretsResponse, parseSecretsRequest } from '../../sdk/wire/secrets.ts'

export const APP_ID = '0x00000000000000000000000000000000000a11ce'
export const AVS = '0x00000000000000000000000000000000000000a5'

export type Cluster = {
  masterPublicKey: Uint8Array
  /** x·H1(APP_ID) */
  appKey: Uint8Array
  addresses: readonly Address[]
  threshold: number
  shareOf: (operator: Address) => bigint
  table: (version: number, epoch?: number) => KeyTable
}

/** The same secret with other members or another polynomial is what a reshare leaves. */
export function makeCluster(
  n: number,
  addresses: readonly Address[] = Array.from(
    { length: n },
    (_, i): Address => `0x${(i + 1).toString(16).padStart(40, '0')}`,
  ),
  secret = randomScalar(),
): Cluster {
  const threshold = thresholdOf(n)
  const polynomial = randomPolynomial(secret, threshold - 1)
  const shareOf = (operator: Address) => evaluatePolynomial(polynomial, operatorX(operator))
  return {
    masterPublicKey: publicShareOf(secret),
    appKey: partialSign(secret, APP_ID),
    addresses,
    threshold,
    shareOf,
    table: (version, epoch = 0) => ({
      version,
      epoch,
      threshold,
      publicShares: new Map(addresses.map((address) => [address, publicShareOf(shareOf(address))])),
    }),
  }
}

export type Listening = { url: string; requests: () => number; stop: () => Promise<void> }

export async function listen(handler: RequestListener): Promise<Listening> {
  let requests = 0
  const server: Server = createServer((request, response) => {
    requests++
    handler(request, response)
  })
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : 0)
    })
  })
  return {
    url: `http://127.0.0.1:${port}`,
    requests: () => requests,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function readBytes(request: IncomingMessage): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Uint8Array.from(Buffer.concat(chunks))
}

export type OperatorAnswer = {
  version?: number
  operator?: Address
  encryptedEnv?: string
  publicEnv?: string
  marks?: string[]
  /** Instead of the honest partial key. */
  partial?: Uint8Array
}

/** An operator that checks nothing and answers with its partial key, changed as the test likes. */
export function operatorHandler(
  cluster: Cluster,
  address: Address,
  answer: OperatorAnswer = {},
  seen: (body: Uint8Array) => void = () => {},
): RequestListener {
  return (request, response) => {
    void readBytes(request).then((body) => {
      seen(body)
      const { rsaPubkeyTmp, appId } = parseSecretsRequest(body)
      const partial = answer.partial ?? partialSign(cluster.shareOf(address), appId)
      response.setHeader('content-type', 'application/json')
      response.end(
        encodeSecretsResponse({
          encryptedEnv: answer.encryptedEnv ?? '',
          publicEnv: answer.publicEnv ?? '',
          encryptedPartialSig: wrapPartial(rsaPubkeyTmp, partial),
          ...(answer.version === undefined ? {} : { version: answer.version }),
          ...(answer.operator === undefined ? {} : { operator: answer.operator }),
          ...(answer.marks === undefined ? {} : { marks: answer.marks }),
        }),
      )
    })
  }
}

/** Evidence of the right form for these report data; nobody has signed it. */
export function evidenceJson(reportData: Uint8Array): string {
  const report = encodeReport({ ...healthyReport('Milan', 'VCEK'), reportData }, 'Milan')
  return encodeAaJson(report, [{ type: 'VCEK', data: new Uint8Array([0x30, 0]) }], 'sev-6.3')
}

export function initdataToml(eigenxToml: string): string {
  return `version = "0.1.0"\nalgorithm = "sha384"\n\n[data]\n"eigenx.toml" = '''\n${eigenxToml}'''\n`
}

export function makeInitdata(eigenxToml: string, encoded = true): Initdata {
  const toml = utf8ToBytes(initdataToml(eigenxToml))
  return parseInitdata(encoded ? utf8ToBytes(encodeInitdata(toml)) : toml)
}

/** One operator at a fixed place with a pinned key: the whole round without a chain. */
export function singleOperatorToml(input: {
  kmsUrl: string
  aaUrl: string
  cluster: Cluster
}): string {
  return [
    `app_id = "${APP_ID}"`,
    `avs_address = "${AVS}"`,
    `kms_url = "${input.kmsUrl}"`,
    `operator_address = "${input.cluster.addresses[0]}"`,
    `master_public_key = "${bytesToHex(input.cluster.masterPublicKey)}"`,
    '[attestation]',
    'report_data = "v1"',
    `aa_url = "${input.aaUrl}"`,
    '',
  ].join('\n')
}
