/**
 * Making findings: one place for their shape, so that codes and paths look alike everywhere.
 * @module
 */

import type { Finding, Severity } from './types.ts'

/** Findings are read by people: quoted pieces of the document are cut here. */
const MAX_QUOTE = 120

export function makeFinding(
  severity: Severity,
  code: string,
  path: string,
  message: string,
): Finding {
  return { code, severity, path, message }
}

/** Findings of one code and severity that are listed. */
const MAX_ALIKE = 32

/** Where readers put what they find: a plain list, or a bounded one. */
export type FindingSink = { push(finding: Finding): unknown }

/**
 * A list whose length the document does not choose. Of each code and severity the first ones are kept, and one more that counts
 * the others: what is decided by code and severity comes out the same.
 */
export function createFindings(): FindingSink & { list(): readonly Finding[] } {
  const kept: Finding[] = []
  const alike = new Map<string, { count: number; firstLeftOut?: Finding }>()
  return {
    push: (finding) => {
      const kind = `${finding.severity} ${finding.code}`
      const seen = alike.get(kind) ?? { count: 0 }
      alike.set(kind, seen)
      seen.count++
      if (seen.count <= MAX_ALIKE) kept.push(finding)
      else seen.firstLeftOut ??= finding
    },
    list: () => [
      ...kept,
      ...[...alike.values()].flatMap(({ count, firstLeftOut }) =>
        firstLeftOut === undefined
          ? []
          : [{ ...firstLeftOut, message: `${count - MAX_ALIKE} more of this kind, from here on.` }],
      ),
    ],
  }
}

/** A piece of an untrusted document, shortened and free of control characters, in quotes. */
export function quote(text: string): string {
  return clean(JSON.stringify(shorten(text)))
}

/** A command as a JSON list, shortened and free of control characters. */
export function quoteList(items: readonly string[]): string {
  return clean(shorten(JSON.stringify(items)))
}

function shorten(text: string): string {
  return text.length > MAX_QUOTE ? `${text.slice(0, MAX_QUOTE)}…` : text
}

/** JSON has escaped C0; this takes C1, zero-width and direction-changing characters too. */
function clean(text: string): string {
  return text.replace(/[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g, '\ufffd')
}
