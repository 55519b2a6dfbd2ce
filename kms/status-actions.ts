/** What `kms status` does. Loaded only when it runs. @module */
import { z } from 'zod'
import { EigenxError } from '../sdk/errors.ts'
import { PHASES } from './epoch/status.ts'
import { usage } from './errors.ts'
import { loadKmsConfig } from './load-config.ts'
import { readCapped } from './peer/transport.ts'

const STATUS_TIMEOUT_MS = 10_000
const MAX_REPORT_BYTES = 262_144

/** What answers is a stranger's text: nothing but an address is printed as one, and nothing that a terminal obeys. */
const Operator = z.string().regex(/^0x[0-9a-f]{40}$/)
const Line = z.string().regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]{0,500}$/u)
const Report = z.object({
  status: z.enum(['ready', 'waiting']),
  reasons: z.array(Line),
  operator: Operator,
  chainId: z.number(),
  keyVersion: z.number().nullable(),
  epoch: z.number().nullable(),
  threshold: z.number().nullable(),
  participants: z.number().nullable(),
  outputHash: z.string().nullable(),
  shareHeld: z.boolean(),
  finality: z
    .object({ block: z.number(), lagSeconds: z.number(), seenSecondsAgo: z.number() })
    .nullable(),
  dealers: z.array(Operator),
  protocol: z
    .object({
      phase: z.enum(PHASES),
      nextEpoch: z.number(),
      openSeconds: z.number().nullable(),
      stalled: z.boolean(),
      nextEpochAt: z.number().nullable(),
      nextActivation: z.number().nullable(),
      dealt: z.array(Operator),
      dealingsNeeded: z.number(),
      signatures: z.number(),
      signaturesNeeded: z.number(),
      late: z.array(Operator),
      leaving: z.array(Operator),
    })
    .nullable(),
  expiring: z.array(z.object({ kind: Line, name: Line, expiresAt: z.number() })).default([]),
  uptimeSeconds: z.number(),
})

/** @returns Text for a person or JSON. @throws EigenxError KEY_NOT_READY when the operator cannot serve. */
export async function showStatus(input: {
  config?: string
  url?: string
  json: boolean
}): Promise<string> {
  const report = await fetchReport(await statusUrl(input))
  const text = input.json ? JSON.stringify(report, null, 2) : describeReport(report)
  if (report.status === 'ready') return text
  process.stdout.write(`${text}\n`)
  throw new EigenxError({
    code: 'KEY_NOT_READY',
    message: `The operator cannot serve keys: ${report.reasons.join('; ')}.`,
    stage: 'key',
    details: {},
  })
}

async function statusUrl(input: { config?: string; url?: string }): Promise<string> {
  if (input.url !== undefined) return input.url.replace(/\/+$/, '')
  if (input.config === undefined) throw usage('Give --url or --config.')
  const { listen } = await loadKmsConfig(input.config)
  if (listen.port === 0) throw usage('The configuration takes any free port: give --url.')
  const host = ['0.0.0.0', '::'].includes(listen.host) ? '127.0.0.1' : listen.host
  return `http://${host.includes(':') ? `[${host}]` : host}:${listen.port}`
}

/** @throws EigenxError AGENT_UNREACHABLE, AGENT_PROTOCOL */
export async function fetchReport(
  url: string,
  timeoutMs = STATUS_TIMEOUT_MS,
): Promise<z.output<typeof Report>> {
  let answer: unknown
  try {
    const response = await fetch(`${url}/health`, {
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    })
    const text = new TextDecoder().decode(await readCapped(response, MAX_REPORT_BYTES))
    answer = JSON.parse(text)
  } catch (cause) {
    throw new EigenxError({
      code: 'AGENT_UNREACHABLE',
      message: 'The operator does not answer.',
      stage: 'agent',
      details: { endpoint: url },
      cause,
    })
  }
  const parsed = Report.safeParse(answer)
  if (parsed.success) return parsed.data
  throw new EigenxError({
    code: 'AGENT_PROTOCOL',
    message: 'What answers there is not an operator of this version.',
    stage: 'agent',
    details: { reason: 'health report' },
  })
}

function describeReport(report: z.output<typeof Report>): string {
  const { finality, protocol } = report
  const rows: [string, string][] = [
    ['status', report.status === 'ready' ? 'ready' : `waiting: ${report.reasons.join('; ')}`],
    ['operator', `${report.operator} on chain ${report.chainId}`],
    [
      'key',
      report.keyVersion === null
        ? 'none'
        : `version ${report.keyVersion}, active since ${isoTime(report.keyVersion)} (epoch ${report.epoch}, ${report.threshold} of ${report.participants}), share ${report.shareHeld ? 'held' : 'MISSING'}`,
    ],
    [
      'chain',
      finality === null
        ? 'not read yet'
        : `final block ${finality.block}, ${finality.lagSeconds} s old, read ${finality.seenSecondsAgo} s ago`,
    ],
    ...(report.dealers.length === 0
      ? []
      : [['dealt by', report.dealers.join(' ')] satisfies [string, string]]),
    ...(protocol === null
      ? [['protocol', 'not started'] as [string, string]]
      : describeProtocol(protocol)),
    ...report.expiring.map(({ kind, name, expiresAt }): [string, string] => [
      'runs out',
      `${kind} ${name}: ${isoTime(expiresAt)}`,
    ]),
    ['uptime', `${report.uptimeSeconds} s`],
  ]
  return rows.map(([name, value]) => `${name.padEnd(9)} ${value}`).join('\n')
}

function describeProtocol(
  protocol: NonNullable<z.output<typeof Report>['protocol']>,
): [string, string][] {
  const { phase, nextEpoch, openSeconds, nextEpochAt, nextActivation } = protocol
  const open = openSeconds === null ? '' : `, open for ${openSeconds} s`
  const stalled = protocol.stalled ? ', STALLED: several attempts came to nothing' : ''
  const rows: [string, string][] = [['protocol', `epoch ${nextEpoch} ${phase}${open}${stalled}`]]
  if (protocol.dealingsNeeded > 0)
    rows.push([
      'attempt',
      `${protocol.dealt.length} dealings of at least ${protocol.dealingsNeeded}, ${protocol.signatures} signatures of ${protocol.signaturesNeeded}`,
    ])
  if (protocol.late.length > 0) rows.push(['late', protocol.late.join(' ')])
  if (protocol.leaving.length > 0) rows.push(['leaving', protocol.leaving.join(' ')])
  if (nextActivation !== null) rows.push(['next key', `active from ${isoTime(nextActivation)}`])
  else if (nextEpochAt !== null) rows.push(['next', `epoch due from ${isoTime(nextEpochAt)}`])
  return rows
}

const isoTime = (unixSeconds: number): string => {
  const date = new Date(1000 * unixSeconds)
  return Number.isNaN(date.getTime()) ? `${unixSeconds}` : date.toISOString()
}
