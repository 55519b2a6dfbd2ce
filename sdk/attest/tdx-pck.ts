/**
 * What Intel writes into the certificate of a provisioning certification key (PCK): the platform and its TCB.
 *
 * Source: Intel SGX PCK Certificate and CRL Profile Specification, extension 1.2.840.113741.1.13.1. The extension is read with an
 * ASN.1 library and its meaning is encoded again in Intel's order: whatever does not give the same bytes is refused, so a
 * missing, doubled, reordered or oddly encoded part has no second reading.
 * @module
 */
import {
  Boolean as Asn1Boolean,
  type AsnType,
  Enumerated,
  fromBER,
  Integer,
  ObjectIdentifier,
  OctetString,
  Sequence,
} from 'asn1js'
import { equalBytes } from '../bytes.ts'
import { malformed } from './checks.ts'
import { SGX_EXTENSION } from './tdx-x509.ts'
import { decode } from './x509.ts'

export const TCB_COMPONENTS = 16

export type PckExtension = {
  /** 16 bytes. */
  ppid: Uint8Array
  /** The 16 component SVNs: these, not the bytes of CPUSVN, are what TCB levels speak about. */
  components: readonly number[]
  pceSvn: number
  /** 16 bytes. */
  cpuSvn: Uint8Array
  /** 2 bytes. */
  pceId: Uint8Array
  /** 6 bytes. */
  fmspc: Uint8Array
  /** 0 standard, 1 scalable, 2 scalable with integrity. */
  sgxType: number
  /** 16 bytes. */
  platformInstanceId: Uint8Array
  dynamicPlatform: boolean
  cachedKeys: boolean
  smt: boolean
}

/** @throws EVIDENCE_MALFORMED naming the part that does not fit the profile. */
export function parsePckExtension(der: Uint8Array): PckExtension {
  // The library throws errors of its own on some malformed types.
  const { offset, result } = decode(() => fromBER(der), 'pck.sgx-extension')
  if (offset !== der.length) throw bad('encoding')
  const [ppid, tcb, pceId, fmspc, sgxType, platformInstanceId, configuration] = valuesOf(result, 7)
  const levels = valuesOf(tcb, TCB_COMPONENTS + 2)
  const [dynamicPlatform, cachedKeys, smt] = valuesOf(configuration, 3)
  const parsed: PckExtension = {
    ppid: readOctets(ppid, 16, 'ppid'),
    components: levels.slice(0, TCB_COMPONENTS).map((level) => readInteger(level, 0xff, 'tcb')),
    pceSvn: readInteger(levels[TCB_COMPONENTS], 0xffff, 'pceSvn'),
    cpuSvn: readOctets(levels[TCB_COMPONENTS + 1], 16, 'cpuSvn'),
    pceId: readOctets(pceId, 2, 'pceId'),
    fmspc: readOctets(fmspc, 6, 'fmspc'),
    sgxType: readInteger(sgxType, 2, 'sgxType'),
    platformInstanceId: readOctets(platformInstanceId, 16, 'platformInstanceId'),
    dynamicPlatform: readBoolean(dynamicPlatform),
    cachedKeys: readBoolean(cachedKeys),
    smt: readBoolean(smt),
  }
  if (!equalBytes(encodePckExtension(parsed), der)) throw bad('encoding')
  return parsed
}

/** The inverse of `parsePckExtension`: the one encoding that it accepts. */
export function encodePckExtension(fields: PckExtension): Uint8Array {
  const octets = (bytes: Uint8Array) => new OctetString({ valueHex: Uint8Array.from(bytes).buffer })
  const integer = (value: number) => new Integer({ value })
  const flag = (value: boolean) => new Asn1Boolean({ value })
  const list = (prefix: string, values: AsnType[]) =>
    new Sequence({
      value: values.map(
        (value, index) =>
          new Sequence({
            value: [new ObjectIdentifier({ value: `${prefix}.${index + 1}` }), value],
          }),
      ),
    })
  const tcb = list(`${SGX_EXTENSION}.2`, [
    ...fields.components.map(integer),
    integer(fields.pceSvn),
    octets(fields.cpuSvn),
  ])
  const configuration = list(`${SGX_EXTENSION}.7`, [
    flag(fields.dynamicPlatform),
    flag(fields.cachedKeys),
    flag(fields.smt),
  ])
  const whole = list(SGX_EXTENSION, [
    octets(fields.ppid),
    tcb,
    octets(fields.pceId),
    octets(fields.fmspc),
    new Enumerated({ value: fields.sgxType }),
    octets(fields.platformInstanceId),
    configuration,
  ])
  return new Uint8Array(whole.toBER())
}

/** The values of a sequence of (object identifier, value); the identifiers are compared by encoding again. */
function valuesOf(block: unknown, count: number): AsnType[] {
  if (!(block instanceof Sequence) || block.valueBlock.value.length !== count) throw bad('parts')
  return block.valueBlock.value.map((entry) => {
    if (!(entry instanceof Sequence) || entry.valueBlock.value.length !== 2) throw bad('parts')
    const value = entry.valueBlock.value[1]
    if (value === undefined) throw bad('parts')
    return value
  })
}

function readOctets(block: unknown, length: number, name: string): Uint8Array {
  if (!(block instanceof OctetString)) throw bad(name)
  const bytes = new Uint8Array(block.getValue())
  if (bytes.length !== length) throw bad(name)
  return bytes
}

function readInteger(block: unknown, most: number, name: string): number {
  if (!(block instanceof Integer)) throw bad(name) // an ENUMERATED is one too
  const value = block.valueBlock.valueDec
  if (!Number.isInteger(value) || value < 0 || value > most) throw bad(name)
  return value
}

function readBoolean(block: unknown): boolean {
  if (!(block instanceof Asn1Boolean)) throw bad('configuration')
  return block.getValue()
}

const bad = (what: string) =>
  malformed(`pck.sgx-extension.${what}`, `PCK certificate: bad SGX extension (${what})`)
