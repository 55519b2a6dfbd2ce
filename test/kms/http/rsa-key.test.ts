/** The RSA key of a request that nothing can be encrypted to: Go's answer, and only for callers whose evidence is good. */
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { privateKeyToAddress } from 'viem/accounts'
import { describe, expect, it } from 'vitest'
import { toBase64, toHex, utf8ToBytes } from '../../../sdk/bytes.ts'
import { APP, makeBody, type SecretsBody, signedByOwner } from '../kit.ts'
import { KNOWN_IMAGE, makeWorld, PROBLEM, post, WIDE_LIMITS, type World } from '../world.ts'

const CREATOR_KEY = new Uint8Array(32).fill(5)
const TOML = `${WIDE_LIMITS}
[attestation]
methods = ["eigenx-snp", "ecdsa"]
${KNOWN_IMAGE}`

const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const spki = { type: 'spki', format: 'pem' } as const

/** OpenSSL reads it, and fails to encrypt to it. */
function evenModulus() {
  const { n = '', e = '' } = publicKey.export({ format: 'jwk' })
  const modulus = Buffer.from(n, 'base64url')
  modulus[255] = (modulus[255] ?? 0) & 0xfe
  const key = { kty: 'RSA', n: modulus.toString('base64url'), e }
  return createPublicKey({ format: 'jwk', key }).export(spki)
}

const KEYS = {
  'no PEM': 'hello',
  'in PKCS#1': publicKey.export({ type: 'pkcs1', format: 'pem' }),
  'of 1024 bits': generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export(spki),
  'with an even modulus': evenModulus(),
}

const ownerWorld = () =>
  makeWorld({
    toml: TOML,
    chain: { creatorOf: async () => privateKeyToAddress(toHex(CREATOR_KEY)) },
  })

/** What version 2 names; a text that is no SPKI has none. */
function spkiOf(pem: Uint8Array): Uint8Array {
  try {
    return createPublicKey(Buffer.from(pem)).export({ type: 'spki', format: 'der' })
  } catch {
    return new Uint8Array()
  }
}

/** Every method, with evidence for this very key. */
const METHODS: Readonly<Record<string, (world: World, pem: Uint8Array) => Promise<SecretsBody>>> = {
  'eigenx-snp, report data v1': async (world, pem) =>
    makeBody(world.authority, { rsa: { ...world.rsa, pem }, reportDataVersion: 1 }),
  'eigenx-snp, report data v2': async (world, pem) =>
    makeBody(world.authority, { rsa: { ...world.rsa, pem, spkiDer: spkiOf(pem) } }),
  ecdsa: async (_world, pem) => signedByOwner({ privateKey: CREATOR_KEY, appId: APP, rsaPem: pem }),
}

describe.each(Object.entries(METHODS))('%s', (_method, bodyOf) => {
  it.each(Object.entries(KEYS))('a key %s: 500 as in Go', async (_name, text) => {
    const world = await ownerWorld()
    const body = await bodyOf(world, utf8ToBytes(text.toString()))
    const answer = await post(world, '/secrets', body)
    expect([answer.status, await answer.text()]).toEqual([500, 'Encryption failed\n'])
    const problem = await (await post(world, '/secrets', body, PROBLEM)).json()
    expect(problem).toMatchObject({ status: 500, code: 'RSA_KEY_INVALID' })
    expect(world.log()).not.toContain('a decision failed')
  })

  it('bad evidence is refused as such, whatever the key', async () => {
    const world = await ownerWorld()
    const body = await bodyOf(world, utf8ToBytes('hello'))
    const evidence = Buffer.from(String(body.attestation), 'base64')
    // Inside the signature: of the owner, and of the report's JSON.
    const index = evidence.length === 65 ? 40 : 600
    evidence[index] = evidence[index] === 65 ? 66 : 65
    const answer = await post(
      world,
      '/secrets',
      { ...body, attestation: toBase64(evidence) },
      PROBLEM,
    )
    expect(await answer.json()).toMatchObject({ status: 401, code: 'EVIDENCE_INVALID' })
  })
})
