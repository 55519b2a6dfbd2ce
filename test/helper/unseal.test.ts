import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parseEigenxToml } from '../../helper/config.ts'
import { openEnvCache } from '../../helper/env-cache.ts'
import type { AppIdentity } from '../../helper/identity.ts'
import type { PodConfig } from '../../helper/initdata-file.ts'
import { startAttestationAgent } from '../../helper/sim/aa.ts'
import { APP_KEY_NAME, parseUnsealRequest, unseal } from '../../helper/unseal.ts'
import { bytesToHex, utf8ToBytes } from '../../sdk/bytes.ts'
import { encryptForApp } from '../../sdk/crypto/ibe.ts'
import { refusalOf } from '../kit/errors.ts'
import {
  APP_ID,
  evidenceJson,
  initdataToml,
  type Listening,
  listen,
  makeCluster,
  makeInitdata,
  operatorHandler,
  singleOperatorToml,
} from './kit.ts'

const cluster = makeCluster(1)
const SHA384 = '00'.repeat(48)
/** Always tmpfs on Linux, also in containers. */
const MEMORY = '/dev/shm'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(MEMORY, 'eigenx-unseal-'))
})
afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

describe('the request on stdin', () => {
  const parse = (value: unknown) => parseUnsealRequest(utf8ToBytes(JSON.stringify(value)))

  test('names a key; what it says about operators and chain is noted, not used', () => {
    expect(
      parse({ app_id: APP_ID, key: 'DB', kms_url: 'http://evil', rpc_url: 'x', new: 1 }),
    ).toEqual({
      key: 'DB',
      appId: APP_ID,
      ignored: ['kms_url', 'rpc_url'],
    })
    expect(parse({ stack_id: APP_ID, key: 'DB' }).appId).toBe(APP_ID)
    expect(parse({ key: 'DB' }).appId).toBeUndefined()
  })

  test.each<[string, Uint8Array, string]>([
    ['nothing', new Uint8Array(), 'REQUEST_INVALID'],
    ['no JSON', utf8ToBytes('key=DB'), 'REQUEST_INVALID'],
    ['no text', Uint8Array.of(0xff, 0xfe), 'REQUEST_INVALID'],
    ['null', utf8ToBytes('null'), 'REQUEST_INVALID'],
    ['a list', utf8ToBytes('[]'), 'REQUEST_INVALID'],
    ['no key', utf8ToBytes('{"app_id":"x"}'), 'REQUEST_INVALID'],
    ['an empty key', utf8ToBytes('{"key":""}'), 'REQUEST_INVALID'],
    ['a key that is a number', utf8ToBytes('{"key":1}'), 'REQUEST_INVALID'],
    ['an endless key', utf8ToBytes(`{"key":"${'x'.repeat(600)}"}`), 'REQUEST_INVALID'],
    ['too much', new Uint8Array(70_000), 'INPUT_TOO_LARGE'],
  ])('with %s is refused', (_, bytes, code) => {
    expect(refusalOf(() => parseUnsealRequest(bytes))).toMatchObject({ code })
  })
})

