import { expect, test } from 'vitest'
import { bytesToHex } from '../../sdk/bytes.ts'
import { partialSign, publicShareOf } from '../../sdk/crypto/bls.ts'
import { runCli } from '../kit/cli.ts'

const app = '0x1234567890abcdef1234567890abcdef12345678'
// With one operator the share is the master secret, and its partial the app key.
const secret = 42n
const files = {
  'mpk.hex': `${bytesToHex(publicShareOf(secret))}\n`,
  'key.hex': bytesToHex(partialSign(secret, app)),
  'other.hex': bytesToHex(partialSign(43n, app)),
  'plain.txt': 'a secret',
}

const encrypted = async () => {
  const { code, out } = await runCli(
    ['encrypt', '--app', app, '--master-public-key', 'mpk.hex', 'plain.txt'],
    files,
  )
  expect(code).toBe(0)
  return out[0] ?? ''
}

test('what encrypt writes, decrypt opens', async () => {
  const { code, bytes } = await runCli(
    ['decrypt', '--app', app, '--app-key-file', 'key.hex', 'c'],
    { ...files, c: await encrypted() },
  )
  expect(code).toBe(0)
  expect(new TextDecoder().decode(bytes[0])).toBe('a secret')
})

test('a ciphertext may come on standard input, as bytes', async () => {
  const ciphertext = Uint8Array.from(Buffer.from(await encrypted(), 'hex'))
  const { code, files: written } = await runCli(
    ['decrypt', '--app', app, '--app-key-file', 'key.hex', '--out', 'o'],
    files,
    { stdin: ciphertext },
  )
  expect(code).toBe(0)
  expect(new TextDecoder().decode(written.get('o') as Uint8Array)).toBe('a secret')
})

test('a plaintext that cannot be written is a usage error that names the file, and goes nowhere else', async () => {
  const { code, err, out, bytes } = await runCli(
    ['decrypt', '--app', app, '--app-key-file', 'key.hex', '--out', 'o', 'c'],
    { ...files, c: await encrypted() },
    { readOnly: true },
  )
  expect([code, err]).toEqual([2, ['cannot write o: permission denied']])
  expect([out, bytes]).toEqual([[], []])
})

test('another key, another app and garbage are refused with exit 1', async () => {
  const ciphertext = await encrypted()
  const decrypt = (id: string, key: string, c: string) =>
    runCli(['decrypt', '--app', id, '--app-key-file', key, 'c'], { ...files, c })
  const otherApp = app.replace('1', '2')
  for (const result of [
    await decrypt(app, 'other.hex', ciphertext),
    await decrypt(otherApp, 'key.hex', ciphertext),
    await decrypt(app, 'key.hex', 'not a ciphertext'),
    await decrypt(app, 'key.hex', ''),
  ]) {
    expect(result.code).toBe(1)
    expect(result.bytes).toEqual([])
    expect(result.err[0]).toMatch(/^CIPHERTEXT_INVALID: /)
  }
})

test.each([
  ['an app id without 0x', ['--app', app.slice(2), '--master-public-key', 'mpk.hex']],
  ['an app id that is too short', ['--app', '0x12', '--master-public-key', 'mpk.hex']],
  ['a master public key of another length', ['--app', app, '--master-public-key', 'key.hex']],
])('%s is a usage error', async (_, options) => {
  const { code, out } = await runCli(['encrypt', ...options, 'plain.txt'], files)
  expect([code, out]).toEqual([2, []])
})

test('capital letters in an app id are pointed out, because they name another key', async () => {
  const upper = app.replace('abcdef', 'ABCDEF')
  const { code, err } = await runCli(
    ['encrypt', '--app', upper, '--master-public-key', 'mpk.hex', 'plain.txt'],
    files,
  )
  expect(code).toBe(0)
  expect(err.join()).toContain('capital letters')
})
