/**
 * SEV-SNP evidence as the Attestation Agent answers it: JSON of the report's fields, turned back into the exact bytes that were signed.
 *
 * The agent's attester serialises the report struct of the Rust crate `sev`, which had two families of forms:
 *   crate 1 to 5   the bytes of version 2 under names, whatever the report's version is: what came later is in the `_reserved*` arrays, and
 *                  a Turin TCB is under the names of the older layout. Writing each name to its place gives the bytes back.
 *   crate 6        fields by meaning: `key_info`, `cpuid_fam_id` ..., `current: {major, minor, build}`, TCB with a nullable `fmc`, which
 *                  decides the layout; from 6.3 on mitigation vectors
 * They are told apart by `current` against `current_build`. The signature over the rebuilt bytes is the only truth about them; here
 * every field is required and must fit its width, so that one evidence has one reading.
 * @module
 */
import { malformed, tooLarge } from './checks.ts'
import { asObject, type EvidenceObject, parseEvidenceJson } from './evidence-json.ts'
import { REPORT_SIZE, SIGNATURE_HALF, SIGNED_SIZE } from './snp-report.ts'
import type { SnpEvidence } from './snp-verify.ts'
import { CERTIFICATE_LIMIT } from './x509.ts'

const ENTRY_LIMIT = 10
const REPORT = 'attestation_report'

/** Reads typed fields of one JSON object; each refusal names the path. */
type Fields = {
  path: string
  has: (name: string) => boolean
  isNull: (name: string) => boolean
  integer: (name: string, bytes: 1 | 4 | 8) => bigint
  array: (name: string, length: number) => Uint8Array
  object: (name: string) => Fields
}

type Writer = { bytes: Uint8Array; put: (at: number, value: bigint, size: 1 | 4 | 8) => void }

/**
 * @throws EVIDENCE_MALFORMED naming the field, INPUT_TOO_LARGE
 */
export function parseAaSnpEvidence(text: string): SnpEvidence {
  const evidence = parseEvidenceJson(text, 'evidence')
  const body = asObject(evidence[REPORT])
  if (body === undefined) throw malformed(REPORT, `${REPORT} is not an object`)
  return {
    report: rebuildReport(readFields(body, REPORT)),
    certificates: readCertificates(evidence.cert_chain),
  }
}

function rebuildReport(fields: Fields): Uint8Array {
  const old = fields.has('current_build')
  if (old === fields.has('current'))
    throw malformed(`${REPORT}.current`, 'the report is of no known form')
  const bytes = new Uint8Array(REPORT_SIZE)
  const view = new DataView(bytes.buffer)
  const writer: Writer = {
    bytes,
    put: (at, value, size) => {
      if (size === 8) view.setBigUint64(at, value, true)
      else if (size === 4) view.setUint32(at, Number(value), true)
      else view.setUint8(at, Number(value))
    },
  }
  const turin = () => !fields.isNull('cpuid_fam_id') && fields.integer('cpuid_fam_id', 1) === 0x1an
  writeCommon(fields, writer, old ? readOldTcb : turin() ? readTurinTcb : readMilanTcb)
  if (old) writeOldForm(fields, writer)
  else writeNewForm(fields, writer)
  return bytes
}

/** The fields that every form has under the same name. */
function writeCommon(
  fields: Fields,
  { bytes, put }: Writer,
  readTcb: (tcb: Fields) => Uint8Array,
): void {
  const array = (name: string, at: number, length: number) =>
    bytes.set(fields.array(name, length), at)
  const tcb = (name: string, at: number) => bytes.set(readTcb(fields.object(name)), at)
  put(0x000, fields.integer('version', 4), 4)
  put(0x004, fields.integer('guest_svn', 4), 4)
  put(0x008, fields.integer('policy', 8), 8)
  array('family_id', 0x010, 16)
  array('image_id', 0x020, 16)
  put(0x030, fields.integer('vmpl', 4), 4)
  put(0x034, fields.integer('sig_algo', 4), 4)
  tcb('current_tcb', 0x038)
  put(0x040, fields.integer('plat_info', 8), 8)
  array('report_data', 0x050, 64)
  array('measurement', 0x090, 48)
  array('host_data', 0x0c0, 32)
  array('id_key_digest', 0x0e0, 48)
  array('author_key_digest', 0x110, 48)
  array('report_id', 0x140, 32)
  array('report_id_ma', 0x160, 32)
  tcb('reported_tcb', 0x180)
  array('chip_id', 0x1a0, 64)
  tcb('committed_tcb', 0x1e0)
  tcb('launch_tcb', 0x1f0)
  const signature = fields.object('signature')
  bytes.set(signature.array('r', SIGNATURE_HALF), SIGNED_SIZE)
  bytes.set(signature.array('s', SIGNATURE_HALF), SIGNED_SIZE + SIGNATURE_HALF)
}

function writeOldForm(fields: Fields, { bytes, put }: Writer): void {
  put(0x048, fields.integer('_author_key_en', 4), 4)
  put(0x04c, fields.integer('_reserved_0', 4), 4)
  bytes.set(fields.array('_reserved_1', 24), 0x188)
  put(0x1eb, fields.integer('_reserved_2', 1), 1)
  put(0x1ef, fields.integer('_reserved_3', 1), 1)
  bytes.set(fields.array('_reserved_4', 168), 0x1f8)
  const unsigned = SIGNED_SIZE + 2 * SIGNATURE_HALF
  bytes.set(fields.object('signature').array('_reserved', REPORT_SIZE - unsigned), unsigned)
  for (const [at, name] of [
    [0x1e8, 'current'],
    [0x1ec, 'committed'],
  ] as const) {
    put(at, fields.integer(`${name}_build`, 1), 1)
    put(at + 1, fields.integer(`${name}_minor`, 1), 1)
    put(at + 2, fields.integer(`${name}_major`, 1), 1)
  }
}

