/** Text of others for a terminal. @module */

/**
 * Text of an untrusted document as it may reach a terminal: escape sequences and marks that
 * reorder what follows become a visible sign.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '\ufffd')
}
