/**
 * The BIP-39 seed: PBKDF2-HMAC-SHA-512(mnemonic, "mnemonic" ‖ passphrase, 2048 rounds, 64 bytes), both in NFKD form.
 * @module
 */
import { pbkdf2 } from '@noble/hashes/pbkdf2.js'
import { sha512 } from '@noble/hashes/sha2.js'
import { EigenxError } from '../errors.ts'

const WORD_COUNTS = [12, 15, 18, 21, 24]

// One entry: an app asks for many accounts of one mnemonic, and stretching takes longer than deriving them all.
let last: { mnemonic: string; seed: Uint8Array } | undefined

/**
 * With the empty passphrase, as EigenCompute does. Words and checksum were checked where the mnemonic came from.
 * @throws REQUEST_INVALID when the text does not even have the shape of a mnemonic.
 */
export function mnemonicToSeed(mnemonic: string): Uint8Array {
  const normal = mnemonic.normalize('NFKD')
  if (last?.mnemonic === normal) return last.seed.slice()
  if (!/^[^\s]+( [^\s]+)*$/u.test(normal) || !WORD_COUNTS.includes(normal.split(' ').length))
    throw new EigenxError({
      code: 'REQUEST_INVALID',
      message: 'a mnemonic is 12, 15, 18, 21 or 24 words with single spaces between them',
      stage: 'key',
      details: { path: 'mnemonic' },
    })
  const seed = pbkdf2(sha512, normal, 'mnemonic', { c: 2048, dkLen: 64 })
  last = { mnemonic: normal, seed }
  return seed.slice()
}
