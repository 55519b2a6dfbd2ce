import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { AzureSnpOptions } from '../../../../helper/sim/azure-evidence.ts'
import type { AzureFields } from '../../../../helper/sim/azure-vm.ts'
import type { AzureSnpEvidence } from '../../../../sdk/attest/azure-evidence.ts'
import { verifyAzureSnp } from '../../../../sdk/attest/azure-verify.ts'
import type { Check } from '../../../../sdk/attest/types.ts'
import { bytesToHex, concatBytes, utf8ToBytes } from '../../../../sdk/bytes.ts'
import { refusalOf } from '../../../kit/errors.ts'
import { authorityOf, NOW } from '../../../kit/snp-authority.ts'
import { flipBit, invalid, malformed } from '../kit.ts'
import { snpAnchors, snpVm, verifySnpVm } from './kit.ts'

describe('evidence of an Azure SNP VM', () => {
  it('is accepted with everything that the hardware and the vTPM say', async () => {
    const machine = await snpVm()
    const nonce = utf8ToBytes('a nonce of this request')
    const trace: Check[] = []
    const { claims, checks } = await verifySnpVm(await machine.issue({ nonce }), trace)
    expect(claims).toMatchObject({
      tee: 'az-snp-vtpm',
      evidenceVersion: 2,
      hardware: { tee: 'snp', product: 'Milan', vmpl: 0 },
      vm: { secureBoot: true, tpmEnabled: true, consoleEnabled: true },
      vtpm: { nonce, resetCount: 3, clock: 123_456n },
    })
    expect(claims.vtpm.pcrs).toHaveLength(24)
    expect(bytesToHex(claims.userData.subarray(0, nonce.length))).toBe(bytesToHex(nonce))
    expect(checks).toBe(trace)
    const names = checks.map(({ name }) => name)
    expect(names[0]).toBe('azure.hardware')
    expect(names.filter((name) => name.startsWith('azure.')).slice(1)).toEqual([
      'azure.runtime-data-hash',
      'azure.quote-signature',
      'azure.quote-pcr-selection',
      'azure.quote-pcr-digest',
      'azure.user-data-equals-nonce',
    ])
    expect(names).toContain('snp.report-signature')
  })

  it.each([0, 1] as const)(
    'of version %i need not have a report for this request',
    async (version) => {
      const { claims, checks } = await verifySnpVm(await (await snpVm()).issue({ version }))
      expect(claims.evidenceVersion).toBe(version)
      expect(checks.at(-1)).toMatchObject({
        name: 'azure.user-data-equals-nonce',
        result: 'not-applicable',
      })
    },
  )

  it.each([1, 2] as const)('is accepted with an HCL report of version %i', async (hclVersion) => {
    await verifySnpVm(await (await snpVm()).issue({ hclVersion }))
  })

  it.each([1, 2, 3] as const)('is accepted with hash type %i', async (hashType) => {
    await verifySnpVm(await (await snpVm()).issue({ hashType }))
  })

  it('names the attestation key by the hash of its SPKI', async () => {
    const machine = await snpVm()
    const one = await verifySnpVm(await machine.issue())
    const two = await verifySnpVm(await machine.issue({ nonce: utf8ToBytes('other') }))
    expect(one.claims.vtpm.keySha256).toMatch(/^[0-9a-f]{64}$/)
    expect(two.claims.vtpm.keySha256).toBe(one.claims.vtpm.keySha256)
  })
})

type Refusal = {
  name: string
  fields?: Partial<AzureFields>
  options?: AzureSnpOptions
  change?: (evidence: AzureSnpEvidence) => AzureSnpEvidence | Promise<AzureSnpEvidence>
  expect: unknown
}

