import { createHmac, createPublicKey } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { parseJwks } from '../../../sdk/attest/token-jwks.ts'
import { verifyConfidentialSpaceToken } from '../../../sdk/attest/token-verify.ts'
import { utf8ToBytes } from '../../../sdk/bytes.ts'
import {
  assemble,
  changed,
  type Json,
  makeClaims,
  makeJwks,
  PROJECT,
  publicJwk,
  signToken,
} from '../../kit/token-issuer.ts'
import {
  APP,
  expectations,
  google,
  honest,
  intel,
  keyOf,
  keys,
  NOW,
  outcome,
  PEM,
  stranger,
} from './token-kit.ts'

describe('a token that is accepted', () => {
  it.each(['gcp', 'intel'] as const)(
    '%s: says what runs, and every check is on record',
    async (provider) => {
      const token = await signToken(keyOf(provider), honest(provider))
      const { claims, checks } = await verifyConfidentialSpaceToken(
        token,
        expectations({ provider }),
        keys,
        NOW,
      )
      expect(claims).toMatchObject({
        provider,
        jti: 'token-1',
        appId: APP,
        projectId: PROJECT,
        swVersion: 250_301,
        expiresAt: NOW + 3590,
        container: { args: ['/usr/bin/app', '--serve'], cmdOverride: [], restartPolicy: 'Never' },
      })
      expect(claims.container.env.get('PATH')).toBe('/usr/bin')
      expect(checks.map((check) => check.name)).toEqual([
        'token.algorithm',
        'token.signing-key',
        'token.signature',
        'token.issuer',
        'token.audience',
        'token.times',
        'token.not-expired',
        'token.not-before',
        'token.issued-at',
        'token.lifetime',
        'token.id',
        'token.software-name',
        'token.hardware-model',
        provider === 'gcp' ? 'token.attester-tcb' : 'token.tcb-status',
        'token.software-version',
        'token.secure-boot',
        'token.debug-state',
        'token.support-attributes',
        'token.project',
        'token.nonce',
        'token.app',
      ])
      expect(checks.every((check) => check.source !== '' && check.result === 'passed')).toBe(true)
    },
  )

  it('covers the extra data behind the key', async () => {
    const extraData = utf8ToBytes('extra')
    const claims = makeClaims({ appId: APP, rsaPem: PEM, extraData, now: NOW })
    const token = await signToken(google, claims)
    expect(await outcome(token, { extraData })).toBe('accepted')
    expect(await outcome(token)).toBe('REPORT_DATA_MISMATCH token.nonce')
  })

  const variants: readonly [string, string, Json | undefined][] = [
    ['the other audience', 'aud', 'https://sts.googleapis.com'],
    ['an audience list of one', 'aud', ['EigenX KMS']],
    ['no not-before', 'nbf', undefined],
    ['no secure boot statement', 'secboot', undefined],
    ['the lowest image', 'swversion', ['250300']],
    ['claims that nobody knows', 'something_new', { a: [1, 2, { b: null }] }],
    ['an instance name with more dashes', 'submods.gce.instance_name', `a-b-c-${APP}`],
    ['a container without overrides listed', 'submods.container.env_override', undefined],
  ]
  it.each(variants)('with %s', async (_name, path, value) => {
    expect(await outcome(await signToken(google, changed(honest(), path, value)))).toBe('accepted')
  })

  it('with a nonce in capitals', async () => {
    const claims = honest()
    const nonce = String(claims.eat_nonce).toUpperCase()
    expect(await outcome(await signToken(google, changed(claims, 'eat_nonce', nonce)))).toBe(
      'accepted',
    )
  })

  it('when another key of the same id stands beside the right one, under another algorithm or the same', async () => {
    const twin = { ...intel, kid: google.kid }
    const both = await parseJwks(makeJwks(twin, stranger, google))
    const { claims } = await verifyConfidentialSpaceToken(
      await signToken(google, honest()),
      expectations(),
      both,
      NOW,
    )
    expect(claims.jti).toBe('token-1')
  })
})

describe('times have no skew', () => {
  it.each([
    ['the last second', NOW + 3589, 'accepted'],
    ['the second of expiry', NOW + 3590, 'EVIDENCE_INVALID token.not-expired'],
    ['the first second', NOW - 10, 'accepted'],
    ['a second early', NOW - 11, 'EVIDENCE_INVALID token.not-before'],
  ])('%s', async (_name, now, expected) => {
    expect(await outcome(await signToken(google, honest()), {}, now)).toBe(expected)
  })

  it('an issue time in the future is refused by itself', async () => {
    const token = await signToken(google, changed(honest(), 'iat', NOW + 1))
    expect(await outcome(token)).toBe('EVIDENCE_INVALID token.issued-at')
  })
})

