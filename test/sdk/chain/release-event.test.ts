import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import { parseHex, toHex } from '../../../sdk/bytes.ts'
import { APP_UPGRADED_V15_TOPIC } from '../../../sdk/chain/abi/app-controller.ts'
import { parseAppUpgraded } from '../../../sdk/chain/release-event.ts'
import type { Release } from '../../../sdk/chain/types.ts'
import type { ChainLog } from '../../../sdk/chain/wire.ts'
import { isEigenxError } from '../../../sdk/errors.ts'
import {
  APP,
  APP_TOPIC,
  BLOCK,
  DIGEST,
  logOf,
  readVector,
  text,
  upgradeV14,
  upgradeV15,
} from './fixtures.ts'

function parse(log: ChainLog): Release {
  return parseAppUpgraded(log, BLOCK)
}

function refusalOf(log: ChainLog): string {
  try {
    parse(log)
  } catch (error) {
    if (isEigenxError(error, 'RELEASE_INVALID')) return error.details.reason
    throw error
  }
  return 'accepted'
}

describe('a real log of a public network', () => {
  it('becomes the release that a Go operator derives from it', () => {
    const vector = readVector('appupgraded-v1_5-vector.json')
    const release = parse(logOf({ topics: vector.topics, data: vector.data }))
    const expected = vector.expectedKmsRelease
    expect(release).toEqual({
      app: APP,
      block: BLOCK,
      logIndex: 0,
      rmsReleaseId: 0n,
      imageDigest: expected.image_digest,
      registry: expected.registry,
      publicEnv: JSON.parse(expected.public_env),
      encryptedEnv: expected.encrypted_env,
      containerPolicy: { args: [], cmdOverride: [], env: {}, envOverride: {}, restartPolicy: '' },
      abi: 'v1.5',
    })
  })
})

describe('both versions of the event', () => {
  it('v1.5 carries a container policy; of repeated names the last one counts', () => {
    const containerPolicy = {
      args: ['serve', '--port=80'],
      cmdOverride: ['/app'],
      env: { A: '1', ['__proto__']: 'x' },
      envOverride: { B: '2' },
      restartPolicy: 'Always',
    }
    const release = parse(upgradeV15({ containerPolicy, registry: 'docker.io/a/b' }))
    expect(release.containerPolicy).toEqual(containerPolicy)
    expect(Object.keys(release.containerPolicy.env)).toContain('__proto__')
    expect(release.rmsReleaseId).toBe(7n)
    expect(release.registry).toBe('docker.io/a/b')
  })

  it('v1.4 has none and reads as an empty one', () => {
    const release = parse(upgradeV14({ publicEnv: { A: 'b' }, encryptedEnv: text('sealed') }))
    expect(release).toMatchObject({
      abi: 'v1.4',
      imageDigest: DIGEST,
      publicEnv: { A: 'b' },
      encryptedEnv: toHex(text('sealed')).slice(2),
      containerPolicy: { args: [], cmdOverride: [], env: {}, envOverride: {}, restartPolicy: '' },
    })
  })

  it('the data of one does not pass under the topic of the other', () => {
    const log = upgradeV14()
    expect(refusalOf({ ...log, topics: [APP_UPGRADED_V15_TOPIC, APP_TOPIC] })).toMatch(/ABI/)
  })
})

