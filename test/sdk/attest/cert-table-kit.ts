/** The certificate table as a host writes it. Source: AMD 56421 (GHCB), MSG_REPORT_REQ. @module */
import { hexToBytes } from '@noble/hashes/utils.js'
import { concatBytes } from '../../../sdk/bytes.ts'

export const VCEK = '63da758de6644564adc5f4b93be8accd'
export const VLEK = 'a8074bc2a25a483eaae639c045a0b8a1'
export const ARK = 'c0b406a4a803495297433fb6014cd0ae'

export type CertTableEntry = { guid: string; data: Uint8Array }

export function encodeCertTable(entries: readonly CertTableEntry[]): Uint8Array {
  const head = new Uint8Array(24 * (entries.length + 1))
  const view = new DataView(head.buffer)
  let offset = head.length
  for (const [index, { guid, data }] of entries.entries()) {
    head.set(hexToBytes(guid), 24 * index)
    view.setUint32(24 * index + 16, offset, true)
    view.setUint32(24 * index + 20, data.length, true)
    offset += data.length
  }
  return concatBytes(head, ...entries.map(({ data }) => data))
}
