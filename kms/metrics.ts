/**
 * What an operator counts and measures about itself, for Prometheus. Names carry their unit; every label has a small closed set of
 * values, so no caller can make the set of series grow; app ids, callers, addresses of providers and keys appear nowhere.
 * docs/operators.md lists them with the alarms that they are for.
 * @module
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { RememberedCount } from '../sdk/attest/tdx-memory.ts'
import type { Address } from '../sdk/chain/types.ts'
import type { ErrorCode } from '../sdk/errors.ts'
import { KNOWN_METHODS } from './config-attestation.ts'
import { PHASES } from './epoch/status.ts'
import type { Step } from './http/status.ts'
import type { Expiry, StatusReport } from './status.ts'

/** Read when somebody asks for the metrics. */
export type MetricsSources = {
  report: () => StatusReport
  /** Unix seconds at which the newest settled output becomes active, or became. */
  newestActivation: () => number | undefined
  /** Keys of token issuers: age of the last good look, where there was one. */
  jwksAges: () => readonly { method: string; ageSeconds: number | undefined }[]
  /** Used tokens on record. */
  tokensOnRecord: () => number | undefined
  /** What trust rests on and when it runs out, Unix seconds. */
  expiries: () => readonly Expiry[]
  /** Certificates, chains and collateral that need no second verification, by kind. */
  remembered: () => readonly RememberedCount[]
}

export type DecisionOutcome = {
  route: 'secrets' | 'app_sign'
  method: string
  verdict: 'granted' | 'refused'
  code?: ErrorCode
  marks: readonly string[]
}

export type DecisionTimer = {
  onStep: (step: Step) => void
  end: (outcome: DecisionOutcome) => void
}

export type RouteClass = 'read' | 'peer' | 'secrets' | 'app_sign'
export type PeerCall = 'push' | 'blob' | 'encryption_key'
export type PeerResult = 'accepted' | 'later' | 'refused' | 'found' | 'absent' | 'failed'

export type Metrics = {
  startDecision: () => DecisionTimer
  decided: (outcome: DecisionOutcome) => void
  /** Refused before a decision began: limits, bodies that do not parse. */
  turnedAway: (route: RouteClass, code: ErrorCode) => void
  peerCalled: (operator: Address, call: PeerCall, result: PeerResult) => void
  chainAlarm: (kind: string) => void
  jwksLooked: (method: string, result: string) => void
  collateralUpdated: (vendor: string, result: string) => void
  /** The text format, with the sources read now. */
  render: (sources: MetricsSources) => Promise<string>
  contentType: string
}

const PREFIX = 'eigenx_tee_'
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
const MAX_OPERATORS = 256
const MAX_EXPIRIES = 64

export type MetricsOptions = {
  /** Metrics of the process too: memory, event loop, garbage collection. */
  process: boolean
  /** Milliseconds that only go forward. */
  clock: () => number
}

export function createMetrics(options: MetricsOptions): Metrics {
  const registry = new Registry()
  if (options.process) collectDefaultMetrics({ register: registry })
  const events = createEvents(registry)
  const state = createState(registry)
  const operators = new Set<string>()
  const operatorLabel = (operator: Address) => {
    if (operators.has(operator)) return operator
    if (operators.size >= MAX_OPERATORS) return 'other'
    operators.add(operator)
    return operator
  }
  const decided = ({ route, method, verdict, code, marks }: DecisionOutcome) => {
    events.decisions.inc({ route, method: methodLabel(method), verdict, code: code ?? 'none' })
    if (verdict === 'granted') for (const mark of marks) events.marks.inc({ mark })
  }
  return {
    decided,
    startDecision: () => {
      const begunMs = options.clock()
      let step: Step = 'parse'
      let stepMs = begunMs
      const endStep = () => {
        const nowMs = options.clock()
        events.stages.observe({ stage: step }, (nowMs - stepMs) / 1000)
        stepMs = nowMs
      }
      return {
        onStep: (next) => {
          endStep()
          step = next
        },
        end: (outcome) => {
          endStep()
          const { verdict } = outcome
          events.durations.observe({ verdict }, (options.clock() - begunMs) / 1000)
          decided(outcome)
        },
      }
    },
    turnedAway: (route, code) => events.turnedAway.inc({ route, code }),
    peerCalled: (operator, call, result) =>
      events.peerCalls.inc({ operator: operatorLabel(operator), call, result }),
    chainAlarm: (kind) => events.chainAlarms.inc({ kind }),
    jwksLooked: (method, result) => events.jwksLooks.inc({ method, result }),
    collateralUpdated: (vendor, result) => events.collateral.inc({ vendor, result }),
    render: (sources) => {
      readState(state, sources)
      return registry.metrics()
    },
    contentType: registry.contentType,
  }
}

