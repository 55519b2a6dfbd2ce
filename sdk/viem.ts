/**
 * `eigenx-tee/viem`: the app's EVM accounts as viem accounts.
 * @module
 */
import { mnemonicToAccount, type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts'
import { toHex } from './bytes.ts'
import type { Client } from './client/client.ts'
import { EigenxError } from './errors.ts'

export type ViemAccountOptions = {
  /** i of m/44'/60'/0'/0/i. @default 0 */
  index?: number
}

/**
 * A local account of the app's mnemonic. It holds one private key in a closure, not the mnemonic or its tree.
 *
 * @example
 * ```ts
 * const account = await toViemAccount(createClient())
 * const wallet = createWalletClient({ account, chain: mainnet, transport: http() })
 * ```
 * @throws EigenxError of the client; REQUEST_INVALID for an index outside 0..2^31-1
 */
export async function toViemAccount(
  client: Pick<Client, 'getMnemonic'>,
  { index = 0 }: ViemAccountOptions = {},
): Promise<PrivateKeyAccount> {
  if (!Number.isSafeInteger(index) || index < 0 || index >= 2 ** 31) throw invalidIndex()
  const wallet = mnemonicToAccount(await client.getMnemonic(), { addressIndex: index })
  const { privateKey } = wallet.getHdKey()
  if (privateKey === null || privateKey === undefined) throw invalidIndex()
  return privateKeyToAccount(toHex(Uint8Array.from(privateKey)))
}

function invalidIndex(): EigenxError<'REQUEST_INVALID'> {
  return new EigenxError({
    code: 'REQUEST_INVALID',
    message: 'index: expected a whole number from 0 to 2^31 - 1',
    stage: 'request',
    details: { path: 'index' },
  })
}