const u32 = (at: number, value: number) => ({
  editHcl: (bytes: Uint8Array) => new DataView(bytes.buffer).setUint32(at, value, true),
})
const hcl = (field: string, offset = -1) => malformed(`hcl_report.${field}`, offset)
const quote = (field: string, offset = -1) => malformed(`tpm_quote.${field}`, offset)
const setByte = (at: number, value: number) => ({
  editQuote: (message: Uint8Array) => {
    const copy = Uint8Array.from(message)
    copy[at] = value
    return copy
  },
})
/** Offsets of TPMS_ATTEST with a nonce of five bytes. */
const AT = {
  type: 4,
  signer: 6,
  nonce: 42,
  safe: 65,
  count: 74,
  hash: 78,
  size: 80,
  mask: 81,
  digest: 84,
}
type Members = Record<string, unknown>
/** Replaces members of the runtime data; `undefined` leaves one out. */
const patch = (members: Members | ((data: Members) => Members)) => ({
  editRuntimeData: (text: string) => {
    const data: Members = JSON.parse(text)
    return JSON.stringify({ ...data, ...(typeof members === 'function' ? members(data) : members) })
  },
})
/** Replaces members of the attestation key, or of another key in its list. */
const patchKey = (members: Members, at = 0) =>
  patch(({ keys }) => ({
    keys: Array.isArray(keys)
      ? keys.map((key: Members, index) => (index === at ? { ...key, ...members } : key))
      : keys,
  }))

