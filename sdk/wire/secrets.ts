/**
 * The bodies of `POST /secrets`, `POST /app/sign` and `GET /pubkey`, byte-compatible with
 * eigenx-kms-go 0.4.3, with the fields that this project adds; Go ignores those.
 *
 * Parsing here is about form only. Lengths and rules that have their own answer on the wire (too large,
 * missing, unknown method) belong to the route.
 * @module
 */
import type { InitdataBinding } from '../attest/types.ts'
import { parseHex, utf8ToBytes } from '../bytes.ts'
import type { Address, Hash32 } from '../chain/types.ts'
import { EigenxError } from '../errors.ts'
import {
  encodeGoJson,
  GO_BOOL,
  GO_BYTES,
  GO_INT64,
  GO_STRING,
  type GoStruct,
  parseGoJson,
} from './go-json.ts'

const SECRETS_REQUEST = {
  name: 'types.SecretsRequestV1',
  fields: {
    app_id: GO_STRING,
    stack_id: GO_STRING,
    attestation_method: GO_STRING,
    attestation: GO_BYTES,
    rsa_pubkey_tmp: GO_BYTES,
    attestation_time: GO_INT64,
    challenge: GO_BYTES,
    public_key: GO_BYTES,
    extra_data: GO_BYTES,
    cc_init_data: GO_BYTES,
    report_data_version: GO_INT64,
    freshness_block: GO_STRING,
  },
} as const satisfies GoStruct

const SECRETS_RESPONSE = {
  name: 'types.SecretsResponseV1',
  fields: {
    encrypted_env: GO_STRING,
    public_env: GO_STRING,
    encrypted_partial_sig: GO_BYTES,
    extra_data: GO_BYTES,
    version: GO_INT64,
    operator: GO_STRING,
    binding: GO_STRING,
    marks: { kind: 'slice', of: GO_STRING },
  },
} as const satisfies GoStruct

const SIGN_REQUEST = {
  name: 'types.AppSignRequest',
  fields: { AppID: GO_STRING, AttestationTime: GO_INT64 },
} as const satisfies GoStruct

const G1_POINT = {
  name: 'types.G1Point',
  fields: { CompressedBytes: GO_BYTES },
} as const satisfies GoStruct

const G2_POINT = {
  name: 'types.G2Point',
  fields: { CompressedBytes: GO_BYTES },
} as const satisfies GoStruct

const SIGN_RESPONSE = {
  name: 'types.AppSignResponse',
  fields: {
    OperatorAddress: GO_STRING,
    PartialSignature: { kind: 'struct', of: G1_POINT },
    version: GO_INT64,
  },
} as const satisfies GoStruct

const PUBKEY_RESPONSE = {
  name: 'pubkeyResponse',
  fields: {
    commitments: { kind: 'slice', of: { kind: 'struct', of: G2_POINT } },
    epoch: GO_INT64,
    isActive: GO_BOOL,
    masterPublicKey: { kind: 'pointer', of: G2_POINT },
    operatorAddress: GO_STRING,
    outputHash: GO_STRING,
    threshold: GO_INT64,
    version: GO_INT64,
  },
} as const satisfies GoStruct

/** The partial key as it is encrypted to the pod's RSA key. */
const WRAPPED_POINT = G1_POINT

export type SecretsRequest = {
  appId: string
  /** "" when absent. */
  stackId: string
  attestationMethod: string
  attestation: Uint8Array
  /** The PEM text's bytes, exactly as sent: REPORT_DATA v1 hashes them. */
  rsaPubkeyTmp: Uint8Array
  /** Unix seconds; 0 asks for the active key version. */
  attestationTime: number
  challenge: Uint8Array
  publicKey: Uint8Array
  extraData: Uint8Array
  ccInitData: Uint8Array
  /** Which REPORT_DATA layout the evidence carries; absent means 1. */
  reportDataVersion: 1 | 2
  /** The block that REPORT_DATA v2 names. */
  freshnessBlock?: Hash32
}

export type SecretsResponse = {
  encryptedEnv: string
  publicEnv: string
  /** RSA-OAEP of the partial key. */
  encryptedPartialSig: Uint8Array
  /** Echo of the request's; left out when empty. */
  extraData?: Uint8Array
  /** Key version, Unix seconds. From here on: fields that Go neither sends nor reads. */
  version?: number
  operator?: Address
  binding?: InitdataBinding
  marks?: readonly string[]
}

export type SignRequest = {
  appId: string /** Unix seconds, 0 = active. */
  attestationTime: number
}
export type SignResponse = { operator: Address; partial: Uint8Array; version?: number }