/** The caller chooses the method's text. */
function methodLabel(method: string): string {
  return method === 'none' || KNOWN_METHODS.some((known) => known === method) ? method : 'other'
}

function createEvents(registry: Registry) {
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Counter({ name: `${PREFIX}${name}`, help, labelNames, registers: [registry] })
  const histogram = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Histogram({
      name: `${PREFIX}${name}`,
      help,
      labelNames,
      buckets: SECONDS,
      registers: [registry],
    })
  return {
    decisions: counter('decisions_total', 'Decisions about partial keys.', [
      'route',
      'method',
      'verdict',
      'code',
    ]),
    marks: counter('grant_marks_total', 'Grants that carry this mark.', ['mark']),
    turnedAway: counter('requests_refused_total', 'Requests refused before a decision.', [
      'route',
      'code',
    ]),
    durations: histogram('secrets_duration_seconds', 'From body to answer of POST /secrets.', [
      'verdict',
    ]),
    stages: histogram('secrets_stage_duration_seconds', 'Time in each step of a decision.', [
      'stage',
    ]),
    peerCalls: counter('peer_calls_total', 'Calls to other operators.', [
      'operator',
      'call',
      'result',
    ]),
    chainAlarms: counter('chain_alarms_total', 'Chain providers that contradict the others.', [
      'kind',
    ]),
    collateral: counter(
      'collateral_updates_total',
      'Files of collateral fetched in the background.',
      ['vendor', 'result'],
    ),
    jwksLooks: counter('jwks_looks_total', 'Looks at the keys of token issuers.', [
      'method',
      'result',
    ]),
  }
}

function createState(registry: Registry) {
  const gauge = <L extends string = never>(
    name: string,
    help: string,
    labelNames: readonly L[] = [],
  ) => new Gauge({ name: `${PREFIX}${name}`, help, labelNames, registers: [registry] })
  return {
    ready: gauge('ready', '1 when this operator can serve keys.'),
    uptime: gauge('uptime_seconds', 'Since the process started to serve.'),
    keyVersion: gauge('key_version_timestamp_seconds', 'Activation time of the key in force.'),
    keyEpoch: gauge('key_epoch', 'Epoch of the key in force.'),
    nextActivation: gauge(
      'key_newest_activation_timestamp_seconds',
      'Activation time of the newest settled output; ahead of now while one is pending.',
    ),
    shareHeld: gauge('key_share_held', '1 when the share of the key in force is here.'),
    threshold: gauge('key_threshold', 'Partial keys that recombine.'),
    participants: gauge('key_participants', 'Operators that share the key in force.'),
    nextEpoch: gauge('protocol_next_epoch', 'The epoch that the protocol works on next.'),
    phase: gauge('protocol_phase', '1 for the phase that the epoch under way is in.', ['phase']),
    openSeconds: gauge('protocol_epoch_open_seconds', 'Since the epoch under way was opened.'),
    stalled: gauge('protocol_stalled', '1 when several attempts at an epoch came to nothing.'),
    epochDue: gauge(
      'protocol_epoch_due_timestamp_seconds',
      'From when the next epoch is due by the interval.',
    ),
    dealings: gauge('protocol_dealings', 'Dealings here for the newest attempt.'),
    dealingsNeeded: gauge('protocol_dealings_needed', 'Dealings that an output takes.'),
    signatures: gauge('protocol_signatures', 'Signatures here for the newest attempt.'),
    signaturesNeeded: gauge('protocol_signatures_needed', 'Signatures that a certificate takes.'),
    late: gauge('protocol_late', '1 for an operator whose part is missing now.', ['operator']),
    finalizedBlock: gauge('chain_finalized_block', 'Newest final block seen.'),
    finalityLag: gauge('chain_finality_lag_seconds', 'Age of the newest final block seen.'),
    chainRead: gauge('chain_last_read_age_seconds', 'Since the epoch log was last read.'),
    jwksAge: gauge('jwks_age_seconds', 'Since the keys of a token issuer were last loaded.', [
      'method',
    ]),
    tokens: gauge('used_tokens', 'Used attestation tokens on record.'),
    remembered: gauge('remembered_entries', 'Verified chains and collateral kept in memory.', [
      'kind',
    ]),
    expiry: gauge(
      'trust_expiry_timestamp_seconds',
      'When something that trust rests on runs out.',
      ['kind', 'name'],
    ),
  }
}

