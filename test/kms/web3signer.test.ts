import { secp256k1 } from '@noble/curves/secp256k1.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { parseTransaction, recoverTransactionAddress, type TransactionSerialized } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseKmsConfig } from '../../kms/config.ts'
import { readOperatorKeys } from '../../kms/signer.ts'
import { createWeb3Signer } from '../../kms/web3signer.ts'
import { concatBytes, toHex, utf8ToBytes } from '../../sdk/bytes.ts'
import { isSignedBy } from '../../sdk/protocol/digest.ts'
import { type FakeWeb3Signer, signAsWeb3Signer, startWeb3Signer } from '../kit/web3signer.ts'
import { operatorToml } from './world.ts'

const key = sha256(utf8ToBytes('web3signer'))
const other = sha256(utf8ToBytes('another'))
const statement = concatBytes(Uint8Array.of(0x19, 0x01), new Uint8Array(64).fill(7))
const TRANSACTION = {
  type: 'eip1559',
  chainId: 31337,
  nonce: 3,
  gas: 90_000n,
  to: `0x${'ab'.repeat(20)}`,
  data: '0x1234',
  maxFeePerGas: 5_000_000_000n,
  maxPriorityFeePerGas: 1_000_000_000n,
} as const

let service: FakeWeb3Signer
beforeAll(async () => {
  service = await startWeb3Signer(key)
})
afterAll(() => service.close())

const configOf = (lines: string) =>
  parseKmsConfig(operatorToml(undefined, '').replace('signing_key_file = "signing.key"', lines))

describe('an operator whose key is in a Web3Signer', () => {
  const lines = () =>
    `web3signer_url = "${service.url}/"\nweb3signer_public_key = "${service.publicKey}"`

  it('signs statements with it that its registered key verifies; the service gets the bytes before hashing', async () => {
    const keys = await readOperatorKeys(configOf(lines()).operator)
    service.signed.splice(0)
    const signature = await keys.signer.sign(statement)
    const info = { address: keys.signer.operator, socket: '', signingKey: keys.signingKey }
    expect(isSignedBy(info, statement, signature)).toBe(true)
    expect(service.signed).toEqual([statement])
    const { address } = privateKeyToAccount(toHex(key))
    expect(keys.signingKey).toEqual({ curve: 'ecdsa', address: address.toLowerCase() })
  })

  it('pays with it: the same transaction as a local key would sign', async () => {
    const { account } = await readOperatorKeys(configOf(lines()).operator)
    const local = privateKeyToAccount(toHex(key))
    const serialized = await account.signTransaction(TRANSACTION)
    expect(serialized).toBe(await local.signTransaction(TRANSACTION))
    const serializedTransaction = serialized as TransactionSerialized
    expect(await recoverTransactionAddress({ serializedTransaction })).toBe(local.address)
    expect(parseTransaction(serialized)).toMatchObject({ nonce: 3, chainId: 31337 })
  })

  it.each<[string, string, string]>([
    ['with a file for the same key too', `signing_key_file = "k"\n`, 'operator.signing_key_file'],
    ['with credentials in the URL', '', 'operator.web3signer_url'],
    ['without the public key', '', 'operator.web3signer_public_key'],
    [
      'with bn254 and no file for that key',
      'signing_curve = "bn254"\n',
      'operator.signing_key_file',
    ],
  ])('is refused %s', (name, extra, path) => {
    let text = `${extra}${lines()}`
    if (name.includes('credentials')) text = text.replace('http://', 'http://user:word@')
    if (name.includes('without')) text = text.replace(/web3signer_public_key.*/, '')
    expect(() => configOf(text)).toThrow(expect.objectContaining({ details: { path } }))
  })

  it('is refused with a public key that is no point', async () => {
    const { operator } = configOf(lines().replace(service.publicKey, `0x${'11'.repeat(64)}`))
    await expect(readOperatorKeys(operator)).rejects.toThrow(/no secp256k1 key/)
  })
})

describe('a Web3Signer that', () => {
  const order = secp256k1.Point.CURVE().n
  const answering = (text: string) => (response: { end(text: string): void }) => response.end(text)
  const highS = (data: Uint8Array) => {
    const signature = signAsWeb3Signer(key, data)
    const s = (order - BigInt(`0x${signature.slice(66, 130)}`)).toString(16).padStart(64, '0')
    return `${signature.slice(0, 66)}${s}${signature.endsWith('1b') ? '1c' : '1b'}`
  }
  const raw = (data: Uint8Array) => signAsWeb3Signer(key, keccak_256(data))
  it.each<[string, Parameters<FakeWeb3Signer['misbehave']>[0], RegExp]>([
    ['signs with another key', (r, d) => r.end(signAsWeb3Signer(other, d)), /something else/],
    ['signs another hash', (r, d) => r.end(raw(d)), /something else/],
    ['gives a high s', (r, d) => r.end(highS(d)), /something else/],
    ['answers with nothing', answering(''), /else than a signature/],
    ['answers with garbage', answering('0xzz'), /else than a signature/],
    ['answers without end', answering('0x'.padEnd(10_000, 'a')), /cannot be reached/],
    ['fails', (r) => r.writeHead(500).end('oops'), /status 500/],
    ['lost the key', (r) => r.writeHead(404).end(), /does not hold/],
    ['redirects', (r) => r.writeHead(302, { location: 'http://x.invalid' }).end(), /reached/],
    ['hangs', () => undefined, /in time/],
  ])('%s signs nothing', async (_name, misbehaviour, reason) => {
    const publicKey = secp256k1.getPublicKey(key, false).subarray(1)
    const signer = createWeb3Signer({ url: service.url, publicKey, timeoutMs: 1000 })
    service.misbehave(misbehaviour)
    try {
      const refusal = { code: 'SIGNER_FAILED', message: expect.stringMatching(reason) }
      await expect(signer.signStatement(statement)).rejects.toMatchObject(refusal)
      if (!reason.test('in time'))
        await expect(signer.account.signTransaction(TRANSACTION)).rejects.toMatchObject(refusal)
    } finally {
      service.misbehave(undefined)
    }
  })

  it('is down signs nothing, and is never asked for what is no statement', async () => {
    const publicKey = secp256k1.getPublicKey(key, false).subarray(1)
    const down = createWeb3Signer({ url: 'http://127.0.0.1:1', publicKey })
    await expect(down.signStatement(statement)).rejects.toMatchObject({ code: 'SIGNER_FAILED' })
    const before = service.signed.length
    const signer = createWeb3Signer({ url: service.url, publicKey })
    await expect(signer.signStatement(keccak_256(statement))).rejects.toThrow(RangeError)
    expect(service.signed).toHaveLength(before)
  })
})
