import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse as parseYaml } from 'yaml'
import { AMD_ANCHORS } from '../../../../sdk/attest/anchors.ts'
import { azureNonce, bindAzureInitdata } from '../../../../sdk/attest/azure-binding.ts'
import {
  type AzureTdxEvidence,
  parseAzureSnpEvidence,
  parseAzureTdxEvidence,
} from '../../../../sdk/attest/azure-evidence.ts'
import {
  hclReportData,
  parseHclReport,
  parseHclRuntimeData,
} from '../../../../sdk/attest/azure-hcl.ts'
import { appraiseAzure, DEFAULT_AZURE_POLICY } from '../../../../sdk/attest/azure-policy.ts'
import { verifyAzureSnp, verifyAzureTdx } from '../../../../sdk/attest/azure-verify.ts'
import { parseTdxCollateral } from '../../../../sdk/attest/collateral-bundle.ts'
import { appraiseSnp, DEFAULT_SNP_POLICY } from '../../../../sdk/attest/snp-policy.ts'
import { INTEL_ANCHORS } from '../../../../sdk/attest/tdx-anchors.ts'
import { bytesToHex, parseAnyBase64, utf8ToBytes } from '../../../../sdk/bytes.ts'
import { refusalOf } from '../../../kit/errors.ts'
import { survivingFlips } from '../flips.ts'
import { genuineFolder } from '../genuine.ts'
import { flipBit, invalid } from '../kit.ts'
import {
  AZURE_SNP_SAMPLES,
  AZURE_TIME,
  azureFolder,
  readAzureBytes,
  readAzureText,
} from './genuine.ts'

describe.skipIf(genuineFolder === undefined)('genuine Azure SNP evidence', () => {
  it.each(AZURE_SNP_SAMPLES)('%s is accepted', (name, product, reportVersion, nonce) => {
    const { claims } = verifyAzureSnp(
      parseAzureSnpEvidence(readAzureText(name)),
      AMD_ANCHORS,
      AZURE_TIME,
    )
    expect(claims).toMatchObject({
      hardware: { product, reportVersion, vmpl: 0 },
      vm: { secureBoot: true, tpmEnabled: true },
    })
    if (nonce !== undefined)
      expect(bytesToHex(claims.vtpm.nonce)).toBe(bytesToHex(utf8ToBytes(nonce)))
    expect(refusalOf(() => appraiseAzure(claims, DEFAULT_AZURE_POLICY))).toBe('accepted')
    const policy = { ...DEFAULT_SNP_POLICY, minimumReportVersion: 2 }
    expect(refusalOf(() => appraiseSnp(claims.hardware, policy))).toBe('accepted')
  })

  it('has a zero register 8 where no initdata was bound, and another where one was', () => {
    for (const [name, product] of AZURE_SNP_SAMPLES) {
      const { claims } = verifyAzureSnp(
        parseAzureSnpEvidence(readAzureText(name)),
        AMD_ANCHORS,
        AZURE_TIME,
      )
      const initdata = { algorithm: 'sha256', digest: new Uint8Array(32) }
      const outcome = refusalOf(() => bindAzureInitdata(claims, initdata, DEFAULT_AZURE_POLICY))
      expect(outcome).toEqual(
        product === 'Genoa'
          ? { code: 'INITDATA_MISMATCH', details: { anchor: 'pcr8' } }
          : 'accepted',
      )
    }
  })

  it('took nonces as long as ours', () => {
    const [genoa] = AZURE_SNP_SAMPLES
    const { claims } = verifyAzureSnp(
      parseAzureSnpEvidence(readAzureText(genoa[0])),
      AMD_ANCHORS,
      AZURE_TIME,
    )
    expect(claims.vtpm.nonce.length).toBeGreaterThan(azureNonce(new Uint8Array(64)).length)
  })

  it('is refused with the quote or the report of another VM', () => {
    const all = AZURE_SNP_SAMPLES.map(([name]) => {
      const evidence = parseAzureSnpEvidence(readAzureText(name))
      const { claims } = verifyAzureSnp(evidence, AMD_ANCHORS, AZURE_TIME)
      return { evidence, key: claims.vtpm.keySha256 }
    })
    let pairs = 0
    for (const one of all)
      for (const other of all.filter(({ key }) => key !== one.key)) {
        pairs++
        const { quote, hclReport } = other.evidence
        const verify = (changes: object) =>
          refusalOf(() => verifyAzureSnp({ ...one.evidence, ...changes }, AMD_ANCHORS, AZURE_TIME))
        expect(verify({ quote })).toEqual(invalid('azure.quote-signature'))
        expect(verify({ hclReport })).toMatchObject({ code: 'EVIDENCE_INVALID' })
      }
    expect(pairs).toBe(28)
  })

  it('is refused with any bit of quote, signature or runtime data flipped', () => {
    const evidence = parseAzureSnpEvidence(readAzureText('az-snp-evidence-v1-trustee.json'))
    const { quote, hclReport } = evidence
    const verify = (changes: object) =>
      verifyAzureSnp({ ...evidence, ...changes }, AMD_ANCHORS, AZURE_TIME)
    const inQuote = (changes: object) => verify({ quote: { ...quote, ...changes } })
    expect(survivingFlips(quote.message, (message) => inQuote({ message }))).toEqual([])
    expect(survivingFlips(quote.signature, (signature) => inQuote({ signature }), 3)).toEqual([])
    expect(survivingFlips(hclReport, (bytes) => verify({ hclReport: bytes }), 13)).toEqual([])
  })

  it('of the quote alone is not evidence', () => {
    const text = readAzureText('az-snp-tpm-quote-v1-trustee.json')
    expect(refusalOf(() => parseAzureSnpEvidence(text))).toMatchObject({
      code: 'EVIDENCE_MALFORMED',
    })
  })

  it.each(['hcl-report-snp-trustee.bin', 'hcl-report-tdx-trustee.bin'])(
    '%s vouches for its runtime data',
    (name) => {
      const hcl = parseHclReport(readAzureBytes(name))
      const at = hcl.tee === 'snp' ? 0x50 : 128
      expect(bytesToHex(hcl.hardware.subarray(at, at + 64))).toBe(bytesToHex(hclReportData(hcl)))
      expect(parseHclRuntimeData(hcl.runtimeData).vm.tpmEnabled).toBe(true)
    },
  )

  it('comes with certificates of the pinned authorities', () => {
    const [milan] = AMD_ANCHORS.get('Milan') ?? []
    expect(bytesToHex(readAzureBytes('imds-chain-0.der'))).toBe(
      bytesToHex(milan?.ask ?? new Uint8Array()),
    )
    expect(bytesToHex(readAzureBytes('imds-chain-1.der'))).toBe(
      bytesToHex(milan?.ark ?? new Uint8Array()),
    )
  })
})

