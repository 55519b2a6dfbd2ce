/**
 * Evidence from the guest's own kernel, where no Attestation Agent runs: bare-metal guests with Linux 6.7 or later.
 *
 * Every request has a folder of its own. Should anybody write to it meanwhile, its `generation` tells, and the request is made anew.
 * Source: Linux, Documentation/ABI/testing/configfs-tsm-report; the report of SEV-SNP comes with the host's certificate table in `auxblob`,
 * a TDX quote brings its own certificates.
 * @module
 */
import { parseSnpCertTable } from '../sdk/attest/snp-cert-table.ts'
import { parseSnpReport } from '../sdk/attest/snp-report.ts'
import { equalBytes, parseUtf8, utf8ToBytes } from '../sdk/bytes.ts'
import { EigenxError, isEigenxError } from '../sdk/errors.ts'
import type { EvidenceSource } from './aa.ts'
import { type Evidence, notInTee, protocolError, readSignedFields } from './evidence.ts'
import type { TsmEntry, TsmReports } from './tsm-folder.ts'

export type TsmOptions = {
  /** The kernel waits for a quote as long as the host lets it, and cannot be stopped. In milliseconds. @default 30000 */
  timeoutMs?: number
}

const SOURCE = 'configfs-tsm'
const DEFAULT_TIMEOUT_MS = 30_000
const REPORT_DATA_LENGTH = 64
/** Linux: TSM_REPORT_OUTBLOB_MAX. */
const BLOB_LIMIT = 32 * 1024
const TEXT_LIMIT = 64
const ATTEMPTS = 3

/** @returns A source that throws EigenxError AGENT_UNREACHABLE, NOT_IN_TEE, AGENT_PROTOCOL, TIMEOUT. */
export function createTsmSource(
  reports: TsmReports,
  { timeoutMs = DEFAULT_TIMEOUT_MS }: TsmOptions = {},
): EvidenceSource {
  return {
    collect: async (reportData, carrier = 'report') => {
      if (reportData.length !== REPORT_DATA_LENGTH)
        throw new RangeError(`report data is ${REPORT_DATA_LENGTH} bytes`)
      if (carrier === 'vtpm') throw broken('it reads no vTPM')
      return await within(timeoutMs, collect(reports, reportData))
    },
  }
}

async function collect(reports: TsmReports, reportData: Uint8Array): Promise<Evidence> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const blobs = await ask(reports, reportData).catch((error: unknown) => {
      throw explain(error)
    })
    if (blobs !== undefined) return readEvidence(blobs, reportData)
  }
  throw broken('somebody else writes to every request of ours')
}

type Blobs = { provider: string; outblob: Uint8Array; auxblob: Uint8Array }

/** @returns `undefined` where somebody else wrote to the request. */
async function ask(reports: TsmReports, reportData: Uint8Array): Promise<Blobs | undefined> {
  const entry = await reports.create()
  try {
    const before = await readNumber(entry, 'generation')
    const written = await writeRequest(entry, reportData)
    const outblob = await demand(entry, 'outblob', BLOB_LIMIT)
    const auxblob = (await entry.read('auxblob', BLOB_LIMIT)) ?? new Uint8Array()
    const provider = await readText(entry, 'provider')
    // Last: another report may be behind a field that is read after somebody wrote.
    const after = await readNumber(entry, 'generation')
    return after === before + written ? { provider, outblob, auxblob } : undefined
  } catch (error) {
    const busy = codeOf(error) === 'EBUSY' || codeOf(error) === 'EAGAIN'
    if (busy) return undefined
    throw error
  } finally {
    await entry.remove().catch(() => undefined) // an entry that stays costs a little memory, and nothing else
  }
}

/** @returns How many times the request was written to. */
async function writeRequest(entry: TsmEntry, reportData: Uint8Array): Promise<bigint> {
  // A guest below a monitor can speak for its own level only, and is not asked for another by default.
  const floor = await entry.read('privlevel_floor', TEXT_LIMIT)
  const level = floor === undefined ? 0n : toNumber('privlevel_floor', floor)
  if (level > 0n) await entry.write('privlevel', utf8ToBytes(`${level}`))
  await entry.write('inblob', reportData)
  return level > 0n ? 2n : 1n
}