function writeNewForm(fields: Fields, { put }: Writer): void {
  put(0x048, fields.integer('key_info', 4), 4)
  const version = fields.integer('version', 4)
  const optional = (name: string, at: number, size: 1 | 8, since: bigint) => {
    // Forms before 6.3 have no vectors at all; a version that defines a field must carry it.
    const absent = !fields.has(name) || fields.isNull(name)
    if (absent !== version < since)
      throw malformed(`${REPORT}.${name}`, `${name} does not fit a report of version ${version}`)
    if (!absent) put(at, fields.integer(name, size), size)
  }
  optional('cpuid_fam_id', 0x188, 1, 3n)
  optional('cpuid_mod_id', 0x189, 1, 3n)
  optional('cpuid_step', 0x18a, 1, 3n)
  optional('launch_mit_vector', 0x1f8, 8, 5n)
  optional('current_mit_vector', 0x200, 8, 5n)
  for (const [at, name] of [
    [0x1e8, 'current'],
    [0x1ec, 'committed'],
  ] as const) {
    const firmware = fields.object(name)
    put(at, firmware.integer('build', 1), 1)
    put(at + 1, firmware.integer('minor', 1), 1)
    put(at + 2, firmware.integer('major', 1), 1)
  }
}

function readOldTcb(tcb: Fields): Uint8Array {
  const { bootloader, tee, snp, microcode } = readTcbParts(tcb)
  return Uint8Array.of(bootloader, tee, ...tcb.array('_reserved', 4), snp, microcode)
}

function readMilanTcb(tcb: Fields): Uint8Array {
  if (!tcb.isNull('fmc')) throw contradiction(tcb)
  const { bootloader, tee, snp, microcode } = readTcbParts(tcb)
  return Uint8Array.of(bootloader, tee, 0, 0, 0, 0, snp, microcode)
}

function readTurinTcb(tcb: Fields): Uint8Array {
  if (!tcb.has('fmc') || tcb.isNull('fmc')) throw contradiction(tcb)
  const { bootloader, tee, snp, microcode } = readTcbParts(tcb)
  return Uint8Array.of(Number(tcb.integer('fmc', 1)), bootloader, tee, snp, 0, 0, 0, microcode)
}

function readTcbParts(tcb: Fields) {
  const part = (name: string) => Number(tcb.integer(name, 1))
  return {
    bootloader: part('bootloader'),
    tee: part('tee'),
    snp: part('snp'),
    microcode: part('microcode'),
  }
}

/** Family 1Ah and no other has an FMC, and orders its TCB otherwise. */
const contradiction = (tcb: Fields) =>
  malformed(`${tcb.path}.fmc`, `${tcb.path}: fmc and processor family contradict`)

/** Certificates only: revocation lists, vendor blobs and empty entries of the host's table are not for the verifier. */
function readCertificates(chain: unknown): Uint8Array[] {
  if (chain === null || chain === undefined) return []
  if (!Array.isArray(chain)) throw malformed('cert_chain', 'cert_chain is not an array')
  if (chain.length > ENTRY_LIMIT) throw tooLarge('cert_chain', ENTRY_LIMIT)
  return chain.flatMap((item: unknown, index) => {
    const path = `cert_chain[${index}]`
    const entry = asObject(item)
    if (entry === undefined) throw malformed(path, `${path} is not an object`)
    const type = entry.cert_type
    if (type === 'CRL' || type === 'Empty' || asObject(type) !== undefined) return []
    if (type !== 'ARK' && type !== 'ASK' && type !== 'ASVK' && type !== 'VCEK' && type !== 'VLEK')
      throw malformed(`${path}.cert_type`, `${path} is of an unknown type`)
    return [readBytes(entry.data, `${path}.data`, { atMost: CERTIFICATE_LIMIT })]
  })
}

function readFields(object: EvidenceObject, path: string): Fields {
  const at = (name: string) => `${path}.${name}`
  const array = (name: string, length: number) =>
    readBytes(object[name], at(name), { exactly: length })
  return {
    path,
    has: (name) => object[name] !== undefined,
    isNull: (name) => object[name] === null,
    integer: (name, bytes) => {
      const value = object[name]
      if (typeof value !== 'bigint' || value < 0n || value >> BigInt(8 * bytes) !== 0n)
        throw malformed(at(name), `${at(name)} is not an integer of ${bytes} bytes`)
      return value
    },
    array,
    object: (name) => {
      const inner = asObject(object[name])
      if (inner === undefined) throw malformed(at(name), `${at(name)} is not an object`)
      return readFields(inner, at(name))
    },
  }
}

function readBytes(
  value: unknown,
  path: string,
  length: { exactly: number } | { atMost: number },
): Uint8Array {
  if (!Array.isArray(value)) throw malformed(path, `${path} is not an array of bytes`)
  if ('atMost' in length && value.length > length.atMost) throw tooLarge(path, length.atMost)
  if ('exactly' in length && value.length !== length.exactly)
    throw malformed(path, `${path} does not have ${length.exactly} bytes`)
  const out = new Uint8Array(value.length)
  value.forEach((item: unknown, index) => {
    if (typeof item !== 'bigint' || item < 0n || item > 255n)
      throw malformed(path, `${path} is not an array of bytes`)
    out[index] = Number(item)
  })
  return out
}
