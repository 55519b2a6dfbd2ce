import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { EIGENX_RULES, EIGENX_RULES_SHA256 } from '../../policy/eigenx/rules.ts'
import { hashRules, readDefaults } from '../../policy/rego.ts'
import { findRuleSet, KNOWN_RULE_SETS } from '../../policy/rules.ts'
import { added, appRequest, changed, samplePolicyData } from './agent-requests.ts'
import { RULE_CASES } from './rules-cases.ts'
import { type Engine, loadRules, WASM } from './rules-engine.ts'

const REGO = new URL('../../policy/eigenx/policy.rego', import.meta.url)
const RECORD = new URL('../fixtures/eigenx-policy.json', import.meta.url)
const record = z.object({ rulesSha256: z.string(), wasmSha256: z.string() })

describe('our rule set', () => {
  it('is the text of policy.rego, and its row carries its hash', () => {
    expect(`${EIGENX_RULES}\n`).toBe(readFileSync(REGO, 'utf8'))
    expect(hashRules(EIGENX_RULES)).toBe(EIGENX_RULES_SHA256)
    expect(findRuleSet(EIGENX_RULES_SHA256)).toMatchObject({
      name: 'eigenx-tee',
      pinsImage: 'digest',
    })
  })

  it('is the text, and the WASM file the module, whose hashes the record of their build names', () => {
    const stated = record.parse(JSON.parse(readFileSync(RECORD, 'utf8')))
    expect(stated.rulesSha256).toBe(EIGENX_RULES_SHA256)
    expect(createHash('sha256').update(readFileSync(WASM)).digest('hex')).toBe(stated.wasmSha256)
  })

  it('stays within the line length that regorus takes', () => {
    expect(Math.max(...EIGENX_RULES.split('\n').map((line) => line.length))).toBeLessThan(1024)
    expect([...EIGENX_RULES].every((char) => char === '\n' || (char >= ' ' && char <= '~'))).toBe(
      true,
    )
  })

  it('decides every request of the agent, and a test decides on each decision', () => {
    const decided = readDefaults(EIGENX_RULES).map((rule) => rule.name)
    const tested = new Set(RULE_CASES.map((item) => item.rule))
    expect(decided.filter((name) => !tested.has(name))).toEqual([])
    expect(new Set(decided).size).toBe(decided.length)
  })
})

describe('the table of known rule sets', () => {
  it('has distinct hashes, and none of the released Kata sets pins the image', () => {
    const hashes = KNOWN_RULE_SETS.map((row) => row.sha256)
    expect(new Set(hashes).size).toBe(hashes.length)
    const upstream = KNOWN_RULE_SETS.filter((row) => row.name.startsWith('kata-containers'))
    expect(upstream.length).toBe(26)
    expect(upstream.every((row) => row.pinsImage === false)).toBe(true)
  })
})

describe('in a Rego engine', () => {
  let decide: Engine
  beforeAll(async () => {
    decide = await loadRules()
  })

  const titled = RULE_CASES.map(
    (item) => [`${item.expect ? 'allows' : 'denies'} ${item.rule}: ${item.name}`, item] as const,
  )
  it.each(titled)('%s', (_, item) => {
    expect(decide(item.rule, item.input, samplePolicyData())).toBe(item.expect)
  })

  it('hands out the logs only where the data says so', () => {
    const open = { ...samplePolicyData(), request_defaults: { ReadStreamRequest: true } }
    expect(decide('ReadStreamRequest', {}, open)).toBe(true)
    for (const value of ['true', 1, null])
      expect(
        decide(
          'ReadStreamRequest',
          {},
          { ...open, request_defaults: { ReadStreamRequest: value } },
        ),
      ).toBe(false)
  })

  it('takes no other power from the data', () => {
    const greedy = {
      ...samplePolicyData(),
      request_defaults: {
        ExecProcessRequest: true,
        SetPolicyRequest: true,
        WriteStreamRequest: true,
      },
    }
    for (const rule of ['ExecProcessRequest', 'SetPolicyRequest', 'WriteStreamRequest'])
      expect(decide(rule, {}, greedy)).toBe(false)
  })

  it('denies files of volumes where no container lists any', () => {
    const data = samplePolicyData()
    const list = Array.isArray(data.containers) ? data.containers.slice(1) : []
    const copy = RULE_CASES.find((item) => item.name === 'a file of a listed volume')
    expect(copy && decide(copy.rule, copy.input, { ...data, containers: list })).toBe(false)
  })

  it('denies writable files of the host even where the data lists them', () => {
    const data = samplePolicyData()
    const list = Array.isArray(data.containers) ? data.containers : []
    const mounts = [
      { destination: '/data', kind: 'scratch', volume: 'data', read_only: false },
      { destination: '/config', kind: 'files', read_only: false },
    ]
    const request = changed(appRequest(), ['OCI', 'Mounts', 11, 'options'], ['rw'])
    const containers = [{ ...list[0], mounts }]
    expect(decide('CreateContainerRequest', request, { ...data, containers })).toBe(false)
  })

  it('denies service variables where the pattern is not listed', () => {
    const data = { ...samplePolicyData(), env_patterns: [] }
    expect(decide('CreateContainerRequest', appRequest(), data)).toBe(false)
    const plain = changed(
      appRequest(),
      ['OCI', 'Process', 'Env'],
      ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'MODE=production'],
    )
    expect(decide('CreateContainerRequest', plain, data)).toBe(true)
  })

  it('tells the variables of the API server from those of any service', () => {
    const data = { ...samplePolicyData(), env_patterns: ['hostname', 'kubernetes_links'] }
    const env = ['OCI', 'Process', 'Env']
    expect(decide('CreateContainerRequest', appRequest(), data)).toBe(true)
    const links = ['KUBERNETES_PORT=tcp://[fd00::1]:443', 'KUBERNETES_PORT_443_TCP_PROTO=tcp']
    for (const variable of links)
      expect(decide('CreateContainerRequest', added(appRequest(), env, variable), data)).toBe(true)
    const other = added(appRequest(), env, 'REDIS_SERVICE_HOST=10.0.0.9')
    expect(decide('CreateContainerRequest', other, data)).toBe(false)
    expect(decide('CreateContainerRequest', other, samplePolicyData())).toBe(true)
  })

  it('allows no container where the list is empty', () => {
    const data = { ...samplePolicyData(), containers: [] }
    expect(decide('CreateContainerRequest', appRequest(), data)).toBe(false)
  })
})
