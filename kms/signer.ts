/**
 * The operator's own keys, from files: the one that is registered for signing, on the operator set's curve, and the one that pays for
 * transactions. With a secp256k1 signing key both may be the same; a BN254 key cannot sign transactions.
 * @module
 */
import { type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts'
import { toHex } from '../sdk/bytes.ts'
import type { OperatorInfo } from '../sdk/chain/types.ts'
import { EigenxError } from '../sdk/errors.ts'
import { bn254PublicKey, isBn254PrivateKey, signBn254 } from '../sdk/protocol/bn254.ts'
import { signStatement, statementDigest } from '../sdk/protocol/digest.ts'
import type { KmsConfig } from './config.ts'
import type { SignerPort } from './epoch/ports.ts'
import { readSigningKey } from './key-file.ts'

export type OperatorKeys = {
  signer: SignerPort
  /** As it must stand in the key registrar. */
  signingKey: OperatorInfo['signingKey']
  /** Pays for what is posted. */
  account: PrivateKeyAccount
}

/** @throws EigenxError CONFIG_INVALID */
export async function readOperatorKeys(
  operator: Pick<
    KmsConfig['operator'],
    'address' | 'signingKeyFile' | 'signingCurve' | 'transactionKeyFile'
  >,
): Promise<OperatorKeys> {
  const { address, signingKeyFile, signingCurve, transactionKeyFile } = operator
  const key = await readSigningKey(signingKeyFile)
  const transactionKey =
    transactionKeyFile === undefined ? key : await readSigningKey(transactionKeyFile)
  if (signingCurve === 'bn254' && !isBn254PrivateKey(key))
    throw new EigenxError({
      code: 'CONFIG_INVALID',
      message: 'The signing key file does not hold a BN254 key.',
      stage: 'config',
      details: { path: 'operator.signing_key_file' },
    })
  const sign = (statement: Uint8Array): Uint8Array =>
    signingCurve === 'bn254'
      ? signBn254(key, statementDigest(statement))
      : signStatement(key, statement)
  return {
    signer: { operator: address, sign: async (statement) => sign(statement) },
    signingKey:
      signingCurve === 'bn254'
        ? { curve: 'bn254', ...bn254PublicKey(key) }
        : { curve: 'ecdsa', address: lower(privateKeyToAccount(toHex(key)).address) },
    account: privateKeyToAccount(toHex(transactionKey)),
  }
}

function lower(address: `0x${string}`): `0x${string}` {
  return `0x${address.slice(2).toLowerCase()}`
}
