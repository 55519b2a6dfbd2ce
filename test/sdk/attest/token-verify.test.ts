import { createHmac, createPublicKey } from 'node:crypto'
import { fc, test } from '@fast-check/vitest'
import { beforeAll, describe, expect, it } from 'vitest'
import type { TokenProvider } from '../../../sdk/attest/token-claims.ts'
import { parseJwks, type TokenKey } from '../../../sdk/attest/token-jwks.ts'
import {
  type TokenExpectations,
  verifyConfidentialSpaceToken,
} from '../../../sdk/attest/token-verify.ts'
import type { Check } from '../../../sdk/attest/types.ts'
import { utf8ToBytes } from '../../../sdk/bytes.ts'
import { isEigenxError } from '../../../sdk/errors.ts'
import {
  assemble,
  changed,
  type IssuerKey,
  type Json,
  makeClaims,
  makeIssuerKey,
  makeJwks,
  PROJECT,
  publicJwk,
  signToken,
} from '../../kit/token-issuer.ts'

const NOW = 1_760_000_000
const APP = `0x${'a9'.repeat(20)}`
const PEM = utf8ToBytes('-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n')

let google: IssuerKey
let intel: IssuerKey
let stranger: IssuerKey
let keys: readonly TokenKey[]
beforeAll(async () => {
  google = makeIssuerKey('key-1')
  intel = makeIssuerKey('key-2', 'PS384')
  stranger = makeIssuerKey('key-1')
  keys = await parseJwks(makeJwks(google, intel))
})

const expectations = (changes: Partial<TokenExpectations> = {}): TokenExpectations => ({
  provider: 'gcp',
  audiences: ['https://sts.googleapis.com', 'EigenX KMS'],
  projectId: PROJECT,
  minimumSwVersion: 250_300,
  rsaPem: PEM,
  extraData: new Uint8Array(),
  appId: APP,
  ...changes,
})

const honest = (provider: TokenProvider = 'gcp') =>
  makeClaims({ provider, appId: APP, rsaPem: PEM, now: NOW, jti: 'token-1' })

const keyOf = (provider: TokenProvider) => (provider === 'gcp' ? google : intel)

async function outcome(
  token: Uint8Array,
  changes: Partial<TokenExpectations> = {},
  now = NOW,
): Promise<string> {
  const trace: Check[] = []
  try {
    await verifyConfidentialSpaceToken(token, expectations(changes), keys, now, trace)
    expect(trace.every((check) => check.result !== 'failed')).toBe(true)
    return 'accepted'
  } catch (error) {
    if (!isEigenxError(error)) throw error
    const failed = trace.filter((check) => check.result === 'failed')
    expect(failed.length).toBeLessThanOrEqual(1)
    const check = failed[0]?.name
    return check === undefined ? error.code : `${error.code} ${check}`
  }
}

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

type Row = [name: string, path: string, value: Json | undefined, expected: string]

