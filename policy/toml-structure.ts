/**
 * How much structure a TOML text has, counted in one pass before the parser builds it: keys, tables and list items cost a parser far
 * more than the bytes they take, and a refusal quotes the line, for which the parser cuts the whole text into lines.
 *
 * Only strings and comments are told from the rest (TOML 1.0); the parser decides what the text means. A quote outside of both always
 * begins a string, so this pass and the parser agree up to the place where the parser refuses.
 * @module
 */

/** Line ends anywhere, and characters outside strings and comments that separate keys, values and tables. */
export type TomlStructure = { lines: number; separators: number }

const PLAIN = /[^"'#\n.=[{,]*/y
const COMMENT = /#[^\n]*/y
const BASIC_RUN = /[^"\\\n]*/y
const LITERAL = /'[^'\n]*'?/y

export function measureToml(text: string): TomlStructure {
  let lines = 0
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines++
  let separators = 0
  for (let at = skip(PLAIN, text, 0); at < text.length; at = skip(PLAIN, text, at)) {
    const char = text[at]
    if (char === '#') at = skip(COMMENT, text, at)
    else if (text.startsWith('"""', at)) at = endOfBlock(text, at + 3)
    else if (text.startsWith("'''", at)) at = endAfter(text, "'''", at + 3)
    else if (char === '"') at = endOfBasic(text, at + 1)
    else if (char === "'") at = skip(LITERAL, text, at)
    else {
      separators++
      at++
    }
  }
  return { lines, separators }
}

/** @returns Where the match of a sticky pattern ends. */
function skip(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from
  return from + (pattern.exec(text)?.[0].length ?? 0)
}

/** Behind the quote, or at the end of the line, which no such string survives. */
function endOfBasic(text: string, from: number): number {
  let at = skip(BASIC_RUN, text, from)
  while (text[at] === '\\') at = skip(BASIC_RUN, text, at + 2)
  return text[at] === '"' ? at + 1 : at
}

/** Three quotes end the string, unless a backslash takes the first of them. */
function endOfBlock(text: string, from: number): number {
  for (let at = from; ; ) {
    const quotes = text.indexOf('"""', at)
    if (quotes < 0) return text.length
    let backslashes = 0
    while (text[quotes - 1 - backslashes] === '\\' && quotes - 1 - backslashes >= from)
      backslashes++
    if (backslashes % 2 === 0) return quotes + 3
    at = quotes + 1
  }
}

function endAfter(text: string, mark: string, from: number): number {
  const at = text.indexOf(mark, from)
  return at < 0 ? text.length : at + mark.length
}
