import { describe, expect, it } from 'vitest'
import type { PeerPort } from '../../kms/epoch/ports.ts'
import { createMetricsApp } from '../../kms/http/metrics.ts'
import { createMetrics, type Metrics, type MetricsSources } from '../../kms/metrics.ts'
import { countPeerCalls } from '../../kms/peer/counted.ts'
import type { StatusReport } from '../../kms/status.ts'
import type { OperatorInfo } from '../../sdk/chain/types.ts'
import { EigenxError } from '../../sdk/errors.ts'
import { APP, KEY_VERSION, makeBody } from './kit.ts'
import { makeWorld, post, WIDE_LIMITS } from './world.ts'

const REPORT: StatusReport = {
  status: 'ready',
  reasons: [],
  operator: `0x${'01'.repeat(20)}`,
  chainId: 31337,
  keyVersion: KEY_VERSION,
  epoch: 7,
  outputHash: `0x${'0d'.repeat(32)}`,
  threshold: 3,
  participants: 4,
  shareHeld: true,
  finality: { block: 99, lagSeconds: 12, seenSecondsAgo: 3 },
  dealers: [`0x${'01'.repeat(20)}`],
  protocol: {
    phase: 'dealing',
    nextEpoch: 8,
    openSeconds: 45,
    stalled: true,
    nextEpochAt: 1_800_000_600,
    nextActivation: null,
    dealt: [`0x${'01'.repeat(20)}`, `0x${'02'.repeat(20)}`],
    dealingsNeeded: 3,
    signatures: 0,
    signaturesNeeded: 3,
    late: [`0x${'03'.repeat(20)}`],
    leaving: [],
  },
  expiring: [],
  uptimeSeconds: 60,
}

const sourcesOf = (changes: Partial<MetricsSources> = {}): MetricsSources => ({
  report: () => REPORT,
  newestActivation: () => KEY_VERSION + 100,
  jwksAges: () => [
    { method: 'gcp', ageSeconds: 40 },
    { method: 'intel', ageSeconds: undefined },
  ],
  tokensOnRecord: () => 5,
  expiries: () => [{ kind: 'amd', name: 'Milan ark', expiresAt: 2_000_000_000 }],
  remembered: () => [{ kind: 'snp-leaf', entries: 7, limit: 512 }],
  ...changes,
})

const UNKNOWN: StatusReport = {
  ...REPORT,
  status: 'waiting',
  keyVersion: null,
  epoch: null,
  threshold: null,
  participants: null,
  shareHeld: false,
  finality: null,
  protocol: null,
}

function makeMetrics(): { metrics: Metrics; forward: (ms: number) => void } {
  let clockMs = 0
  const metrics = createMetrics({ process: false, clock: () => clockMs })
  return {
    metrics,
    forward: (ms) => {
      clockMs += ms
    },
  }
}

const linesOf = async (metrics: Metrics, sources = sourcesOf()) =>
  (await metrics.render(sources)).split('\n').filter((line) => line !== '' && !line.startsWith('#'))

const peer = (byte: string): OperatorInfo => ({
  address: `0x${byte.repeat(20)}`,
  socket: 'http://127.0.0.1:1',
  signingKey: { curve: 'ecdsa', address: `0x${byte.repeat(20)}` },
})

