import { describe, expect, it } from 'vitest'
import type { SignedText, TdxCollateral } from '../../../../sdk/attest/collateral-bundle.ts'
import { verifyCollateral } from '../../../../sdk/attest/collateral-verify.ts'
import { utf8ToBytes } from '../../../../sdk/bytes.ts'
import { refusalOf } from '../../../kit/errors.ts'
import { flipBit } from '../kit.ts'
import { NOW, tdxAuthority } from './kit.ts'

describe('every single bit of the signed collateral counts', () => {
  const parts: [
    string,
    (collateral: TdxCollateral, bit: number) => TdxCollateral,
    (c: TdxCollateral) => number,
  ][] = [
    [
      'the TCB info',
      (c, bit) => ({ ...c, tcbInfo: flipText(c.tcbInfo, bit) }),
      (c) => c.tcbInfo.text.length,
    ],
    [
      'the QE identity',
      (c, bit) => ({ ...c, qeIdentity: flipText(c.qeIdentity, bit) }),
      (c) => c.qeIdentity.text.length,
    ],
    [
      'its signature',
      (c, bit) => ({
        ...c,
        tcbInfo: { ...c.tcbInfo, signature: flipBit(c.tcbInfo.signature, bit) },
      }),
      () => 64,
    ],
    [
      'its signer',
      (c, bit) => ({
        ...c,
        tcbInfo: { ...c.tcbInfo, issuerChain: flipFirst(c.tcbInfo.issuerChain, bit) },
      }),
      (c) => c.tcbInfo.issuerChain[0]?.length ?? 0,
    ],
    [
      'the list of the root',
      (c, bit) => ({ ...c, rootCrl: flipBit(c.rootCrl, bit) }),
      (c) => c.rootCrl.length,
    ],
    [
      'the list of the Platform CA',
      (c, bit) => ({ ...c, pckCrl: flipBit(c.pckCrl, bit) }),
      (c) => c.pckCrl.length,
    ],
    [
      'the issuer of the list',
      (c, bit) => ({ ...c, pckCrlIssuerChain: flipFirst(c.pckCrlIssuerChain, bit) }),
      (c) => c.pckCrlIssuerChain[0]?.length ?? 0,
    ],
  ]

  const quarters = parts.flatMap(([name, change, length]) =>
    [0, 1, 2, 3].map((quarter) => ({ name, change, length, quarter })),
  )

  it.each(quarters)('of $name, quarter $quarter', async ({ change, length, quarter }) => {
    const authority = await tdxAuthority()
    const { collateral } = await authority.issue({ pckCrl: () => ({ revoked: ['0102'] }) })
    verifyCollateral(collateral, authority.anchors, NOW)
    const survivors: number[] = []
    const part = 2 * length(collateral)
    for (let bit = quarter * part; bit < (quarter + 1) * part; bit++) {
      const refusal = refusalOf(() =>
        verifyCollateral(change(collateral, bit), authority.anchors, NOW),
      )
      if (typeof refusal === 'string') survivors.push(bit)
    }
    expect(survivors).toEqual([])
  })
})

/** The upper half of a byte would not be a character: its flip is another character. */
function flipText(document: SignedText, bit: number): SignedText {
  const text = String.fromCharCode(...flipBit(utf8ToBytes(document.text), bit))
  return { ...document, text }
}

function flipFirst([first, ...rest]: readonly Uint8Array[], bit: number): Uint8Array[] {
  return [flipBit(first ?? new Uint8Array(), bit), ...rest]
}
