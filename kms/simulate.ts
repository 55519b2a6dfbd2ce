/**
 * What an operator with other settings would say about evidence that was kept: the very code that judges requests, without the chain.
 *
 * Of a kept request, everything up to the chain is judged: evidence, platform, REPORT_DATA and how the initdata is anchored. Of evidence alone,
 * authenticity and platform. Values in, values out.
 * @module
 */
import { recogniseEvidence } from '../sdk/attest/evidence-kind.ts'
import { parseUtf8 } from '../sdk/bytes.ts'
import { EigenxError } from '../sdk/errors.ts'
import { parseSecretsRequest, type SecretsRequest } from '../sdk/wire/secrets.ts'
import { POD_METHODS } from './authorize/methods.ts'
import type { EvidenceDeps } from './authorize/settings.ts'
import { type DecisionTrail, startTrail } from './authorize/trail.ts'
import { settingsAt } from './authorize/windows.ts'
import { asEigenxError } from './errors.ts'

export type Simulated = {
  file: string
  /** `skipped`: nothing that can be judged without its issuer or the chain. */
  verdict: 'accepted' | 'refused' | 'skipped'
  kind: 'request' | 'evidence' | 'unknown'
  method: string
  /** Of a refusal, and the check that failed, where it is one. */
  code?: string
  check?: string
  message?: string
  binding?: string
  marks: readonly string[]
}

export function simulate(
  deps: EvidenceDeps,
  kept: { file: string; bytes: Uint8Array },
  nowSeconds: number,
): Simulated {
  const { file, bytes } = kept
  const trail = startTrail()
  const current = { ...deps, settings: settingsAt(deps.settings, nowSeconds) }
  let about: Pick<Simulated, 'kind' | 'method'> = { kind: 'unknown', method: '' }
  try {
    const request = readRequest(bytes)
    const evidence = request === undefined ? recogniseEvidence(bytes) : undefined
    about = {
      kind: request === undefined ? 'evidence' : 'request',
      method: (request?.attestationMethod ?? evidence?.method ?? '').slice(0, 64),
    }
    const method = POD_METHODS.get(about.method)
    if (method === undefined) return { file, verdict: 'skipped', ...about, marks: [] }
    if (!deps.settings.methods.includes(about.method)) throw disabled(about.method)
    if (request !== undefined) method.judge(current, request, trail, nowSeconds)
    else if (evidence !== undefined) method.open(current, evidence.attestation, trail, nowSeconds)
    return { file, verdict: 'accepted', ...about, ...facts(trail) }
  } catch (thrown) {
    const { code, shortMessage } = asEigenxError(thrown)
    const failed = trail.checks.find(({ result }) => result === 'failed')
    return {
      file,
      verdict: 'refused',
      ...about,
      code,
      ...(failed === undefined ? {} : { check: failed.name }),
      message: shortMessage,
      ...facts(trail),
    }
  }
}

/** A request names its method; evidence does not. */
function readRequest(bytes: Uint8Array): SecretsRequest | undefined {
  return /"attestation_method"\s*:/.test(parseUtf8(bytes) ?? '')
    ? parseSecretsRequest(bytes)
    : undefined
}

function facts({ binding, marks }: DecisionTrail): Pick<Simulated, 'binding' | 'marks'> {
  return { ...(binding === undefined ? {} : { binding }), marks: [...marks] }
}

const disabled = (method: string) =>
  new EigenxError({
    code: 'METHOD_DISABLED',
    message: 'the attestation method is not enabled',
    stage: 'request',
    details: { method },
  })
