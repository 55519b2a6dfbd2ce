/**
 * The parts of a collateral bundle that a signature covers, each with a bit of it flipped.
 * @module
 */
import type { SignedText, TdxCollateral } from '../../../../sdk/attest/collateral-bundle.ts'
import { utf8ToBytes } from '../../../../sdk/bytes.ts'
import { flipBit } from '../kit.ts'

export type CollateralPart = {
  name: string
  flip: (collateral: TdxCollateral, bit: number) => TdxCollateral
  /** Bytes. */
  length: (collateral: TdxCollateral) => number
}

export const COLLATERAL_PARTS: readonly CollateralPart[] = [
  {
    name: 'the TCB info',
    flip: (c, bit) => ({ ...c, tcbInfo: flipText(c.tcbInfo, bit) }),
    length: (c) => c.tcbInfo.text.length,
  },
  {
    name: 'the QE identity',
    flip: (c, bit) => ({ ...c, qeIdentity: flipText(c.qeIdentity, bit) }),
    length: (c) => c.qeIdentity.text.length,
  },
  {
    name: 'its signature',
    flip: (c, bit) => ({
      ...c,
      tcbInfo: { ...c.tcbInfo, signature: flipBit(c.tcbInfo.signature, bit) },
    }),
    length: () => 64,
  },
  {
    name: 'its signer',
    flip: (c, bit) => ({
      ...c,
      tcbInfo: { ...c.tcbInfo, issuerChain: flipFirst(c.tcbInfo.issuerChain, bit) },
    }),
    length: (c) => c.tcbInfo.issuerChain[0]?.length ?? 0,
  },
  {
    name: 'the list of the root',
    flip: (c, bit) => ({ ...c, rootCrl: flipBit(c.rootCrl, bit) }),
    length: (c) => c.rootCrl.length,
  },
  {
    name: 'the list of the Platform CA',
    flip: (c, bit) => ({ ...c, pckCrl: flipBit(c.pckCrl, bit) }),
    length: (c) => c.pckCrl.length,
  },
  {
    name: 'the issuer of the list',
    flip: (c, bit) => ({ ...c, pckCrlIssuerChain: flipFirst(c.pckCrlIssuerChain, bit) }),
    length: (c) => c.pckCrlIssuerChain[0]?.length ?? 0,
  },
]

/** The upper half of a byte would not be a character: its flip is another character. */
function flipText(document: SignedText, bit: number): SignedText {
  const text = String.fromCharCode(...flipBit(utf8ToBytes(document.text), bit))
  return { ...document, text }
}

function flipFirst([first, ...rest]: readonly Uint8Array[], bit: number): Uint8Array[] {
  return [flipBit(first ?? new Uint8Array(), bit), ...rest]
}
