/**
 * `eigenx-tee`: keys and secrets for an app in an attested pod.
 *
 * This entry runs in Node and bundles for browsers. Adapters and tools have entries of their own: `/viem`, `/solana`,
 * `/browser`, `/pkcs12`, `/verify`, `/testing`.
 * @module
 */
export { type Hex, toHex } from './bytes.ts'
export { type Client, type ClientOptions, createClient } from './client/client.ts'
export type {
  AddressesAnswer,
  DerivedAddress,
  DerivedKey,
  InfoAnswer,
  KeyAlgorithm,
  KeyOrigin,
  KeyScope,
  Mnemonic,
  TlsKeyAnswer,
  Transport,
  TransportAnswer,
  TransportRequest,
  VersionAnswer,
} from './client/types.ts'
export {
  EigenxError,
  type EigenxErrorInput,
  type EigenxErrorJson,
  type ErrorCode,
  type ErrorDetails,
  isEigenxError,
  type OperatorRefusal,
  type Stage,
} from './errors.ts'
