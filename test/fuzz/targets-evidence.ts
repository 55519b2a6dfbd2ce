/**
 * Evidence: reports, quotes, collateral, certificates, lists and logs. Seeds are issued by the simulated authorities.
 * @module
 */
import { X509Certificate } from 'node:crypto'
import {
  createAzureSnpMachine,
  createAzureTdxMachine,
  encodeAzureSnpJson,
  encodeAzureTdxJson,
} from '../../helper/sim/azure-evidence.ts'
import type { AaShape } from '../../helper/sim/evidence-json.ts'
import {
  createTdxAuthority,
  type IssuedTdxEvidence,
  SIM_PCK,
  type TdxAuthority,
} from '../../helper/sim/tdx-evidence.ts'
import { parseAaSnpEvidence } from '../../sdk/attest/aa-snp.ts'
import { parseAaTdxEvidence } from '../../sdk/attest/aa-tdx.ts'
import { parseAzureSnpEvidence, parseAzureTdxEvidence } from '../../sdk/attest/azure-evidence.ts'
import { parseHclReport, parseHclRuntimeData } from '../../sdk/attest/azure-hcl.ts'
import { parseTdxCollateral } from '../../sdk/attest/collateral-bundle.ts'
import { parseQeIdentity, parseTcbInfo } from '../../sdk/attest/collateral-json.ts'
import { parseCrl, verifyCrlSignature } from '../../sdk/attest/crl.ts'
import { parseAgentTextLog } from '../../sdk/attest/event-log-aael.ts'
import { agentEvents, parseCcel } from '../../sdk/attest/event-log-ccel.ts'
import { parseDstackLog } from '../../sdk/attest/event-log-dstack.ts'
import { parseSnpLeaf } from '../../sdk/attest/snp-leaf.ts'
import { parseSnpReport, REPORT_SIZE } from '../../sdk/attest/snp-report.ts'
import { verifySnp } from '../../sdk/attest/snp-verify.ts'
import { encodeTdxRoots, parseTdxRoots } from '../../sdk/attest/tdx-anchors.ts'
import { parseIntelCrl } from '../../sdk/attest/tdx-crl.ts'
import { encodePckExtension, parsePckExtension } from '../../sdk/attest/tdx-pck.ts'
import { parseTdxQuote } from '../../sdk/attest/tdx-quote.ts'
import { verifyTdx } from '../../sdk/attest/tdx-verify.ts'
import { parseIntelCertificate } from '../../sdk/attest/tdx-x509.ts'
import { parseTpmQuote } from '../../sdk/attest/tpm-attest.ts'
import { encodeWireSnpEvidence, parseWireSnpEvidence } from '../../sdk/attest/wire-snp.ts'
import { encodeWireTdxEvidence, parseWireTdxEvidence } from '../../sdk/attest/wire-tdx.ts'
import { parseAmdCertificate } from '../../sdk/attest/x509.ts'
import { concatBytes, parseUtf8, utf8ToBytes } from '../../sdk/bytes.ts'
import { authorityOf, NOW } from '../kit/snp-authority.ts'
import { makeList } from '../sdk/attest/crl-kit.ts'
import {
  canonical,
  DER_TOKENS,
  JSON_TOKENS,
  json,
  ofText,
  stable,
  type Target,
  total,
  verifier,
} from './kit.ts'

let authority: Promise<TdxAuthority> | undefined
const tdxAuthority = () => {
  authority ??= createTdxAuthority({ now: NOW })
  return authority
}
const PCK_CRL = { pckCrl: () => ({ revoked: ['01', '02'] }) }
let issued: Promise<IssuedTdxEvidence[]> | undefined
const tdx = () => {
  issued ??= tdxAuthority().then(({ issue }) =>
    Promise.all([
      issue({ version: 5, ...PCK_CRL }),
      issue({ version: 4, tdVersion: '1.0' }),
      issue({ version: 5, tdVersion: '1.0' }),
    ]),
  )
  return issued
}
const snp = async () => {
  const vcek = await authorityOf()
  const vlek = await authorityOf('Genoa', 'VLEK')
  return Promise.all([
    vcek.issue({ version: 5 }),
    vcek.issue({ version: 2 }),
    vlek.issue({ version: 3 }),
  ])
}
const azureSnp = async () => createAzureSnpMachine(await authorityOf())
const azureTdx = async () => createAzureTdxMachine(await tdxAuthority())
const azureVersions = [0, 1, 2] as const