const SHARED: readonly Row[] = [
  ['another issuer', 'iss', 'https://accounts.google.com', 'EVIDENCE_INVALID token.issuer'],
  [
    'an issuer with a slash',
    'iss',
    'https://confidentialcomputing.googleapis.com/',
    'EVIDENCE_INVALID token.issuer',
  ],
  ['no issuer', 'iss', undefined, 'EVIDENCE_INVALID token.issuer'],
  ['another audience', 'aud', 'https://example.com', 'EVIDENCE_INVALID token.audience'],
  [
    'two audiences',
    'aud',
    ['EigenX KMS', 'https://sts.googleapis.com'],
    'EVIDENCE_INVALID token.audience',
  ],
  ['one audience twice', 'aud', ['EigenX KMS', 'EigenX KMS'], 'EVIDENCE_INVALID token.audience'],
  ['an empty audience list', 'aud', [], 'EVIDENCE_INVALID token.audience'],
  ['no audience', 'aud', undefined, 'EVIDENCE_INVALID token.audience'],
  ['an audience that is a number', 'aud', 1, 'EVIDENCE_MALFORMED'],
  ['no expiry', 'exp', undefined, 'EVIDENCE_INVALID token.times'],
  ['no issue time', 'iat', undefined, 'EVIDENCE_INVALID token.times'],
  ['an expiry as text', 'exp', String(NOW + 60), 'EVIDENCE_MALFORMED'],
  ['a negative issue time', 'iat', -1, 'EVIDENCE_MALFORMED'],
  ['a lifetime of years', 'exp', NOW + 100_000_000, 'EVIDENCE_INVALID token.lifetime'],
  ['no id', 'jti', undefined, 'EVIDENCE_INVALID token.id'],
  ['an empty id', 'jti', '', 'EVIDENCE_INVALID token.id'],
  ['an endless id', 'jti', 'x'.repeat(257), 'EVIDENCE_INVALID token.id'],
  ['an id that is a list', 'jti', ['a'], 'EVIDENCE_MALFORMED'],
  ['other software', 'swname', 'GCE', 'EVIDENCE_NOT_ALLOWED token.software-name'],
  ['no software name', 'swname', undefined, 'EVIDENCE_NOT_ALLOWED token.software-name'],
  ['SEV hardware', 'hwmodel', 'GCP_AMD_SEV', 'EVIDENCE_NOT_ALLOWED token.hardware-model'],
  ['a shielded VM', 'hwmodel', 'GCP_SHIELDED_VM', 'EVIDENCE_NOT_ALLOWED token.hardware-model'],
  ['an image before TDX', 'swversion', ['250299'], 'EVIDENCE_NOT_ALLOWED token.software-version'],
  ['no image version', 'swversion', [], 'EVIDENCE_NOT_ALLOWED token.software-version'],
  [
    'two image versions',
    'swversion',
    ['250301', '1'],
    'EVIDENCE_NOT_ALLOWED token.software-version',
  ],
  [
    'a version with words',
    'swversion',
    ['250301 beta'],
    'EVIDENCE_NOT_ALLOWED token.software-version',
  ],
  ['a version as text', 'swversion', '250301', 'EVIDENCE_MALFORMED'],
  ['no secure boot', 'secboot', false, 'EVIDENCE_NOT_ALLOWED token.secure-boot'],
  ['debugging on', 'dbgstat', 'enabled', 'EVIDENCE_NOT_ALLOWED token.debug-state'],
  ['debugging off only now', 'dbgstat', 'disabled', 'EVIDENCE_NOT_ALLOWED token.debug-state'],
  [
    'an unstable image',
    'submods.confidential_space.support_attributes',
    ['USABLE'],
    'EVIDENCE_NOT_ALLOWED token.support-attributes',
  ],
  [
    'a debug image',
    'submods.confidential_space',
    undefined,
    'EVIDENCE_NOT_ALLOWED token.support-attributes',
  ],
  [
    'an attribute that begins alike',
    'submods.confidential_space.support_attributes',
    ['STABLE_BETA'],
    'EVIDENCE_NOT_ALLOWED token.support-attributes',
  ],
  ['another project', 'submods.gce.project_id', 'their-pods', 'EVIDENCE_NOT_ALLOWED token.project'],
  ['no project', 'submods.gce', undefined, 'EVIDENCE_NOT_ALLOWED token.project'],
  ['no submodules', 'submods', undefined, 'EVIDENCE_NOT_ALLOWED token.support-attributes'],
  ['submodules that are a list', 'submods', [], 'EVIDENCE_MALFORMED'],
  ['another nonce', 'eat_nonce', 'ab'.repeat(32), 'REPORT_DATA_MISMATCH token.nonce'],
  ['no nonce', 'eat_nonce', undefined, 'REPORT_DATA_MISMATCH token.nonce'],
  ['a nonce of nothing', 'eat_nonce', '', 'REPORT_DATA_MISMATCH token.nonce'],
  ['an empty nonce list', 'eat_nonce', [], 'REPORT_DATA_MISMATCH token.nonce'],
  ['a nonce that is a number', 'eat_nonce', 7, 'EVIDENCE_MALFORMED'],
  [
    'another app',
    'submods.gce.instance_name',
    `tee-0x${'b1'.repeat(20)}`,
    'APP_ID_MISMATCH token.app',
  ],
  [
    'an app id in capitals',
    'submods.gce.instance_name',
    `tee-0x${'A9'.repeat(20)}`,
    'APP_ID_MISMATCH token.app',
  ],
  ['the app id alone', 'submods.gce.instance_name', APP, 'APP_ID_MISMATCH token.app'],
  [
    'the app id in the middle',
    'submods.gce.instance_name',
    `tee-${APP}-x`,
    'APP_ID_MISMATCH token.app',
  ],
  ['a dash at the end', 'submods.gce.instance_name', `tee-${APP}-`, 'APP_ID_MISMATCH token.app'],
  ['no instance name', 'submods.gce.instance_name', undefined, 'APP_ID_MISMATCH token.app'],
  ['arguments as text', 'submods.container.args', '/usr/bin/app', 'EVIDENCE_MALFORMED'],
  ['variables as a list', 'submods.container.env', ['A=1'], 'EVIDENCE_MALFORMED'],
  ['a variable that is a number', 'submods.container.env', { A: 1 }, 'EVIDENCE_MALFORMED'],
]