describe('what an operator tells about its state', () => {
  it('names values with their unit', async () => {
    expect(await linesOf(makeMetrics().metrics)).toEqual(
      expect.arrayContaining([
        'eigenx_tee_ready 1',
        'eigenx_tee_uptime_seconds 60',
        `eigenx_tee_key_version_timestamp_seconds ${KEY_VERSION}`,
        'eigenx_tee_key_epoch 7',
        `eigenx_tee_key_newest_activation_timestamp_seconds ${KEY_VERSION + 100}`,
        'eigenx_tee_key_share_held 1',
        'eigenx_tee_key_threshold 3',
        'eigenx_tee_key_participants 4',
        'eigenx_tee_protocol_next_epoch 8',
        'eigenx_tee_protocol_phase{phase="dealing"} 1',
        'eigenx_tee_protocol_phase{phase="idle"} 0',
        'eigenx_tee_protocol_epoch_open_seconds 45',
        'eigenx_tee_protocol_stalled 1',
        'eigenx_tee_protocol_epoch_due_timestamp_seconds 1800000600',
        'eigenx_tee_protocol_dealings 2',
        'eigenx_tee_protocol_dealings_needed 3',
        'eigenx_tee_protocol_signatures 0',
        'eigenx_tee_protocol_signatures_needed 3',
        `eigenx_tee_protocol_late{operator="0x${'03'.repeat(20)}"} 1`,
        'eigenx_tee_chain_finalized_block 99',
        'eigenx_tee_chain_finality_lag_seconds 12',
        'eigenx_tee_chain_last_read_age_seconds 3',
        'eigenx_tee_jwks_age_seconds{method="gcp"} 40',
        'eigenx_tee_used_tokens 5',
        'eigenx_tee_remembered_entries{kind="snp-leaf"} 7',
        'eigenx_tee_trust_expiry_timestamp_seconds{kind="amd",name="Milan ark"} 2000000000',
      ]),
    )
  })

  it('leaves out what it does not know, and takes back what it no longer knows', async () => {
    const { metrics } = makeMetrics()
    const unknown = sourcesOf({
      report: () => UNKNOWN,
      newestActivation: () => undefined,
      jwksAges: () => [],
      tokensOnRecord: () => undefined,
      expiries: () => [],
      remembered: () => [],
    })
    const expected = [
      'eigenx_tee_ready 0',
      'eigenx_tee_uptime_seconds 60',
      'eigenx_tee_key_share_held 0',
    ]
    expect(await linesOf(metrics, unknown)).toEqual(expected)
    expect((await linesOf(metrics)).length).toBeGreaterThan(10)
    expect(await linesOf(metrics, unknown)).toEqual(expected)
  })

  it('has a help text and a name of its own for every metric', async () => {
    const text = await makeMetrics().metrics.render(sourcesOf())
    const names = [...text.matchAll(/^# HELP (\S+) (.+)$/gm)].map(([, name]) => name)
    expect(new Set(names).size).toBe(names.length)
    expect(names.length).toBeGreaterThan(20)
    for (const name of names) expect(name).toMatch(/^eigenx_tee_[a-z_]+$/)
  })
})

describe('decisions', () => {
  it('are counted with code, marks and the time of every step', async () => {
    const { metrics, forward } = makeMetrics()
    const timer = metrics.startDecision()
    forward(2)
    timer.onStep('evidence')
    forward(30)
    timer.onStep('chain')
    forward(400)
    timer.end({
      route: 'secrets',
      method: 'gcp',
      verdict: 'granted',
      marks: ['confidential-space'],
    })
    const lines = await linesOf(metrics)
    expect(lines).toEqual(
      expect.arrayContaining([
        'eigenx_tee_decisions_total{route="secrets",method="gcp",verdict="granted",code="none"} 1',
        'eigenx_tee_grant_marks_total{mark="confidential-space"} 1',
        'eigenx_tee_secrets_duration_seconds_sum{verdict="granted"} 0.432',
        'eigenx_tee_secrets_stage_duration_seconds_sum{stage="parse"} 0.002',
        'eigenx_tee_secrets_stage_duration_seconds_sum{stage="evidence"} 0.03',
        'eigenx_tee_secrets_stage_duration_seconds_sum{stage="chain"} 0.4',
      ]),
    )
  })

  it('have one label for all methods that do not exist, so callers cannot make series', async () => {
    const { metrics } = makeMetrics()
    for (let i = 0; i < 1000; i++)
      metrics.decided({
        route: 'secrets',
        method: `made-up-${i}"\n`,
        verdict: 'refused',
        code: 'METHOD_UNKNOWN',
        marks: [`mark-${i}`],
      })
    const counted = (await linesOf(metrics)).filter((line) => /decisions_total|marks/.test(line))
    expect(counted).toEqual([
      'eigenx_tee_decisions_total{route="secrets",method="other",verdict="refused",code="METHOD_UNKNOWN"} 1000',
    ])
  })
})

describe('calls to other operators', () => {
  const failing = new EigenxError({
    code: 'AGENT_UNREACHABLE',
    message: 'The peer could not be reached.',
    stage: 'protocol',
    details: { endpoint: 'x' },
  })
  const port: PeerPort = {
    push: async (to) => {
      if (to.address.startsWith('0x02')) throw failing
      return 'later'
    },
    fetchBlob: async () => undefined,
    fetchEncryptionKey: async () => new Uint8Array(1),
  }

  it('are counted by operator and result, and pass through unchanged', async () => {
    const { metrics } = makeMetrics()
    const counted = countPeerCalls(port, metrics)
    expect(await counted.push(peer('01'), new Uint8Array())).toBe('later')
    await expect(counted.push(peer('02'), new Uint8Array())).rejects.toBe(failing)
    expect(await counted.fetchBlob(peer('01'), `0x${'00'.repeat(32)}`)).toBeUndefined()
    expect(await counted.fetchEncryptionKey(peer('01'))).toEqual(new Uint8Array(1))
    const calls = (await linesOf(metrics)).filter((line) => line.includes('peer_calls'))
    const series = (operator: string, call: string, result: string) =>
      `eigenx_tee_peer_calls_total{operator="0x${operator.repeat(20)}",call="${call}",result="${result}"} 1`
    expect(calls).toEqual([
      series('01', 'push', 'later'),
      series('02', 'push', 'failed'),
      series('01', 'blob', 'absent'),
      series('01', 'encryption_key', 'found'),
    ])
  })

  it('of more operators than a set has are counted together', async () => {
    const { metrics } = makeMetrics()
    for (let i = 0; i < 400; i++)
      metrics.peerCalled(`0x${i.toString(16).padStart(40, '0')}`, 'push', 'accepted')
    const calls = (await linesOf(metrics)).filter((line) => line.includes('peer_calls'))
    expect(calls).toHaveLength(257)
    expect(calls.at(-1)).toBe(
      'eigenx_tee_peer_calls_total{operator="other",call="push",result="accepted"} 144',
    )
  })
})

describe('GET /metrics', () => {
  it('counts what the app did, and holds no app, caller, key or evidence', async () => {
    const { metrics } = makeMetrics()
    const world = await makeWorld({
      metrics,
      toml: WIDE_LIMITS.replace(
        /^read = .*$/m,
        'read = { per_second = 1, burst = 1, concurrent = 1 }',
      ),
    })
    const body = await makeBody(world.authority, { rsa: world.rsa })
    expect((await post(world, '/secrets', body)).status).toBe(200)
    expect((await post(world, '/secrets', { ...body, attestation: 'AAAA' })).status).toBe(401)
    expect((await post(world, '/secrets', '{')).status).toBe(400)
    expect((await post(world, '/app/sign', { AppID: APP })).status).toBe(403)
    const reads = await Promise.all([1, 2, 3, 4].map(() => world.app.request('/health')))
    expect(reads.some(({ status }) => status === 429)).toBe(true)
    const answer = await createMetricsApp(metrics, sourcesOf()).request('/metrics')
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toContain('text/plain')
    const text = await answer.text()
    for (const line of [
      'eigenx_tee_decisions_total{route="secrets",method="eigenx-snp",verdict="granted",code="none"} 1',
      'eigenx_tee_decisions_total{route="secrets",method="eigenx-snp",verdict="refused",code="EVIDENCE_MALFORMED"} 1',
      'eigenx_tee_decisions_total{route="app_sign",method="none",verdict="refused",code="METHOD_DISABLED"} 1',
      'eigenx_tee_requests_refused_total{route="secrets",code="REQUEST_INVALID"} 1',
    ])
      expect(text).toContain(line)
    expect(text).toMatch(/requests_refused_total\{route="read",code="RATE_LIMITED"\} \d/)
    expect(text).toMatch(/stage_duration_seconds_count\{stage="evidence"\} 2/)
    const { sharing, operator } = world
    const share = sharing.shares.get(operator) ?? 0n
    for (const secret of [
      APP,
      share.toString(16),
      share.toString(),
      'BEGIN PUBLIC',
      '127.0.0.1',
      'unknown"',
    ])
      expect(text).not.toContain(secret)
  })

  it('is nowhere else, and there is nothing else', async () => {
    const { metrics } = makeMetrics()
    const world = await makeWorld({ metrics, anchors: new Map() })
    expect((await world.app.request('/metrics')).status).toBe(404)
    const app = createMetricsApp(metrics, sourcesOf())
    expect((await app.request('/secrets', { method: 'POST' })).status).toBe(404)
    expect((await app.request('/metrics', { method: 'POST' })).status).toBe(404)
  })

  it('answers 500 with a constant text when a source fails', async () => {
    const { metrics } = makeMetrics()
    const broken = sourcesOf({
      report: () => {
        throw new Error('secret')
      },
    })
    const answer = await createMetricsApp(metrics, broken).request('/metrics')
    expect(answer.status).toBe(500)
    expect(await answer.text()).toBe('Internal error\n')
  })

  it('includes the process where the operator is asked to', async () => {
    const metrics = createMetrics({ process: true, clock: () => 0 })
    expect(await metrics.render(sourcesOf())).toContain('process_resident_memory_bytes')
  })
})
