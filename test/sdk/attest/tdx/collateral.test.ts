import 'reflect-metadata'
import { Extension } from '@peculiar/x509'
import { describe, expect, it } from 'vitest'
import type { Json } from '../../../../helper/sim/tdx-collateral.ts'
import {
  encodeTdxCollateral,
  parseTdxCollateral,
  splitSignedResponse,
  type TdxCollateral,
} from '../../../../sdk/attest/collateral-bundle.ts'
import { verifyTdx } from '../../../../sdk/attest/tdx-verify.ts'
import { refusalOf } from '../../../kit/errors.ts'
import { DAY, describeTdxRefusals, invalid, issueTdx, malformed, NOW, tdxAuthority } from './kit.ts'

const iso = (seconds: number) => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
const firstOf = (value: unknown) => (value as Json[])[0] ?? {}

describeTdxRefusals('collateral is refused', [
  {
    name: 'signed by another key',
    options: (other) => ({ signWith: { tcbInfo: other.keys.tcbSigner.privateKey } }),
    expect: invalid('tdx.tcb-info.signature'),
  },
  {
    name: 'whose QE identity is signed by another key',
    options: (other) => ({ signWith: { qeIdentity: other.keys.tcbSigner.privateKey } }),
    expect: invalid('tdx.qe-identity.signature'),
  },
  {
    name: 'signed by the Platform CA',
    options: {
      collateral: (honest) => ({
        ...honest,
        tcbInfo: { ...honest.tcbInfo, issuerChain: honest.pckCrlIssuerChain },
      }),
    },
    expect: malformed('tcb-signer.key usage'),
  },
  {
    name: 'whose signer the root did not sign',
    options: (other) => ({
      certificates: { tcbSigner: () => ({ signingKey: other.keys.root.privateKey }) },
    }),
    expect: invalid('tdx.tcb-info.chain.signer-signature'),
  },
  {
    name: 'whose signer is a PCK by name',
    options: { certificates: { tcbSigner: () => ({ subject: 'Intel SGX PCK Certificate' }) } },
    expect: invalid('tdx.tcb-info.chain.signer-name'),
  },
  {
    name: 'whose signer has expired',
    options: { certificates: { tcbSigner: () => ({ notAfter: NOW - 1 }) } },
    expect: invalid('tdx.tcb-signer.validity'),
  },
  {
    name: 'whose signer is not valid yet',
    options: { certificates: { tcbSigner: () => ({ notBefore: NOW + 1 }) } },
    expect: invalid('tdx.tcb-signer.validity'),
  },
  {
    name: 'whose signer is revoked',
    options: { rootCrl: () => ({ revoked: ['01', '44'] }) },
    expect: invalid('tdx.tcb-signer.not-revoked'),
  },
  {
    name: 'that lacks the root in a chain',
    options: {
      collateral: (honest) => ({
        ...honest,
        qeIdentity: {
          ...honest.qeIdentity,
          issuerChain: honest.qeIdentity.issuerChain.slice(0, 1),
        },
      }),
    },
    expect: invalid('tdx.qe-identity.chain.length'),
  },
  {
    name: 'with documents written again',
    options: {
      collateral: (honest) => ({
        ...honest,
        tcbInfo: {
          ...honest.tcbInfo,
          text: JSON.stringify(JSON.parse(honest.tcbInfo.text), null, 1),
        },
      }),
    },
    expect: invalid('tdx.tcb-info.signature'),
  },
  {
    name: 'with its two documents exchanged',
    options: {
      collateral: (honest) => ({
        ...honest,
        tcbInfo: honest.qeIdentity,
        qeIdentity: honest.tcbInfo,
      }),
    },
    expect: malformed('tcb_info.id'),
  },
  {
    name: 'issued in the future',
    options: { tcbInfo: (json) => ({ ...json, issueDate: iso(NOW + 1) }) },
    expect: invalid('tdx.tcb-info.validity'),
  },
  {
    name: 'whose TCB info has run out',
    options: { tcbInfo: (json) => ({ ...json, nextUpdate: iso(NOW - 1) }) },
    expect: invalid('tdx.tcb-info.validity'),
  },
  {
    name: 'whose QE identity has run out',
    options: { qeIdentity: (json) => ({ ...json, nextUpdate: iso(NOW - 1) }) },
    expect: invalid('tdx.qe-identity.validity'),
  },
  {
    name: 'whose QE identity is from the future',
    options: { qeIdentity: (json) => ({ ...json, issueDate: iso(NOW + 60) }) },
    expect: invalid('tdx.qe-identity.validity'),
  },
])

