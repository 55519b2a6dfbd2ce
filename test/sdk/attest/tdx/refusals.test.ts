import 'reflect-metadata'
import { Extension } from '@peculiar/x509'
import { expect, it } from 'vitest'
import { TDX_NAMES } from '../../../../helper/sim/tdx-evidence.ts'
import { QUOTE_LIMIT } from '../../../../sdk/attest/tdx-quote.ts'
import { verifyTdx } from '../../../../sdk/attest/tdx-verify.ts'
import { refusalOf } from '../../../kit/errors.ts'
import { DAY, describeTdxRefusals, invalid, issueTdx, malformed, NOW, tdxAuthority } from './kit.ts'

const bytes = (length: number, value: number) => new Uint8Array(length).fill(value)
const at = (field: string, offset: number) => ({
  code: 'EVIDENCE_MALFORMED',
  details: { field, offset },
})

describeTdxRefusals('the container of a quote is refused', [
  { name: 'of version 3', options: { quote: () => ({ version: 3 }) }, expect: at('version', 0) },
  { name: 'of version 6', options: { quote: () => ({ version: 6 }) }, expect: at('version', 0) },
  {
    name: 'with a P-384 key type',
    options: { quote: () => ({ keyType: 3 }) },
    expect: at('attestation key type', 2),
  },
  { name: 'of SGX', options: { quote: () => ({ tee: 0 }) }, expect: at('TEE type', 4) },
  {
    name: 'of an unknown TEE',
    options: { quote: () => ({ tee: 0x82 }) },
    expect: at('TEE type', 4),
  },
  {
    name: 'with reserved header bytes',
    options: { quote: () => ({ reserved: Uint8Array.of(0, 0, 1, 0) }) },
    expect: at('reserved', 10),
  },
  {
    name: 'of another vendor',
    options: { quote: () => ({ qeVendorId: bytes(16, 1) }) },
    expect: invalid('tdx.qe-vendor'),
  },
  {
    name: 'of version 5 with an SGX body',
    options: { version: 5, quote: () => ({ bodyType: 1 }) },
    expect: at('body type', 48),
  },
  {
    name: 'of version 5 with a TD 1.5 ex body',
    options: { version: 5, quote: () => ({ bodyType: 4 }) },
    expect: at('body type', 48),
  },
  {
    name: 'of version 5 with an unknown body',
    options: { version: 5, quote: () => ({ bodyType: 5 }) },
    expect: at('body type', 48),
  },
  {
    name: 'of version 5 that calls a TD 1.5 body a TD 1.0 one',
    options: { version: 5, quote: () => ({ bodyType: 2 }) },
    expect: at('body size', 50),
  },
  {
    name: 'of version 5 with a wrong size',
    options: { version: 5, quote: () => ({ bodySize: 649 }) },
    expect: at('body size', 50),
  },
  ...[1, 2, 3, 4, 5, 7, 99].map((outerType) => ({
    name: `with outer certification data of type ${outerType}`,
    options: { quote: () => ({ outerType }) },
    expect: malformed('certification data type'),
  })),
  ...[1, 2, 3, 4, 6, 7, 99].map((innerType) => ({
    name: `with inner certification data of type ${innerType}`,
    options: { quote: () => ({ innerType }) },
    expect: malformed('PCK certification data type'),
  })),
  {
    name: 'with text behind it',
    options: { quote: () => ({ trailing: Uint8Array.of(0, 0, 0x41) }) },
    expect: malformed('trailing bytes'),
  },
  {
    name: 'with more padding than a quote may have',
    options: { quote: () => ({ trailing: bytes(QUOTE_LIMIT, 0) }) },
    expect: { code: 'INPUT_TOO_LARGE' },
  },
  {
    name: 'with two terminators behind its chain',
    options: { quote: () => ({ terminator: bytes(2, 0) }) },
    expect: malformed('PCK chain'),
  },
  {
    name: 'with long auth data',
    options: { quote: () => ({ authData: bytes(1025, 1) }) },
    expect: malformed('auth data length'),
  },
])

