/** Colours and layout of what a person reads; with colours off, the same text without them. @module */

const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const

export type Style = keyof typeof CODES

export type Paint = (style: Style, text: string) => string

/** ANSI SGR sequences (ECMA-48), or none. */
export function createPaint(color: boolean): Paint {
  return (style, text) => (color ? `\u001b[${CODES[style]}m${text}\u001b[0m` : text)
}

/** Keeps both ends of a long hex text, which is what people compare. */
export function shorten(text: string, keep = 10): string {
  return text.length <= 2 * keep + 1 ? text : `${text.slice(0, keep)}…${text.slice(-keep)}`
}
