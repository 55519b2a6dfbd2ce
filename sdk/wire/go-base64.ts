/**
 * Standard base64 as Go's encoding/base64 reads it: padding demanded, CR and LF skipped anywhere, stray
 * bits of the last digit dropped. Source: Go 1.25 documentation of encoding/base64.
 * @module
 */
import { base64 } from '@scure/base'

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** @returns The bytes, or the offset that Go names in its refusal. */
export function decodeGoBase64(text: string): Uint8Array | number {
  const packed = text.replace(/[\r\n]/g, '')
  const padding = packed.endsWith('==') ? 2 : packed.endsWith('=') ? 1 : 0
  const digits = packed.slice(0, packed.length - padding)
  if (packed.length % 4 !== 0 || !/^[A-Za-z0-9+/]*$/.test(digits)) return refusedOffset(text)
  if (padding === 0) return base64.decode(packed)
  // The strict decoder refuses stray bits in the last digit, so clear them.
  const last = DIGITS.indexOf(digits.slice(-1))
  const cleared = DIGITS.charAt(last - (last % 4 ** padding))
  return base64.decode(`${digits.slice(0, -1)}${cleared}${'='.repeat(padding)}`)
}

/** Of the first byte that cannot stand where it does, or of the group that the text leaves unfinished. */
function refusedOffset(text: string): number {
  let inGroup = 0
  let at = 0
  for (; at < text.length; at++) {
    const char = text.charAt(at)
    if (isBreak(char)) continue
    if (!DIGITS.includes(char)) break
    inGroup = (inGroup + 1) % 4
  }
  if (at === text.length) return at - inGroup
  if (text.charAt(at) !== '=' || inGroup < 2) return at
  if (inGroup === 3) return skipBreaks(text, at + 1)
  const second = skipBreaks(text, at + 1)
  if (second === text.length) return second
  return text.charAt(second) === '=' ? skipBreaks(text, second + 1) : second - 1
}

function skipBreaks(text: string, from: number): number {
  let at = from
  while (isBreak(text.charAt(at))) at++
  return at
}

function isBreak(char: string): boolean {
  return char === '\r' || char === '\n'
}
