/** What a change of operator.toml means for who is accepted. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { ConfigSchema, parseConfigDocument } from '../../kms/config.ts'
import { showConfigDiff } from '../../kms/config-actions.ts'
import { diffConfigs, ruleOf } from '../../kms/config-diff.ts'
import { operatorToml } from './world.ts'

const document = (lines: string) => parseConfigDocument(operatorToml(undefined, lines))
/** `effect path: text` of each change. */
const diff = (old: string, next: string) =>
  diffConfigs(document(old), document(next)).map(
    ({ effect, path, text }) => `${effect} ${path}: ${text}`,
  )

const node = z.looseObject({ properties: z.record(z.string(), z.unknown()).optional() })
function leavesOf(schema: unknown, name: string): readonly string[] {
  const { properties } = node.parse(schema)
  if (properties === undefined) return [name]
  return Object.entries(properties).flatMap(([key, child]) =>
    leavesOf(child, name === '' ? key : `${name}.${key}`),
  )
}

describe('the rules', () => {
  const decisive = leavesOf(z.toJSONSchema(ConfigSchema, { io: 'input' }), '')
    .filter((name) => /^(attestation|policy|routes)\./.test(name))
    .map((name) => name.replace(/jwks_(url|file)$/, 'jwks.$1'))

  it('cover every key that decides who is accepted', () => {
    expect(decisive.length).toBeGreaterThan(60)
    expect(decisive.filter((name) => ruleOf(name) === undefined)).toEqual([])
  })

  it('cover no other', () => {
    for (const name of ['listen.port', 'chain.quorum', 'collateral.warn_days', 'attestation.x'])
      expect(ruleOf(name)).toBeUndefined()
  })
})

const HEX = 'aa'.repeat(48)
const entry = (flags: string) => `[attestation]\nmeasurements = [{ value = "${HEX}"${flags} }]\n`

