import { describe, it } from 'vitest'
import { authorityOf, NOW } from '../../kit/snp-authority.ts'
import { expectCertificateFlipsRefused, expectReportFlipsRefused } from './flips.ts'
import { issue } from './kit.ts'

describe('Turin VCEK, report version 5: every single bit counts', () => {
  it('of the report', async () => {
    const authority = await authorityOf('Turin', 'VCEK')
    const { evidence } = await issue({ version: 5 }, {}, authority)
    expectReportFlipsRefused(evidence, authority.anchors, NOW)
  })

  it('of the certificate', async () => {
    const authority = await authorityOf('Turin', 'VCEK')
    const { evidence } = await issue({ version: 5 }, {}, authority)
    expectCertificateFlipsRefused(evidence, authority.anchors, NOW)
  })
})
