/**
 * AMD's SEV-SNP certificate authorities, embedded: verification needs no network.
 *
 * ARK is the root key of a product line; ASK signs VCEKs, ASVK signs VLEKs. All are RSA-4096 and self-contained facts that AMD
 * publishes (57230, "VCEK Certificate and KDS Interface Specification"). Fingerprints are SHA-256 over the DER. Bergamo and Siena use Genoa's.
 * Genoa's first ASK (serial 0x20001) is revoked by AMD and therefore not here.
 * @module
 */
import { GENOA_ARK_PEM, GENOA_ASK_PEM, GENOA_ASVK_PEM } from './amd/genoa.ts'
import { MILAN_ARK_PEM, MILAN_ASK_PEM, MILAN_ASVK_PEM } from './amd/milan.ts'
import { TURIN_ARK_PEM, TURIN_ASK_PEM, TURIN_ASVK_PEM } from './amd/turin.ts'

export type AmdProduct = 'Milan' | 'Genoa' | 'Turin'

export type AmdCertificate = {
  /** Exactly one PEM block. */
  pem: string
  /** SHA-256 of the DER, lower-case hex. */
  sha256: string
  /** ISO 8601, UTC. */
  notBefore: string
  notAfter: string
  /** Where AMD publishes it. */
  source: string
}

export type AmdAuthority = { ark: AmdCertificate; ask: AmdCertificate; asvk: AmdCertificate }

export const AMD_CERTIFICATES: Readonly<Record<AmdProduct, AmdAuthority>> = {
  Milan: {
    ark: {
      pem: MILAN_ARK_PEM,
      sha256: '69d063b45344d26a2e94e1f4210de49ef555308287d4c174445c95639a540bcd',
      notBefore: '2020-10-22T17:23:05Z',
      notAfter: '2045-10-22T17:23:05Z',
      source: 'https://kdsintf.amd.com/vcek/v1/Milan/cert_chain',
    },
    ask: {
      pem: MILAN_ASK_PEM,
      sha256: '67d303bd3905fd38db8b20e0793699870e7fa612eaad5dec358293fd8c0bac1b',
      notBefore: '2020-10-22T18:24:20Z',
      notAfter: '2045-10-22T18:24:20Z',
      source: 'https://kdsintf.amd.com/vcek/v1/Milan/cert_chain',
    },
    asvk: {
      pem: MILAN_ASVK_PEM,
      sha256: 'c5e081f59b7efab1fe2f8b505e159704e72f29cab7ef7cf628a05a42439082f5',
      notBefore: '2022-11-16T22:45:24Z',
      notAfter: '2047-11-16T22:45:24Z',
      source: 'https://kdsintf.amd.com/vlek/v1/Milan/cert_chain',
    },
  },
  Genoa: {
    ark: {
      pem: GENOA_ARK_PEM,
      sha256: '4c6598d19c18719c5dfd4a7d335f674e5bfe1d8f800cea2cf270c10d103db2f1',
      notBefore: '2022-01-26T15:34:37Z',
      notAfter: '2047-01-26T15:34:37Z',
      source: 'https://kdsintf.amd.com/vcek/v1/Genoa/cert_chain',
    },
    ask: {
      pem: GENOA_ASK_PEM,
      sha256: '5464738c1546aed5f2cecf1dc98c5c960a92e8913238a61711bc90ec6e828521',
      notBefore: '2022-10-31T13:33:48Z',
      notAfter: '2047-10-31T13:33:48Z',
      source: 'https://kdsintf.amd.com/vcek/v1/Genoa/cert_chain',
    },
    asvk: {
      pem: GENOA_ASVK_PEM,
      sha256: '197e610743a917d6b9bb982a5a9226ccc0a15b611be0619e626aca9151457372',
      notBefore: '2022-11-18T20:48:34Z',
      notAfter: '2047-11-18T20:48:34Z',
      source: 'https://kdsintf.amd.com/vlek/v1/Genoa/cert_chain',
    },
  },
  Turin: {
    ark: {
      pem: TURIN_ARK_PEM,
      sha256: '1f084161a44bb6d93778a904877d4819cafa5d05ef4193b2ded9dd9c73dd3f6a',
      notBefore: '2023-05-15T20:03:12Z',
      notAfter: '2048-05-15T20:03:12Z',
      source: 'https://kdsintf.amd.com/vcek/v1/Turin/cert_chain',
    },
    ask: {
      pem: TURIN_ASK_PEM,
      sha256: '5b77ef5fe7a7a004fd9032668fba9d0fda22f88c4442069a479636a6ae3b3185',
      notBefore: '2023-05-15T20:25:21Z',
      notAfter: '2048-05-15T20:25:21Z',
      source: 'https://kdsintf.amd.com/vcek/v1/Turin/cert_chain',
    },
    asvk: {
      pem: TURIN_ASVK_PEM,
      sha256: '104e10a8bd060a3c20a434261a57d0588fd65a88915b4f65b08bdecaf8df1a3c',
      notBefore: '2023-05-15T21:09:41Z',
      notAfter: '2048-05-15T21:09:41Z',
      source: 'https://kdsintf.amd.com/vlek/v1/Turin/cert_chain',
    },
  },
}