describeTdxRefusals('the signatures of a quote are refused', [
  {
    name: 'when the quoting enclave is not signed by the PCK',
    options: (other) => ({ signWith: { qeReport: other.keys.pck.privateKey } }),
    expect: invalid('tdx.qe-report-signature'),
  },
  {
    name: 'when another key signed the quote',
    options: (other) => ({ signWith: { quote: other.keys.attestation.privateKey } }),
    expect: invalid('tdx.quote-signature'),
  },
  {
    name: 'when the enclave names another key',
    options: { bindKey: (binding) => binding.map((byte, index) => (index < 32 ? byte ^ 1 : byte)) },
    expect: invalid('tdx.attestation-key-binding'),
  },
  {
    name: 'when the second half of the binding is not zero',
    options: { bindKey: (binding) => binding.with(63, 1) },
    expect: invalid('tdx.attestation-key-binding'),
  },
  {
    name: 'when the auth data is not the bound one',
    options: { quote: (fields) => ({ qe: fields.qe }), bindKey: () => bytes(64, 0) },
    expect: invalid('tdx.attestation-key-binding'),
  },
  {
    name: 'of a debug enclave',
    options: {
      quote: ({ qe }) => ({ qe: { ...qe, attributes: qe.attributes.with(0, 0x17) } }),
    },
    expect: invalid('tdx.qe-not-debug'),
  },
])

