/** One well-formed initdata with our rule set, and a release that allows it: each test breaks one thing. */

import { EIGENX_RULES } from '../../policy/eigenx/rules.ts'
import { encodeInitdata, parseInitdata } from '../../policy/initdata.ts'
import type { JsonObject } from '../../policy/json.ts'
import { hashArgs } from '../../policy/judge-container.ts'
import { stringifyInitdata } from '../../policy/prepare.ts'
import { joinPolicy } from '../../policy/rego.ts'
import { type ReleaseFacts, releaseDemand } from '../../policy/release.ts'
import type { Initdata, PolicyVerdict, ReleaseDemand } from '../../policy/types.ts'
import { APP_DIGEST, PATH, SIDE_DIGEST } from './agent-requests.ts'

export const APP_ID = `0x${'12'.repeat(20)}`

/** The app's container alone, without volumes: what a release can fix by its ContainerPolicy. */
export function appContainer(): JsonObject {
  return {
    name: 'app',
    image: `ghcr.io/acme/app@${APP_DIGEST}`,
    image_digest: APP_DIGEST,
    args: ['/usr/bin/app', '--serve'],
    env: [PATH, 'MODE=production'],
    cwd: '/',
    user: { uid: 1000, gid: 1000, additional_gids: [1000] },
    capabilities: ['CAP_CHOWN'],
    no_new_privileges: true,
    readonly_root: false,
    mounts: [],
  }
}

export function sideContainer(): JsonObject {
  return {
    ...appContainer(),
    name: 'side',
    image: `ghcr.io/acme/side@${SIDE_DIGEST}`,
    image_digest: SIDE_DIGEST,
    args: ['/side'],
    env: [PATH],
  }
}

export const SIDE_ARGS_SHA256 = hashArgs(['/side'])

export function policyData(changes: JsonObject = {}): JsonObject {
  return {
    format: 'eigenx-tee/policy/1',
    containers: [appContainer()],
    env_patterns: ['hostname'],
    request_defaults: { ReadStreamRequest: false },
    ...changes,
  }
}

export function ourPolicy(changes: JsonObject = {}): string {
  return joinPolicy(EIGENX_RULES, policyData(changes))
}

export function initdataOf(rego: string | undefined): Initdata {
  const data = rego === undefined ? { 'aa.toml': '' } : { 'aa.toml': '', 'policy.rego': rego }
  const toml = new TextEncoder().encode(stringifyInitdata({ algorithm: 'sha384', data }))
  return parseInitdata(new TextEncoder().encode(encodeInitdata(toml)))
}

export function noPolicy(): ReleaseDemand['containerPolicy'] {
  return { args: [], cmdOverride: [], env: {}, envOverride: {}, restartPolicy: '' }
}

export function demandOf(changes: Partial<ReleaseFacts> = {}): ReleaseDemand {
  return releaseDemand({
    app: APP_ID,
    imageDigest: APP_DIGEST,
    publicEnv: {},
    containerPolicy: {
      ...noPolicy(),
      args: ['/usr/bin/app', '--serve'],
      env: { MODE: 'production' },
    },
    ...changes,
  })
}

/** Codes of the findings that refuse, in order, each once. */
export function refusals(verdict: Pick<PolicyVerdict, 'findings'>): string[] {
  const codes = verdict.findings.filter((found) => found.severity === 'refuse').map((f) => f.code)
  return [...new Set(codes)]
}