describe('unsealing', () => {
  const toml = singleOperatorToml({
    kmsUrl: 'http://127.0.0.1:1',
    aaUrl: 'http://127.0.0.1:2',
    cluster,
  })

  function makeDeps(cacheDir: string | undefined = folder) {
    const warnings: string[] = []
    const counts = { attested: 0 }
    const pod: PodConfig = {
      initdata: makeInitdata(toml),
      config: parseEigenxToml(toml),
      path: 'initdata',
      copies: [],
    }
    const obtain = async (): Promise<AppIdentity> => {
      counts.attested++
      return {
        appId: APP_ID,
        appKey: cluster.appKey.slice(),
        masterPublicKey: cluster.masterPublicKey,
        environment: new Map([['DB', { value: 'hunter2', sealed: true }]]),
        threshold: 1,
        operators: 1,
        epoch: undefined,
        keyVersion: undefined,
        used: [],
        refusals: [],
        marks: [],
        reportDataVersion: 1,
        initdataSha384: pod.initdata.sha384,
      }
    }
    const deps = {
      readPod: async () => pod,
      obtain,
      cacheDir,
      warn: (message: string) => warnings.push(message),
    }
    const ask = (value: unknown) => unseal(deps, utf8ToBytes(JSON.stringify(value)))
    return { ask, counts, warnings }
  }

  test('attests once and serves the rest of the boot from memory', async () => {
    const { ask, counts } = makeDeps()
    expect(await ask({ key: 'DB' })).toBe('hunter2')
    expect(await ask({ key: 'DB' })).toBe('hunter2')
    expect(counts.attested).toBe(1)
    const [name] = await readdir(folder)
    expect(name).toBe(`${APP_ID}.json`)
    expect((await stat(join(folder, `${APP_ID}.json`))).mode & 0o777).toBe(0o600)
  })

  test('lets those who ask at once wait for the first', async () => {
    const { ask, counts } = makeDeps()
    expect(await Promise.all([1, 2, 3].map(() => ask({ key: 'DB' })))).toEqual(
      Array(3).fill('hunter2'),
    )
    expect(counts.attested).toBe(1)
  })

  test('gives the app key under its reserved name, attests for it, and writes nothing', async () => {
    const { ask, counts } = makeDeps()
    expect(await ask({ key: APP_KEY_NAME })).toBe(bytesToHex(cluster.appKey))
    expect(await ask({ key: APP_KEY_NAME })).toBe(bytesToHex(cluster.appKey))
    expect(counts.attested).toBe(2)
    expect(await readdir(folder)).toEqual([])
  })

  test('follows initdata and says so when stdin wants something else', async () => {
    const { ask, warnings } = makeDeps()
    const other = '0x00000000000000000000000000000000000000bb'
    expect(await ask({ key: 'DB', app_id: other, kms_url: 'http://evil.example' })).toBe('hunter2')
    expect(warnings).toHaveLength(2)
    expect(await readdir(folder)).toEqual([`${APP_ID}.json`])
  })

  test('refuses a name that the release lacks, with and without the cache', async () => {
    for (const cacheDir of [folder, undefined]) {
      const { ask } = makeDeps(cacheDir)
      for (const key of ['OTHER', 'toString', '__proto__'])
        await expect(ask({ key })).rejects.toMatchObject({ code: 'SECRET_NOT_FOUND' })
    }
  })

  test('never uses a folder on a disk', async () => {
    const disk = await mkdtemp(join(tmpdir(), 'eigenx-disk-'))
    try {
      const { ask, counts } = makeDeps(disk)
      await expect(ask({ key: 'DB' })).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
        details: { path: 'cache-dir' },
      })
      expect(counts.attested).toBe(0)
      expect(await readdir(disk)).toEqual([])
    } finally {
      await rm(disk, { recursive: true })
    }
  })
})

describe('the cache', () => {
  const open = (initdataSha384 = SHA384) =>
    openEnvCache({ folder, appId: APP_ID, initdataSha384, lockTimeoutMs: 200 })
  const file = () => join(folder, `${APP_ID}.json`)

  test('keeps what it was given, for this initdata only', async () => {
    const values = new Map([
      ['A', '1'],
      ['__proto__', 'x'],
    ])
    await (await open()).write(values)
    expect(await (await open()).read()).toEqual(values)
    expect(await (await open('11'.repeat(48))).read()).toBeUndefined()
  })

  test.each([
    ['torn', '{"initdataSha384":"00'],
    ['of another form', '[]'],
    [
      'with values that are not texts',
      JSON.stringify({ initdataSha384: SHA384, values: { A: 1 } }),
    ],
  ])('that is %s counts as none', async (_, text) => {
    await writeFile(file(), text, { mode: 0o600 })
    expect(await (await open()).read()).toBeUndefined()
  })

  test('that others can read, or that is a link, is not believed', async () => {
    const text = JSON.stringify({ initdataSha384: SHA384, values: { A: '1' } })
    await writeFile(file(), text, { mode: 0o644 })
    expect(await (await open()).read()).toBeUndefined()
    await rm(file())
    const elsewhere = join(folder, 'elsewhere')
    await writeFile(elsewhere, text, { mode: 0o600 })
    await symlink(elsewhere, file())
    expect(await (await open()).read()).toBeUndefined()
    await (await open()).write(new Map([['A', '2']]))
    expect(await readFile(elsewhere, 'utf8')).toBe(text)
  })

  const taken = async (owner: string) => {
    await writeFile(`${file()}.lock`, owner)
    const done = await (await open()).locked(async () => 'done')
    expect(await readdir(folder)).toEqual([])
    return done
  }

  test('is not locked for ever by a process that died, also before it had said who it was', async () => {
    const dead = spawn(process.execPath, ['-e', ''])
    await new Promise((resolve) => dead.once('exit', resolve))
    expect(await taken(`${dead.pid} 1`)).toBe('done')
    expect(await taken('')).toBe('done')
  })

  test('nor by a process that has the number of one that died', async () => {
    expect(await taken(`${process.pid} 1`)).toBe('done')
  })

  test('waits for a living one only so long', async () => {
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    const first = (await open()).locked(() => held)
    await expect.poll(() => existsSync(`${file()}.lock`)).toBe(true)
    await expect((await open()).locked(async () => 'done')).rejects.toMatchObject({
      code: 'TIMEOUT',
    })
    expect(await readdir(folder)).toEqual([`${APP_ID}.json.lock`])
    release()
    await first
    expect(await readdir(folder)).toEqual([])
  })

  test('in a folder that others may write to is refused', async () => {
    const { chmod } = await import('node:fs/promises')
    await chmod(folder, 0o777)
    await expect(open()).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })
})

