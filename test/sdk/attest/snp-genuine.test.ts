import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseAaSnpEvidence } from '../../../sdk/attest/aa-snp.ts'
import { AMD_ANCHORS } from '../../../sdk/attest/anchors.ts'
import { appraiseSnp, DEFAULT_SNP_POLICY, type SnpPolicy } from '../../../sdk/attest/snp-policy.ts'
import { parseSnpReport } from '../../../sdk/attest/snp-report.ts'
import { describeTcb, type SnpEvidence, verifySnp } from '../../../sdk/attest/snp-verify.ts'
import { bytesToHex } from '../../../sdk/bytes.ts'
import { refusalOf } from '../../kit/errors.ts'
import { genuineFolder, readGenuine, readVerifying, refusingCheck } from './genuine.ts'

const anyVersion: SnpPolicy = { ...DEFAULT_SNP_POLICY, minimumReportVersion: 2 }
const folder = join(genuineFolder ?? '', 'snp')
const readCertificate = (name: string) => new Uint8Array(readFileSync(join(folder, 'certs', name)))
const firstOf = (file: string) => {
  const found = readGenuine().find(({ row }) => row.file === file)
  if (found === undefined) throw new Error(`no ${file}`)
  return found
}

describe.skipIf(genuineFolder === undefined)('genuine reports', () => {
  it('are there', () => {
    expect(readGenuine().length).toBeGreaterThanOrEqual(17)
  })

  it.each(readGenuine())('$name gets the verdict of the table', (genuine) => {
    const { row, evidence, now } = genuine
    const refusal = refusalOf(() => verifySnp(evidence, AMD_ANCHORS, now))
    const check = refusingCheck(genuine)
    if (check !== undefined) return expect(refusal).toMatchObject({ details: { check } })
    const { claims } = verifySnp(evidence, AMD_ANCHORS, now)
    expect({
      version: String(claims.reportVersion),
      signer: claims.signer,
      policy: `0x${claims.policy.raw.toString(16)}`,
      vmpl: String(claims.vmpl),
      platformInfo: `0x${claims.platformInfo.toString(16)}`,
      reported: describeTcb(claims.tcb.reported),
      current: describeTcb(claims.tcb.current),
      committed: describeTcb(claims.tcb.committed),
      launch: describeTcb(claims.tcb.launch),
      chip: bytesToHex(claims.chipId.subarray(0, 8)),
      csp: claims.cspId ?? '-',
      product: row.prod === '-' ? '-' : claims.product,
      guestSvn: String(claims.guestSvn),
    }).toEqual({
      version: row.v,
      signer: row.key,
      policy: row.policy,
      vmpl: row.vmpl,
      platformInfo: row.plat,
      reported: row.rep,
      current: row.cur,
      committed: row.com,
      launch: row.lau,
      chip: row.chip,
      csp: row.csp,
      product: row.prod,
      guestSvn: row.gsvn,
    })
  })

  it.each(readVerifying())('$name is allowed unless it is the debug or VMPL 1 one', (genuine) => {
    const { claims } = verifySnp(genuine.evidence, AMD_ANCHORS, genuine.now)
    const expected = (genuine.row.file ?? '').includes('debug')
      ? { code: 'EVIDENCE_NOT_ALLOWED', details: { check: 'snp.policy.debug' } }
      : genuine.row.vmpl === '0'
        ? 'accepted'
        : { code: 'EVIDENCE_NOT_ALLOWED', details: { check: 'snp.policy.vmpl' } }
    expect(refusalOf(() => appraiseSnp(claims, anyVersion))).toEqual(expected)
  })

  it('expire with their certificate', () => {
    for (const { row, evidence, now } of readGenuine().filter(({ row }) => row.sig === 'true')) {
      if (row.na === undefined || row.na === '') continue
      const end = Date.parse(row.na) / 1000
      expect(end).toBeGreaterThan(now)
      expect(refusalOf(() => verifySnp(evidence, AMD_ANCHORS, end))).toBe('accepted')
      expect(refusalOf(() => verifySnp(evidence, AMD_ANCHORS, end + 1))).toMatchObject({
        details: { check: 'snp.leaf-validity' },
      })
    }
  })

  it('are refused with the certificate of any other report', () => {
    const all = readVerifying()
    for (const one of all)
      for (const other of all.filter((entry) => entry !== one)) {
        const evidence: SnpEvidence = { ...one.evidence, certificates: other.evidence.certificates }
        expect(typeof refusalOf(() => verifySnp(evidence, AMD_ANCHORS, other.now))).toBe('object')
      }
  })

  it.each(['invalid-vcek-legacy-trustee.der', 'invalid-vcek-new-trustee.der'])(
    'are refused with %s, which AMD did not sign',
    (name) => {
      const { evidence, now } = firstOf('reports/v3-milan-vcek-azure-msft.bin')
      const forged = { ...evidence, certificates: [readCertificate(name)] }
      expect(refusalOf(() => verifySnp(forged, AMD_ANCHORS, now))).toMatchObject({
        code: 'EVIDENCE_INVALID',
        details: { check: 'snp.leaf-signature' },
      })
    },
  )

  it('of another VMPL without a certificate still parse', () => {
    const { evidence } = firstOf('reports/v2-vmpl2-cocos-nocert.bin')
    expect(parseSnpReport(evidence.report)).toMatchObject({ version: 2, vmpl: 2 })
  })
})

describe.skipIf(genuineFolder === undefined)("genuine evidence in the agent's JSON", () => {
  const read = (name: string) => readFileSync(join(folder, 'evidence', name), 'utf8')
  const now = Date.UTC(2026, 6, 1) / 1000

  it.each([
    ['aa-snp-sev1to5-v2-milan-trustee-4f64ec73.json', 'v2-milan-vcek-azure-trustee.bin', now],
    ['aa-snp-sev6-v3-genoa-trustee.json', undefined, now],
    ['derived-sev63-v3-milan-vlek-aws.json', 'v3-milan-vlek-aws-trustee.bin', 1_740_000_000],
    ['derived-sev63-v5-genoa-vcek-gcp.json', 'v5-genoa-vcek-gcp-oak.bin', now],
    ['derived-sev63-v5-turin-vcek-azure.json', 'v5-turin-vcek-azure-msft.bin', now],
  ] as const)('%s becomes the signed bytes again', (name, report, at) => {
    const evidence = parseAaSnpEvidence(read(name))
    expect(refusalOf(() => verifySnp(evidence, AMD_ANCHORS, at))).toBe('accepted')
    if (report !== undefined)
      expect(bytesToHex(evidence.report)).toBe(
        readFileSync(join(folder, 'reports', report)).toString('hex'),
      )
  })

  it('without a certificate chain becomes a report that needs one', () => {
    const evidence = parseAaSnpEvidence(read('derived-sev63-v3-milan-vcek-dstack-nochain.json'))
    const certificates = [readCertificate('v3-milan-vcek-dstack.der')]
    expect(refusalOf(() => verifySnp(evidence, AMD_ANCHORS, now))).toMatchObject({
      details: { check: 'snp.one-leaf' },
    })
    expect(refusalOf(() => verifySnp({ ...evidence, certificates }, AMD_ANCHORS, now))).toBe(
      'accepted',
    )
  })

  it('in a form of another project is refused', () => {
    const parse = () => parseAaSnpEvidence(read('cdai-own-format-v5-genoa.json'))
    expect(refusalOf(parse)).toMatchObject({ code: 'EVIDENCE_MALFORMED' })
  })
})
