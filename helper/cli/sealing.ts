/** `encrypt` and `decrypt`: the IBE envelope over files. Ciphertexts are hex text, as the chain's encrypted env. @module */
import { bytesToHex, parseHex, parseUtf8 } from '../../sdk/bytes.ts'
import { decryptWithAppKey, encryptForApp, MAX_IBE_PLAINTEXT_BYTES } from '../../sdk/crypto/ibe.ts'
import { type ExitCode, type Io, readInput, UsageError, writeOutput } from './io.ts'

const MASTER_PUBLIC_KEY_BYTES = 96
const APP_KEY_BYTES = 48
const PLAINTEXT = { field: 'a plaintext', maxBytes: MAX_IBE_PLAINTEXT_BYTES }
/** In hex, with room for what the envelope adds. */
const CIPHERTEXT = { field: 'a ciphertext', maxBytes: 2 * (MAX_IBE_PLAINTEXT_BYTES + 4096) }
const KEY = { field: 'a key in hex', maxBytes: 4096 }

export async function encryptFile(
  io: Io,
  input: { file: string; app: string; masterPublicKey: string; out?: string },
): Promise<ExitCode> {
  const appId = parseAppId(io, input.app)
  const masterPublicKey = await readHexFile(io, input.masterPublicKey, MASTER_PUBLIC_KEY_BYTES)
  const plaintext = await readInput(io, input.file, PLAINTEXT)
  const ciphertext = bytesToHex(encryptForApp({ masterPublicKey, appId, plaintext }))
  if (input.out === undefined) io.out(ciphertext)
  else await writeOutput(io, input.out, `${ciphertext}\n`)
  return 0
}

export async function decryptFile(
  io: Io,
  input: { file: string; app: string; appKeyFile: string; out?: string },
): Promise<ExitCode> {
  const appId = parseAppId(io, input.app)
  const appKey = await readHexFile(io, input.appKeyFile, APP_KEY_BYTES)
  const received = await readInput(io, input.file, CIPHERTEXT)
  // Ciphertexts are written as hex; one that came as bytes is taken as it is.
  const ciphertext = parseHex(parseUtf8(received)?.trim() ?? 'binary') ?? received
  const plaintext = decryptWithAppKey({ appKey, appId, ciphertext })
  if (input.out === undefined) io.writeBytes(plaintext)
  else await writeOutput(io, input.out, plaintext)
  return 0
}

/** The key belongs to the id's very text, so it is used as it is written: another case is another key. */
function parseAppId(io: Io, text: string): string {
  if (!/^0x[0-9a-f]{40}$/i.test(text)) throw new UsageError('--app: expected 0x and 40 hex digits')
  if (text !== text.toLowerCase())
    io.err(
      'note: the app id has capital letters; pods that use the lower-case form have another key',
    )
  return text
}

async function readHexFile(io: Io, path: string, length: number): Promise<Uint8Array> {
  const bytes = parseHex(parseUtf8(await readInput(io, path, KEY))?.trim() ?? '', length)
  if (bytes === undefined || bytes.length !== length)
    throw new UsageError(`${path}: expected ${length} bytes as hex`)
  return bytes
}
