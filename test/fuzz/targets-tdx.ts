import { type IssuedTdxEvidence, SIM_PCK } from '../../helper/sim/tdx-evidence.ts'
import { parseAaTdxEvidence } from '../../sdk/attest/aa-tdx.ts'
import { parseTdxCollateral } from '../../sdk/attest/collateral-bundle.ts'
import { parseQeIdentity, parseTcbInfo } from '../../sdk/attest/collateral-json.ts'
import { parseCrl } from '../../sdk/attest/crl.ts'
import { encodeTdxRoots, parseTdxRoots } from '../../sdk/attest/tdx-anchors.ts'
import { encodePckExtension, parsePckExtension } from '../../sdk/attest/tdx-pck.ts'
import { parseTdxQuote } from '../../sdk/attest/tdx-quote.ts'
import { verifyTdx } from '../../sdk/attest/tdx-verify.ts'
import { parseIntelCertificate } from '../../sdk/attest/tdx-x509.ts'
import { encodeWireTdxEvidence, parseWireTdxEvidence } from '../../sdk/attest/wire-tdx.ts'
import { parseUtf8, utf8ToBytes } from '../../sdk/bytes.ts'
import { NOW } from '../kit/snp-authority.ts'
import { tdx, tdxAuthority, u16, u32 } from './issued.ts'
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

/** Without the function, which is another one at every reading. */
function values<T extends { isSignedBy: unknown }>({ isSignedBy: _, ...rest }: T) {
  return rest
}

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

export const TDX_TARGETS: readonly Target[] = [
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
    prepare: () => total((der) => parseCrl(der, 'list')),
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
]
