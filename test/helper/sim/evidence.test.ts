import { X509Certificate } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createSnpAuthority, importAuthority } from '../../../helper/sim/evidence.ts'
import { AMD_ANCHORS } from '../../../sdk/attest/anchors.ts'
import { verifySnp } from '../../../sdk/attest/snp-verify.ts'
import { refusalOf } from '../../kit/errors.ts'
import { authorityOf, NOW } from '../../kit/snp-authority.ts'

describe('a simulated authority', () => {
  it('made in this process is trusted by its own anchors and never by AMD’s', async () => {
    const authority = await createSnpAuthority({ product: 'Genoa', kind: 'VLEK', now: NOW })
    const evidence = await authority.issue({ vmpl: 1 })
    expect(verifySnp(evidence, authority.anchors, NOW).claims.vmpl).toBe(1)
    expect(refusalOf(() => verifySnp(evidence, AMD_ANCHORS, NOW))).toMatchObject({
      code: 'EVIDENCE_INVALID',
      details: { check: 'snp.leaf-signature' },
    })
  })

  it('of another key set has the same names and other keys', async () => {
    const one = (await authorityOf('Milan', 'VCEK', 'default')).certificates.ark
    const other = (await authorityOf('Milan', 'VCEK', 'look-alike')).certificates.ark
    const [a, b] = [new X509Certificate(one), new X509Certificate(other)]
    expect(a.subject).toBe(b.subject)
    expect(a.publicKey.equals(b.publicKey)).toBe(false)
    expect(a.verify(b.publicKey)).toBe(false)
  })

  it('moved to another process issues under the same anchors', async () => {
    const authority = await authorityOf('Turin')
    const moved = await importAuthority(await authority.exportAuthority())
    expect(moved.anchors).toEqual(authority.anchors)
    const evidence = await moved.issue({ guestSvn: 7 })
    expect(verifySnp(evidence, authority.anchors, NOW).claims.guestSvn).toBe(7)
  })

  it.each(['', '{}', 'null', '{"keys":{},"certificates":{}}'])(
    'is not read from %s',
    async (text) => {
      await expect(importAuthority(text)).rejects.toThrow()
    },
  )

  it('gives the same certificate to reports of one TCB and chip', async () => {
    const authority = await authorityOf()
    const [one, two] = await Promise.all([authority.issue(), authority.issue({ guestSvn: 1 })])
    expect(one.certificates).toEqual(two.certificates)
    const tcb = { bootloader: 1, tee: 0, snp: 1, microcode: 1 }
    const other = await authority.issue({
      reportedTcb: tcb,
    })
    expect(other.certificates).not.toEqual(one.certificates)
  })
})