describe('a change', () => {
  const both: [string, string, string, string[], string[]][] = [
    [
      'of a switch that opens',
      '[policy]\nallow_digest_only = false',
      '[policy]\nallow_digest_only = true',
      ['more policy.allow_digest_only: false -> true'],
      ['less policy.allow_digest_only: true -> false'],
    ],
    [
      'of a switch that closes',
      '[attestation.azure]\nrequire_secure_boot = true',
      '[attestation.azure]\nrequire_secure_boot = false',
      ['more attestation.azure.require_secure_boot: true -> false'],
      ['less attestation.azure.require_secure_boot: false -> true'],
    ],
    [
      'of a floor',
      '[attestation.minimum_tcb]\nMilan = { snp = 24 }',
      '[attestation.minimum_tcb]\nMilan = { snp = 20 }',
      ['more attestation.minimum_tcb.Milan.snp: 24 -> 20'],
      ['less attestation.minimum_tcb.Milan.snp: 20 -> 24'],
    ],
    [
      'of a floor that was not there',
      '[attestation.minimum_tcb]\nMilan = { snp = 24 }',
      '',
      ['more attestation.minimum_tcb.Milan.snp: 24 -> not set'],
      ['less attestation.minimum_tcb.Milan.snp: not set -> 24'],
    ],
    [
      'of a ceiling',
      '[attestation]\nfreshness_seconds = 60',
      '[attestation]\nfreshness_seconds = 600',
      ['more attestation.freshness_seconds: 60 -> 600'],
      ['less attestation.freshness_seconds: 600 -> 60'],
    ],
    [
      'of floors by position',
      '[attestation.tdx]\nminimum_tee_tcb_svn = [6, 1]',
      '[attestation.tdx]\nminimum_tee_tcb_svn = [5, 1]',
      ['more attestation.tdx.minimum_tee_tcb_svn: [0] 6 -> 5'],
      ['less attestation.tdx.minimum_tee_tcb_svn: [0] 5 -> 6'],
    ],
    [
      'of what is served',
      '[attestation]\nproducts = ["Genoa"]',
      '[attestation]\nproducts = ["Genoa", "Milan"]',
      ['more attestation.products: + Milan'],
      ['less attestation.products: - Milan'],
    ],
    [
      'of a list that was empty',
      '[attestation]\ncsp_ids = ["a", "b"]',
      '[attestation]\ncsp_ids = []',
      ['more attestation.csp_ids: 2 of them -> any'],
      ['less attestation.csp_ids: any -> 2 of them'],
    ],
    [
      'of a list in which empty means nobody',
      '[policy]\nallowed_apps = []',
      '[policy]',
      ['more policy.allowed_apps: 0 of them -> any'],
      ['less policy.allowed_apps: any -> 0 of them'],
    ],
    [
      'of what is refused',
      '[attestation.tdx]\ndenied_advisories = ["INTEL-SA-01036"]',
      '[attestation.tdx]\ndenied_advisories = []',
      ['more attestation.tdx.denied_advisories: - INTEL-SA-01036'],
      ['less attestation.tdx.denied_advisories: + INTEL-SA-01036'],
    ],
    [
      'of bits',
      '[attestation.required_mitigations]\nTurin = "0x3"',
      '[attestation.required_mitigations]\nTurin = "0x2"',
      ['more attestation.required_mitigations.Turin: no longer demands 0x1'],
      ['less attestation.required_mitigations.Turin: also demands 0x1'],
    ],
    [
      'of a version',
      '[attestation.minimum_firmware]\nMilan = "1.9.0"',
      '[attestation.minimum_firmware]\nMilan = "1.8.200"',
      ['more attestation.minimum_firmware.Milan: 1.9.0 -> 1.8.200'],
      ['less attestation.minimum_firmware.Milan: 1.8.200 -> 1.9.0'],
    ],
    [
      'of a version that was not there',
      '[attestation.minimum_firmware]\nMilan = "0.0.1"',
      '',
      ['more attestation.minimum_firmware.Milan: 0.0.1 -> not set'],
      ['less attestation.minimum_firmware.Milan: not set -> 0.0.1'],
    ],
    [
      'of features',
      '[attestation.tdx]\nxfam = "0x7"',
      '[attestation.tdx]\nxfam = "0x27"',
      ['more attestation.tdx.xfam: also allows 0x20'],
      ['less attestation.tdx.xfam: no longer allows 0x20'],
    ],
    [
      'of what an entry vouches for',
      entry(''),
      entry(', covers_image = true'),
      [
        `more attestation.measurements: value ${'aa'.repeat(8)}…, covers_image true: covers_image false -> true`,
      ],
      [`less attestation.measurements: value ${'aa'.repeat(8)}…: covers_image true -> false`],
    ],
    [
      'of a folder of lists',
      '[attestation]\ncrl_dir = "lists"',
      '',
      ['more attestation.crl_dir: lists -> not set'],
      ['less attestation.crl_dir: not set -> lists'],
    ],
  ]
  it.each(both)('%s is told in both directions', (_name, strict, lax, opened, closed) => {
    expect(diff(strict, lax)).toEqual(opened)
    expect(diff(lax, strict)).toEqual(closed)
    expect(diff(lax, lax)).toEqual([])
  })

  it('of a floor from zero to none is none', () => {
    expect(diff('', '[attestation.minimum_tcb]\nMilan = { snp = 0 }')).toEqual([])
  })

  it('from any image to a known one accepts less, and believes it more', () => {
    expect(diff('', entry(', covers_image = true'))).toEqual([
      'less attestation.measurements: any -> 1 of them',
      `more attestation.measurements: value ${'aa'.repeat(8)}…, covers_image true now vouches for initdata`,
    ])
  })

  it('of a section that only its method reads is told once', () => {
    expect(diff('', '[attestation.gcp]\nproject_id = "pods"')).toEqual([
      'other attestation.gcp: added',
    ])
  })

  it('that decides nothing by itself is told as it is, an address that can carry a key not at all', () => {
    const [old, next] = [document(''), document('[listen]\nport = 9000')]
    next.chain.rpc_urls = ['https://rpc.example/secret']
    expect(diffConfigs(old, next)).toEqual([
      { path: 'chain.rpc_urls', effect: 'other', text: 'changed' },
      { path: 'listen.port', effect: 'other', text: '8000 -> 9000' },
    ])
  })
})

describe('kms config diff', () => {
  const run = async (old: string, next: string, json = false) => {
    const folder = await mkdtemp(join(tmpdir(), 'diff-'))
    try {
      const files = [join(folder, 'old.toml'), join(folder, 'new.toml')] as const
      await writeFile(files[0], operatorToml(undefined, old))
      await writeFile(files[1], operatorToml(undefined, next))
      return await showConfigDiff(...files, { json })
    } finally {
      await rm(folder, { recursive: true })
    }
  }

  it('prints what is opened first', async () => {
    const next =
      '[attestation]\nproducts = ["Genoa", "Turin"]\nrequire_crl = true\ncrl_dir = "x"\nfreshness_seconds = 900'
    expect(await run('', next)).toBe(
      [
        'Accepts more:',
        '  attestation.freshness_seconds: 600 -> 900',
        'Accepts less:',
        '  attestation.crl_dir: not set -> x',
        '  attestation.products: - Milan',
        '  attestation.require_crl: false -> true',
      ].join('\n'),
    )
    expect(await run('', '')).toBe('No change.')
    expect(JSON.parse(await run('', '[listen]\nport = 1', true))).toEqual([
      { path: 'listen.port', effect: 'other', text: '8000 -> 1' },
    ])
  })

  it.each([
    ['[attestation]\nmethods = ["az-tdx-vtpm"]', ''],
    ['', '[attestation]\nrequire_crl = true'],
    ['', 'x = 1'],
  ])('compares nothing that an operator would not start with', async (old, next) => {
    await expect(run(old, next)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })
})
