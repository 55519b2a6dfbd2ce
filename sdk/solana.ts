/**
 * `eigenx-tee/solana`: the app's Solana accounts for @solana/web3.js (v1) and for @solana/kit.
 *
 * Both libraries are optional peers: only the one whose function is called is loaded.
 * @module
 */
import type { KeyPairSigner } from '@solana/kit'
import type { Keypair } from '@solana/web3.js'
import { concatBytes } from './bytes.ts'
import type { Client } from './client/client.ts'
import { solanaAccount } from './crypto/wallets.ts'

export type SolanaOptions = {
  /** i of m/44'/501'/i'/0'. @default 0 */
  index?: number
}

/** A web3.js v1 key pair of the app's mnemonic. @throws EigenxError of the client; REQUEST_INVALID for a bad index */
export async function toSolanaKeypair(
  client: Pick<Client, 'getMnemonic'>,
  { index = 0 }: SolanaOptions = {},
): Promise<Keypair> {
  const { Keypair } = await import('@solana/web3.js')
  const { privateKey, publicKey } = solanaAccount(await client.getMnemonic(), index)
  return Keypair.fromSecretKey(concatBytes(privateKey, publicKey))
}

/** A signer for @solana/kit whose key cannot be exported. @throws EigenxError of the client; REQUEST_INVALID for a bad index */
export async function toSolanaSigner(
  client: Pick<Client, 'getMnemonic'>,
  { index = 0 }: SolanaOptions = {},
): Promise<KeyPairSigner> {
  const { createKeyPairSignerFromPrivateKeyBytes } = await import('@solana/kit')
  const { privateKey } = solanaAccount(await client.getMnemonic(), index)
  try {
    return await createKeyPairSignerFromPrivateKeyBytes(privateKey)
  } finally {
    privateKey.fill(0)
  }
}