export type PubkeyResponse = {
  operator: Address
  isActive: boolean
  /** Key version, Unix seconds. */
  version: number
  masterPublicKey?: Uint8Array
  commitments: readonly Uint8Array[]
  epoch?: number
  threshold?: number
  outputHash?: Hash32
  /** Written for people and other clients; ours takes both from the certified output, so they are not read. */
  participants?: readonly Address[]
  publicShares?: readonly Uint8Array[]
}

/** @throws REQUEST_INVALID or INPUT_TOO_LARGE */
export function parseSecretsRequest(body: Uint8Array, maxBytes?: number): SecretsRequest {
  const fields = parseGoJson(body, SECRETS_REQUEST, limitsOf(maxBytes))
  const block = fields.freshness_block
  return {
    appId: fields.app_id,
    stackId: fields.stack_id,
    attestationMethod: fields.attestation_method,
    attestation: fields.attestation,
    rsaPubkeyTmp: fields.rsa_pubkey_tmp,
    attestationTime: toSafeSeconds(fields.attestation_time),
    challenge: fields.challenge,
    publicKey: fields.public_key,
    extraData: fields.extra_data,
    ccInitData: fields.cc_init_data,
    reportDataVersion: parseReportDataVersion(fields.report_data_version),
    ...(block === '' ? {} : { freshnessBlock: parseHash(block, 'freshness_block') }),
  }
}

/** Fields of this project are sent only when they differ from what Go means by their absence. */
export function encodeSecretsRequest(request: SecretsRequest): string {
  return encodeGoJson({
    app_id: request.appId,
    stack_id: request.stackId || undefined,
    attestation_method: request.attestationMethod,
    attestation: request.attestation,
    rsa_pubkey_tmp: request.rsaPubkeyTmp,
    attestation_time: request.attestationTime,
    challenge: omitEmpty(request.challenge),
    public_key: omitEmpty(request.publicKey),
    extra_data: omitEmpty(request.extraData),
    cc_init_data: omitEmpty(request.ccInitData),
    report_data_version: request.reportDataVersion === 1 ? undefined : request.reportDataVersion,
    freshness_block: request.freshnessBlock,
  })
}

/**
 * Values and escapes of an answer. A public environment may have 128 KiB, and each byte of it may need an escape in the answer: quotes of JSON in
 * JSON, or Go's form of `<`.
 */
const MAX_RESPONSE_TOKENS = 160 * 1024

/** @throws REQUEST_INVALID or INPUT_TOO_LARGE */
export function parseSecretsResponse(body: Uint8Array, maxBytes?: number): SecretsResponse {
  const limits = { ...limitsOf(maxBytes), maxTokens: MAX_RESPONSE_TOKENS }
  const fields = parseGoJson(body, SECRETS_RESPONSE, limits)
  return {
    encryptedEnv: fields.encrypted_env,
    publicEnv: fields.public_env,
    encryptedPartialSig: fields.encrypted_partial_sig,
    ...(fields.extra_data.length === 0 ? {} : { extraData: fields.extra_data }),
    ...(fields.version === 0n ? {} : { version: toSafeSeconds(fields.version) }),
    ...(fields.operator === '' ? {} : { operator: parseAddress(fields.operator, 'operator') }),
    ...(fields.binding === '' ? {} : { binding: parseBinding(fields.binding) }),
    ...(fields.marks.length === 0 ? {} : { marks: fields.marks }),
  }
}

export function encodeSecretsResponse(response: SecretsResponse): string {
  return encodeGoJson({
    encrypted_env: response.encryptedEnv,
    public_env: response.publicEnv,
    encrypted_partial_sig: response.encryptedPartialSig,
    extra_data: omitEmpty(response.extraData),
    version: response.version,
    operator: response.operator,
    binding: response.binding,
    marks: response.marks?.length === 0 ? undefined : response.marks,
  })
}

/** @throws REQUEST_INVALID or INPUT_TOO_LARGE */
export function parseSignRequest(body: Uint8Array, maxBytes?: number): SignRequest {
  const fields = parseGoJson(body, SIGN_REQUEST, limitsOf(maxBytes))
  return { appId: fields.AppID, attestationTime: toSafeSeconds(fields.AttestationTime) }
}

export function encodeSignRequest({ appId, attestationTime }: SignRequest): string {
  return encodeGoJson({ AppID: appId, AttestationTime: attestationTime })
}

/** @throws REQUEST_INVALID or INPUT_TOO_LARGE */
export function parseSignResponse(body: Uint8Array, maxBytes?: number): SignResponse {
  const fields = parseGoJson(body, SIGN_RESPONSE, limitsOf(maxBytes))
  return {
    operator: parseAddress(fields.OperatorAddress, 'OperatorAddress'),
    partial: fields.PartialSignature.CompressedBytes,
    ...(fields.version === 0n ? {} : { version: toSafeSeconds(fields.version) }),
  }
}