const u16 = (value: number) => Uint8Array.of(value & 0xff, value >> 8)
const u32 = (value: number) => Uint8Array.of(value, value >> 8, value >> 16, value >>> 24)
const digestOf = (fill: number) => new Uint8Array(48).fill(fill)

/** A TCG event log with a header for SHA-384, an agent's record and a plain one. */
function ccel(): Uint8Array {
  const spec = concatBytes(
    utf8ToBytes('Spec ID Event03\0'),
    new Uint8Array(8),
    u32(1),
    u16(0x0c),
    u16(48),
    Uint8Array.of(0),
  )
  const header = concatBytes(u32(0), u32(3), new Uint8Array(20), u32(spec.length), spec)
  const text = utf8ToBytes('image-rs Pull alpine:3')
  const agent = concatBytes(utf8ToBytes('LEAA'), u32(text.length), text)
  const record = (index: number, data: Uint8Array) =>
    concatBytes(u32(index), u32(6), u32(1), u16(0x0c), digestOf(index), u32(data.length), data)
  return concatBytes(header, record(1, Uint8Array.of(1, 2, 3)), record(4, agent))
}
const dstackEvent = (name: string, payload: string, rest: object = {}) => ({
  imr: 3,
  event_type: 0x08000001,
  digest: '',
  event: name,
  event_payload: payload,
  ...rest,
})

/** Without the function, which is another one at every reading. */
function values<T extends { isSignedBy: unknown }>({ isSignedBy: _, ...rest }: T) {
  return rest
}

const REPORT_TOKENS = [u32(2), u32(3), u32(5), u32(0), new Uint8Array(48), new Uint8Array(64)]
const QUOTE_TOKENS = [
  u16(4),
  u16(5),
  u16(6),
  u16(2),
  u16(3),
  u32(0x81),
  u32(0x4cc),
  utf8ToBytes('-----BEGIN CERTIFICATE-----\n'),
]
const CERTIFICATE_TOKENS = ['-----BEGIN CERTIFICATE-----', '-----END CERTIFICATE-----']

