import { createHash, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { AMD_CERTIFICATES } from '../../certs/amd.ts'
import { sharedVectors } from '../kit/shared-vectors.ts'

const products = ['Milan', 'Genoa', 'Turin'] as const
const roles = ['ark', 'ask', 'asvk'] as const
const all = products.flatMap((product) => roles.map((role) => ({ product, role })))

describe.each(all)('$role of $product', ({ product, role }) => {
  const entry = AMD_CERTIFICATES[product][role]
  const certificate = new X509Certificate(entry.pem)

  it('has the pinned fingerprint', () => {
    const digest = createHash('sha256').update(new Uint8Array(certificate.raw)).digest('hex')
    expect(digest).toBe(entry.sha256)
  })

  it('is the same text as its .pem file', () => {
    const file = `../../certs/amd/${role}-${product.toLowerCase()}.pem`
    expect(readFileSync(new URL(file, import.meta.url), 'utf8')).toBe(entry.pem)
  })

  it('states its own dates and name', () => {
    const name = { ark: 'ARK-', ask: 'SEV-', asvk: 'SEV-VLEK-' }[role]
    expect(new Date(certificate.validFrom).toISOString()).toBe(
      entry.notBefore.replace('Z', '.000Z'),
    )
    expect(new Date(certificate.validTo).toISOString()).toBe(entry.notAfter.replace('Z', '.000Z'))
    expect(certificate.subject.split('\n')).toContain(`CN=${name}${product}`)
    expect(certificate.ca).toBe(true)
  })

  it('is signed by the ARK of its product and by no other', () => {
    for (const other of products) {
      const ark = new X509Certificate(AMD_CERTIFICATES[other].ark.pem)
      expect(certificate.verify(ark.publicKey)).toBe(other === product)
    }
  })
})

it('does not contain the revoked first ASK of Genoa', () => {
  const serials = all.map(
    ({ product, role }) => new X509Certificate(AMD_CERTIFICATES[product][role].pem).serialNumber,
  )
  expect(serials).not.toContain('020001')
  expect(new Set(serials).size).toBe(9)
})

const evidence = sharedVectors('evidence')
it.skipIf(evidence === undefined)('agrees with independently collected roots', () => {
  const rows = readFileSync(join(evidence ?? '', 'snp/roots/ROOTS.tsv'), 'utf8')
    .trim()
    .split('\n')
  const [header = '', ...lines] = rows
  const column = header.split('\t').indexOf('sha256_cert_der')
  const pinned = all.map(({ product, role }) => AMD_CERTIFICATES[product][role].sha256)
  expect(lines.map((line) => line.split('\t')[column]).sort()).toEqual(pinned.sort())
})
