/** Layers of the release under rules that pin them. No set of another project does so yet, so the table has one of ours for the test. */
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../policy/json.ts'
import { judgePolicy } from '../../policy/judge.ts'
import { hashRules, joinPolicy } from '../../policy/rego.ts'
import type { KnownRuleSet } from '../../policy/types.ts'
import { demandOf, initdataOf, noPolicy, refusals } from './samples.ts'

const RULES = 'package agent_policy'
const COMMON = { ip_p: '[0-9]{1,5}' }
const ROW: KnownRuleSet = {
  sha256: hashRules(RULES),
  name: 'rules that pin layers',
  version: '1',
  pinsImage: 'dm-verity',
  pinsCommand: true,
  pinsEnv: true,
  shape: 'kata',
  reviewed: true,
  commonSha256: createHash('sha256').update(JSON.stringify(COMMON)).digest('hex'),
}

const ROOT = '$(cpath)/$(bundle-id)'
const PAUSE_ROOT = 'a0'.repeat(32)
const APP_ROOT = 'a1'.repeat(32)
const [PAUSE, APP] = [`sha256:${'0'.repeat(64)}`, `sha256:${'1'.repeat(64)}`]

function container(type: string, args: string[], root: string): JsonObject {
  return {
    OCI: {
      Root: { Path: ROOT, Readonly: true },
      Process: { Args: args, Env: ['MODE=production'], Capabilities: null },
      Mounts: [],
      Annotations: { 'io.kubernetes.cri.container-type': type },
    },
    storages: [
      { driver: 'blk', fstype: 'tar', options: ['$(hash0)'], mount_point: '$(layer0)' },
      {
        driver: 'overlayfs',
        fstype: 'fuse3.kata-overlay',
        options: [root.replaceAll('a', 'e'), root],
        mount_point: ROOT,
      },
    ],
    exec_commands: [],
  }
}

const rego = joinPolicy(RULES, {
  containers: [
    container('sandbox', ['/pause'], PAUSE_ROOT),
    container('container', ['/app', '--serve'], APP_ROOT),
  ],
  common: COMMON,
  request_defaults: { ReadStreamRequest: false },
})
const demand = demandOf({
  imageDigest: APP,
  publicEnv: {
    EIGENX_TEE_IMAGES: PAUSE,
    EIGENX_TEE_LAYER_ROOTS: `${PAUSE}=${PAUSE_ROOT},${APP}=${APP_ROOT}`,
  },
  containerPolicy: { ...noPolicy(), args: ['/app', '--serve'], env: { MODE: 'production' } },
})
const judge = (text: string, release = demand) =>
  judgePolicy({ initdata: initdataOf(text), demand: release, allowDigestOnly: false }, (sha256) =>
    sha256 === ROW.sha256 ? ROW : undefined,
  )

describe('layers by dm-verity root', () => {
  it('are allowed where the release carries them', () => {
    const verdict = judge(rego)
    expect(refusals(verdict)).toEqual([])
    expect(verdict.pinnedBy).toBe('container-policy')
  })

  it.each<[string, string, string, string]>([
    ['other layers of the app', APP_ROOT, 'ab'.repeat(32), 'LAYERS_NOT_IN_RELEASE'],
    ['other layers of the sandbox', PAUSE_ROOT, 'ab'.repeat(32), 'LAYERS_NOT_IN_RELEASE'],
    ['a sandbox that does more than pause', '"/pause"', '"sh", "-c", "env"', 'COMMAND_NOT_PINNED'],
    ['other patterns of the tool', '[0-9]{1,5}', '.*', 'POLICY_COMMON_CHANGED'],
    ['another command', '"--serve"', '"--leak"', 'ARGS_DIFFER'],
  ])('are refused with %s', (_name, old, text, code) => {
    const changed = rego.replaceAll(old, text)
    expect(changed).not.toBe(rego)
    expect(refusals(judge(changed))).toContain(code)
  })

  it('are refused where the release carries none', () => {
    expect(refusals(judge(rego, demandOf()))).toContain('LAYERS_NOT_IN_RELEASE')
  })
})
