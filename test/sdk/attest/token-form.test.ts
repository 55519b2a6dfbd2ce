import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import { parseJwks } from '../../../sdk/attest/token-jwks.ts'
import { utf8ToBytes } from '../../../sdk/bytes.ts'
import { isEigenxError } from '../../../sdk/errors.ts'
import { makeIssuerKey, makeJwks, publicJwk, signToken } from '../../kit/token-issuer.ts'
import { google, honest, outcome } from './token-kit.ts'

describe('form', () => {
  const signText = (text: string) => signToken(google, {}, { text })

  it('a key given twice in the claims, at any depth', async () => {
    const text = JSON.stringify(honest())
    const twice = [
      text.replace('"swname"', '"dbgstat":"enabled","swname"'),
      text.replace('"project_id"', '"project_id":"x","project_id"'),
      text.replace('"iss"', '"iss":"https://accounts.google.com","iss"'),
      text.replace('"iss"', '"\\u0069ss":"x","iss"'),
    ]
    for (const lie of twice) {
      expect(lie).not.toBe(text)
      expect(await outcome(await signText(lie))).toBe('EVIDENCE_MALFORMED')
    }
  })

  it('a header with a key given twice', async () => {
    const token = new TextDecoder().decode(await signToken(google, honest()))
    const [, payload, signature] = token.split('.')
    const header = Buffer.from('{"alg":"none","alg":"RS256","kid":"key-1"}').toString('base64url')
    expect(await outcome(utf8ToBytes(`${header}.${payload}.${signature}`))).toBe(
      'EVIDENCE_MALFORMED',
    )
  })

  it('claims that are no object, too deep, with fractions, or not UTF-8', async () => {
    const deep = `{"a":${'['.repeat(20)}${']'.repeat(20)}}`
    const fraction = JSON.stringify(honest()).replace(/"exp":\d+/, '"exp":1.5e12')
    for (const text of ['[]', '"x"', '1', 'null', '', '{', deep, fraction])
      expect(await outcome(await signText(text))).toBe('EVIDENCE_MALFORMED')
  })

  it('names of prototypes are names like any other', async () => {
    const text = JSON.stringify(honest()).replace(
      '"HOSTNAME"',
      '"__proto__":"x","constructor":"y","HOSTNAME"',
    )
    const outcomeOf = await outcome(await signText(text))
    expect(['accepted', 'EVIDENCE_MALFORMED']).toContain(outcomeOf)
  })

  it('anything but three base64url segments in their one form', async () => {
    const token = new TextDecoder().decode(await signToken(google, honest()))
    const last = token.slice(-1)
    const next = String.fromCharCode(last.charCodeAt(0) + 1)
    for (const text of [
      '',
      '.',
      '..',
      'a.b',
      `${token}.x`,
      `${token}\n`,
      ` ${token}`,
      token.replace('.', '..'),
      `${token}=`,
      token.replace(/\.[^.]*$/, ''),
      token.replace(/\.[^.]*$/, '.'),
      JSON.stringify({ payload: 'x', signatures: [] }),
    ])
      expect(await outcome(utf8ToBytes(text)), text.slice(0, 20)).toBe('EVIDENCE_MALFORMED')
    // 342 characters carry 2052 bits for 2048: the last four must be zero.
    expect(await outcome(utf8ToBytes(token.slice(0, -1) + next))).toMatch(/^EVIDENCE_/)
    expect(await outcome(Uint8Array.of(0xff, 0xfe))).toBe('EVIDENCE_MALFORMED')
  })

  it('too much of anything', async () => {
    expect(await outcome(new Uint8Array(65_537).fill(97))).toBe('INPUT_TOO_LARGE')
    const token = `${'a'.repeat(9000)}.e30.AA`
    expect(await outcome(utf8ToBytes(token))).toBe('INPUT_TOO_LARGE')
  })

  test.prop([fc.uint8Array({ maxLength: 400 })], { numRuns: 200 })(
    'no bytes crash it',
    async (bytes) => {
      expect(await outcome(bytes)).toMatch(/^EVIDENCE_|^INPUT_/)
    },
  )

  test.prop([fc.string({ maxLength: 60 }), fc.jsonValue({ maxDepth: 4 })], { numRuns: 100 })(
    'no signed claim crashes it',
    async (name, value) => {
      const text = JSON.stringify({ ...honest(), [name]: value })
      expect(await outcome(await signText(text))).toMatch(/^accepted$|^EVIDENCE_|^REPORT_|^APP_/)
    },
  )
})

describe('key sets', () => {
  const rejected = async (text: string) => {
    try {
      await parseJwks(text)
    } catch (error) {
      if (isEigenxError(error)) return error.code
      throw error
    }
    return 'accepted'
  }

  it('take only keys that sign tokens', async () => {
    const good = publicJwk(google)
    const set = {
      keys: [
        good,
        { ...good, use: 'enc' },
        { ...good, alg: 'HS256' },
        { ...good, alg: undefined },
        { ...good, kid: undefined },
        { ...good, kid: '' },
        { ...good, kid: 'k'.repeat(257) },
        { ...good, e: 'AQ' },
        { ...good, n: 'AQAB' },
        { ...good, n: `${String(good.n)}=` },
        { kty: 'oct', k: 'AAAA', kid: 'key-1', alg: 'RS256' },
        { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA', kid: 'key-1', alg: 'ES256' },
        'text',
        null,
      ],
    }
    const found = await parseJwks(JSON.stringify(set))
    expect(found).toHaveLength(1)
    expect(found[0]?.key.type).toBe('public')
  })

  it('never take a private key as one, whatever the entry holds', async () => {
    const jwk = google.privateKey.export({ format: 'jwk' })
    const found = await parseJwks(JSON.stringify({ keys: [{ ...jwk, kid: 'a', alg: 'RS256' }] }))
    expect(found.map(({ key }) => [key.type, key.usages])).toEqual([['public', ['verify']]])
  })

  it('refuse small keys, empty sets and what is no set', async () => {
    const small = makeIssuerKey('small', 'RS256', 1024)
    expect(await rejected(makeJwks(small))).toBe('EVIDENCE_MALFORMED')
    for (const text of [
      '',
      '{}',
      '[]',
      '{"keys":[]}',
      '{"keys":{}}',
      '<html>',
      '{"keys":[],"keys":[]}',
    ])
      expect(await rejected(text)).toBe('EVIDENCE_MALFORMED')
    expect(await rejected(JSON.stringify({ keys: Array(65).fill({}) }))).toBe('EVIDENCE_MALFORMED')
    expect(await rejected(' '.repeat(300_000))).toBe('INPUT_TOO_LARGE')
  })
})
