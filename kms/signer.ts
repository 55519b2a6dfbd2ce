/**
 * The operator's own keys: the one that is registered for signing, on the operator set's curve, and the one that pays for transactions. With a
 * secp256k1 signing key both may be the same; a BN254 key cannot sign transactions. secp256k1 keys are in files or in a Web3Signer, a BN254
 * key is in a file.
 * @module
 */
import type { LocalAccount } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { parseHex, toHex } from '../sdk/bytes.ts'
import type { OperatorInfo } from '../sdk/chain/types.ts'
import { EigenxError } from '../sdk/errors.ts'
import { bn254PublicKey, isBn254PrivateKey, signBn254 } from '../sdk/protocol/bn254.ts'
import { signStatement, statementDigest } from '../sdk/protocol/digest.ts'
import type { KmsConfig } from './config.ts'
import type { SignerPort } from './epoch/ports.ts'
import { readKeyFile } from './key-file.ts'
import { createWeb3Signer, type Web3Signer } from './web3signer.ts'

export type OperatorKeys = {
  signer: SignerPort
  /** As it must stand in the key registrar. */
  signingKey: OperatorInfo['signingKey']
  /** Pays for what is posted. */
  account: Pick<LocalAccount, 'address' | 'signTransaction'>
}

const SIGNING_KEY = { what: 'the signing key', field: 'operator.signing_key_file' }
const TRANSACTION_KEY = { what: 'the transaction key', field: 'operator.transaction_key_file' }

type Settings = Omit<KmsConfig['operator'], 'address'>
type SigningKey = Pick<OperatorKeys, 'signingKey'> &
  Pick<SignerPort, 'sign'> & {
    /** Absent for a key that cannot pay. */
    account?: OperatorKeys['account']
  }

/** @throws EigenxError CONFIG_INVALID */
export async function readOperatorKeys(operator: KmsConfig['operator']): Promise<OperatorKeys> {
  const { transactionKeyFile } = operator
  const service = serviceOf(operator)
  const { signingKey, sign, account } = await signingKeyOf(operator, service)
  const paying =
    transactionKeyFile === undefined
      ? (service?.account ?? account)
      : privateKeyToAccount(toHex(await readKeyFile(transactionKeyFile, TRANSACTION_KEY)))
  if (paying === undefined)
    throw invalid('No key is named that can pay for transactions.', 'transaction_key_file')
  return { signer: { operator: operator.address, sign }, signingKey, account: paying }
}

async function signingKeyOf(
  { signingCurve, signingKeyFile }: Settings,
  service: Web3Signer | undefined,
): Promise<SigningKey> {
  if (service !== undefined && signingCurve === 'ecdsa') {
    const { address, signStatement: sign, account } = service
    return { signingKey: { curve: 'ecdsa', address }, sign, account }
  }
  if (signingKeyFile === undefined) throw invalid('No signing key is named.', 'signing_key_file')
  const key = await readKeyFile(signingKeyFile, SIGNING_KEY)
  if (signingCurve === 'ecdsa') {
    const account = privateKeyToAccount(toHex(key))
    return {
      signingKey: { curve: 'ecdsa', address: `0x${account.address.slice(2).toLowerCase()}` },
      sign: async (statement) => signStatement(key, statement),
      account,
    }
  }
  if (!isBn254PrivateKey(key))
    throw invalid('The signing key file does not hold a BN254 key.', 'signing_key_file')
  return {
    signingKey: { curve: 'bn254', ...bn254PublicKey(key) },
    sign: async (statement) => signBn254(key, statementDigest(statement)),
  }
}

function serviceOf({ web3signerUrl, web3signerPublicKey }: Settings): Web3Signer | undefined {
  if (web3signerUrl === undefined || web3signerPublicKey === undefined) return undefined
  const publicKey = parseHex(web3signerPublicKey, 64)
  try {
    if (publicKey !== undefined) return createWeb3Signer({ url: web3signerUrl, publicKey })
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
  }
  throw invalid('The public key of the Web3Signer is no secp256k1 key.', 'web3signer_public_key')
}

function invalid(message: string, field: string): EigenxError<'CONFIG_INVALID'> {
  return new EigenxError({
    code: 'CONFIG_INVALID',
    message,
    stage: 'config',
    details: { path: `operator.${field}` },
  })
}
