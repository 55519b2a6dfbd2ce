import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readPodConfig } from '../../helper/initdata-file.ts'
import {
  encodeInitdata,
  MAX_INITDATA_DECODED,
  MAX_INITDATA_ENCODED,
} from '../../policy/initdata.ts'
import { utf8ToBytes } from '../../sdk/bytes.ts'
import { APP_ID, initdataToml, makeCluster, singleOperatorToml } from './kit.ts'

const url = 'http://127.0.0.1:1'
const CONFIG = singleOperatorToml({ kmsUrl: url, aaUrl: url, cluster: makeCluster(1) })
const TOML = initdataToml(CONFIG)

let base: string
let peer: string
let kata: string
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'eigenx-initdata-'))
  peer = join(base, 'peerpod')
  kata = join(base, 'kata')
})
afterEach(() => rm(base, { recursive: true }))

const read = () => readPodConfig([peer, kata])

async function asKata(toml: string): Promise<string> {
  await mkdir(kata)
  await writeFile(join(kata, 'aa.toml'), '')
  const path = join(kata, 'initdata.toml')
  await writeFile(path, toml)
  return path
}

test('a peer pod has the text of the annotation in a file', async () => {
  await writeFile(peer, encodeInitdata(utf8ToBytes(TOML)))
  expect(await read()).toMatchObject({
    path: peer,
    copies: [],
    initdata: { encoding: 'base64-gzip' },
    config: { appId: APP_ID },
  })
})

test('bare-metal Kata has the decoded document in a folder, beside what it took out of it', async () => {
  const path = await asKata(TOML)
  expect(await read()).toMatchObject({ path, initdata: { encoding: 'toml' } })
})

test('the same document may lie at both places, in either form', async () => {
  await writeFile(peer, encodeInitdata(utf8ToBytes(TOML)))
  const path = await asKata(TOML)
  expect(await read()).toMatchObject({ path: peer, copies: [path] })
})

test('two different documents are refused, whatever the difference', async () => {
  await writeFile(peer, TOML)
  await asKata(`${TOML}\n`)
  await expect(read()).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('different documents'),
  })
})

test('a decoded document larger than an annotation is packed again', async () => {
  await asKata(`${TOML}"policy.rego" = '${'a'.repeat(MAX_INITDATA_ENCODED)}'\n`)
  const { initdata } = await read()
  expect(initdata.encoding).toBe('base64-gzip')
  expect(initdata.received.length).toBeLessThan(10_000)
  expect(initdata.toml.length).toBeGreaterThan(MAX_INITDATA_ENCODED)
})

test.each<[string, () => Promise<unknown>, string]>([
  ['nothing', async () => {}, 'CONFIG_INVALID'],
  ['an empty folder', () => mkdir(kata), 'CONFIG_INVALID'],
  [
    'a folder in the place of the document',
    () => mkdir(join(kata, 'initdata.toml'), { recursive: true }),
    'CONFIG_INVALID',
  ],
  [
    'a document without our entry',
    () => asKata('version = "0.1.0"\nalgorithm = "sha384"\n\n[data]\n'),
    'CONFIG_INVALID',
  ],
  ['garbage', () => writeFile(peer, '\0'), 'INITDATA_INVALID'],
  [
    'garbage beside a document',
    () => Promise.all([writeFile(peer, TOML), asKata('=')]),
    'INITDATA_INVALID',
  ],
  [
    'too much',
    () => writeFile(peer, Buffer.alloc(MAX_INITDATA_DECODED + 1, 0x20)),
    'INPUT_TOO_LARGE',
  ],
])('%s is refused', async (_, lay, code) => {
  await lay()
  await expect(read()).rejects.toMatchObject({ code })
})