describeTdxRefusals('a PCK chain is refused', [
  {
    name: 'without its root',
    options: { chain: (chain) => chain.slice(0, 2) },
    expect: malformed('PCK chain'),
  },
  {
    name: 'with a fourth certificate',
    options: { chain: (chain) => [...chain, chain[2] ?? bytes(1, 0)] },
    expect: malformed('PCK chain'),
  },
  {
    name: 'in another order',
    options: { chain: ([leaf, ca, root]) => [ca, leaf, root].flatMap((der) => der ?? []) },
    expect: malformed('platform-ca.extension 1.2.840.113741.1.13.1'),
  },
  {
    name: 'root first',
    options: { chain: (chain) => chain.reverse() },
    expect: invalid('tdx.pck-chain.root'),
  },
  {
    name: 'with the root twice',
    options: { chain: ([leaf, , root]) => [leaf, root, root].flatMap((der) => der ?? []) },
    expect: invalid('tdx.pck-chain.platform-ca-name'),
  },
  {
    name: 'whose leaf is the Platform CA',
    options: { chain: ([, ca, root]) => [ca, ca, root].flatMap((der) => der ?? []) },
    expect: malformed('pck.extension 1.2.840.113741.1.13.1'),
  },
  {
    name: 'with a root of another key under the same name',
    options: (other) => ({
      certificates: {
        root: () => ({
          publicKey: other.keys.root.publicKey,
          signingKey: other.keys.root.privateKey,
        }),
      },
    }),
    expect: invalid('tdx.pck-chain.root'),
  },
  {
    name: 'with a root re-issued under the same key',
    options: { certificates: { root: () => ({ serial: '23' }) } },
    expect: invalid('tdx.pck-chain.root'),
  },
  {
    name: 'of the Processor CA',
    options: {
      certificates: {
        platformCa: () => ({ subject: 'Intel SGX PCK Processor CA' }),
        pck: () => ({ issuer: 'Intel SGX PCK Processor CA' }),
      },
    },
    expect: invalid('tdx.pck-chain.platform-ca-name'),
  },
  {
    name: 'whose Platform CA the root did not sign',
    options: (other) => ({
      certificates: { platformCa: () => ({ signingKey: other.keys.root.privateKey }) },
    }),
    expect: invalid('tdx.pck-chain.platform-ca-signature'),
  },
  {
    name: 'whose Platform CA may have authorities below it',
    options: { certificates: { platformCa: () => ({ pathLength: 1 }) } },
    expect: invalid('tdx.pck-chain.platform-ca-name'),
  },
  {
    name: 'whose Platform CA is no authority',
    options: {
      certificates: {
        platformCa: async (fields) => {
          const { pathLength: _, ...rest } = fields
          return { ...rest, pathLength: undefined } as never
        },
      },
    },
    expect: malformed('platform-ca.key usage'),
  },
  {
    name: 'whose leaf the Platform CA did not sign',
    options: (other) => ({
      certificates: { pck: () => ({ signingKey: other.keys.platformCa.privateKey }) },
    }),
    expect: invalid('tdx.pck-chain.leaf-signature'),
  },
  {
    name: 'whose leaf is a TCB signing certificate',
    options: { certificates: { pck: () => ({ subject: TDX_NAMES.tcbSigner }) } },
    expect: invalid('tdx.pck-chain.leaf-name'),
  },
  {
    name: 'whose leaf is issued by the root',
    options: { certificates: { pck: () => ({ issuer: TDX_NAMES.root }) } },
    expect: invalid('tdx.pck-chain.leaf-name'),
  },
  {
    name: 'whose leaf is of another organization',
    options: { certificates: { pck: () => ({ organization: 'Intel' }) } },
    expect: malformed('pck.subject'),
  },
  {
    name: 'whose leaf is signed over SHA-384',
    options: { certificates: { pck: () => ({ signingHash: 'SHA-384' }) } },
    expect: malformed('pck.signatureAlgorithm'),
  },
  {
    name: 'whose leaf has a P-384 key',
    options: {
      certificates: {
        pck: async () => {
          const p384 = { name: 'ECDSA', namedCurve: 'P-384' }
          const pair = await crypto.subtle.generateKey(p384, true, ['sign', 'verify'])
          return { publicKey: pair.publicKey }
        },
      },
    },
    expect: malformed('pck.publicKey'),
  },
  {
    name: 'whose leaf is an authority',
    options: { certificates: { pck: () => ({ pathLength: 0 }) } },
    expect: malformed('pck.key usage'),
  },
  {
    name: 'whose leaf has no SGX extension',
    options: { certificates: { pck: () => ({ extensions: [] }) } },
    expect: malformed('pck.extension 1.2.840.113741.1.13.1'),
  },
  {
    name: 'whose leaf has the SGX extension twice',
    options: {
      certificates: {
        pck: ({ extensions }) => ({ edit: (all) => [...all, ...extensions] }),
      },
    },
    expect: malformed('pck.extension 1.2.840.113741.1.13.1 twice'),
  },
  {
    name: 'whose SGX extension is critical',
    options: {
      certificates: {
        pck: ({ extensions: [sgx] }) => ({
          extensions: sgx === undefined ? [] : [new Extension(sgx.type, true, sgx.value)],
        }),
      },
    },
    expect: malformed('pck.extension 1.2.840.113741.1.13.1'),
  },
  {
    name: 'whose leaf has an unknown extension',
    options: {
      certificates: {
        pck: () => ({ edit: (all) => [...all, new Extension('1.2.3.4', false, bytes(2, 5))] }),
      },
    },
    expect: malformed('pck.extension 1.2.3.4'),
  },
  {
    name: 'whose leaf does not say what its key is for',
    options: {
      certificates: {
        pck: () => ({ edit: (all) => all.filter(({ type }) => type !== '2.5.29.15') }),
      },
    },
    expect: malformed('pck.key usage'),
  },
  { name: 'that is not valid yet', now: NOW - 2 * DAY, expect: invalid('tdx.pck.validity') },
  { name: 'that has expired', now: NOW + 8 * 365 * DAY, expect: invalid('tdx.pck.validity') },
  {
    name: 'whose Platform CA has expired',
    options: { certificates: { platformCa: () => ({ notAfter: NOW - 1 }) } },
    expect: invalid('tdx.pck-platform-ca.validity'),
  },
])

