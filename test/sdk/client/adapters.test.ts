import { verifyMessage } from 'viem'
import { mnemonicToAccount } from 'viem/accounts'
import { describe, expect, test } from 'vitest'
import { evmAccount, solanaAccount } from '../../../sdk/crypto/wallets.ts'
import { toSolanaKeypair, toSolanaSigner } from '../../../sdk/solana.ts'
import { toViemAccount } from '../../../sdk/viem.ts'

const MNEMONIC = `${'abandon '.repeat(11)}about`
const client = { getMnemonic: async () => MNEMONIC }

describe('the viem account', () => {
  test.each([0, 1, 7])('%i is the one that every wallet shows for the words', async (index) => {
    const account = await toViemAccount(client, { index })
    expect(account.address).toBe(mnemonicToAccount(MNEMONIC, { addressIndex: index }).address)
    expect(account.address).toBe(evmAccount(MNEMONIC, index).address)
  })

  test('signs, and holds neither words nor key tree', async () => {
    const account = await toViemAccount(client)
    const signature = await account.signMessage({ message: 'hello' })
    expect(await verifyMessage({ address: account.address, message: 'hello', signature })).toBe(
      true,
    )
    expect(Object.keys(account)).not.toContain('getHdKey')
  })

  test.each([-1, 1.5, 2 ** 31, Number.NaN])('refuses index %s', async (index) => {
    await expect(toViemAccount(client, { index })).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
    })
  })
})

describe('the Solana account', () => {
  test('is the same for both libraries', async () => {
    const { address } = solanaAccount(MNEMONIC, 2)
    expect((await toSolanaKeypair(client, { index: 2 })).publicKey.toBase58()).toBe(address)
    expect((await toSolanaSigner(client, { index: 2 })).address).toBe(address)
  })

  test.each([-1, 0.5])('refuses index %s', async (index) => {
    await expect(toSolanaKeypair(client, { index })).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
    })
    await expect(toSolanaSigner(client, { index })).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
    })
  })
})