function readState(state: ReturnType<typeof createState>, sources: MetricsSources): void {
  const report = sources.report()
  setOrRemove(state.ready, report.status === 'ready' ? 1 : 0)
  setOrRemove(state.uptime, report.uptimeSeconds)
  setOrRemove(state.keyVersion, report.keyVersion)
  setOrRemove(state.keyEpoch, report.epoch)
  setOrRemove(state.nextActivation, sources.newestActivation())
  setOrRemove(state.shareHeld, report.shareHeld ? 1 : 0)
  setOrRemove(state.threshold, report.threshold)
  setOrRemove(state.participants, report.participants)
  readProtocol(state, report.protocol)
  setOrRemove(state.finalizedBlock, report.finality?.block)
  setOrRemove(state.finalityLag, report.finality?.lagSeconds)
  setOrRemove(state.chainRead, report.finality?.seenSecondsAgo)
  setOrRemove(state.tokens, sources.tokensOnRecord())
  state.jwksAge.reset()
  for (const { method, ageSeconds } of sources.jwksAges())
    if (ageSeconds !== undefined) state.jwksAge.set({ method }, ageSeconds)
  state.remembered.reset()
  for (const { kind, entries } of sources.remembered()) state.remembered.set({ kind }, entries)
  state.expiry.reset()
  for (const { kind, name, expiresAt } of sources.expiries().slice(0, MAX_EXPIRIES))
    state.expiry.set({ kind, name }, expiresAt)
}

function readProtocol(
  state: ReturnType<typeof createState>,
  protocol: StatusReport['protocol'],
): void {
  const attempt = protocol !== null && protocol.dealingsNeeded > 0 ? protocol : undefined
  setOrRemove(state.nextEpoch, protocol?.nextEpoch)
  setOrRemove(state.openSeconds, protocol?.openSeconds)
  setOrRemove(state.stalled, protocol === null ? null : protocol.stalled ? 1 : 0)
  setOrRemove(state.epochDue, protocol?.nextEpochAt)
  setOrRemove(state.dealings, attempt?.dealt.length)
  setOrRemove(state.dealingsNeeded, attempt?.dealingsNeeded)
  setOrRemove(state.signatures, attempt?.signatures)
  setOrRemove(state.signaturesNeeded, attempt?.signaturesNeeded)
  state.phase.reset()
  state.late.reset()
  if (protocol === null) return
  for (const phase of PHASES) state.phase.set({ phase }, phase === protocol.phase ? 1 : 0)
  for (const operator of protocol.late.slice(0, MAX_OPERATORS)) state.late.set({ operator }, 1)
}

/** What is not known is absent, not zero: an alarm on a value must not fire for it. */
function setOrRemove(gauge: Gauge<never>, value: number | null | undefined): void {
  if (value === null || value === undefined) gauge.remove({})
  else gauge.set(value)
}