function readEvidence({ provider, outblob, auxblob }: Blobs, reportData: Uint8Array): Evidence {
  const evidence = parseEvidence(provider, outblob, auxblob)
  if (!equalBytes(readSignedFields(evidence).reportData, reportData))
    throw broken('the report carries other report data than asked for')
  return evidence
}

function parseEvidence(provider: string, outblob: Uint8Array, auxblob: Uint8Array): Evidence {
  try {
    if (provider === 'sev_guest') return parseSnp(outblob, auxblob)
    if (provider !== 'tdx_guest') throw broken('its provider is none that operators know')
    const evidence: Evidence = { tee: 'tdx', quote: outblob }
    readSignedFields(evidence)
    return evidence
  } catch (cause) {
    if (!isEigenxError(cause) || isEigenxError(cause, 'AGENT_PROTOCOL')) throw cause
    throw broken(`the evidence is malformed: ${cause.shortMessage}`, { cause })
  }
}

function parseSnp(report: Uint8Array, auxblob: Uint8Array): Evidence {
  const { signingKey } = parseSnpReport(report)
  const { vcek, vlek } = parseSnpCertTable(auxblob)
  const leaf = signingKey === 'VLEK' ? vlek : vcek
  if (leaf === undefined)
    throw broken(`the host gives no certificate of the ${signingKey} that signed the report`, {
      hint: 'The owner of the machine has to put it into the certificate table of its SNP guests.',
    })
  return { tee: 'snp', report, certificates: [leaf] }
}

async function demand(entry: TsmEntry, field: string, maxBytes: number): Promise<Uint8Array> {
  const value = await entry.read(field, maxBytes)
  if (value === undefined) throw broken(`it has no ${field}`)
  return value
}

async function readText(entry: TsmEntry, field: string): Promise<string> {
  return (parseUtf8(await demand(entry, field, TEXT_LIMIT)) ?? '').replace(/\n$/, '')
}

async function readNumber(entry: TsmEntry, field: string): Promise<bigint> {
  return toNumber(field, await demand(entry, field, TEXT_LIMIT))
}

function toNumber(field: string, value: Uint8Array): bigint {
  const text = (parseUtf8(value) ?? '').replace(/\n$/, '')
  if (!/^\d{1,20}$/.test(text)) throw broken(`its ${field} is not a number`)
  return BigInt(text)
}

/** The kernel's refusals, which come as errors of the file system. */
function explain(error: unknown): unknown {
  if (isEigenxError(error, 'INPUT_TOO_LARGE')) return broken(error.shortMessage, { cause: error })
  const code = codeOf(error)
  if (isEigenxError(error) || code === undefined) return error
  if (code === 'ENXIO') return notInTee('the kernel has nothing that makes reports')
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return unreachable(
      'is not there',
      'It takes Linux 6.7 with sev-guest or tdx-guest loaded, and configfs mounted at /sys/kernel/config.',
      error,
    )
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return unreachable('may not be used by this process', 'The helper has to run as root.', error)
  return broken(`the kernel refuses with ${code}`, { cause: error })
}

function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : undefined
}

function unreachable(problem: string, hint: string, cause: unknown): EigenxError {
  return new EigenxError({
    code: 'AGENT_UNREACHABLE',
    message: `${SOURCE} ${problem}`,
    stage: 'agent',
    details: { endpoint: SOURCE },
    hint,
    cause,
  })
}

const broken = (reason: string, more: { hint?: string; cause?: unknown } = {}) =>
  protocolError(reason, { ...more, source: SOURCE })

async function within<T>(afterMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () =>
        reject(
          new EigenxError({
            code: 'TIMEOUT',
            message: `${SOURCE} did not answer within ${afterMs} ms`,
            stage: 'agent',
            details: { what: SOURCE, afterMs },
          }),
        ),
      afterMs,
    )
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
    work.catch(() => undefined)
  }
}