describeTdxRefusals('a revocation list is refused', [
  {
    name: 'of the root when another key signed it',
    options: (other) => ({ rootCrl: () => ({ signingKey: other.keys.root.privateKey }) }),
    expect: invalid('tdx.root-crl.signature'),
  },
  {
    name: 'of the Platform CA when the root signed it',
    change: (evidence) => exchangeLists(evidence),
    expect: invalid('tdx.root-crl.issuer'),
  },
  {
    name: 'of the Platform CA when another key signed it',
    options: (other) => ({ pckCrl: () => ({ signingKey: other.keys.platformCa.privateKey }) }),
    expect: invalid('tdx.pck-crl.signature'),
  },
  {
    name: 'of another issuer by name',
    options: { pckCrl: () => ({ issuer: 'Intel SGX PCK Processor CA' }) },
    expect: invalid('tdx.pck-crl.issuer'),
  },
  {
    name: 'of the root that has run out',
    options: { rootCrl: () => ({ nextUpdate: NOW - 1 }) },
    expect: invalid('tdx.root-crl.validity'),
  },
  {
    name: 'of the Platform CA that has run out',
    options: { pckCrl: () => ({ nextUpdate: NOW - 1 }) },
    expect: invalid('tdx.pck-crl.validity'),
  },
  {
    name: 'from the future',
    options: { pckCrl: () => ({ thisUpdate: NOW + 1 }) },
    expect: invalid('tdx.pck-crl.validity'),
  },
  {
    name: 'without a number',
    options: {
      pckCrl: () => ({ edit: (all) => all.filter(({ type }) => type !== '2.5.29.20') }),
    },
    expect: malformed('pck-crl.number'),
  },
  {
    name: 'that says it is partial',
    options: {
      pckCrl: () => ({
        edit: (all) => [...all, new Extension('2.5.29.27', true, Uint8Array.of(2, 1, 1))],
      }),
    },
    expect: malformed('pck-crl.extension 2.5.29.27'),
  },
  {
    name: 'that names the PCK',
    options: { pckCrl: () => ({ revoked: ['01', '55', '02'] }) },
    expect: invalid('tdx.pck.not-revoked'),
  },
  {
    name: 'that names the PCK with a leading zero',
    options: {
      certificates: { pck: () => ({ serial: '00ee' }) },
      pckCrl: () => ({ revoked: ['ee'] }),
    },
    expect: invalid('tdx.pck.not-revoked'),
  },
  {
    name: 'that names the Platform CA',
    options: { rootCrl: () => ({ revoked: ['33'] }) },
    expect: invalid('tdx.crl-issuer.not-revoked'),
  },
  {
    name: 'with bytes behind it',
    options: {
      collateral: (honest) => ({ ...honest, pckCrl: Uint8Array.of(...honest.pckCrl, 0) }),
    },
    expect: malformed('pck-crl.encoding'),
  },
])

function exchangeLists<E extends { collateral?: TdxCollateral }>(evidence: E): E {
  const { collateral } = evidence
  if (collateral === undefined) return evidence
  const { rootCrl, pckCrl } = collateral
  return { ...evidence, collateral: { ...collateral, rootCrl: pckCrl, pckCrl: rootCrl } }
}