const readCollateral = (name: string) =>
  parseTdxCollateral(
    readFileSync(join(azureFolder, '..', 'tdx', 'bundles', `${name}.json`), 'utf8'),
  )

describe.skipIf(genuineFolder === undefined)('genuine Azure TDX evidence', () => {
  it.each([
    'az-tdx-evidence-v0-trustee.json',
    'az-tdx-evidence-v1-cdai.json',
    'az-tdx-evidence-v1-trustee.json',
  ])('%s is accepted, on a platform that is out of date', (name) => {
    const evidence = {
      ...parseAzureTdxEvidence(readAzureText(name)),
      collateral: readCollateral('202503-00806f'),
    }
    const at = Date.parse('2025-03-19T12:01:49Z') / 1000
    const { claims } = verifyAzureTdx(evidence, INTEL_ANCHORS, at)
    expect(claims).toMatchObject({
      hardware: {
        tee: 'tdx',
        fmspc: '00806f050000',
        tcb: { status: 'OutOfDate' },
        tdAttributes: 0n,
      },
      vm: { secureBoot: true },
    })
    expect(new TextDecoder().decode(claims.vtpm.nonce)).toBe('challenge')
  })

  it('of June 2026 is accepted, on a platform that is up to date', () => {
    const { evidence } = readFlashbots()
    const at = Date.parse('2026-06-23T11:56:35Z') / 1000
    const withCollateral = { ...evidence, collateral: readCollateral('202606-90c06f') }
    const { claims } = verifyAzureTdx(withCollateral, INTEL_ANCHORS, at)
    expect(claims.hardware.tcb.status).toBe('UpToDate')
    expect(claims.vm.tpmEnabled).toBe(true)
    const pcrs = evidence.quote.pcrs.map((pcr, index) => (index === 4 ? flipBit(pcr, 0) : pcr))
    const changed = { ...withCollateral, quote: { ...evidence.quote, pcrs } }
    expect(refusalOf(() => verifyAzureTdx(changed, INTEL_ANCHORS, at))).toEqual(
      invalid('azure.quote-pcr-digest'),
    )
  })

  it('names an attestation key that Microsoft certified as well, where the certificate came along', () => {
    const { evidence, keyCertificate, intermediates } = readFlashbots()
    const { attestationKey } = parseHclRuntimeData(parseHclReport(evidence.hclReport).runtimeData)
    const root = new X509Certificate(readAzureBytes('azure-virtual-tpm-root-2023.pem'))
    const chain = [keyCertificate, ...intermediates].map((pem) => new X509Certificate(pem))
    const [leaf] = chain
    expect(leaf?.publicKey.equals(attestationKey)).toBe(true)
    let issued = leaf
    for (let depth = 0; depth < chain.length; depth++)
      issued = [...chain, root].find(
        (issuer) => issued?.checkIssued(issuer) && issued.verify(issuer.publicKey),
      )
    expect(issued?.fingerprint256).toBe(root.fingerprint256)
  })
})

/** Not the agent's form: read by hand, verified by the same code. */
function readFlashbots() {
  const text = readFileSync(
    join(azureFolder, 'fb-azure-tdx-with-ak-intermediates-1780922561.yaml'),
    'utf8',
  )
  const document: {
    tdx_quote_base64: string
    hcl_report_base64: string
    tpm_attestation: {
      ak_certificate_pem: string
      ak_intermediate_certificates_pem: string[]
      quote: { signature: number[]; message: number[]; pcrs: number[][] }
    }
  } = parseYaml(text)
  const tpm = document.tpm_attestation
  const { signature, message, pcrs } = tpm.quote
  const decode = (value: string) => parseAnyBase64(value) ?? new Uint8Array()
  const evidence: AzureTdxEvidence = {
    version: 1,
    tdQuote: decode(document.tdx_quote_base64),
    hclReport: decode(document.hcl_report_base64),
    quote: {
      signature: Uint8Array.from(signature),
      message: Uint8Array.from(message),
      pcrs: pcrs.map((pcr) => Uint8Array.from(pcr)),
    },
  }
  return {
    evidence,
    keyCertificate: tpm.ak_certificate_pem,
    intermediates: tpm.ak_intermediate_certificates_pem,
  }
}