describe('one broken claim', () => {
  it.each(SHARED)('gcp: %s', async (_name, path, value, expected) => {
    expect(await outcome(await signToken(google, changed(honest(), path, value)))).toBe(expected)
  })

  it.each([
    ['no attester', 'attester_tcb', undefined, 'EVIDENCE_NOT_ALLOWED token.attester-tcb'],
    ['two attesters', 'attester_tcb', ['INTEL', 'AMD'], 'EVIDENCE_NOT_ALLOWED token.attester-tcb'],
    ['a virtual TPM', 'attester_tcb', ['GCP'], 'EVIDENCE_NOT_ALLOWED token.attester-tcb'],
    ['Intel’s hardware name', 'hwmodel', 'INTEL_TDX', 'EVIDENCE_NOT_ALLOWED token.hardware-model'],
    [
      'Intel as issuer',
      'iss',
      'https://portal.trustauthority.intel.com',
      'EVIDENCE_INVALID token.issuer',
    ],
  ] satisfies readonly Row[])('gcp alone: %s', async (_name, path, value, expected) => {
    expect(await outcome(await signToken(google, changed(honest(), path, value)))).toBe(expected)
  })

  it.each([
    [
      'a platform out of date',
      'tdx.gcp_attester_tcb_status',
      'OutOfDate',
      'EVIDENCE_NOT_ALLOWED token.tcb-status',
    ],
    ['no platform status', 'tdx', undefined, 'EVIDENCE_NOT_ALLOWED token.tcb-status'],
    [
      'a status in small letters',
      'tdx.gcp_attester_tcb_status',
      'uptodate',
      'EVIDENCE_NOT_ALLOWED token.tcb-status',
    ],
    [
      'Google’s hardware name',
      'hwmodel',
      'GCP_INTEL_TDX',
      'EVIDENCE_NOT_ALLOWED token.hardware-model',
    ],
    [
      'Google as issuer',
      'iss',
      'https://confidentialcomputing.googleapis.com',
      'EVIDENCE_INVALID token.issuer',
    ],
  ] satisfies readonly Row[])('intel alone: %s', async (_name, path, value, expected) => {
    const token = await signToken(intel, changed(honest('intel'), path, value))
    expect(await outcome(token, { provider: 'intel' })).toBe(expected)
  })

  it('two nonces, of which one is right', async () => {
    const claims = honest()
    const token = await signToken(
      google,
      changed(claims, 'eat_nonce', [String(claims.eat_nonce), 'x']),
    )
    expect(await outcome(token)).toBe('REPORT_DATA_MISMATCH token.nonce')
  })

  it('the key’s own bytes count, not the key', async () => {
    const rsaPem = utf8ToBytes(`${new TextDecoder().decode(PEM)}\n`)
    expect(await outcome(await signToken(google, honest()), { rsaPem })).toBe(
      'REPORT_DATA_MISMATCH token.nonce',
    )
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
