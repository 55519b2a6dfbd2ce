/**
 * Our rule set in a real Rego engine: OPA's WASM build of `policy/eigenx/policy.rego`, with policy_data left to the
 * test. It is made again, byte for byte, by:
 *
 *     go install github.com/open-policy-agent/opa@v1.4.2
 *     (cat policy/eigenx/policy.rego; printf '\npolicy_data := data.policy_data\n') > /tmp/policy.rego
 *     cd /tmp && opa build -t wasm $(sed -n 's/^default \([A-Za-z]*\) .*$/-e agent_policy\/\1/p' policy.rego) policy.rego
 *     tar xzf bundle.tar.gz /policy.wasm
 *
 * `test/fixtures/eigenx-policy.json` holds the hashes of the rules and of the module that belong together.
 */

import { readFileSync } from 'node:fs'
import { loadPolicy } from '@open-policy-agent/opa-wasm'
import type { JsonObject } from '../../policy/json.ts'
import type { Fields } from './agent-requests.ts'

export const WASM = new URL('../fixtures/eigenx-policy.wasm', import.meta.url)

export type Engine = (rule: string, input: Fields, data: JsonObject) => boolean

export async function loadRules(): Promise<Engine> {
  const policy = await loadPolicy(readFileSync(WASM))
  return (rule, input, data) => {
    policy.setData({ policy_data: data })
    const results: { result?: unknown }[] = policy.evaluate(input, `agent_policy/${rule}`)
    return results.length === 1 && results[0]?.result === true
  }
}
