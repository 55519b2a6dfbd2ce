/** On TDX; that the default is SNP, and works, is what `test/e2e` and the demonstration show. */
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createClient } from '../../../sdk/client/client.ts'
import { createSimulator, type Simulator } from '../../../sdk/testing.ts'
import { toViemAccount } from '../../../sdk/viem.ts'

let simulator: Simulator
const stops: (() => Promise<void>)[] = []

beforeAll(async () => {
  simulator = await createSimulator({ operators: 2, tee: 'tdx' })
  stops.push(simulator.stop)
}, 120_000)
afterAll(async () => {
  await Promise.all(stops.map((stop) => stop()))
})

test('a simulator started in one line gives keys like a pod', async () => {
  const { client, endpoint } = simulator
  const account = await toViemAccount(client)
  const { evm } = await client.getAddresses({ count: 1 })
  expect(evm[0]?.address).toBe(account.address)
  expect(await createClient({ endpoint }).getMnemonic()).toBe(await client.getMnemonic())
  const info = await client.info()
  expect(info).toMatchObject({ reportDataVersion: 2, origin: { threshold: 2, operators: 2 } })
  expect(simulator.operators).toHaveLength(2)
})

test('the bundled helper makes RSA keys, too', async () => {
  const { client } = simulator
  const { privateKey, publicKey } = await client.getKey('signing', { algorithm: 'rsa-2048' })
  const key = createPrivateKey({ key: Buffer.from(privateKey), format: 'der', type: 'pkcs8' })
  expect(new Uint8Array(createPublicKey(key).export({ format: 'der', type: 'spki' }))).toEqual(
    publicKey,
  )
})

test('its client tells a missing secret from a missing helper', async () => {
  await expect(simulator.client.getSecret('NOT_THERE')).rejects.toMatchObject({
    code: 'SECRET_NOT_FOUND',
  })
})
