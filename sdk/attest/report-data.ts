/**
 * REPORT_DATA: the 64 bytes with which a pod ties its evidence to one request.
 *
 * Version 1 is what Go operators compute: 64 ASCII characters,
 *   hex(SHA-256(RSA key as PEM || extra data)[0..16]) || hex(SHA-384(initdata as received)[0..16]).
 * It names neither app nor operators, and 16 bytes of each digest is all it keeps.
 *
 * Version 2 is 64 raw bytes:
 *   [0..32]  SHA-256 of ten fields, each behind its length as 4 big-endian bytes, in this order:
 *            1. the domain tag `eigenx-tee/report-data/v2`, ASCII
 *            2. TEE type, ASCII: `snp` or `tdx`
 *            3. attestation method name, ASCII, e.g. `eigenx-snp`
 *            4. SubjectPublicKeyInfo of the RSA key, DER
 *            5. app id as the request spells it, UTF-8
 *            6. chain id, 8 bytes big-endian
 *            7. address of the AVS, 20 bytes
 *            8. operator set id, 8 bytes big-endian
 *            9. hash of the freshness block, 32 bytes
 *            10. extra data, possibly empty
 *   [32..64] the first 32 bytes of SHA-384(decoded initdata TOML)
 * The TEE type and method under the hash stop evidence of one kind from answering for another; the freshness block stops
 * evidence from being made in advance.
 * @module
 */
import { sha256, sha384 } from '@noble/hashes/sha2.js'
import {
  bytesToHex,
  concatBytes,
  equalBytes,
  frame,
  parseHex,
  uintBE,
  utf8ToBytes,
} from '../bytes.ts'
import type { Address, Hash32 } from '../chain/types.ts'
import { EigenxError } from '../errors.ts'
import { type CheckLog, createCheckLog } from './checks.ts'
import type { Check } from './types.ts'

export const REPORT_DATA_DOMAIN = 'eigenx-tee/report-data/v2'

export type ReportDataV1 = {
  /** The RSA public key exactly as sent: PEM bytes. */
  rsaPem: Uint8Array
  extraData: Uint8Array
  /** The initdata exactly as sent, compressed or not. */
  initdataReceived: Uint8Array
}

export type ReportDataV2 = {
  tee: 'snp' | 'tdx'
  method: string
  rsaSpkiDer: Uint8Array
  appId: string
  chainId: number | bigint
  avs: Address
  operatorSetId: number
  freshnessBlock: Hash32
  extraData: Uint8Array
  /** SHA-384 of the decoded TOML, 48 bytes. */
  initdataSha384: Uint8Array
}

export function reportDataV1(input: ReportDataV1): Uint8Array {
  const key = sha256(concatBytes(input.rsaPem, input.extraData))
  const initdata = sha384(input.initdataReceived)
  return utf8ToBytes(bytesToHex(key.subarray(0, 16)) + bytesToHex(initdata.subarray(0, 16)))
}

/** @throws REQUEST_INVALID when an address, hash, number or digest has another size than stated. */
export function reportDataV2(input: ReportDataV2): Uint8Array {
  if (input.initdataSha384.length !== 48) throw invalid('initdata')
  const bound = sha256(
    frame(
      [
        utf8ToBytes(REPORT_DATA_DOMAIN),
        utf8ToBytes(input.tee),
        utf8ToBytes(input.method),
        input.rsaSpkiDer,
        utf8ToBytes(input.appId),
        u64(input.chainId, 'chain_id'),
        fixed(input.avs, 20, 'avs_address'),
        u64(input.operatorSetId, 'operator_set_id'),
        fixed(input.freshnessBlock, 32, 'freshness_block'),
        input.extraData,
      ],
      4,
    ),
  )
  return concatBytes(bound, input.initdataSha384.subarray(0, 32))
}

/**
 * Compares all 64 bytes; there is no padding and no prefix rule.
 * @throws REPORT_DATA_MISMATCH
 */
export function checkReportData(
  actual: Uint8Array,
  expected: Uint8Array,
  version: 1 | 2,
  trace: Check[] = [],
): readonly Check[] {
  const log: CheckLog = createCheckLog(trace)
  log.expect(
    { name: 'report-data', source: `docs/protocol.md, REPORT_DATA, version ${version}` },
    expected.length === 64 && equalBytes(actual, expected),
    {
      actual: bytesToHex(actual),
      expected: bytesToHex(expected),
      differs: difference(actual, expected),
    },
    () =>
      new EigenxError({
        code: 'REPORT_DATA_MISMATCH',
        message: 'the evidence was made for another request',
        stage: 'evidence',
        hint: `${difference(actual, expected)}: the pod and this operator do not agree on it.`,
        details: { version },
      }),
  )
  return log.checks
}

/** Both versions keep the initdata in the second half, so a reader can be told which side differs. */
function difference(actual: Uint8Array, expected: Uint8Array): string {
  const first = equalBytes(actual.subarray(0, 32), expected.subarray(0, 32))
  const second = equalBytes(actual.subarray(32), expected.subarray(32))
  if (first && second) return 'nothing'
  if (first) return 'the initdata half'
  return second ? 'the request half' : 'both halves'
}

function fixed(hex: string, length: number, path: string): Uint8Array {
  const bytes = parseHex(hex, length)
  if (bytes === undefined) throw invalid(path)
  return bytes
}

function u64(value: number | bigint, path: string): Uint8Array {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) throw invalid(path)
  if (value < 0 || BigInt(value) >= 1n << 64n) throw invalid(path)
  return uintBE(value, 8)
}

const invalid = (path: string) =>
  new EigenxError({
    code: 'REQUEST_INVALID',
    message: `report data cannot be computed: bad ${path}`,
    stage: 'request',
    details: { path },
  })