describeTdxRefusals('the quoting enclave is refused', [
  {
    name: 'of another signer',
    options: { quote: ({ qe }) => ({ qe: { ...qe, mrSigner: bytes(32, 9) } }) },
    expect: invalid('tdx.qe-mrsigner'),
  },
  {
    name: 'of another product: any Intel enclave can have a report signed by the PCK',
    options: { quote: ({ qe }) => ({ qe: { ...qe, isvProdId: 1 } }) },
    expect: invalid('tdx.qe-isvprodid'),
  },
  {
    name: 'with other saved state',
    options: { quote: ({ qe }) => ({ qe: { ...qe, miscSelect: 0x8000_0000 } }) },
    expect: invalid('tdx.qe-miscselect'),
  },
  {
    name: 'with attributes outside the mask',
    options: { quote: ({ qe }) => ({ qe: { ...qe, attributes: qe.attributes.with(1, 1) } }) },
    expect: invalid('tdx.qe-attributes'),
  },
])

describeTdxRefusals('the platform is refused', [
  {
    name: 'of another FMSPC than the collateral',
    options: { sgx: { fmspc: bytes(6, 1) } },
    expect: invalid('tdx.platform-equals-collateral'),
  },
  {
    name: 'of another PCE than the collateral',
    options: { sgx: { pceId: Uint8Array.of(0, 1) } },
    expect: invalid('tdx.platform-equals-collateral'),
  },
  {
    name: "with a module that is not Intel's",
    options: { report: { mrSignerSeam: bytes(48, 1) } },
    expect: invalid('tdx.module-identity'),
  },
  {
    name: 'with module attributes',
    options: { report: { seamAttributes: 1n } },
    expect: invalid('tdx.module-identity'),
  },
])

it('an auth data of another length is accepted when it is the bound one', async () => {
  const { anchors } = await tdxAuthority()
  for (const length of [0, 1, 1024]) {
    const evidence = await issueTdx({ quote: () => ({ authData: bytes(length, 7) }) })
    expect(refusalOf(() => verifyTdx(evidence, anchors, NOW))).toBe('accepted')
  }
})

it('zeros behind a quote are accepted', async () => {
  const { anchors } = await tdxAuthority()
  const evidence = await issueTdx({ quote: () => ({ trailing: bytes(3000, 0) }) })
  expect(refusalOf(() => verifyTdx(evidence, anchors, NOW))).toBe('accepted')
})

it('a signature of zeros, or of numbers outside the group, is refused', async () => {
  const { anchors } = await tdxAuthority()
  const { quote, collateral } = await issueTdx()
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
  const scalar = (value: bigint) =>
    Uint8Array.from(Buffer.from(value.toString(16).padStart(64, '0'), 'hex'))
  const start = 48 + 584 + 4
  for (const [r, s] of [
    [0n, 0n],
    [0n, 1n],
    [1n, 0n],
    [order, 1n],
    [1n, order],
    [order + 1n, order + 1n],
  ] as const)
    for (const where of [start, start + 134 + 384]) {
      const copy = Uint8Array.from(quote)
      copy.set(scalar(r), where)
      copy.set(scalar(s), where + 32)
      expect(refusalOf(() => verifyTdx({ quote: copy, collateral }, anchors, NOW))).toMatchObject({
        code: 'EVIDENCE_INVALID',
      })
    }
})

it('an attestation key off the curve is refused', async () => {
  const { anchors } = await tdxAuthority()
  const { quote, collateral } = await issueTdx()
  const copy = Uint8Array.from(quote)
  copy.fill(1, 48 + 584 + 4 + 64, 48 + 584 + 4 + 128)
  expect(refusalOf(() => verifyTdx({ quote: copy, collateral }, anchors, NOW))).toEqual(
    invalid('tdx.attestation-key-binding'),
  )
})
