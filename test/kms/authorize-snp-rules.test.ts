/** The operator's rules for AMD platforms and launches, from operator.toml to the answer: each changes one setting, or one thing of the pod. */
import { describe, expect, it } from 'vitest'
import type { SnpReportFields } from '../../helper/sim/evidence-report.ts'
import { parseKmsConfig } from '../../kms/config.ts'
import { refusalOf } from '../kit/errors.ts'
import { authorityOf } from '../kit/snp-authority.ts'
import { makeBody, makeRsa } from './kit.ts'
import { KNOWN_IMAGE, makeWorld, operatorToml, PROBLEM, post, WIDE_LIMITS } from './world.ts'

const RSA = makeRsa()
const KEY = new Uint8Array(48).fill(0x1d)
const KEY_HEX = '1d'.repeat(48)
const AUTHOR_KEY_ENABLED = 1

async function ask(attestation: string, report: Partial<SnpReportFields> = {}): Promise<string> {
  const authority = await authorityOf()
  const world = await makeWorld({
    toml: `${WIDE_LIMITS}\n[attestation]\n${attestation}\n${KNOWN_IMAGE}`,
  })
  const body = await makeBody(authority, { rsa: RSA, report })
  const answer: { code?: string; checks?: { name: string; result: string }[] } = await (
    await post(world, '/secrets', body, PROBLEM)
  ).json()
  if (answer.code === undefined) return 'granted'
  return `${answer.code} ${answer.checks?.find(({ result }) => result === 'failed')?.name}`
}

const refused = (check: string) => `EVIDENCE_NOT_ALLOWED snp.policy.${check}`
/** SMT, ECC and the alias check. */
const PLATFORM = { platformInfo: 0x25n }
const policyBit = (bit: bigint) => ({ policy: 0x30000n | (1n << bit) })

const ROWS: [string, string, Partial<SnpReportFields>, string][] = [
  ['a machine with what is required', 'required = ["alias_check_complete", "ecc"]', {}, 'granted'],
  [
    'a machine without the alias check',
    'required = ["alias_check_complete"]',
    { platformInfo: 0x5n },
    refused('platform-info'),
  ],
  [
    'a machine without memory encryption of its own',
    'required = ["tsme"]',
    {},
    refused('platform-info'),
  ],
  ['a machine with hyper-threads', 'refused = ["smt"]', {}, refused('platform-info')],
  ['a machine without what is refused', 'refused = ["tio", "rapl_disabled"]', {}, 'granted'],
]

describe('rules for the machine', () => {
  it.each(ROWS)('%s', async (_name, rule, report, expected) => {
    expect(await ask(`platform_info = { ${rule} }`, { ...PLATFORM, ...report })).toBe(expected)
  })
})

describe('rules for the launch', () => {
  const rows: [string, string, Partial<SnpReportFields>, string][] = [
    ['no threads of others', 'allow_smt = false', {}, refused('smt')],
    ['no threads of others, as launched', 'allow_smt = false', { policy: 0x20000n }, 'granted'],
    ['one socket', 'required_policy = ["single_socket"]', {}, refused('hardening')],
    ['one socket, as launched', 'required_policy = ["single_socket"]', policyBit(20n), 'granted'],
    ['the stronger cipher', 'required_policy = ["mem_aes_256_xts"]', policyBit(22n), 'granted'],
    ['no power meter', 'required_policy = ["rapl_disabled"]', policyBit(23n), 'granted'],
    ['hidden ciphertext', 'required_policy = ["ciphertext_hiding"]', policyBit(24n), 'granted'],
    ['no page swaps', 'required_policy = ["page_swap_disabled"]', policyBit(25n), 'granted'],
    [
      'both of two',
      'required_policy = ["single_socket", "page_swap_disabled"]',
      policyBit(25n),
      refused('hardening'),
    ],
    ['a version of the image', 'minimum_guest_svn = 3', { guestSvn: 2 }, refused('guest-svn')],
    ['a version of the image, reached', 'minimum_guest_svn = 3', { guestSvn: 3 }, 'granted'],
    ['firmware', 'minimum_firmware = { Milan = "1.55.44" }', {}, refused('firmware')],
    [
      'firmware, which is committed',
      'minimum_firmware = { Milan = "1.55.43", Genoa = "9.0.0" }',
      {},
      'granted',
    ],
    ['an ABI', 'minimum_guest_abi = "1.51"', { policy: 0x30132n }, refused('guest-abi')],
    ['an ABI, demanded at launch', 'minimum_guest_abi = "1.51"', { policy: 0x30133n }, 'granted'],
    ['the monitor’s level', 'vmpls = [2]', {}, refused('vmpl')],
    ['a level under a monitor', 'vmpls = [0, 2]', { vmpl: 2 }, 'granted'],
    ['a family', `family_ids = ["${'01'.repeat(16)}"]`, {}, refused('family-id')],
    ['an image', `image_ids = ["${'01'.repeat(16)}"]`, {}, refused('image-id')],
    [
      'an image by its name',
      `image_ids = ["${'01'.repeat(16)}"]`,
      { imageId: new Uint8Array(16).fill(1) },
      'granted',
    ],
    ['chip keys only', 'signers = ["VLEK"]', {}, refused('signer')],
    ['a signed launch', `id_key_digests = ["${KEY_HEX}"]`, {}, refused('id-key')],
    [
      'a launch that another signed',
      `id_key_digests = ["${KEY_HEX}"]`,
      { idKeyDigest: KEY.with(0, 0) },
      refused('id-key'),
    ],
    ['a launch that is signed', `id_key_digests = ["${KEY_HEX}"]`, { idKeyDigest: KEY }, 'granted'],
    ['an author', `author_key_digests = ["${KEY_HEX}"]`, {}, refused('author-key')],
    [
      'an author that nobody vouches for',
      `author_key_digests = ["${KEY_HEX}"]`,
      { authorKeyDigest: KEY },
      refused('author-key'),
    ],
    [
      'an author that the firmware checked',
      `author_key_digests = ["${KEY_HEX}"]`,
      { authorKeyDigest: KEY, authorKeyEnabled: AUTHOR_KEY_ENABLED === 1 },
      'granted',
    ],
  ]
  it.each(rows)('%s', async (_name, setting, report, expected) => {
    expect(await ask(setting, report)).toBe(expected)
  })
})

describe('the settings of AMD', () => {
  it.each([
    ['platform_info = { required = ["smt"], refused = ["smt"] }', 'platform_info.refused'],
    ['platform_info = { required = ["SMT"] }', 'platform_info.required.0'],
    ['platform_info = { need = [] }', 'platform_info.need'],
    ['required_policy = ["debug"]', 'required_policy.0'],
    ['signers = []', 'signers'],
    [`id_key_digests = ["${KEY_HEX.slice(2)}"]`, 'id_key_digests.0'],
    ['minimum_guest_svn = 4294967296', 'minimum_guest_svn'],
    ['minimum_firmware = { Milan = "1.55" }', 'minimum_firmware.Milan'],
    ['minimum_firmware = { Milan = "1.55.256" }', 'minimum_firmware.Milan'],
    ['minimum_guest_abi = "1.051"', 'minimum_guest_abi'],
    ['vmpls = [4]', 'vmpls.0'],
    ['vmpls = []', 'vmpls'],
    ['image_ids = ["01"]', 'image_ids.0'],
  ])('refuse %s', (lines, path) => {
    const parse = () => parseKmsConfig(operatorToml(undefined, `[attestation]\n${lines}`))
    expect(refusalOf(parse)).toEqual({
      code: 'CONFIG_INVALID',
      details: { path: `attestation.${path}` },
    })
  })
})
