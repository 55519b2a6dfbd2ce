import { createServer, type RequestListener } from 'node:http'
import { afterEach, describe, expect, test } from 'vitest'
import { encryptForApp, loadMasterPublicKey, pinOfMasterPublicKey } from '../../../sdk/browser.ts'
import { bytesToHex, parseUtf8, toBase64 } from '../../../sdk/bytes.ts'
import { partialSign, publicShareOf, randomScalar } from '../../../sdk/crypto/bls.ts'
import { decryptWithAppKey } from '../../../sdk/crypto/ibe.ts'
import { refusalOf } from '../../kit/errors.ts'

const APP = '0x1111111111111111111111111111111111111111'
const secret = randomScalar()
const masterPublicKey = publicShareOf(secret)
const hex = bytesToHex(masterPublicKey)
const pin = pinOfMasterPublicKey(masterPublicKey)

describe('encryptForApp', () => {
  test.each([masterPublicKey, hex, `0x${hex}`])('is opened by the app key', (key) => {
    const ciphertext = encryptForApp({ appId: APP, masterPublicKey: key, data: 'grüße' })
    const opened = decryptWithAppKey({ appKey: partialSign(secret, APP), appId: APP, ciphertext })
    expect(parseUtf8(opened)).toBe('grüße')
  })

  test.each<[string, Parameters<typeof encryptForApp>[0], string]>([
    ['a name instead of an id', { appId: 'my-app', masterPublicKey, data: '' }, 'REQUEST_INVALID'],
    ['a short key', { appId: APP, masterPublicKey: 'ab', data: '' }, 'REQUEST_INVALID'],
    [
      'a key that is no point',
      { appId: APP, masterPublicKey: new Uint8Array(96), data: '' },
      'POINT_INVALID',
    ],
    [
      'the point at infinity',
      { appId: APP, masterPublicKey: `c0${'00'.repeat(95)}`, data: '' },
      'POINT_INVALID',
    ],
  ])('refuses %s', (_, input, code) => {
    expect(refusalOf(() => encryptForApp(input))).toMatchObject({ code })
  })
})

describe('loadMasterPublicKey', () => {
  const stops: (() => Promise<void>)[] = []
  afterEach(async () => {
    await Promise.all(stops.splice(0).map((stop) => stop()))
  })

  async function serve(handler: RequestListener): Promise<string> {
    const server = createServer(handler)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    stops.push(
      () =>
        new Promise((resolve) => {
          server.close(() => resolve())
          server.closeAllConnections()
        }),
    )
    const address = server.address()
    return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/pubkey`
  }
  const answer =
    (text: string): RequestListener =>
    (_, response) =>
      response.end(text)
  const pubkey = (key: Uint8Array) =>
    JSON.stringify({ isActive: true, masterPublicKey: { CompressedBytes: toBase64(key) } })

  test('takes the key that equals the pin, from an operator or as bare hex', async () => {
    for (const [text, given] of [
      [pubkey(masterPublicKey), pin],
      [pubkey(masterPublicKey), hex],
      [`${hex}\n`, pin],
    ] as const)
      expect(await loadMasterPublicKey({ url: await serve(answer(text)), pin: given })).toEqual(
        masterPublicKey,
      )
  })

  test('asks nobody without a pin', async () => {
    let asked = 0
    const url = await serve((_, response) => {
      asked++
      response.end(hex)
    })
    for (const none of ['', 'abcd', 'not hex'])
      await expect(loadMasterPublicKey({ url, pin: none })).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
        details: { path: 'pin' },
      })
    // @ts-expect-error a program without types may leave it out
    await expect(loadMasterPublicKey({ url })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    expect(asked).toBe(0)
  })

  test.each<[string, RequestListener, string]>([
    ['another key', answer(pubkey(publicShareOf(randomScalar()))), 'KEY_MISMATCH'],
    ['garbage', answer('<html>'), 'AGENT_PROTOCOL'],
    ['null', answer('null'), 'AGENT_PROTOCOL'],
    ['no key yet', answer('{"masterPublicKey":null}'), 'AGENT_PROTOCOL'],
    ['a short key', answer('{"masterPublicKey":{"CompressedBytes":"AAAA"}}'), 'AGENT_PROTOCOL'],
    ['a flood', (_, response) => response.end(Buffer.alloc(400_000, 0x61)), 'AGENT_PROTOCOL'],
    ['an error', (_, response) => response.writeHead(503).end(), 'AGENT_UNREACHABLE'],
    [
      'a redirect',
      (_, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
      'AGENT_UNREACHABLE',
    ],
    ['silence', () => {}, 'TIMEOUT'],
  ])('refuses %s', async (_, handler, code) => {
    const url = await serve(handler)
    await expect(loadMasterPublicKey({ url, pin, timeoutMs: 500 })).rejects.toMatchObject({ code })
  })
})
