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

/** A piece of an untrusted document, shortened and free of control characters, in quotes. */
export function quote(text: string): string {
  const cut = text.length > MAX_QUOTE ? `${text.slice(0, MAX_QUOTE)}…` : text
  return JSON.stringify(cut).replace(
    /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g,
    '\ufffd',
  )
}