/** Each lie is signed by the one who may sign it: the reader itself has to refuse. */
const lies: { name: string; lie: (json: Json) => Json; field: string }[] = [
  { name: 'of SGX', lie: (json) => ({ ...json, id: 'SGX' }), field: 'id' },
  { name: 'of version 2', lie: (json) => ({ ...json, version: 2 }), field: 'version' },
  { name: 'of version 4', lie: (json) => ({ ...json, version: 4 }), field: 'version' },
  { name: 'of another TCB type', lie: (json) => ({ ...json, tcbType: 1 }), field: 'tcbType' },
  { name: 'without levels', lie: (json) => ({ ...json, tcbLevels: [] }), field: 'tcbLevels' },
  { name: 'with a short FMSPC', lie: (json) => ({ ...json, fmspc: '5180' }), field: 'fmspc' },
  { name: 'with a number as FMSPC', lie: (json) => ({ ...json, fmspc: 1 }), field: 'fmspc' },
  { name: 'without pceId', lie: ({ pceId: _, ...json }) => json, field: 'pceId' },
  { name: 'without module', lie: ({ tdxModule: _, ...json }) => json, field: 'tdxModule' },
  {
    name: 'without an evaluation number',
    lie: ({ tcbEvaluationDataNumber: _, ...json }) => json,
    field: 'tcbEvaluationDataNumber',
  },
  {
    name: 'with a negative evaluation number',
    lie: (json) => ({ ...json, tcbEvaluationDataNumber: -1 }),
    field: 'tcbEvaluationDataNumber',
  },
  {
    name: 'on 31 June',
    lie: (json) => ({ ...json, issueDate: '2026-06-31T00:00:00Z' }),
    field: 'issueDate',
  },
  {
    name: 'with a local date',
    lie: (json) => ({ ...json, issueDate: '2026-06-01T00:00:00' }),
    field: 'issueDate',
  },
  {
    name: 'that ends before it begins',
    lie: (json) => ({ ...json, nextUpdate: json.issueDate }),
    field: 'nextUpdate',
  },
  {
    name: 'with an unknown status',
    lie: (json) => ({ ...json, tcbLevels: [{ ...firstOf(json.tcbLevels), tcbStatus: 'Fine' }] }),
    field: 'tcbLevels[0].tcbStatus',
  },
  {
    name: 'with fifteen components',
    lie: (json) => {
      const level = firstOf(json.tcbLevels)
      const tcb = level.tcb as Json
      const sgxtcbcomponents = (tcb.sgxtcbcomponents as Json[]).slice(1)
      return { ...json, tcbLevels: [{ ...level, tcb: { ...tcb, sgxtcbcomponents } }] }
    },
    field: 'tcbLevels[0].tcb.sgxtcbcomponents',
  },
  {
    name: 'with an SVN above a byte',
    lie: (json) => {
      const level = firstOf(json.tcbLevels)
      const tcb = level.tcb as Json
      const sgxtcbcomponents = (tcb.sgxtcbcomponents as Json[]).with(0, { svn: 256 })
      return { ...json, tcbLevels: [{ ...level, tcb: { ...tcb, sgxtcbcomponents } }] }
    },
    field: 'tcbLevels[0].tcb.sgxtcbcomponents[0].svn',
  },
  {
    name: 'with a module twice',
    lie: (json) => {
      const module = firstOf(json.tdxModuleIdentities)
      return { ...json, tdxModuleIdentities: [module, { ...module, id: 'TDX_01' }] }
    },
    field: 'tdxModuleIdentities',
  },
  {
    name: 'with a module status that only platforms have',
    lie: (json) => {
      const module = firstOf(json.tdxModuleIdentities)
      const level = { ...firstOf(module.tcbLevels), tcbStatus: 'SWHardeningNeeded' }
      return { ...json, tdxModuleIdentities: [{ ...module, tcbLevels: [level] }] }
    },
    field: 'tdxModuleIdentities[0].tcbLevels[0].tcbStatus',
  },
  {
    name: 'with advisories that are not ids',
    lie: (json) => ({
      ...json,
      tcbLevels: [{ ...firstOf(json.tcbLevels), advisoryIDs: ['<script>'] }],
    }),
    field: 'tcbLevels[0].advisoryIDs',
  },
]

describeTdxRefusals(
  'signed TCB info is refused',
  lies.map(({ name, lie, field }) => ({
    name,
    options: { tcbInfo: lie },
    expect: malformed(`tcb_info.${field}`),
  })),
)