const refusals: Refusal[] = [
  {
    name: 'runtime data of another VM',
    change: async (evidence) => {
      const other = await (await snpVm()).issue({ secureBoot: false })
      const hclReport = Uint8Array.from(other.hclReport)
      hclReport.set(evidence.hclReport.subarray(0x20, 0x4c0), 0x20)
      return { ...evidence, hclReport }
    },
    expect: invalid('azure.runtime-data-hash'),
  },
  {
    name: 'more than the hash in the report data',
    options: { report: { reportData: new Uint8Array(64).fill(1) } },
    expect: invalid('azure.runtime-data-hash'),
  },
  {
    name: 'a hash of another length than the report has',
    options: u32(0x4cc, 3),
    expect: invalid('azure.runtime-data-hash'),
  },
  {
    name: 'a quote by another key',
    options: { signingKey: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey },
    expect: invalid('azure.quote-signature'),
  },
  {
    name: 'a quote of another machine',
    change: async (evidence) => {
      const { createAzureSnpMachine } = await import('../../../../helper/sim/azure-evidence.ts')
      const other = await createAzureSnpMachine(await authorityOf()).issue()
      return { ...evidence, quote: other.quote }
    },
    expect: invalid('azure.quote-signature'),
  },
  {
    name: 'a quote over fewer registers',
    fields: { selection: [0, 1, 2, 3, 4, 5, 6, 7, 8] },
    expect: invalid('azure.quote-pcr-selection'),
  },
  {
    name: 'a quote over no register',
    fields: { selection: [] },
    expect: invalid('azure.quote-pcr-selection'),
  },
  {
    name: 'registers that were changed',
    change: (evidence) => {
      const pcrs = evidence.quote.pcrs.map((pcr, at) => (at === 4 ? flipBit(pcr, 0) : pcr))
      return { ...evidence, quote: { ...evidence.quote, pcrs } }
    },
    expect: invalid('azure.quote-pcr-digest'),
  },
  {
    name: "two registers in each other's place",
    change: (evidence) => {
      const pcrs = evidence.quote.pcrs.map(
        (pcr, at, all) => all[at === 4 ? 11 : at === 11 ? 4 : at] ?? pcr,
      )
      return { ...evidence, quote: { ...evidence.quote, pcrs } }
    },
    expect: invalid('azure.quote-pcr-digest'),
  },
  {
    name: 'version 2 with a report of the boot',
    fields: { version: 2, userData: new Uint8Array(64) },
    expect: invalid('azure.user-data-equals-nonce'),
  },
  {
    name: 'version 2 with more behind the nonce',
    fields: { version: 2, userData: concatBytes(utf8ToBytes('nonce'), new Uint8Array(59).fill(1)) },
    expect: invalid('azure.user-data-equals-nonce'),
  },
  {
    name: 'version 2 without a nonce',
    fields: { version: 2, nonce: new Uint8Array(), userData: new Uint8Array(64) },
    expect: invalid('azure.user-data-equals-nonce'),
  },
  {
    name: 'a TDX report',
    options: u32(0x4c8, 4),
    change: zeroTail,
    expect: invalid('azure.hardware'),
  },
  { name: 'another report type', options: u32(0x4c8, 3), expect: hcl('report_type', 0x4c8) },
  { name: 'another file', options: u32(0, 0x41414141), expect: hcl('signature', 0) },
  { name: 'HCL version 3', fields: { hclVersion: 3 }, expect: hcl('version', 4) },
  { name: 'another report size', options: u32(0x008, 2600), expect: hcl('report_size', 8) },
  { name: 'another request type', options: u32(0x00c, 1), expect: hcl('request_type', 12) },
  { name: 'a status', options: u32(0x010, 1), expect: hcl('status', 16) },
  { name: 'reserved bytes in the header', options: u32(0x01c, 1), expect: hcl('reserved', 0x14) },
  { name: 'another data size', options: u32(0x4c0, 20), expect: hcl('data_size', 0x4c0) },
  { name: 'another data version', options: u32(0x4c4, 2), expect: hcl('data_version', 0x4c4) },
  { name: 'no hash type', options: u32(0x4cc, 0), expect: hcl('hash_type', 0x4cc) },
  { name: 'hash type 4', options: u32(0x4cc, 4), expect: hcl('hash_type', 0x4cc) },
  { name: 'no runtime data', options: u32(0x4d0, 0), expect: hcl('variable_size', 0x4d0) },
  {
    name: 'runtime data beyond the end',
    options: u32(0x4d0, 0xffffffff),
    expect: hcl('variable_size', 0x4d0),
  },
  {
    name: 'bytes behind the runtime data',
    options: { editHcl: (bytes) => void bytes.set([1], bytes.length - 1) },
    expect: expect.objectContaining({ code: 'EVIDENCE_MALFORMED' }),
  },
  {
    name: 'a header alone',
    change: (e) => ({ ...e, hclReport: e.hclReport.slice(0, 0x20) }),
    expect: hcl('length', 0),
  },
  {
    name: 'an HCL report above its limit',
    change: (e) => ({ ...e, hclReport: new Uint8Array(8193) }),
    expect: { code: 'INPUT_TOO_LARGE', details: { field: 'hcl_report', limit: 8192 } },
  },
  {
    name: 'runtime data that is not JSON',
    options: { editRuntimeData: () => 'keys' },
    expect: hcl('runtime_data'),
  },
  {
    name: 'a key twice in the runtime data',
    options: { editRuntimeData: (text) => text.replace('{', '{"keys":[],') },
    expect: hcl('runtime_data'),
  },
  { name: 'no keys', options: patch({ keys: [] }), expect: hcl('keys') },
  {
    name: 'two attestation keys',
    options: patchKey({ kid: 'HCLAkPub', key_ops: ['sign'] }, 1),
    expect: hcl('keys'),
  },
  {
    name: 'an attestation key to encrypt with',
    options: patchKey({ key_ops: ['encrypt'] }),
    expect: hcl('keys.HCLAkPub'),
  },
  {
    name: 'an attestation key with more uses',
    options: patchKey({ key_ops: ['sign', 'encrypt'] }),
    expect: hcl('keys.HCLAkPub'),
  },
  {
    name: 'an elliptic attestation key',
    options: patchKey({ kty: 'EC' }),
    expect: hcl('keys.HCLAkPub'),
  },
  {
    name: 'an attestation key with exponent 1',
    options: patchKey({ e: 'AQ' }),
    expect: hcl('keys.HCLAkPub'),
  },
  {
    name: 'a short attestation key',
    options: patchKey({ n: 'AQAB' }),
    expect: hcl('keys.HCLAkPub.n'),
  },
  {
    name: 'a modulus with a leading zero',
    options: patchKey({ n: 'A'.repeat(342) }),
    expect: hcl('keys.HCLAkPub.n'),
  },
  {
    name: 'no configuration',
    options: patch({ 'vm-configuration': undefined }),
    expect: hcl('vm-configuration'),
  },
  {
    name: 'secure boot as a text',
    options: patch({ 'vm-configuration': { 'secure-boot': 'true', vmUniqueId: 'x' } }),
    expect: hcl('vm-configuration.secure-boot'),
  },
  {
    name: 'user data of another length',
    options: patch({ 'user-data': '00' }),
    expect: hcl('user-data'),
  },
  {
    name: 'no user data',
    options: patch({ 'user-data': undefined }),
    expect: hcl('user-data'),
  },
  {
    name: 'a signed text that the TPM did not make',
    options: setByte(0, 0),
    expect: quote('magic', 0),
  },
  {
    name: 'a certification instead of a quote',
    options: setByte(5, 0x17),
    expect: quote('type', 4),
  },
  {
    name: 'a key name beyond the end',
    options: setByte(AT.signer + 1, 66),
    expect: expect.objectContaining({ code: 'EVIDENCE_MALFORMED' }),
  },
  {
    name: 'a key name of any length',
    options: setByte(AT.signer, 1),
    expect: quote('qualifiedSigner', 6),
  },
  { name: 'a nonce of any length', options: setByte(AT.nonce, 1), expect: quote('extraData', 42) },
  {
    name: 'a clock that is neither safe nor not',
    options: setByte(AT.safe, 2),
    expect: quote('safe'),
  },
  { name: 'two banks', options: setByte(AT.count + 3, 2), expect: quote('pcrSelect.count') },
  { name: 'the SHA-1 bank', options: setByte(AT.hash + 1, 4), expect: quote('pcrSelect.hash') },
  {
    name: 'more registers than there are',
    options: setByte(AT.size, 4),
    expect: quote('pcrSelect.size'),
  },
  {
    name: 'a digest of another length',
    options: setByte(AT.digest + 1, 31),
    expect: quote('pcrDigest'),
  },
  {
    name: 'bytes behind the quote',
    options: { editQuote: (message) => concatBytes(message, Uint8Array.of(0)) },
    expect: quote('end', 118),
  },
  {
    name: 'an empty quote',
    options: { editQuote: () => new Uint8Array() },
    expect: quote('magic', 0),
  },
  {
    name: 'a quote above its limit',
    options: { editQuote: (message) => concatBytes(message, new Uint8Array(512)) },
    expect: { code: 'INPUT_TOO_LARGE', details: { field: 'tpm_quote.message', limit: 512 } },
  },
  {
    name: 'a VCEK that is no certificate',
    change: (e) => ({ ...e, vcek: new Uint8Array(8) }),
    expect: malformed('leaf'),
  },
  {
    name: 'a chip that masks its key',
    options: { report: { maskChipKey: true } },
    expect: invalid('snp.signer'),
  },
]

