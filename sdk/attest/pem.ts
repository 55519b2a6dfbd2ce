/**
 * PEM certificates: exactly one block each, strict base64 (RFC 7468), nothing around it but white space.
 *
 * OpenSSL reads only the first of several blocks and skips any text before it; a verifier must not hash one thing and read another.
 * @module
 */
import { parseAnyBase64, toBase64 } from '../bytes.ts'

const PEM =
  /^\s*-----BEGIN CERTIFICATE-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END CERTIFICATE-----[\s\0]*$/

/** @returns The DER inside the one block, or `undefined` when the text is anything else. */
export function parseCertificatePem(text: string): Uint8Array | undefined {
  const body = PEM.exec(text)?.[1]
  return body === undefined ? undefined : parseAnyBase64(body.replace(/[\r\n]/g, ''))
}

const BLOCK = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g

/**
 * Several blocks with nothing but white space (and a C string's final NUL) around them.
 * @returns The DER of each, in order, or `undefined` when the text is anything else, holds none or more than `limit`.
 */
export function parsePemChain(text: string, limit: number): Uint8Array[] | undefined {
  const blocks = text.match(BLOCK) ?? []
  if (blocks.length === 0 || blocks.length > limit) return undefined
  if (!/^[\s\0]*$/.test(text.replace(BLOCK, ''))) return undefined
  const chain: Uint8Array[] = []
  for (const block of blocks) {
    const der = parseCertificatePem(block)
    if (der === undefined) return undefined
    chain.push(der)
  }
  return chain
}

/** One block with 64-character lines and a final newline. */
export function encodeCertificatePem(der: Uint8Array): string {
  const lines = toBase64(der).match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}
