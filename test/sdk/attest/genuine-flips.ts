/**
 * The genuine reports, flipped bit by bit, in several files so that they run side by side.
 * @module
 */
import { describe, it } from 'vitest'
import { AMD_ANCHORS } from '../../../sdk/attest/anchors.ts'
import { expectCertificateFlipsRefused, expectReportFlipsRefused } from './flips.ts'
import { genuineFolder, readVerifying } from './genuine.ts'

export function describeGenuineFlips({ part, parts }: { part: number; parts: number }): void {
  const mine = readVerifying().filter((_, index) => index % parts === part)

  describe.skipIf(genuineFolder === undefined)('every single bit counts', () => {
    it.each(mine)('of the report $row.file', ({ evidence, now }) => {
      expectReportFlipsRefused(evidence, AMD_ANCHORS, now)
    })

    it.each(mine)('of the certificate $row.cert', ({ evidence, now }) => {
      expectCertificateFlipsRefused(evidence, AMD_ANCHORS, now)
    })
  })
}