function zeroTail(evidence: AzureSnpEvidence): AzureSnpEvidence {
  const hclReport = Uint8Array.from(evidence.hclReport)
  hclReport.fill(0, 0x20 + 1024, 0x4c0)
  return { ...evidence, hclReport }
}

describe('Azure SNP evidence is refused with', () => {
  it.each(refusals)('$name', async (wanted) => {
    const issued = await (await snpVm()).issue(wanted.fields, wanted.options)
    const evidence = (await wanted.change?.(issued)) ?? issued
    const anchors = await snpAnchors()
    const trace: Check[] = []
    const refusal = refusalOf(() => verifyAzureSnp(evidence, anchors, NOW, trace))
    expect(refusal).toEqual(wanted.expect)
    const failed = trace.filter(({ result }) => result === 'failed').map(({ name }) => name)
    const named = typeof refusal === 'object' && refusal.code === 'EVIDENCE_INVALID'
    expect(failed).toEqual(named ? [trace.at(-1)?.name] : [])
  })

  it('a certificate that is not valid yet', async () => {
    const evidence = await (await snpVm()).issue()
    const anchors = await snpAnchors()
    expect(refusalOf(() => verifyAzureSnp(evidence, anchors, NOW - 7 * 86_400))).toEqual(
      invalid('snp.leaf-validity'),
    )
  })

  it('a root that looks alike', async () => {
    const evidence = await (await snpVm()).issue()
    const { anchors } = await authorityOf('Milan', 'VCEK', 'look-alike')
    expect(refusalOf(() => verifyAzureSnp(evidence, anchors, NOW))).toEqual(
      invalid('snp.leaf-signature'),
    )
  })
})
