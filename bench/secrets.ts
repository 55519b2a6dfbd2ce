/**
 * How many pods one operator process can answer: a real request of a real pod, sent again and again.
 * Each answer costs the whole decision: evidence, initdata and policy, chain reads, partial key, RSA.
 * @module
 */
import { createQuorumViewer } from '../helper/chain-view.ts'
import { parseEigenxToml } from '../helper/config.ts'
import { obtainAppKey } from '../helper/identity.ts'
import { createRequestKey } from '../helper/request-key.ts'
import type { Devnet } from '../helper/sim/devnet.ts'
import type { Operator } from '../helper/sim/operators.ts'
import { createEvidenceSource } from '../helper/source.ts'
import { type HttpExchange, requestBytes } from '../sdk/client/node-http.ts'
import { memoryOf } from './devnet.ts'
import type { Row } from './row.ts'

const WARM_UP_MS = 3_000
const MEASURE_MS = 6_000
const CALLERS = 8

export async function secretsRows(devnet: Devnet): Promise<Row[]> {
  const [operator] = devnet.operators
  if (operator === undefined) throw new RangeError('a devnet has operators')
  const before = memoryOf(operator)
  const body = await recordRequest(devnet)
  const ask = () => postSecrets(operator, body)
  await askFor(ask, WARM_UP_MS)
  const { answers, seconds } = await askFor(ask, MEASURE_MS)
  return [
    {
      name: '/secrets of one operator process',
      value: answers / seconds,
      unit: 'requests/s',
      note: `${CALLERS} callers at once, on the same machine`,
    },
    { name: 'operator memory, after genesis', value: before, unit: 'MiB', budget: 200 },
    {
      name: `operator memory, after ${answers} more grants`,
      value: memoryOf(operator),
      unit: 'MiB',
      budget: 200,
    },
  ]
}

/** @throws Error when the operator refuses. */
export async function postSecrets(
  { url }: Pick<Operator, 'url'>,
  body: Uint8Array<ArrayBuffer>,
): Promise<void> {
  const response = await fetch(`${url}/secrets`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  })
  const text = await response.text()
  if (!response.ok)
    throw new Error(`the operator refused: ${response.status} ${text.slice(0, 200)}`)
}

async function askFor(ask: () => Promise<void>, ms: number) {
  const started = performance.now()
  let answers = 0
  const caller = async () => {
    while (performance.now() - started < ms) {
      await ask()
      answers++
    }
  }
  await Promise.all(Array.from({ length: CALLERS }, caller))
  return { answers, seconds: (performance.now() - started) / 1000 }
}

/** Lets the helper's own code obtain the key, and keeps what it sent. */
export async function recordRequest({ app, machine }: Devnet): Promise<Uint8Array<ArrayBuffer>> {
  // Booting makes the machine's firmware vouch for the document.
  const pod = await machine.boot({ initdata: app.initdata })
  await pod.stop()
  const config = parseEigenxToml(app.initdata.data['eigenx.toml'] ?? '')
  let sent: Uint8Array | undefined
  const exchange: HttpExchange = async (request) => {
    if (request.url.endsWith('/secrets') && request.body !== undefined)
      sent =
        typeof request.body === 'string' ? new TextEncoder().encode(request.body) : request.body
    return requestBytes(request)
  }
  await obtainAppKey(
    {
      exchange,
      evidence: createEvidenceSource(config.attestation),
      viewQuorum: createQuorumViewer(config),
      createKey: createRequestKey,
    },
    { config, initdata: app.initdata },
  )
  if (sent === undefined) throw new Error('the helper sent no request')
  return Uint8Array.from(sent)
}
