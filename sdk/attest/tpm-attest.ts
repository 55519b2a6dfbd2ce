/**
 * TPM 2.0 quotes: TPMS_ATTEST of type quote, bytes in, record out. No signature, no policy, no I/O.
 *
 * Source: TCG TPM 2.0 Library, Part 2 (Structures), 10.12.12 TPMS_ATTEST and 10.12.1 TPMS_QUOTE_INFO. All integers are big-endian.
 * Every byte is in a field below or refused: a quote has one form.
 * @module
 */
import { malformed, tooLarge } from './checks.ts'

/** A quote over one bank of digests has about 160 bytes. */
export const ATTEST_LIMIT = 512

/** TPM_GENERATED_VALUE: only the TPM itself signs structures that begin so. */
const MAGIC = 0xff544347
const ST_ATTEST_QUOTE = 0x8018
const ALG_SHA256 = 0x000b
/** Algorithm and SHA-512, the largest name there is. */
const NAME_LIMIT = 66
/** TPM2B_DATA: as large as the largest digest with its algorithm. */
const NONCE_LIMIT = 66

export type TpmQuoteInfo = {
  /** Name of the signing key: algorithm and digest of its public area. */
  qualifiedSigner: Uint8Array
  /** What the caller asked the TPM to include: its nonce. */
  extraData: Uint8Array
  /** Milliseconds that this TPM ran. */
  clock: bigint
  resetCount: number
  restartCount: number
  /** The clock has not gone back since its last value was stored. */
  safe: boolean
  firmwareVersion: bigint
  /** Selected registers, ascending. The bank is always SHA-256. */
  pcrs: readonly number[]
  /** SHA-256 over the selected registers, 32 bytes. */
  pcrDigest: Uint8Array
}

type Reader = {
  u8: (field: string) => number
  u16: (field: string) => number
  u32: (field: string) => number
  u64: (field: string) => bigint
  take: (field: string, length: number) => Uint8Array
  /** TPM2B: 16-bit length, then so many bytes. */
  sized: (field: string, limit: number) => Uint8Array
  end: () => void
}

/** @throws EVIDENCE_MALFORMED naming the field and where it is, INPUT_TOO_LARGE */
export function parseTpmQuote(bytes: Uint8Array): TpmQuoteInfo {
  if (bytes.length > ATTEST_LIMIT) throw tooLarge('tpm_quote.message', ATTEST_LIMIT)
  const reader = createReader(bytes)
  expect(reader.u32('magic') === MAGIC, 'magic', 0)
  expect(reader.u16('type') === ST_ATTEST_QUOTE, 'type', 4)
  const qualifiedSigner = reader.sized('qualifiedSigner', NAME_LIMIT)
  const extraData = reader.sized('extraData', NONCE_LIMIT)
  const clock = reader.u64('clock')
  const resetCount = reader.u32('resetCount')
  const restartCount = reader.u32('restartCount')
  const safe = reader.u8('safe')
  expect(safe <= 1, 'safe')
  const firmwareVersion = reader.u64('firmwareVersion')
  const pcrs = readSelection(reader)
  const pcrDigest = reader.sized('pcrDigest', 32)
  expect(pcrDigest.length === 32, 'pcrDigest')
  reader.end()
  return {
    qualifiedSigner,
    extraData,
    clock,
    resetCount,
    restartCount,
    safe: safe === 1,
    firmwareVersion,
    pcrs,
    pcrDigest,
  }
}

/** TPML_PCR_SELECTION with exactly one bank, SHA-256, of 24 registers. */
function readSelection(reader: Reader): readonly number[] {
  expect(reader.u32('pcrSelect.count') === 1, 'pcrSelect.count')
  expect(reader.u16('pcrSelect.hash') === ALG_SHA256, 'pcrSelect.hash')
  expect(reader.u8('pcrSelect.size') === 3, 'pcrSelect.size')
  const mask = reader.take('pcrSelect.mask', 3)
  return Array.from({ length: 24 }, (_, index) => index).filter(
    (index) => (((mask[index >> 3] ?? 0) >> (index & 7)) & 1) === 1,
  )
}

function createReader(bytes: Uint8Array): Reader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0
  const advance = (field: string, length: number): number => {
    const start = at
    expect(bytes.length - start >= length, field, start)
    at += length
    return start
  }
  const take = (field: string, length: number) => {
    const start = advance(field, length)
    return bytes.slice(start, start + length)
  }
  const u16 = (field: string) => view.getUint16(advance(field, 2))
  return {
    u8: (field) => view.getUint8(advance(field, 1)),
    u16,
    u32: (field) => view.getUint32(advance(field, 4)),
    u64: (field) => view.getBigUint64(advance(field, 8)),
    take,
    sized: (field, limit) => {
      const start = at
      const length = u16(field)
      expect(length <= limit, field, start)
      return take(field, length)
    },
    end: () => expect(at === bytes.length, 'end', at),
  }
}

function expect(ok: boolean, field: string, offset = -1): asserts ok {
  if (!ok) throw malformed(`tpm_quote.${field}`, `TPM quote: bad ${field}`, offset)
}
