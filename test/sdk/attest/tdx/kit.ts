/**
 * What the tests of TDX evidence share: an authority, honest evidence, and a table of things that are wrong.
 * @module
 */
import { describe, expect, it } from 'vitest'
import {
  createTdxAuthority,
  type IssuedTdxEvidence,
  type TdxAuthority,
  type TdxIssueOptions,
} from '../../../../helper/sim/tdx-evidence.ts'
import type { TdxTrustAnchors } from '../../../../sdk/attest/tdx-anchors.ts'
import { type TdxEvidence, verifyTdx } from '../../../../sdk/attest/tdx-verify.ts'
import type { Check, TdxClaims } from '../../../../sdk/attest/types.ts'
import { refusalOf } from '../../../kit/errors.ts'

/** 2026-06-01T00:00:00Z */
export const NOW = 1_780_272_000
export const DAY = 24 * 3600

const authorities = new Map<string, Promise<TdxAuthority>>()

/** @param name - Another name gives an authority with the same certificate names and other keys. */
export function tdxAuthority(name = 'default'): Promise<TdxAuthority> {
  const made = authorities.get(name) ?? createTdxAuthority({ now: NOW })
  authorities.set(name, made)
  return made
}

export async function issueTdx(options: TdxIssueOptions = {}): Promise<IssuedTdxEvidence> {
  return (await tdxAuthority()).issue(options)
}

export async function claimsOf(options: TdxIssueOptions = {}): Promise<TdxClaims> {
  const { anchors } = await tdxAuthority()
  return verifyTdx(await issueTdx(options), anchors, NOW).claims
}

export const invalid = (check: string) => ({ code: 'EVIDENCE_INVALID', details: { check } })
export const malformed = (field: string) => ({ code: 'EVIDENCE_MALFORMED', details: { field } })
export const notAllowed = (check: string) => ({ code: 'EVIDENCE_NOT_ALLOWED', details: { check } })

/** The smallest honest evidence with one thing changed, and the refusal that must follow. */
export type TdxRefusal = {
  name: string
  options?: TdxIssueOptions | ((other: TdxAuthority) => TdxIssueOptions)
  change?: (evidence: TdxEvidence) => TdxEvidence
  anchors?: (anchors: TdxTrustAnchors, evidence: IssuedTdxEvidence) => TdxTrustAnchors
  now?: number
  expect: unknown
}

export function describeTdxRefusals(title: string, refusals: readonly TdxRefusal[]): void {
  describe(title, () => {
    it.each(refusals)('$name', async (wanted) => {
      const authority = await tdxAuthority()
      const other = await tdxAuthority('other')
      const { options = {} } = wanted
      const issued = await authority.issue(typeof options === 'function' ? options(other) : options)
      const anchors = wanted.anchors?.(authority.anchors, issued) ?? authority.anchors
      const evidence = wanted.change?.(issued) ?? issued
      const trace: Check[] = []
      const refusal = refusalOf(() => verifyTdx(evidence, anchors, wanted.now ?? NOW, trace))
      expect(refusal).toMatchObject(wanted.expect as object)
      const failed = trace.filter(({ result }) => result === 'failed').map(({ name }) => name)
      const named = typeof refusal === 'object' && refusal.code === 'EVIDENCE_INVALID'
      expect(failed).toEqual(named ? [trace.at(-1)?.name] : [])
    })
  })
}