describe('keys and algorithms', () => {
  const text = () => JSON.stringify(honest())

  it('a stranger’s key under the issuer’s key id', async () => {
    expect(await outcome(await signToken(stranger, honest()))).toBe(
      'EVIDENCE_INVALID token.signature',
    )
  })

  it('an unknown key id, the other key’s id, and none', async () => {
    const named = (kid: string | undefined) => signToken(google, honest(), { header: { kid } })
    expect(await outcome(await named('key-9'))).toBe('EVIDENCE_INVALID token.signing-key')
    // The id exists, under another algorithm.
    expect(await outcome(await named('key-2'))).toBe('EVIDENCE_INVALID token.signing-key')
    expect(await outcome(await named(undefined))).toBe('EVIDENCE_INVALID token.signing-key')
    expect(await outcome(await named(''))).toBe('EVIDENCE_INVALID token.signing-key')
  })

  it('no algorithm, with and without a signature', async () => {
    for (const alg of ['none', 'None', 'NONE', ''])
      for (const signature of [new Uint8Array(), new Uint8Array(256)])
        expect(await outcome(assemble({ alg, kid: 'key-1' }, text(), signature))).toMatch(
          /^EVIDENCE_(INVALID token\.algorithm|MALFORMED)$/,
        )
    expect(await outcome(assemble({ kid: 'key-1' }, text(), new Uint8Array(256)))).toBe(
      'EVIDENCE_INVALID token.algorithm',
    )
  })

  it('a MAC made with the issuer’s public key as secret', async () => {
    const publicKey = createPublicKey(google.privateKey)
    const secrets = [
      publicKey.export({ type: 'spki', format: 'pem' }),
      publicKey.export({ type: 'spki', format: 'der' }),
      JSON.stringify(publicJwk(google)),
    ]
    for (const secret of secrets) {
      const unsigned = assemble({ alg: 'HS256', kid: 'key-1' }, text(), new Uint8Array([1]))
      const covered = new TextDecoder().decode(unsigned).split('.').slice(0, 2).join('.')
      const mac = createHmac('sha256', secret).update(covered).digest()
      const token = utf8ToBytes(`${covered}.${mac.toString('base64url')}`)
      expect(await outcome(token)).toBe('EVIDENCE_INVALID token.algorithm')
    }
  })

  it('keys that the token brings along', async () => {
    const header = { jwk: publicJwk(stranger), jku: 'https://example.com/jwks', x5c: ['AAAA'] }
    expect(await outcome(await signToken(stranger, honest(), { header }))).toBe(
      'EVIDENCE_INVALID token.signature',
    )
  })

  it('an extension that must be understood', async () => {
    const header = { alg: 'RS256', kid: 'key-1', crit: ['exp'], exp: 1 }
    expect(await outcome(assemble(header, text(), new Uint8Array(256)))).toBe(
      'EVIDENCE_INVALID token.signature',
    )
  })

  it('a payload, a header or a signature of another token', async () => {
    const one = new TextDecoder().decode(await signToken(google, honest())).split('.')
    const two = new TextDecoder()
      .decode(await signToken(google, changed(honest(), 'jti', 'token-2')))
      .split('.')
    for (const mixed of [
      [one[0], two[1], one[2]],
      [one[0], one[1], two[2]],
    ])
      expect(await outcome(utf8ToBytes(mixed.join('.')))).toBe('EVIDENCE_INVALID token.signature')
  })

  it('no bit of the signature or the claims can change', async () => {
    const token = await signToken(google, honest())
    const [header = '', payload = '', signature = ''] = new TextDecoder().decode(token).split('.')
    for (let at = 0; at < signature.length; at += 37) {
      const bytes = Buffer.from(signature, 'base64url')
      const index = at % bytes.length
      bytes[index] = (bytes[index] ?? 0) ^ 1
      const forged = utf8ToBytes(`${header}.${payload}.${bytes.toString('base64url')}`)
      expect(await outcome(forged)).toBe('EVIDENCE_INVALID token.signature')
    }
    for (let at = 0; at < payload.length; at += 61) {
      const bytes = Buffer.from(payload, 'base64url')
      const index = at % bytes.length
      bytes[index] = (bytes[index] ?? 0) ^ 1
      const forged = utf8ToBytes(`${header}.${bytes.toString('base64url')}.${signature}`)
      expect(await outcome(forged)).toBe('EVIDENCE_INVALID token.signature')
    }
  })
})