export const EVIDENCE_TARGETS: readonly Target[] = [
  {
    name: 'snp-report',
    seeds: async () => (await snp()).map(({ report }) => report),
    dictionary: REPORT_TOKENS,
    prepare: () => total(parseSnpReport, (_, bytes) => bytes.length === REPORT_SIZE),
    cost: 1,
  },
  {
    name: 'snp-verify',
    seeds: async () => {
      const { issue } = await authorityOf()
      return Promise.all(
        ([5, 3] as const).map(async (version) => (await issue({ version })).report),
      )
    },
    dictionary: REPORT_TOKENS,
    prepare: async (seeds) => {
      const { anchors, issue } = await authorityOf()
      const { certificates } = await issue({ version: 5 })
      return verifier(seeds, (report) => verifySnp({ report, certificates }, anchors, NOW).claims)
    },
    cost: 20,
  },
  {
    name: 'snp-aa-json',
    seeds: async () => {
      // The forms that tell of a report's version all that it holds.
      const shapes: AaShape[] = ['sev-6.3', 'sev-1', 'sev-6.0']
      return (await snp()).map(({ aaJson }, i) => utf8ToBytes(aaJson(shapes[i])))
    },
    dictionary: [
      ...JSON_TOKENS,
      '"attestation_report"',
      '"cert_chain"',
      '"cert_type"',
      '"VCEK"',
      '"OTHER"',
      '256',
    ],
    prepare: () => total(ofText(parseAaSnpEvidence), ({ report }) => report.length === REPORT_SIZE),
    cost: 4,
  },
  {
    name: 'snp-wire',
    seeds: async () => (await snp()).map(({ wire }) => wire()),
    dictionary: JSON_TOKENS,
    prepare: () => stable(parseWireSnpEvidence, encodeWireSnpEvidence),
    cost: 1,
  },
  {
    name: 'snp-leaf',
    seeds: async () => (await (await authorityOf()).issue()).certificates,
    dictionary: DER_TOKENS,
    prepare: () => total((der) => parseSnpLeaf(der, 'Milan')),
    cost: 4,
  },
  {
    name: 'snp-certificate',
    seeds: async () => {
      const { certificates } = await authorityOf()
      return [certificates.ark, certificates.ask]
    },
    dictionary: DER_TOKENS,
    prepare: () => total((der) => parseAmdCertificate(der, 'ca')),
    cost: 4,
  },
  {
    name: 'snp-crl',
    seeds: () => Promise.all([makeList({ revoked: ['020001', '0a'] }), makeList()]),
    dictionary: DER_TOKENS,
    prepare: () => total((der) => parseCrl(der)),
    cost: 2,
  },
  {
    name: 'snp-crl-signed',
    seeds: () => Promise.all([makeList({ revoked: ['020001', '0a'] }), makeList()]),
    dictionary: DER_TOKENS,
    prepare: async (seeds) => {
      const key = new X509Certificate((await authorityOf()).certificates.ark).publicKey
      return verifier(seeds, (der) => {
        const crl = parseCrl(der)
        return verifyCrlSignature(crl, key)
          ? [crl.issuerCommonName, crl.number, crl.nextUpdate, crl.revoked]
          : undefined
      })
    },
    cost: 10,
  },
  {
    name: 'tdx-quote',
    seeds: async () => (await tdx()).map(({ quote }) => quote),
    dictionary: QUOTE_TOKENS,
    prepare: () => total(parseTdxQuote),
    cost: 1,
  },
  {
    name: 'tdx-verify',
    seeds: async () => [((await tdx())[0] as IssuedTdxEvidence).quote],
    dictionary: QUOTE_TOKENS,
    prepare: async (seeds) => {
      const { anchors } = await tdxAuthority()
      const { collateral } = (await tdx())[0] as IssuedTdxEvidence
      return verifier(seeds, (quote) => verifyTdx({ quote, collateral }, anchors, NOW).claims)
    },
    cost: 40,
  },
  {
    name: 'tdx-aa-json',
    seeds: async () => [
      ...(await tdx()).map(({ aaJson }) => utf8ToBytes(aaJson())),
      json({ quote: 'BAUG', cc_eventlog: 'AQID' }),
    ],
    dictionary: JSON_TOKENS,
    prepare: () => total(ofText(parseAaTdxEvidence)),
    cost: 1,
  },
  {
    name: 'tdx-wire',
    seeds: async () => (await tdx()).map(({ wire }) => wire()),
    dictionary: JSON_TOKENS,
    prepare: () => stable(parseWireTdxEvidence, encodeWireTdxEvidence),
    cost: 4,
  },
  {
    name: 'tdx-collateral',
    seeds: async () =>
      (await tdx()).map(({ wire }) => {
        const { collateral } = JSON.parse(parseUtf8(wire()) ?? '') as { collateral: unknown }
        return json(collateral)
      }),
    dictionary: [...JSON_TOKENS, ...CERTIFICATE_TOKENS],
    prepare: () => total(ofText(parseTdxCollateral)),
    cost: 4,
  },
  {
    name: 'tdx-tcb-info',
    seeds: async () => (await tdx()).map(({ collateral }) => utf8ToBytes(collateral.tcbInfo.text)),
    dictionary: [
      ...JSON_TOKENS,
      '"UpToDate"',
      '"Revoked"',
      '"tcbLevels"',
      '"2026-06-31T00:00:00Z"',
    ],
    prepare: () => total(ofText(parseTcbInfo)),
    cost: 1,
  },
  {
    name: 'tdx-qe-identity',
    seeds: async () =>
      (await tdx()).map(({ collateral }) => utf8ToBytes(collateral.qeIdentity.text)),
    dictionary: [...JSON_TOKENS, '"UpToDate"', '"TD_QE"', '"isvsvn"'],
    prepare: () => total(ofText(parseQeIdentity)),
    cost: 1,
  },
  {
    name: 'tdx-crl',
    seeds: async () =>
      (await tdx()).flatMap(({ collateral }) => [collateral.pckCrl, collateral.rootCrl]),
    dictionary: DER_TOKENS,
    prepare: () => total((der) => values(parseIntelCrl(der, 'list'))),
    cost: 2,
  },
  {
    name: 'tdx-pck-extension',
    seeds: () => [
      encodePckExtension(SIM_PCK),
      encodePckExtension({ ...SIM_PCK, pceSvn: 255, smt: false }),
    ],
    dictionary: DER_TOKENS,
    prepare: () => canonical(parsePckExtension, encodePckExtension),
    cost: 2,
  },
  {
    name: 'tdx-certificate',
    seeds: async () =>
      (await tdx()).flatMap(({ quote }) => parseTdxQuote(quote).certificates.slice(0, 1)),
    dictionary: DER_TOKENS,
    prepare: () => total((der) => values(parseIntelCertificate(der, 'leaf', 'leaf'))),
    cost: 4,
  },
  {
    name: 'tdx-roots',
    seeds: async () => [utf8ToBytes(encodeTdxRoots((await tdxAuthority()).anchors))],
    dictionary: CERTIFICATE_TOKENS,
    prepare: () => stable(ofText(parseTdxRoots), (anchors) => utf8ToBytes(encodeTdxRoots(anchors))),
    cost: 10,
  },
  {
    name: 'azure-snp',
    seeds: async () => {
      const { issue } = await azureSnp()
      return Promise.all(
        azureVersions.map(async (version) =>
          utf8ToBytes(encodeAzureSnpJson(await issue({ version }))),
        ),
      )
    },
    dictionary: [
      ...JSON_TOKENS,
      '"version"',
      '"hcl_report"',
      '"tpm_quote"',
      '"vcek"',
      '"pcrs"',
      '256',
    ],
    prepare: () =>
      stable(ofText(parseAzureSnpEvidence), (value) => utf8ToBytes(encodeAzureSnpJson(value))),
    cost: 10,
  },
  {
    name: 'azure-tdx',
    seeds: async () => {
      const { issue } = await azureTdx()
      return Promise.all(
        azureVersions.map(async (version) =>
          utf8ToBytes(encodeAzureTdxJson(await issue({ version }))),
        ),
      )
    },
    dictionary: [...JSON_TOKENS, '"version"', '"hcl_report"', '"tpm_quote"', '"td_quote"', '256'],
    prepare: () =>
      stable(ofText(parseAzureTdxEvidence), (value) => utf8ToBytes(encodeAzureTdxJson(value))),
    cost: 10,
  },
  {
    name: 'azure-hcl',
    seeds: async () => [
      (await (await azureSnp()).issue({ version: 2 })).hclReport,
      (await (await azureTdx()).issue({ version: 2 })).hclReport,
    ],
    dictionary: [u32(1), u32(2), u32(4), 'HCLA', ...JSON_TOKENS],
    prepare: () => total(parseHclReport),
    cost: 1,
  },
  {
    name: 'azure-runtime-data',
    seeds: async () => [
      parseHclReport((await (await azureSnp()).issue({ version: 2 })).hclReport).runtimeData,
    ],
    dictionary: [...JSON_TOKENS, '"keys"', '"kid"', '"HCLAkPub"', '"vm-configuration"', '"AQAB"'],
    prepare: () => total(parseHclRuntimeData),
    cost: 4,
  },
  {
    name: 'azure-tpm-quote',
    seeds: async () => [(await (await azureSnp()).issue({ version: 2 })).quote.message],
    dictionary: [
      u16(0x0b),
      u16(0x0c),
      Uint8Array.of(0x80, 0x18),
      Uint8Array.of(0xff, 0x54, 0x43, 0x47),
    ],
    prepare: () => total(parseTpmQuote),
    cost: 1,
  },
  {
    name: 'log-ccel',
    seeds: () => [ccel()],
    dictionary: [u16(0x0b), u16(0x0c), u16(0x0d), u32(3), u32(0x80000001), 'LEAA', u32(0xffffffff)],
    prepare: () =>
      total((bytes) => ({ events: parseCcel(bytes), agent: agentEvents(parseCcel(bytes)) })),
    cost: 1,
  },
  {
    name: 'log-agent-text',
    seeds: () => [utf8ToBytes(`INIT sha384/${'00'.repeat(48)}\nimage-rs Pull alpine:3 x\na b c\n`)],
    dictionary: ['INIT sha384/', '\n', '\r\n', ' ', '\u0000', '\u2028'],
    prepare: () =>
      total(
        ofText(parseAgentTextLog),
        ({ events, entries }) => events.length === entries.length + 1,
      ),
    cost: 1,
  },
  {
    name: 'log-dstack',
    seeds: () => [
      json([
        { imr: 0, event_type: 1, digest: '11'.repeat(48), event: '', event_payload: '' },
        dstackEvent('app-id', '0102'),
        dstackEvent('system-ready', ''),
        dstackEvent('custom', '03'),
      ]),
    ],
    dictionary: [
      ...JSON_TOKENS,
      '"imr"',
      '"event_type"',
      '134217729',
      '"system-ready"',
      '"digest"',
    ],
    prepare: () =>
      total(ofText(parseDstackLog), ({ events, trusted }) => trusted.length <= events.length),
    cost: 1,
  },
]
