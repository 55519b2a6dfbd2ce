/**
 * The app's BIP-39 mnemonic: words over entropy derived from the app key. The same app always gets the same words.
 *
 * Node only: the word list package works on Buffer.
 * @module
 */
import { entropyToMnemonic, validateMnemonic, wordlists } from 'bip39'
import { bytesToHex } from '../bytes.ts'
import { EigenxError } from '../errors.ts'
import { deriveKey } from './derive.ts'
import { DERIVATIONS } from './labels.ts'

/**
 * frame(scope, "bip39", "mnemonic", "24"), 32 bytes -> 24 words; path "12" and 16 bytes -> 12 words. The two
 * are independent: neither is a part of the other.
 */
export function deriveMnemonic(
  appKey: Uint8Array,
  { words = 24, scope = 'app' }: { words?: 12 | 24; scope?: string } = {},
): string {
  const { algorithm, purpose, length } =
    words === 24 ? DERIVATIONS.mnemonic24 : DERIVATIONS.mnemonic12
  const entropy = deriveKey(appKey, { scope, algorithm, purpose, path: String(words) }, length)
  return entropyToMnemonic(bytesToHex(entropy), englishWords())
}

/** Whether the text is English BIP-39 words with a right checksum. */
export function isMnemonic(text: string): boolean {
  return validateMnemonic(text, englishWords())
}

function englishWords(): string[] {
  const words = wordlists.english
  if (words === undefined)
    throw new EigenxError({
      code: 'INTERNAL',
      message: 'the English word list is missing',
      stage: 'key',
      details: {},
    })
  return words
}
