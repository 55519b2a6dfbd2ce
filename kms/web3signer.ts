/**
 * The operator's secp256k1 key in a Web3Signer (Consensys) instead of a file: statements of the protocol and transactions are signed there.
 *
 * POST <url>/api/v1/eth1/sign/<public key> with `{"data": "0x…"}` answers with r || s || v over keccak256(data), as text. It hashes what it is
 * given, so it gets the bytes before hashing: the 66 bytes of an EIP-712 message, or an unsigned EIP-1559 transaction. Its option to sign
 * bare digests is not used.
 *
 * Each answer is checked against the configured public key. A service that holds another key, or signs something else, signs nothing here.
 * @module
 */
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { hexToBytes, type LocalAccount, serializeTransaction } from 'viem'
import { publicKeyToAddress } from 'viem/accounts'
import { concatBytes, parseHex, toHex } from '../sdk/bytes.ts'
import type { Address } from '../sdk/chain/types.ts'
import { EigenxError } from '../sdk/errors.ts'
import { recoverSigner, statementDigest } from '../sdk/protocol/digest.ts'
import { readCapped } from './peer/transport.ts'

export type Web3SignerOptions = {
  /** Base URL, without credentials. */
  url: string
  /** 64 bytes x || y, as its list of keys shows them: `GET /api/v1/eth1/publicKeys`. */
  publicKey: Uint8Array
  /** @default 10000 */
  timeoutMs?: number
}

export type Web3Signer = {
  /** Of the key, lower case. */
  address: Address
  /** @param statement - The 66 bytes of an EIP-712 message. @returns r || s || v. @throws EigenxError SIGNER_FAILED */
  signStatement(statement: Uint8Array): Promise<Uint8Array>
  account: Pick<LocalAccount, 'address' | 'signTransaction'>
}

/** `0x` and 65 bytes of hex, and some white space. */
const MAX_ANSWER_BYTES = 256

/** @throws RangeError for a public key that is no point of the curve. */
export function createWeb3Signer(options: Web3SignerOptions): Web3Signer {
  const uncompressed = concatBytes(Uint8Array.of(4), options.publicKey)
  if (!secp256k1.utils.isValidPublicKey(uncompressed, false))
    throw new RangeError('not a secp256k1 public key')
  const checksummed = publicKeyToAddress(toHex(uncompressed))
  const address: Address = `0x${checksummed.slice(2).toLowerCase()}`
  const sign = async (data: Uint8Array): Promise<Uint8Array> => {
    const signature = await ask(options, data)
    if (recoverSigner(keccak_256(data), signature) === address) return signature
    throw failed('it answered something else than a signature of the configured key')
  }
  return {
    address,
    signStatement: async (statement) => {
      // Refuses anything that is no statement before it leaves.
      statementDigest(statement)
      return sign(statement)
    },
    account: {
      address: checksummed,
      signTransaction: async (transaction, { serializer = serializeTransaction } = {}) => {
        const signature = await sign(hexToBytes(await serializer(transaction)))
        return serializer(transaction, {
          r: toHex(signature.subarray(0, 32)),
          s: toHex(signature.subarray(32, 64)),
          yParity: (signature[64] ?? 27) - 27,
        })
      },
    },
  }
}

async function ask(options: Web3SignerOptions, data: Uint8Array): Promise<Uint8Array> {
  const { url, publicKey, timeoutMs = 10_000 } = options
  const deadline = AbortSignal.timeout(timeoutMs)
  let response: Response
  let text: string
  try {
    response = await fetch(`${url.replace(/\/+$/, '')}/api/v1/eth1/sign/${toHex(publicKey)}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ data: toHex(data) }),
      redirect: 'error',
      signal: deadline,
    })
    text = new TextDecoder().decode(await readCapped(response, MAX_ANSWER_BYTES))
  } catch {
    // The cause may quote the URL or the answer.
    throw failed(deadline.aborted ? 'it did not answer in time' : 'it cannot be reached')
  }
  if (response.status === 404) throw failed('it does not hold the configured key')
  if (response.status !== 200) throw failed(`it answered with status ${response.status}`)
  const signature = parseHex(text.trim(), 65)
  if (signature === undefined) throw failed('it answered something else than a signature')
  return signature
}

function failed(reason: string): EigenxError<'SIGNER_FAILED'> {
  return new EigenxError({
    code: 'SIGNER_FAILED',
    message: `The signing service did not sign: ${reason}.`,
    stage: 'crypto',
    details: { reason },
    hint: 'See operator.web3signer_url and operator.web3signer_public_key in docs/operators.md.',
  })
}
