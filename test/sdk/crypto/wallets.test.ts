import { createPrivateKey, createPublicKey } from 'node:crypto'
import { Keypair } from '@solana/web3.js'
import { mnemonicToSeedSync } from 'bip39'
import { mnemonicToAccount } from 'viem/accounts'
import { describe, expect, test } from 'vitest'
import { bytesToHex } from '../../../sdk/bytes.ts'
import { mnemonicToSeed } from '../../../sdk/crypto/seed.ts'
import { deriveSlip10Ed25519 } from '../../../sdk/crypto/slip10.ts'
import { acmeAccountKey, storageKey, tlsKey, toP256Scalar } from '../../../sdk/crypto/tls-keys.ts'
import { deriveBip32, evmAccount, solanaAccount } from '../../../sdk/crypto/wallets.ts'
import { hex, readCases } from './vectors.ts'

type AccountCase = {
  name: string
  mnemonic: string
  index: number
  expect: { path: string; privateKey: string; publicKey?: string; address: string }
}
type Bip32Case = {
  name: string
  mnemonic: string
  path: string
  expect: { privateKey: string; publicKey: string }
}
type Slip10Case = {
  name: string
  seed: string
  indices: number[]
  expect: { privateKey: string; chainCode: string }
}
type TlsCase = {
  name: string
  kind: 'acme-account' | 'tls' | 'storage'
  mnemonic: string
  domain?: string
  version?: number
  expect: string
}

const junk = 'test test test test test test test test test test test junk'
const refused = (path: string) =>
  expect.objectContaining({ code: 'REQUEST_INVALID', details: { path } })

describe('EVM accounts', () => {
  test.each(readCases<AccountCase>('derivation/evm.json'))('$name', (entry) => {
    const { privateKey, ...account } = evmAccount(entry.mnemonic, entry.index)
    expect({ ...account, privateKey: bytesToHex(privateKey) }).toEqual(entry.expect)
  })

  test('are those of viem', () => {
    for (const index of [0, 3, 100])
      expect(evmAccount(junk, index).address).toBe(
        mnemonicToAccount(junk, { addressIndex: index }).address,
      )
  })
})

describe('Solana accounts', () => {
  test.each(readCases<AccountCase>('derivation/solana.json'))('$name', (entry) => {
    const { privateKey, publicKey, ...account } = solanaAccount(entry.mnemonic, entry.index)
    expect({
      ...account,
      privateKey: bytesToHex(privateKey),
      publicKey: bytesToHex(publicKey),
    }).toEqual(entry.expect)
  })

  test('are keypairs for @solana/web3.js', () => {
    const { privateKey, address } = solanaAccount(junk, 4)
    expect(Keypair.fromSeed(privateKey).publicKey.toBase58()).toBe(address)
  })

  test.each(readCases<Slip10Case>('derivation/slip10.json'))(
    'SLIP-0010 test vector 1, $name',
    (entry) => {
      const node = deriveSlip10Ed25519(hex(entry.seed), entry.indices)
      expect(bytesToHex(node.privateKey)).toBe(entry.expect.privateKey)
      expect(bytesToHex(node.chainCode)).toBe(entry.expect.chainCode)
    },
  )

  test('a child index stays below 2^31', () => {
    for (const index of [-1, 2 ** 31, 0.5])
      expect(() => deriveSlip10Ed25519(new Uint8Array(16), [index])).toThrow(RangeError)
  })
})

describe('BIP-32 chains', () => {
  test.each(readCases<Bip32Case>('derivation/bip32.json'))('$name', (entry) => {
    const account = deriveBip32(entry.mnemonic, entry.path)
    expect(bytesToHex(account.privateKey)).toBe(entry.expect.privateKey)
    expect(bytesToHex(account.publicKey)).toBe(entry.expect.publicKey)
  })

  test.each([
    '',
    '44/60',
    'm/',
    'm//0',
    "m/44''/0",
    'm/-1',
    'm/0x1',
    `m/${2 ** 31}`,
    'm/99999999999',
    `m${'/0'.repeat(33)}`,
    'M/0',
  ])('the path %j is refused', (path) => {
    expect(() => deriveBip32(junk, path)).toThrow(refused('path'))
  })

  test.each([-1, 0.5, 2 ** 31, Number.NaN])('the index %d is refused', (index) => {
    expect(() => evmAccount(junk, index)).toThrow(refused('index'))
    expect(() => solanaAccount(junk, index)).toThrow(refused('index'))
  })

  test('the seed is that of the bip39 package, and a caller may overwrite it', () => {
    for (const mnemonic of [junk, readCases<AccountCase>('derivation/evm.json').at(-1)?.mnemonic])
      expect(bytesToHex(mnemonicToSeed(mnemonic ?? ''))).toBe(
        mnemonicToSeedSync(mnemonic ?? '').toString('hex'),
      )
    const seed = mnemonicToSeed(junk)
    mnemonicToSeed(junk).fill(0)
    expect(mnemonicToSeed(junk)).toEqual(seed)
  })

  test.each(['', 'one', `${junk} `, junk.replace(' ', '  '), `${junk} more`])(
    '%j is no mnemonic',
    (text) => {
      expect(() => evmAccount(text, 0)).toThrow(refused('mnemonic'))
    },
  )
})

describe('TLS, ACME and storage keys', () => {
  test.each(readCases<TlsCase>('derivation/tls-storage.json'))('$name', (entry) => {
    const key =
      entry.kind === 'tls'
        ? tlsKey(entry.mnemonic, entry.domain ?? '', entry.version ?? -1)
        : entry.kind === 'storage'
          ? storageKey(entry.mnemonic)
          : acmeAccountKey(entry.mnemonic)
    expect(bytesToHex(key)).toBe(entry.expect)
  })

  test('the scalars are keys that OpenSSL accepts', () => {
    const d = acmeAccountKey(junk)
    const der = Buffer.concat([
      Buffer.from('30310201010420', 'hex'),
      d,
      Buffer.from('a00a06082a8648ce3d030107', 'hex'),
    ])
    const key = createPrivateKey({ key: der, format: 'der', type: 'sec1' })
    expect(createPublicKey(key).asymmetricKeyDetails?.namedCurve).toBe('prime256v1')
  })

  test('a value out of range is hashed until it fits', () => {
    const order = hex('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551')
    const hashed = toP256Scalar(order)
    expect(hashed).not.toEqual(order)
    expect(toP256Scalar(hashed)).toEqual(hashed)
    expect(toP256Scalar(new Uint8Array(32))).not.toEqual(new Uint8Array(32))
    const below = hex('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550')
    expect(toP256Scalar(below)).toEqual(below)
  })

  test.each([
    ['', 0, 'domain'],
    ['a b', 0, 'domain'],
    ['é.example', 0, 'domain'],
    ['x'.repeat(254), 0, 'domain'],
    ['a\u0000', 0, 'domain'],
    ['a.example', -1, 'version'],
    ['a.example', 1.5, 'version'],
    ['a.example', 2 ** 24, 'version'],
  ])('domain %j with version %d is refused', (domain, version, path) => {
    expect(() => tlsKey(junk, domain, version)).toThrow(refused(path))
  })
})
