/**
 * SEV-SNP: reports, certificates, revocation lists and their forms on the wire.
 * @module
 */
import { X509Certificate } from 'node:crypto'
import { hexToBytes } from '@noble/hashes/utils.js'
import type { AaShape } from '../../helper/sim/evidence-json.ts'
import { parseAaSnpEvidence } from '../../sdk/attest/aa-snp.ts'
import { parseCrl, verifyCrlSignature } from '../../sdk/attest/crl.ts'
import { encodeCertificatePem, parsePemChain } from '../../sdk/attest/pem.ts'
import { parseSnpCertTable } from '../../sdk/attest/snp-cert-table.ts'
import { parseSnpLeaf } from '../../sdk/attest/snp-leaf.ts'
import { parseSnpReport, REPORT_SIZE } from '../../sdk/attest/snp-report.ts'
import { verifySnp } from '../../sdk/attest/snp-verify.ts'
import { encodeWireSnpEvidence, parseWireSnpEvidence } from '../../sdk/attest/wire-snp.ts'
import { parseAmdCertificate } from '../../sdk/attest/x509.ts'
import { utf8ToBytes } from '../../sdk/bytes.ts'
import { authorityOf, NOW } from '../kit/snp-authority.ts'
import { ARK, encodeCertTable, VCEK, VLEK } from '../sdk/attest/cert-table-kit.ts'
import { makeList } from '../sdk/attest/crl-kit.ts'
import { snp, u32 } from './issued.ts'
import { DER_TOKENS, JSON_TOKENS, ofText, stable, type Target, total, verifier } from './kit.ts'

const REPORT_TOKENS = [u32(2), u32(3), u32(5), u32(0), new Uint8Array(48), new Uint8Array(64)]

export const SNP_TARGETS: readonly Target[] = [
  {
    name: 'snp-report',
    seeds: async () => (await snp()).map(({ report }) => report),
    dictionary: REPORT_TOKENS,
    prepare: () => total(parseSnpReport, (_, bytes) => bytes.length === REPORT_SIZE),
    cost: 1,
  },
  {
    name: 'snp-cert-table',
    seeds: () => [
      encodeCertTable([
        { guid: ARK, data: new Uint8Array(40).fill(1) },
        { guid: VCEK, data: new Uint8Array(40).fill(2) },
        { guid: VLEK, data: new Uint8Array(40).fill(3) },
      ]),
      encodeCertTable([]),
    ],
    dictionary: [hexToBytes(VCEK), hexToBytes(VLEK), new Uint8Array(24), u32(0xffffffff)],
    prepare: () =>
      total(parseSnpCertTable, ({ vcek, vlek }, bytes) =>
        [vcek, vlek].every(
          (der) => der === undefined || (der.length > 0 && der.length < bytes.length),
        ),
      ),
    cost: 1,
  },
  {
    name: 'pem-chain',
    seeds: () =>
      [[40], [3, 200], [64, 1, 96]].map((lengths) =>
        utf8ToBytes(lengths.map((length) => encodeCertificatePem(new Uint8Array(length))).join('')),
      ),
    dictionary: [
      '-----BEGIN CERTIFICATE-----\n',
      '-----END CERTIFICATE-----',
      '=',
      '\r\n',
      '\0',
      '-',
    ],
    prepare: () =>
      stable(
        ofText((text) => parsePemChain(text, 3)),
        (chain) => utf8ToBytes(chain.map(encodeCertificatePem).join('')),
      ),
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
    seeds: async () =>
      (await snp()).map(({ report, certificates }, index) =>
        encodeWireSnpEvidence({
          report,
          certificates,
          ...(index === 0 ? {} : { crls: [Uint8Array.of(48, 130), new Uint8Array(index)] }),
        }),
      ),
    dictionary: [...JSON_TOKENS, '"crls"', '"cert_chain"'],
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
]
