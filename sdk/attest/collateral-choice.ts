/**
 * Several bundles of collateral, and the one for a platform: verified when it is opened, newest first, never one that has run out.
 * @module
 */
import { parseTdxCollateral, type TdxCollateral } from './collateral-bundle.ts'
import { verifyCollateral } from './collateral-verify.ts'
import type { CrlMemory } from './crl-memory.ts'
import type { TdxTrustAnchors } from './tdx-anchors.ts'

/** A kind of platform, lower-case hex. */
export type TdxPlatform = { fmspc: string; pceId: string }

export type OpenedCollateral = TdxPlatform & {
  collateral: TdxCollateral
  evaluationNumber: number
  /** Unix seconds. */
  issuedAt: number
  expiresAt: number
}

/**
 * @param text - JSON, as `collateral-bundle.ts` describes it.
 * @throws EVIDENCE_MALFORMED, INPUT_TOO_LARGE; EVIDENCE_INVALID when it is not of the pinned root, out of date or revoked.
 */
export function openCollateral(
  text: string,
  anchors: TdxTrustAnchors,
  nowSeconds: number,
  crls?: CrlMemory,
): OpenedCollateral {
  const collateral = parseTdxCollateral(text)
  const { tcbInfo, expires } = verifyCollateral(collateral, anchors, nowSeconds, [], crls)
  return {
    collateral,
    fmspc: tcbInfo.fmspc,
    pceId: tcbInfo.pceId,
    evaluationNumber: tcbInfo.evaluationNumber,
    issuedAt: tcbInfo.issueDate,
    expiresAt: expires,
  }
}

export function newestCollateral(
  bundles: readonly OpenedCollateral[],
  { fmspc, pceId }: TdxPlatform,
  nowSeconds: number,
): TdxCollateral | undefined {
  return bundles
    .filter((bundle) => bundle.fmspc === fmspc && bundle.pceId === pceId)
    .filter(({ expiresAt }) => expiresAt > nowSeconds)
    .sort(newestFirst)[0]?.collateral
}

export function newestFirst(a: OpenedCollateral, b: OpenedCollateral): number {
  return b.evaluationNumber - a.evaluationNumber || b.issuedAt - a.issuedAt
}
