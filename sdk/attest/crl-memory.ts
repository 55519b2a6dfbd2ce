/**
 * The newest verified list of each issuer that a process has seen: an older one that is still in date cannot hide a revocation.
 * Filled with lists whose signature was checked, and only with those.
 *
 * Intel numbers every list 1, so between equal numbers thisUpdate decides.
 * @module
 */
import { bytesToHex } from '../bytes.ts'
import type { Crl } from './crl.ts'

export type CrlMemory = {
  /** @returns The newer of `crl` and what is remembered for this issuer key, which is remembered. */
  newest: (issuerSpki: Uint8Array, crl: Crl) => Crl
}

/** Root and Platform CA of a few trust anchors. */
const REMEMBERED_LISTS = 16

export function createCrlMemory(): CrlMemory {
  const lists = new Map<string, Crl>()
  return {
    newest: (issuerSpki, crl) => {
      const key = bytesToHex(issuerSpki)
      const known = lists.get(key)
      if (known !== undefined && !isNewer(crl, known)) return known
      if (known !== undefined || lists.size < REMEMBERED_LISTS) lists.set(key, crl)
      return crl
    },
  }
}

function isNewer(a: Crl, b: Crl): boolean {
  return a.number === b.number ? a.thisUpdate > b.thisUpdate : a.number > b.number
}
