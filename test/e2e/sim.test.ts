/** The simulator, used as its own output says, and stopped with Ctrl-C. */
import { request } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createClient } from '../../sdk/index.ts'
import { type Child, isRunning, namedProcesses, startChild } from '../kit/child.ts'

let child: Child
let socketPath: string
beforeAll(async () => {
  child = startChild('npm', ['run', 'sim', '--', '--operators', '2'])
  socketPath = (await child.waitFor(/EIGENX_SIMULATOR_ENDPOINT=(\S+)/, 110_000))[1] ?? ''
}, 120_000)
afterAll(async () => {
  child.interrupt()
  await child.ended
  child.remove()
})

test('the socket answers a plain HTTP GET, as the printed curl line does', async () => {
  expect(child.output()).toContain(`curl --unix-socket ${socketPath} http://eigenx/GetAddresses`)
  const body = await new Promise<string>((resolve, reject) => {
    const get = request(
      { socketPath, path: '/GetAddresses', headers: { host: 'eigenx' } },
      (answer) => {
        let text = ''
        answer.on('data', (chunk) => {
          text += chunk
        })
        answer.on('end', () => resolve(text))
      },
    )
    get.on('error', reject)
    get.end()
  })
  expect(JSON.parse(body)).toMatchObject({ evm: [{ address: expect.stringMatching(/^0x/) }] })
})

test('the SDK finds it by its endpoint, and the mnemonic stays the same', async () => {
  const client = createClient({ endpoint: socketPath })
  const mnemonic = await client.getMnemonic()
  expect(mnemonic.split(' ')).toHaveLength(24)
  expect(await createClient({ endpoint: socketPath }).getMnemonic()).toBe(mnemonic)
})

test('Ctrl-C stops everything: no process and no file is left', async () => {
  const pids = namedProcesses(child.output())
  child.interrupt()
  await child.ended
  expect(child.output()).toContain('stopping')
  expect(pids.filter(isRunning)).toEqual([])
  expect(child.leftFiles()).toEqual([])
})
