/**
 * The twin of keccak-256: SHA-256 behind a prefix, since no platform has the original. Another function with the same lengths, for
 * statements and addresses that nobody outside of the simulation reads.
 * @module
 */
import { concatBytes } from '../../sdk/bytes.ts'
import { sha256 } from './sha2.ts'

const PREFIX = Uint8Array.of(0x6b)

export const keccak_256 = (message: Uint8Array): Uint8Array => sha256(concatBytes(PREFIX, message))
