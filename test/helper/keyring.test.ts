import { createPrivateKey, createPublicKey } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { type Environment, openEnvironment } from '../../helper/environment.ts'
import type { AppIdentity } from '../../helper/identity.ts'
import { createKeyring } from '../../helper/keyring.ts'
import { answers } from '../../helper/schemas.ts'
import { bytesToHex, utf8ToBytes } from '../../sdk/bytes.ts'
import { deriveKey } from '../../sdk/crypto/derive.ts'
import { encryptForApp } from '../../sdk/crypto/ibe.ts'
import { deriveMnemonic } from '../../sdk/crypto/mnemonic.ts'
import { storageKey } from '../../sdk/crypto/tls-keys.ts'
import { refusalOf } from '../kit/errors.ts'
import { APP_ID, makeCluster } from './kit.ts'

const cluster = makeCluster(3)
const noRsa = { make: () => Promise.reject(new Error('no RSA key was asked for')) }
const ringOf = (identity: AppIdentity) => createKeyring(identity, noRsa)
/** The words of BIP-39's own first vector, with the first account that every wallet shows for them. */
const IMPORTED = `${'abandon '.repeat(11)}about`
const IMPORTED_ADDRESS = '0x9858EfFD232B4033E47d90003D41EC34EcaEda94'

function identity(environment: Environment = new Map()): AppIdentity {
  return {
    appId: APP_ID,
    appKey: cluster.appKey.slice(),
    masterPublicKey: cluster.masterPublicKey,
    environment,
    threshold: 2,
    operators: 3,
    epoch: 1,
    keyVersion: 1_700_000_000,
    used: cluster.addresses.slice(0, 2),
    refusals: [],
    marks: [],
    reportDataVersion: 2,
    initdataSha384: new Uint8Array(48),
  }
}

const sealed = (value: string): Environment => new Map([['MNEMONIC', { value, sealed: true }]])

describe('the mnemonic', () => {
  test('is derived from the app key, 24 words unless 12 are asked for', () => {
    const ring = ringOf(identity())
    expect(ring.mnemonic({ scope: 'app' })).toMatchObject({
      mnemonic: deriveMnemonic(cluster.appKey, { words: 24 }),
      words: 24,
      source: 'derived',
    })
    expect(ring.mnemonic({ scope: 'app', words: 12 }).mnemonic).toBe(
      deriveMnemonic(cluster.appKey, { words: 12 }),
    )
  })

  test('imported by the release as a sealed secret wins, and wallets follow it', () => {
    const ring = ringOf(identity(sealed(` ${IMPORTED.replaceAll(' ', '  ')}\n`)))
    expect(ring.mnemonic({ scope: 'app' })).toMatchObject({
      mnemonic: IMPORTED,
      words: 12,
      source: 'imported',
    })
    expect(ring.addresses({ count: 1, start: 0 }).evm[0]?.address).toBe(IMPORTED_ADDRESS)
    expect(ring.storageKey({}).key).toBe(bytesToHex(storageKey(IMPORTED)))
  })

  test('imported is not stretched to another length', () => {
    const ring = ringOf(identity(sealed(IMPORTED)))
    expect(refusalOf(() => ring.mnemonic({ scope: 'app', words: 24 }))).toMatchObject({
      code: 'REQUEST_INVALID',
    })
  })

  test('in the public environment is no secret and is not used', () => {
    const open: Environment = new Map([['MNEMONIC', { value: IMPORTED, sealed: false }]])
    expect(ringOf(identity(open)).mnemonic({ scope: 'app' }).source).toBe('derived')
  })

  test('that is none is refused instead of being replaced by another one', () => {
    const broken = IMPORTED.replace('about', 'abandon')
    const ring = ringOf(identity(sealed(broken)))
    const refusal = refusalOf(() => ring.mnemonic({ scope: 'app' }))
    expect(refusal).toMatchObject({ code: 'RELEASE_INVALID' })
    expect(JSON.stringify(refusal)).not.toContain('abandon')
    expect(refusalOf(() => ring.addresses({ count: 1, start: 0 }))).toEqual(refusal)
  })

  test('of a scope is its own, imported or not', () => {
    const ring = ringOf(identity(sealed(IMPORTED)))
    const other = ring.mnemonic({ scope: 'instance:a' })
    expect(other.source).toBe('derived')
    expect(other.mnemonic).not.toBe(ringOf(identity()).mnemonic({ scope: 'app' }).mnemonic)
  })
})

