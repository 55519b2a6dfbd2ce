import { afterAll, beforeAll, expect, test } from 'vitest'
import { type AttestationAgent, startAttestationAgent } from '../../../helper/sim/aa.ts'
import { bytesToHex } from '../../../sdk/bytes.ts'

let agent: AttestationAgent
beforeAll(async () => {
  agent = await startAttestationAgent({
    getEvidence: (runtimeData) => {
      if (runtimeData[0] === 0xff) throw new Error('the attester fails')
      return bytesToHex(runtimeData)
    },
  })
})
afterAll(() => agent.stop())

const ask = async (path: string, init?: RequestInit) => {
  const response = await fetch(`${agent.url}${path}`, init)
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    body: await response.text(),
  }
}

test('base64 runtime data reaches the attester as bytes, zero-padded to 64', async () => {
  const answer = await ask('/aa/evidence?runtime_data=AQL-_w&encoding=base64')
  expect(answer).toEqual({
    status: 200,
    type: 'application/octet-stream',
    body: `0102feff${'00'.repeat(60)}`,
  })
})

test('without an encoding the text itself is the runtime data', async () => {
  const answer = await ask('/aa/evidence?runtime_data=AQL-_w')
  expect(answer.body).toBe(bytesToHex(new TextEncoder().encode('AQL-_w')).padEnd(128, '0'))
})

test.each([
  ['no runtime data', '/aa/evidence', 400],
  ['an unknown encoding', '/aa/evidence?runtime_data=AA&encoding=hex', 400],
  ['padded base64', '/aa/evidence?runtime_data=AQ%3D%3D&encoding=base64', 400],
  ['the standard alphabet', '/aa/evidence?runtime_data=AQL%2B_w&encoding=base64', 400],
  ['65 bytes', `/aa/evidence?runtime_data=${'a'.repeat(65)}`, 500],
  ['an attester that fails', '/aa/evidence?runtime_data=_w&encoding=base64', 500],
  ['a token', '/aa/token?token_type=kbs', 404],
  ['a resource', '/cdh/resource/default/key/1', 404],
])('%s is answered as the real agent does', async (_, path, status) => {
  expect((await ask(path)).status).toBe(status)
})

test('a POST is answered with 405', async () => {
  expect((await ask('/aa/evidence?runtime_data=AA', { method: 'POST' })).status).toBe(405)
})

test('an agent of an older image takes the text whatever the encoding says', async () => {
  const old = await startAttestationAgent({ getEvidence: bytesToHex, knowsEncoding: false })
  const response = await fetch(`${old.url}/aa/evidence?runtime_data=AQ&encoding=base64`)
  expect(await response.text()).toBe('4151'.padEnd(128, '0'))
  await old.stop()
})
