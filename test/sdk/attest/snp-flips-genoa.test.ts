import { describe, it } from 'vitest'
import { authorityOf, NOW } from '../../kit/snp-authority.ts'
import { expectCertificateFlipsRefused, expectReportFlipsRefused } from './flips.ts'
import { issue } from './kit.ts'

describe('Genoa VCEK, report version 2: every single bit counts', () => {
  it('of the report', async () => {
    const authority = await authorityOf('Genoa', 'VCEK')
    const { evidence } = await issue({ version: 2 }, {}, authority)
    expectReportFlipsRefused(evidence, authority.anchors, NOW)
  })

  it('of the certificate', async () => {
    const authority = await authorityOf('Genoa', 'VCEK')
    const { evidence } = await issue({ version: 2 }, {}, authority)
    expectCertificateFlipsRefused(evidence, authority.anchors, NOW)
  })
})