/** @param response.operator - In EIP-55 form, as Go sends it. */
export function encodeSignResponse({ operator, partial, version }: SignResponse): string {
  return encodeGoJson({
    OperatorAddress: operator,
    PartialSignature: { CompressedBytes: partial },
    version,
  })
}

/** @throws REQUEST_INVALID or INPUT_TOO_LARGE */
export function parsePubkeyResponse(body: Uint8Array, maxBytes?: number): PubkeyResponse {
  const fields = parseGoJson(body, PUBKEY_RESPONSE, limitsOf(maxBytes))
  const { masterPublicKey, outputHash } = fields
  return {
    operator: parseAddress(fields.operatorAddress, 'operatorAddress'),
    isActive: fields.isActive,
    version: toSafeSeconds(fields.version),
    ...(masterPublicKey === undefined ? {} : { masterPublicKey: masterPublicKey.CompressedBytes }),
    commitments: fields.commitments.map(({ CompressedBytes }) => CompressedBytes),
    ...(fields.epoch === 0n ? {} : { epoch: toSafeSeconds(fields.epoch) }),
    ...(fields.threshold === 0n ? {} : { threshold: toSafeSeconds(fields.threshold) }),
    ...(outputHash === '' ? {} : { outputHash: parseHash(outputHash, 'outputHash') }),
  }
}

/**
 * Keys in alphabetical order, as the Go operator sends a map.
 * @param response.operator - In EIP-55 form, as Go sends it.
 */
export function encodePubkeyResponse(response: PubkeyResponse): string {
  const { masterPublicKey } = response
  return encodeGoJson({
    commitments: response.commitments.map((bytes) => ({ CompressedBytes: bytes })),
    epoch: response.epoch,
    isActive: response.isActive,
    masterPublicKey: masterPublicKey === undefined ? null : { CompressedBytes: masterPublicKey },
    operatorAddress: response.operator,
    outputHash: response.outputHash,
    participants: response.participants,
    publicShares: response.publicShares?.map((bytes) => ({ CompressedBytes: bytes })),
    threshold: response.threshold,
    version: response.version,
  })
}

/** The 86 bytes that are encrypted to the pod's RSA key: no line break at the end. */
export function encodeWrappedPartial(partial: Uint8Array): Uint8Array {
  return utf8ToBytes(encodeGoJson({ CompressedBytes: partial }).trimEnd())
}

/** @throws REQUEST_INVALID or INPUT_TOO_LARGE */
export function parseWrappedPartial(plaintext: Uint8Array): Uint8Array {
  return parseGoJson(plaintext, WRAPPED_POINT, { maxBytes: 1024, maxDepth: 2 }).CompressedBytes
}

function limitsOf(maxBytes: number | undefined): { maxBytes?: number } {
  return maxBytes === undefined ? {} : { maxBytes }
}

/** Far future and far past keep their meaning («the newest», «the active one») when cut to a safe integer. */
function toSafeSeconds(value: bigint): number {
  const limit = BigInt(Number.MAX_SAFE_INTEGER)
  return Number(value > limit ? limit : value < -limit ? -limit : value)
}

function parseReportDataVersion(value: bigint): 1 | 2 {
  if (value === 0n || value === 1n) return 1
  if (value === 2n) return 2
  throw fieldInvalid('report_data_version', 'report_data_version is 1 or 2')
}

function parseHash(text: string, path: string): Hash32 {
  if (!/^0x[0-9a-f]{64}$/.test(text))
    throw fieldInvalid(path, `${path} is 0x and 64 lower-case hex digits`)
  return `0x${text.slice(2)}`
}

function parseAddress(text: string, path: string): Address {
  if (!text.startsWith('0x') || parseHex(text, 20) === undefined)
    throw fieldInvalid(path, `${path} is 0x and 40 hex digits`)
  return `0x${text.slice(2)}`
}

const BINDINGS: readonly InitdataBinding[] = ['host_data', 'mr_config_id', 'pcr8', 'report_data']

function parseBinding(text: string): InitdataBinding {
  const binding = BINDINGS.find((known) => known === text)
  if (binding === undefined) throw fieldInvalid('binding', 'binding is not a known one')
  return binding
}

function omitEmpty(bytes: Uint8Array | undefined): Uint8Array | undefined {
  return bytes?.length === 0 ? undefined : bytes
}

function fieldInvalid(path: string, message: string): EigenxError {
  return new EigenxError({ code: 'REQUEST_INVALID', message, stage: 'request', details: { path } })
}