describeTdxRefusals('signed JSON is refused', [
  {
    name: 'with a key twice',
    options: { tcbInfoText: (text) => text.replace('{"id":"TDX"', '{"id":"TDX","id":"TDX"') },
    expect: malformed('tcb_info'),
  },
  {
    name: 'with a fraction',
    options: { tcbInfoText: (text) => text.replace('"version":3', '"version":3.0') },
    expect: malformed('tcb_info'),
  },
  {
    name: 'with an exponent',
    options: { qeIdentityText: (text) => text.replace('"isvprodid":2', '"isvprodid":2e0') },
    expect: malformed('qe_identity'),
  },
  {
    name: 'with text behind it',
    options: { qeIdentityText: (text) => `${text}{}` },
    expect: malformed('qe_identity'),
  },
  {
    name: 'nested without end',
    options: {
      tcbInfoText: (text) => `${text.slice(0, -1)},"x":${'['.repeat(5000)}${']'.repeat(5000)}}`,
    },
    expect: malformed('tcb_info'),
  },
  {
    name: 'of the quoting enclave of SGX',
    options: { qeIdentity: (json) => ({ ...json, id: 'QE' }) },
    expect: malformed('qe_identity.id'),
  },
  {
    name: 'of a QE identity of version 1',
    options: { qeIdentity: (json) => ({ ...json, version: 1 }) },
    expect: malformed('qe_identity.version'),
  },
  {
    name: 'of a QE identity without a mask',
    options: { qeIdentity: ({ attributesMask: _, ...json }) => json },
    expect: malformed('qe_identity.attributesMask'),
  },
])

describe('collateral as text', () => {
  it('reads what it writes', async () => {
    const { collateral } = await issueTdx()
    const text = JSON.stringify(encodeTdxCollateral(collateral))
    expect(parseTdxCollateral(text)).toEqual(collateral)
  })

  it.each([
    'tcb_info',
    'tcb_info_signature',
    'tcb_info_issuer_chain',
    'qe_identity',
    'qe_identity_signature',
    'qe_identity_issuer_chain',
    'root_ca_crl',
    'pck_crl',
    'pck_crl_issuer_chain',
  ])('is refused when %s is missing, null or garbage', async (member) => {
    const { collateral } = await issueTdx()
    const honest = encodeTdxCollateral(collateral)
    for (const value of [undefined, null, 7]) {
      const text = JSON.stringify({ ...honest, [member]: value })
      expect(refusalOf(() => parseTdxCollateral(text))).toMatchObject(
        malformed(`collateral.${member}`),
      )
    }
  })

  it('may have lists that end as C strings do', async () => {
    const { collateral } = await issueTdx({ pckCrl: () => ({ revoked: ['01', '02', '03', '04'] }) })
    const honest = encodeTdxCollateral(collateral)
    const parse = (pckCrl: string) =>
      parseTdxCollateral(JSON.stringify({ ...honest, pck_crl: pckCrl }))
    expect(parse(`${honest.pck_crl}00`)).toEqual(collateral)
    expect(parse(`${honest.pck_crl}0000`)).not.toEqual(collateral)
    expect(parse(`${honest.pck_crl}01`)).not.toEqual(collateral)
  })

  it('is bounded', () => {
    expect(refusalOf(() => parseTdxCollateral(' '.repeat(200_000)))).toMatchObject({
      code: 'INPUT_TOO_LARGE',
    })
  })

  it('keeps the signed text of an answer of the service as it is', () => {
    const signature = 'ab'.repeat(64)
    const inner = '{"id":"TDX",  "x":"}"}'
    const split = splitSignedResponse(`{"tcbInfo":${inner},"signature":"${signature}"}`, 'tcbInfo')
    expect(split.text).toBe(inner)
    expect(split.signature).toHaveLength(64)
    for (const answer of [
      '',
      '{}',
      `{"tcbInfo":${inner}}`,
      `{"enclaveIdentity":${inner},"signature":"${signature}"}`,
    ])
      expect(refusalOf(() => splitSignedResponse(answer, 'tcbInfo'))).toMatchObject(
        malformed('tcbInfo'),
      )
  })
})

it('collateral is refused by the day before it was issued', async () => {
  const { anchors } = await tdxAuthority()
  const { quote, collateral } = await issueTdx({ at: NOW + 2 * DAY })
  expect(refusalOf(() => verifyTdx({ quote, collateral }, anchors, NOW))).toEqual(
    invalid('tdx.tcb-info.validity'),
  )
})
