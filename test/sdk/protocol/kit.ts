/** The smallest valid artefacts of a one-epoch history: operators, terms, an output whose shares are known, certificates, log entries. */
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { toHex, utf8ToBytes } from '../../../sdk/bytes.ts'
import type { Address, Hash32, OperatorInfo } from '../../../sdk/chain/types.ts'
import { operatorX, publicShareOf, thresholdOf } from '../../../sdk/crypto/bls.ts'
import { evaluatePolynomial } from '../../../sdk/crypto/shamir.ts'
import { sortByAddress } from '../../../sdk/protocol/codec.ts'
import { signStatement } from '../../../sdk/protocol/digest.ts'
import type { OperatorSets } from '../../../sdk/protocol/log.ts'
import { outputStatement } from '../../../sdk/protocol/messages.ts'
import { encodeCertifiedBody, outputHash } from '../../../sdk/protocol/output.ts'
import { ristrettoPublicKey } from '../../../sdk/protocol/ristretto.ts'
import { NO_OUTPUT, sidOf } from '../../../sdk/protocol/terms.ts'
import type { Domain, LogEntry, Output } from '../../../sdk/protocol/types.ts'

export const DOMAIN: Domain = {
  chainId: 1,
  epochLog: '0x00000000000000000000000000000000000000e1',
  avs: '0x00000000000000000000000000000000000000a5',
  operatorSetId: 2,
}

export type Operator = { info: OperatorInfo; address: Address; privateKey: Uint8Array }

export const OPERATORS: readonly Operator[] = sortByAddress(
  Array.from({ length: 4 }, (_, i) => {
    const privateKey = sha256(utf8ToBytes(`member ${i}`))
    const publicKey = secp256k1.getPublicKey(privateKey, false)
    const address: Address = toHex(keccak_256(publicKey.subarray(1)).subarray(12))
    return {
      info: { address, socket: '', signingKey: { curve: 'ecdsa' as const, address } },
      address,
      privateKey,
    }
  }),
  (operator) => operator.address,
)

export const INFOS: readonly OperatorInfo[] = OPERATORS.map(({ info }) => info)

export const hashOf = (text: string): Hash32 => toHex(sha256(utf8ToBytes(text)))

export const CONFIG_BLOCK = { number: 10n, hash: hashOf('block 10'), timestamp: 1_000 }

const POLYNOMIAL = [11n, 22n, 33n]

export const GENESIS: Output = {
  epoch: 0,
  prev: NO_OUTPUT,
  configBlock: CONFIG_BLOCK,
  leaves: [],
  members: OPERATORS.map(({ address }, i) => ({
    address,
    encryptionKey: ristrettoPublicKey(BigInt(i + 2)),
  })),
  threshold: thresholdOf(OPERATORS.length),
  dealings: OPERATORS.map(({ address }) => ({ dealer: address, hash: hashOf(address) })),
  publicShares: OPERATORS.map(({ address }) =>
    publicShareOf(evaluatePolynomial(POLYNOMIAL, operatorX(address))),
  ),
  mpk: publicShareOf(11n),
  postBy: 1_100,
  vetoBy: 1_200,
  activateAt: 1_300,
}

/** The output's successor with other values in some fields. */
export function successorOf(previous: Output, change: Partial<Output> = {}): Output {
  return {
    ...previous,
    epoch: previous.epoch + 1,
    prev: outputHash(DOMAIN, previous),
    postBy: previous.postBy + 1_000,
    vetoBy: previous.vetoBy + 1_000,
    activateAt: previous.activateAt + 1_000,
    ...change,
  }
}

export function certify(
  output: Output,
  signers: readonly Operator[] = OPERATORS.slice(0, 3),
): Uint8Array {
  const statement = outputStatement(DOMAIN, sidOf(DOMAIN, output), outputHash(DOMAIN, output))
  const signatures = signers.map(({ address, privateKey }) => ({
    operator: address,
    signature: signStatement(privateKey, statement),
  }))
  return encodeCertifiedBody({ output, certificate: { signatures } })
}

/** An entry for the output in a block at `timestamp`; block numbers follow the timestamps. */
export function entryOf(
  output: Output,
  timestamp: number,
  change: Partial<LogEntry> = {},
): LogEntry {
  return {
    block: { number: BigInt(timestamp), hash: hashOf(`block ${timestamp}`), timestamp },
    logIndex: 0,
    epoch: output.epoch,
    prev: output.prev,
    outputHash: outputHash(DOMAIN, output),
    poster: DOMAIN.avs,
    body: certify(output),
    ...change,
  }
}

export const SETS: OperatorSets = new Map([
  [CONFIG_BLOCK.hash, { number: 10n, timestamp: 1_000, operators: INFOS }],
])