describe('the process that the Confidential Data Hub starts', () => {
  const running: { stop: () => Promise<void> }[] = []
  afterEach(async () => {
    await Promise.all(running.splice(0).map(({ stop }) => stop()))
  })

  async function boot(): Promise<{ initdata: string; operator: Listening }> {
    const agent = await startAttestationAgent({ getEvidence: evidenceJson })
    const [address] = cluster.addresses
    if (address === undefined) throw new Error('no operator')
    const plaintext = utf8ToBytes('{"DB":"hunter2","NL":"a\\nb"}')
    const { masterPublicKey } = cluster
    const encryptedEnv = bytesToHex(encryptForApp({ appId: APP_ID, masterPublicKey, plaintext }))
    const operator = await listen(operatorHandler(cluster, address, { encryptedEnv }))
    running.push(agent, operator)
    const initdata = join(folder, 'initdata')
    const toml = singleOperatorToml({ kmsUrl: operator.url, aaUrl: agent.url, cluster })
    await writeFile(initdata, initdataToml(toml))
    return { initdata, operator }
  }

  function run(args: readonly string[], stdin: string) {
    const entry = new URL('./unseal-process.ts', import.meta.url).pathname
    const child = spawn(process.execPath, ['--import', 'tsx', entry, 'helper', 'unseal', ...args])
    const out: Buffer[] = []
    const err: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
    // A process that has refused early closes its end.
    child.stdin.on('error', () => {})
    child.stdin.end(stdin)
    return new Promise<{ code: number | null; out: string; err: string }>((resolve) => {
      child.once('close', (code) =>
        resolve({ code, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() }),
      )
    })
  }

  test('prints the value alone, attests once for all of a boot, and shows no secret on stderr', async () => {
    const { initdata, operator } = await boot()
    const args = ['--initdata', initdata, '--cache-dir', join(folder, 'cache')]
    const request = (key: string) =>
      JSON.stringify({ app_id: APP_ID, key, kms_url: 'http://evil.example' })
    const [first, second] = await Promise.all([run(args, request('DB')), run(args, request('NL'))])
    expect([first.code, first.out]).toEqual([0, 'hunter2'])
    expect([second.code, second.out]).toEqual([0, 'a\nb'])
    expect(operator.requests()).toBe(1)
    expect(first.err).toContain('kms_url ignored')
    expect(first.err + second.err).not.toContain('hunter2')
  })

  test('fails with a reason and an empty stdout', async () => {
    const { initdata } = await boot()
    const args = ['--initdata', initdata, '--no-cache']
    const [missing, garbage, nowhere] = await Promise.all([
      run(args, `{"app_id":"${APP_ID}","key":"OTHER"}`),
      run(args, 'garbage'),
      run(['--initdata', join(folder, 'absent')], `{"key":"DB"}`),
    ])
    expect([missing.code, missing.out]).toEqual([1, ''])
    expect(missing.err).toContain('SECRET_NOT_FOUND')
    expect([garbage.code, garbage.out]).toEqual([1, ''])
    expect(garbage.err).toContain('REQUEST_INVALID')
    expect([nowhere.code, nowhere.out]).toEqual([1, ''])
    expect(nowhere.err).toContain('CONFIG_INVALID')
  })
})
