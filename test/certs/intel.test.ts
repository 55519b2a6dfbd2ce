import { createHash, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { INTEL_ROOTS } from '../../certs/intel.ts'
import { sharedVectors } from '../kit/shared-vectors.ts'

it('embeds exactly one Intel root', () => {
  expect(INTEL_ROOTS).toHaveLength(1)
})

describe.each(INTEL_ROOTS)('the root $sha256', (entry) => {
  const certificate = new X509Certificate(entry.pem)

  it('has the pinned fingerprint', () => {
    const digest = createHash('sha256').update(new Uint8Array(certificate.raw)).digest('hex')
    expect(digest).toBe(entry.sha256)
  })

  it('is the same text as its .pem file', () => {
    const file = new URL('../../certs/intel/sgx-root-ca.pem', import.meta.url)
    expect(readFileSync(file, 'utf8')).toBe(entry.pem)
  })

  it('states its own dates and name', () => {
    const iso = (text: string) => new Date(text).toISOString().replace('.000Z', 'Z')
    expect(iso(certificate.validFrom)).toBe(entry.notBefore)
    expect(iso(certificate.validTo)).toBe(entry.notAfter)
    expect(certificate.subject.split('\n')).toContain('CN=Intel SGX Root CA')
    expect(certificate.ca).toBe(true)
  })

  it('signs itself', () => {
    expect(certificate.verify(certificate.publicKey)).toBe(true)
    expect(certificate.subject).toBe(certificate.issuer)
  })
})

const evidence = sharedVectors('evidence')
it.skipIf(evidence === undefined)('agrees with an independently collected root', () => {
  const der = readFileSync(join(evidence ?? '', 'tdx/roots/intel_sgx_root_ca.der'))
  const digest = createHash('sha256').update(new Uint8Array(der)).digest('hex')
  expect(digest).toBe(INTEL_ROOTS[0]?.sha256)
})