describe('publicEnv', () => {
  const accepted: [string, string, Record<string, string>][] = [
    ['an empty object', '{}', {}],
    ['null, as Go reads it', 'null', {}],
    ['a null value, as Go reads it', '{"A":null}', { A: '' }],
    ['white space around it', ' \n{"A":"1"}\t', { A: '1' }],
    ['a repeated name: the last counts', '{"A":"1","A":"2"}', { A: '2' }],
    ['an unpaired surrogate: U+FFFD', '{"A":"\\ud800"}', { A: '\ufffd' }],
    ['names that objects have already', '{"constructor":"x"}', { constructor: 'x' }],
  ]
  it.each(accepted)('takes %s', (_name, json, expected) => {
    expect(parse(upgradeV15({}, { publicEnv: text(json) })).publicEnv).toEqual(expected)
  })

  it('keeps __proto__ as a name', () => {
    const { publicEnv } = parse(upgradeV15({}, { publicEnv: text('{"__proto__":"x"}') }))
    expect(Object.entries(publicEnv)).toEqual([['__proto__', 'x']])
    expect(Object.getPrototypeOf(publicEnv)).toBe(Object.prototype)
  })

  const refused: [string, Uint8Array, RegExp][] = [
    ['nothing at all', text(''), /not JSON/],
    ['a broken document', text('{"A":'), /not JSON/],
    ['a second document', text('{} {}'), /not JSON/],
    ['a byte order mark', text('\ufeff{}'), /not JSON/],
    ['an array', text('["A"]'), /not a JSON object/],
    ['a string', text('"A"'), /not a JSON object/],
    ['a number as value', text('{"A":1}'), /something else than strings/],
    ['an object as value', text('{"A":{}}'), /something else than strings/],
    ['bytes that are not UTF-8', Uint8Array.of(0x7b, 0xff, 0x7d), /not UTF-8/],
    [
      'a pin that is there twice',
      text('{"EIGENX_TEE_INITDATA_SHA384":"aa","EIGENX_TEE_INITDATA_SHA384":"bb"}'),
      /twice/,
    ],
    [
      'a pin twice in another spelling',
      text('{"EIGENX_TEE_X":"a","\\u0045IGENX_TEE_X":"b"}'),
      /twice/,
    ],
    ['more bytes than allowed', new Uint8Array(128 * 1024 + 1).fill(0x20), /too large/],
    ['depth', text('['.repeat(60_000)), /not JSON/],
  ]
  it.each(refused)('refuses %s', (_name, publicEnv, reason) => {
    expect(refusalOf(upgradeV15({}, { publicEnv }))).toMatch(reason)
  })
})

describe('the rest of a release', () => {
  it('needs exactly one artifact', () => {
    const artifact = { digest: toHex(new Uint8Array(32).fill(1)), registry: '' }
    expect(refusalOf(upgradeV15({}, { artifacts: [] }))).toMatch(/0 artifacts/)
    expect(refusalOf(upgradeV15({}, { artifacts: [artifact, artifact] }))).toMatch(/2 artifacts/)
  })

  it('is bounded in every part', () => {
    const big = new Uint8Array(256 * 1024 + 1)
    expect(refusalOf(upgradeV15({}, { encryptedEnv: big }))).toMatch(/encryptedEnv/)
    expect(refusalOf(upgradeV15({ registry: 'r'.repeat(513) }))).toMatch(/registry/)
    const many = Array.from({ length: 1025 }, () => 'a')
    expect(refusalOf(upgradeV15({ containerPolicy: { args: many } }))).toMatch(/too many items/)
    const long = ['a'.repeat(128 * 1024 + 1)]
    expect(refusalOf(upgradeV15({ containerPolicy: { cmdOverride: long } }))).toMatch(/too large/)
    expect(refusalOf(logOf({ data: `0x${'00'.repeat(512 * 1024 + 1)}` }))).toMatch(
      /event is too large/,
    )
  })

  it('is refused under an unknown topic', () => {
    expect(refusalOf({ ...upgradeV15(), topics: [APP_TOPIC, APP_TOPIC] })).toMatch(
      /no known version/,
    )
  })

  it('is refused when data is cut at any word', () => {
    const { data } = upgradeV15({ publicEnv: { A: 'b' } })
    const words = (data.length - 2) / 64
    for (let keep = 0; keep < words; keep++) {
      const log = { ...upgradeV15(), data: data.slice(0, 2 + 64 * keep) as `0x${string}` }
      // Trailing zero padding may be missing from the last word of a policy; whatever decodes must be the same.
      const reason = refusalOf(log)
      if (reason === 'accepted') expect(parse(log)).toEqual(parse({ ...log, data }))
    }
  })

  test.prop([fc.uint8Array({ maxLength: 600 })], { numRuns: 200 })(
    'garbage is refused, never a crash',
    (bytes) => {
      expect(
        refusalOf(logOf({ topics: [APP_UPGRADED_V15_TOPIC, APP_TOPIC], data: toHex(bytes) })),
      ).not.toBe('accepted')
    },
  )

  test.prop([fc.nat(), fc.integer({ min: 0, max: 255 })], { numRuns: 300 })(
    'one changed byte is a refusal or a release, never a crash',
    (at, value) => {
      const log = upgradeV15({ publicEnv: { A: 'b' }, containerPolicy: { args: ['x'] } })
      const bytes = parseHex(log.data) ?? new Uint8Array()
      bytes[at % bytes.length] = value
      refusalOf({ ...log, data: toHex(bytes) })
    },
  )
})