describe('keys', () => {
  const ring = ringOf(identity())

  test('differ by algorithm, path and scope, and repeat themselves', async () => {
    const asked = [
      ring.key({ algorithm: 'secp256k1', path: 'a', scope: 'app' }),
      ring.key({ algorithm: 'p256', path: 'a', scope: 'app' }),
      ring.key({ algorithm: 'ed25519', path: 'a', scope: 'app' }),
      ring.key({ algorithm: 'x25519', path: 'a', scope: 'app' }),
      ring.key({ algorithm: 'raw', path: 'a', scope: 'app' }),
      ring.key({ algorithm: 'raw', path: 'b', scope: 'app' }),
      ring.key({ algorithm: 'raw', path: 'a', scope: 'release:sha256:00' }),
    ]
    const all = (await Promise.all(asked)).map(({ privateKey }) => privateKey)
    expect(new Set(all).size).toBe(all.length)
    const again = await ring.key({ algorithm: 'raw', path: 'a', scope: 'app' })
    expect(again.privateKey).toBe(all[4])
  })

  test('for TLS are PEM that Node reads, one for each domain and version', () => {
    const first = ring.tlsKey({ kind: 'tls', domain: 'a.example', version: 0 })
    const second = ring.tlsKey({ kind: 'tls', domain: 'a.example', version: 1 })
    expect(first.privateKey).not.toBe(second.privateKey)
    const key = createPrivateKey(first.privateKey)
    expect(key.asymmetricKeyDetails?.namedCurve).toBe('prime256v1')
    expect(createPublicKey(key).export({ type: 'spki', format: 'pem' })).toBe(first.publicKey)
    expect(ring.tlsKey({ kind: 'acme-account', version: 0 }).privateKey).toMatch(
      /^-----BEGIN PRIVATE KEY/,
    )
  })

  test('for TLS need a domain, for ACME they take none', () => {
    expect(refusalOf(() => ring.tlsKey({ kind: 'tls', version: 0 }))).toMatchObject({
      details: { path: 'domain' },
    })
    expect(
      refusalOf(() => ring.tlsKey({ kind: 'acme-account', domain: 'a.example', version: 0 })),
    ).toMatchObject({ details: { path: 'domain' } })
  })

  test('for storage follow the published labels', () => {
    expect(ring.storageKey({ name: 'db' }).key).toBe(
      bytesToHex(
        deriveKey(
          cluster.appKey,
          { scope: 'app', algorithm: 'raw', purpose: 'storage', path: 'db' },
          32,
        ),
      ),
    )
  })

  test('and all other answers have the form that openapi.json states', async () => {
    answers.GetMnemonic.parse(ring.mnemonic({ scope: 'app' }))
    answers.GetAddresses.parse(ring.addresses({ count: 3, start: 5 }))
    answers.GetKey.parse(await ring.key({ algorithm: 'raw', path: 'a', scope: 'app' }))
    answers.GetTlsKey.parse(ring.tlsKey({ kind: 'tls', domain: 'a.example', version: 0 }))
    answers.GetStorageKey.parse(ring.storageKey({}))
    answers.GetSecret.parse(ring.secret({}))
  })
})

describe('the environment of the release', () => {
  const { appKey, masterPublicKey } = cluster
  const seal = (value: unknown) =>
    bytesToHex(
      encryptForApp({
        appId: APP_ID,
        masterPublicKey,
        plaintext: utf8ToBytes(JSON.stringify(value)),
      }),
    )
  const open = (encryptedEnv: string, publicEnv: string) =>
    openEnvironment({ appId: APP_ID, appKey, encryptedEnv, publicEnv })

  test('is the public part under the sealed one', () => {
    const environment = open(seal({ B: 'secret', C: 'x' }), '{"A":"1","B":"public"}')
    expect([...environment]).toEqual([
      ['A', { value: '1', sealed: false }],
      ['B', { value: 'secret', sealed: true }],
      ['C', { value: 'x', sealed: true }],
    ])
    const ring = ringOf(identity(environment))
    expect(ring.secret({ name: 'B' })).toEqual({ name: 'B', value: 'secret', sealed: true })
    expect(ring.secret({})).toEqual({ names: ['A', 'B', 'C'] })
    expect(refusalOf(() => ring.secret({ name: 'toString' }))).toMatchObject({
      code: 'SECRET_NOT_FOUND',
    })
  })

  test('may be empty in either part', () => {
    expect(open('', '').size).toBe(0)
    expect(open(seal({}), ' ').size).toBe(0)
  })

  test.each<[string, () => unknown, string]>([
    ['a sealed part that is not hex', () => open('zz', ''), 'RELEASE_INVALID'],
    [
      'a sealed part for another app',
      () =>
        open(
          bytesToHex(
            encryptForApp({ appId: AVS_LIKE, masterPublicKey, plaintext: utf8ToBytes('{}') }),
          ),
          '',
        ),
      'CIPHERTEXT_INVALID',
    ],
    ['a cut sealed part', () => open(seal({ A: '1' }).slice(0, -2), ''), 'CIPHERTEXT_INVALID'],
    ['values that are not texts', () => open(seal({ A: 1 }), ''), 'RELEASE_INVALID'],
    ['a list', () => open(seal(['a']), ''), 'RELEASE_INVALID'],
    ['a public part that is not JSON', () => open('', '{'), 'RELEASE_INVALID'],
    ['a public part that is null', () => open('', 'null'), 'RELEASE_INVALID'],
    [
      'a public part that is too large',
      () => open('', `{"A":"${'x'.repeat(1_100_000)}"}`),
      'RELEASE_INVALID',
    ],
  ])('with %s is refused', (_, action, code) => {
    expect(refusalOf(action)).toMatchObject({ code })
  })

  test('never appears in a refusal', () => {
    expect(JSON.stringify(refusalOf(() => open(seal('hunter2'), '')))).not.toContain('hunter2')
  })
})

const AVS_LIKE = '0x00000000000000000000000000000000000000ff'
