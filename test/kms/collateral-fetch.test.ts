/** `kms collateral` and the background refresher: real files, vendors' services on loopback, simulated authorities, time by hand. */
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import type { RequestListener } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { TdxIssueOptions } from '../../helper/sim/tdx-evidence.ts'
import { startRefresher } from '../../kms/collateral/refresh.ts'
import type { Updated } from '../../kms/collateral/update.ts'
import { checkCollateral, fetchCollateral, listCollateral } from '../../kms/collateral-actions.ts'
import { parseKmsConfig } from '../../kms/config.ts'
import { loadKmsConfig } from '../../kms/load-config.ts'
import { createLog } from '../../kms/log.ts'
import { reportStatus } from '../../kms/status.ts'
import { encodeSnpRoots } from '../../sdk/attest/anchors.ts'
import { encodeTdxCollateral, parseTdxCollateral } from '../../sdk/attest/collateral-bundle.ts'
import { encodeTdxRoots } from '../../sdk/attest/tdx-anchors.ts'
import { refusalOf } from '../kit/errors.ts'
import { authorityOf } from '../kit/snp-authority.ts'
import { ROOT_CRL_PATH, startVendorServices, type VendorServices } from '../kit/vendor-services.ts'
import { makeList } from '../sdk/attest/crl-kit.ts'
import { DAY, NOW, tdxAuthority } from '../sdk/attest/tdx/kit.ts'
import { keyServiceOf } from './kit.ts'
import { operatorToml } from './world.ts'

const FMSPC = '51806f000000'
const BUNDLE = `tdx-${FMSPC}.json`
const LIST = 'vcek-milan.crl'
const LIST_PATH = '/vcek/v1/Milan/crl'

let folder: string
let config: string
let vendors: VendorServices
let printed: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'collateral-'))
  config = join(folder, 'operator.toml')
  vendors = await startVendorServices()
  printed = ''
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += String(text)
    return true
  })
  const [snp, tdx] = await Promise.all([authorityOf(), tdxAuthority()])
  await writeFile(join(folder, 'snp.json'), encodeSnpRoots(snp.anchors))
  await writeFile(join(folder, 'tdx.pem'), encodeTdxRoots(tdx.anchors))
  await configure()
  vendors.platforms.set(FMSPC.toUpperCase(), (await tdx.issue()).collateral)
  vendors.lists.set(LIST_PATH, await makeList())
})
afterEach(async () => {
  vi.restoreAllMocks()
  await vendors.stop()
  await rm(folder, { recursive: true, force: true })
})

const ATTESTATION = 'crl_dir = "kept"\ntdx = { collateral_dir = "kept" }'
const COLLATERAL = `fmspcs = ["${FMSPC}"]\nlists = ["vcek-milan"]`

async function configure(collateral = COLLATERAL, attestation = ATTESTATION): Promise<void> {
  await writeFile(
    config,
    operatorToml(
      undefined,
      `[attestation]
${attestation}
[collateral]
intel_url = "${vendors.url}/"
intel_root_crl_url = "${vendors.url}${ROOT_CRL_PATH}"
amd_url = "${vendors.url}"
timeout_ms = 500
${collateral}
[development]
snp_roots_file = "snp.json"
tdx_roots_file = "tdx.pem"`,
    ),
  )
}

const options = (at = NOW) => [{ config, json: true }, { now: () => 1000 * at }] as const
const offer = async (issue: TdxIssueOptions) =>
  vendors.platforms.set(FMSPC.toUpperCase(), (await (await tdxAuthority()).issue(issue)).collateral)
const evaluation = (number: number): TdxIssueOptions => ({
  tcbInfo: (honest) => ({ ...honest, tcbEvaluationDataNumber: number }),
})

/** What a fetch says about each file; a failed one ends with a refusal and prints first. */
async function fetched(further: { fmspc?: string[] } = {}): Promise<Updated[]> {
  const [input, deps] = options()
  printed = ''
  const text = await fetchCollateral({ ...input, ...further }, deps).catch((thrown: unknown) => {
    expect(thrown).toMatchObject({ code: 'COLLATERAL_UNAVAILABLE' })
    return printed
  })
  return JSON.parse(text)
}
const held = (name: string) => readFile(join(folder, 'kept', name))
const written = (file: string) => expect.objectContaining({ file, result: 'written' })
const failed = (file: string, reason: string | RegExp) =>
  expect.objectContaining({
    file,
    result: 'failed',
    reason: typeof reason === 'string' ? reason : expect.stringMatching(reason),
  })

describe('kms collateral fetch', () => {
  it('writes what verifies, as the operator’s folders want it, and asks as the services say', async () => {
    expect(await fetched()).toEqual([written(BUNDLE), written(LIST)])
    expect(await readdir(join(folder, 'kept'))).toEqual([BUNDLE, LIST])
    expect((await stat(join(folder, 'kept', BUNDLE))).mode & 0o777).toBe(0o644)
    expect(parseTdxCollateral(String(await held(BUNDLE)))).toEqual(
      vendors.platforms.get(FMSPC.toUpperCase()),
    )
    expect(new Uint8Array(await held(LIST))).toEqual(vendors.lists.get(LIST_PATH))
    expect([...vendors.asked].sort()).toEqual([
      ROOT_CRL_PATH,
      '/sgx/certification/v4/pckcrl?ca=platform&encoding=der',
      '/tdx/certification/v4/qe/identity?update=standard',
      '/tdx/certification/v4/tcb?fmspc=51806F000000&update=standard',
      LIST_PATH,
    ])
  })

  it('leaves alone what is the same', async () => {
    await fetched()
    expect((await fetched()).map(({ result }) => result)).toEqual(['unchanged', 'unchanged'])
  })

  it('takes a newer one in the place of what was there', async () => {
    await fetched()
    await offer(evaluation(20))
    vendors.lists.set(LIST_PATH, await makeList({ number: 8 }))
    expect(await fetched()).toEqual([written(BUNDLE), written(LIST)])
    expect(String(await held(BUNDLE))).toContain('\\"tcbEvaluationDataNumber\\":20')
  })

  it('does not go back', async () => {
    await offer(evaluation(20))
    vendors.lists.set(LIST_PATH, await makeList({ number: 8 }))
    await fetched()
    const before = await Promise.all([held(BUNDLE), held(LIST)])
    await offer(evaluation(19))
    vendors.lists.set(LIST_PATH, await makeList({ number: 7 }))
    const older = 'it is older than what is there'
    expect(await fetched()).toEqual([failed(BUNDLE, older), failed(LIST, older)])
    expect(await Promise.all([held(BUNDLE), held(LIST)])).toEqual(before)
  })

  it('fetches again what is in the folder, and what is asked for by hand', async () => {
    await configure('lists = ["vcek-milan"]')
    expect((await fetched()).map(({ file }) => file)).toEqual([LIST])
    expect((await fetched({ fmspc: [FMSPC.toUpperCase()] })).map(({ file }) => file)).toEqual([
      BUNDLE,
      LIST,
    ])
    expect((await fetched()).map(({ file }) => file)).toEqual([BUNDLE, LIST])
  })

  it('asks for the lists of the processors that are served', async () => {
    await configure('', `${ATTESTATION}\nproducts = ["Genoa"]`)
    await fetched()
    expect(vendors.asked).toEqual(['/vcek/v1/Genoa/crl', '/vlek/v1/Genoa/crl'])
  })

  const answer =
    (status: number, body = '', headers = {}): RequestListener =>
    (_request, response) =>
      response.writeHead(status, headers).end(body)
  const lies: [string, string, RequestListener, string | RegExp][] = [
    ['is away', '/tdx/certification/v4/tcb', answer(503, 'secret of theirs'), 'status 503'],
    ['does not know the platform', '/tdx/certification/v4/tcb', answer(404), 'status 404'],
    [
      'sends elsewhere',
      '/tdx/certification/v4/tcb',
      answer(302, '', { location: '/elsewhere' }),
      'unreachable',
    ],
    ['says nothing', '/tdx/certification/v4/tcb', () => undefined, 'timeout'],
    [
      'sends text',
      '/tdx/certification/v4/qe/identity',
      answer(200, 'hello'),
      /^EVIDENCE_MALFORMED/,
    ],
    [
      'sends no end',
      '/tdx/certification/v4/qe/identity',
      answer(200, 'x'.repeat(200_000)),
      'too large',
    ],
    [
      'forgets the issuers',
      '/sgx/certification/v4/pckcrl',
      answer(200, 'x'),
      'no SGX-PCK-CRL-Issuer-Chain',
    ],
    [
      'mangles the issuers',
      '/sgx/certification/v4/pckcrl',
      answer(200, 'x', { 'SGX-PCK-CRL-Issuer-Chain': '%zz' }),
      'no SGX-PCK-CRL-Issuer-Chain',
    ],
    ['sends a root list of garbage', ROOT_CRL_PATH, answer(200, 'x'), /^EVIDENCE_MALFORMED/],
  ]
  it.each(lies)('writes nothing when the service %s, and goes on', async (_, path, lie, reason) => {
    vendors.lies.set(path, lie)
    expect(await fetched()).toEqual([failed(BUNDLE, reason), written(LIST)])
    expect(await readdir(join(folder, 'kept'))).toEqual([LIST])
    expect(printed).not.toContain('secret of theirs')
  })

  it('writes nothing that is genuine and not what was asked for, or not genuine', async () => {
    const other = '00806f050000'
    vendors.platforms.set(
      other.toUpperCase(),
      vendors.platforms.get(FMSPC.toUpperCase()) ?? expect.fail(),
    )
    await configure(`fmspcs = ["${other}"]\nlists = ["vcek-milan", "vlek-milan"]`)
    vendors.lists.set(LIST_PATH, await makeList({ keySet: 'look-alike' }))
    vendors.lists.set('/vlek/v1/Milan/crl', await makeList({ nextUpdate: NOW - 1 }))
    expect(await fetched()).toEqual([
      failed(`tdx-${other}.json`, 'it is of another kind of platform'),
      failed(LIST, /^EVIDENCE_INVALID/),
      failed('vlek-milan.crl', 'it has run out'),
    ])
    const lookAlike = await (await tdxAuthority('look-alike')).issue()
    vendors.platforms.set(other.toUpperCase(), lookAlike.collateral)
    expect((await fetched())[0]).toEqual(failed(`tdx-${other}.json`, /^EVIDENCE_INVALID/))
    expect(await readdir(folder)).not.toContain('kept')
  })

  it('needs folders, and FMSPCs that are some', async () => {
    const [input, deps] = options()
    const wrong = { code: 'CONFIG_INVALID' }
    await expect(fetchCollateral({ ...input, fmspc: ['xyz'] }, deps)).rejects.toMatchObject(wrong)
    await configure('', 'crl_dir = "kept"')
    await expect(fetchCollateral({ ...input, fmspc: [FMSPC] }, deps)).rejects.toMatchObject(wrong)
    await configure('', '')
    await expect(fetchCollateral(input, deps)).rejects.toMatchObject(wrong)
    await expect(listCollateral(input, deps)).rejects.toMatchObject(wrong)
  })
})

describe('kms collateral list', () => {
  it('tells dates, numbers and how many are revoked', async () => {
    vendors.lists.set(LIST_PATH, await makeList({ revoked: ['010001', '010002'] }))
    await fetched()
    const [input, deps] = options()
    expect(JSON.parse(await listCollateral(input, deps))).toEqual([
      {
        vendor: 'intel',
        file: BUNDLE,
        state: 'good',
        about: FMSPC,
        issuedAt: NOW - DAY,
        expiresAt: NOW + 29 * DAY,
        numbers: 'TCB 19, QE 19',
        revoked: 0,
      },
      {
        vendor: 'amd',
        file: LIST,
        state: 'good',
        about: 'Milan VCEK',
        issuedAt: NOW - DAY,
        expiresAt: NOW + 45 * DAY,
        numbers: 'list 7',
        revoked: 2,
      },
    ])
    const text = await listCollateral({ config, json: false }, deps)
    expect(text.split('\n')).toHaveLength(3)
    expect(text).toMatch(/tdx-51806f000000\.json +good +51806f000000 +2026-05-31 +2026-06-30/)
  })

  it('tells the end of the certificate that signed a bundle, where that comes first', async () => {
    await fetched()
    const { collateral } = await (await tdxAuthority()).issue({
      certificates: { tcbSigner: () => ({ notAfter: NOW + 5 * DAY }) },
    })
    const text = JSON.stringify(encodeTdxCollateral(collateral))
    await writeFile(join(folder, 'kept', BUNDLE), text)
    const [input] = options()
    const at = async (now: number) =>
      JSON.parse(await listCollateral(input, { now: () => 1000 * now }))[0]
    expect(await at(NOW)).toMatchObject({ state: 'good', expiresAt: NOW + 5 * DAY })
    expect(await at(NOW + 6 * DAY)).toMatchObject({ state: 'expired', expiresAt: NOW + 5 * DAY })
  })

  it('tells a forgery from what has merely run out, and names what is missing', async () => {
    await fetched()
    await writeFile(join(folder, 'kept', 'other.json'), '{}')
    const [input] = options()
    const later = { now: () => 1000 * (NOW + 60 * DAY) }
    await configure(`fmspcs = ["00806f050000"]\nlists = ["vcek-milan", "vlek-milan"]`)
    const states = async () =>
      (JSON.parse(await listCollateral(input, later)) as { file: string; state: string }[]).map(
        ({ file, state }) => `${file} ${state}`,
      )
    expect(await states()).toEqual([
      'other.json bad',
      `${BUNDLE} expired`,
      'tdx-00806f050000.json missing',
      `${LIST} expired`,
      'vlek-milan.crl missing',
    ])
    await writeFile(join(folder, 'kept', LIST), await makeList({ keySet: 'look-alike' }))
    expect(await states()).toContain(`${LIST} bad`)
  })
})

describe('kms collateral check', () => {
  const check = async (at: number, days?: string) => {
    const [input, deps] = options(at)
    printed = ''
    return checkCollateral({ ...input, json: false, ...(days === undefined ? {} : { days }) }, deps)
  }
  const attention = { code: 'COLLATERAL_UNAVAILABLE' }

  it('passes while everything is good for long enough', async () => {
    await fetched()
    expect(await check(NOW)).toBe('All 2 are good for 7 days and more.')
    expect(await check(NOW, '29')).toBe('All 2 are good for 29 days and more.')
  })

  it('fails before something runs out, and tells what', async () => {
    await fetched()
    await expect(check(NOW, '30')).rejects.toMatchObject(attention)
    expect(printed).toContain(BUNDLE)
    expect(printed).not.toContain(LIST)
    await expect(check(NOW + 22 * DAY)).resolves.toBeDefined()
    await expect(check(NOW + 23 * DAY)).rejects.toMatchObject(attention)
    await expect(check(NOW + 60 * DAY, '0')).rejects.toMatchObject(attention)
  })

  it('fails when something is missing or broken', async () => {
    await expect(check(NOW)).rejects.toMatchObject(attention)
    expect(printed).toContain('missing')
    await fetched()
    await writeFile(join(folder, 'kept', BUNDLE), 'x')
    await expect(check(NOW)).rejects.toMatchObject(attention)
    expect(printed).toContain('bad (EVIDENCE_MALFORMED)')
  })

  it.each(['-1', 'x', '1.5'])('refuses --days %s', async (days) => {
    await expect(check(NOW, days)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })
})

describe('the background refresher', () => {
  const unexpected = () => expect.unreachable()
  const start = async (written: () => void, updated: (update: Updated) => void) => {
    const [snp, tdx] = await Promise.all([authorityOf(), tdxAuthority()])
    return startRefresher({
      config: await loadKmsConfig(config),
      anchors: { snp: snp.anchors, tdx: tdx.anchors },
      log: createLog({ level: 'debug', destination: { write: () => undefined } }),
      now: () => 1000 * NOW,
      onUpdated: updated,
      onWritten: async () => written(),
    })
  }

  it('is off by default', async () => {
    expect(await start(unexpected, unexpected)).toBeUndefined()
    expect(vendors.asked).toEqual([])
  })

  it('fetches at once where it is on, and tells when something new is there', async () => {
    await configure(`${COLLATERAL}\nrefresh_hours = 12`)
    const updates: Updated[] = []
    let stop: (() => Promise<void>) | undefined
    await new Promise<void>((resolve) => {
      void start(resolve, (update) => updates.push(update)).then((refresher) => {
        stop = refresher?.stop
      })
    })
    expect(updates).toEqual([written(BUNDLE), written(LIST)])
    await stop?.()
  })

  it('ends a download under way when it is stopped', async () => {
    await configure(`${COLLATERAL}\nrefresh_hours = 12`)
    const asked = new Promise<void>((resolve) => {
      vendors.lies.set('/tdx/certification/v4/tcb', () => resolve())
    })
    const refresher = await start(unexpected, unexpected)
    await asked
    await refresher?.stop()
    expect(await readdir(folder)).not.toContain('kept')
  })

  it('needs a folder', () => {
    const parse = () => parseKmsConfig(operatorToml(undefined, '[collateral]\nrefresh_hours = 1'))
    expect(refusalOf(parse)).toMatchObject({ details: { path: 'collateral.refresh_hours' } })
  })

  it.each(['http://kdsintf.amd.com', 'https://user:pass@kds.example', 'ftp://kds', 'kds'])(
    'does not fetch from %s',
    (url) => {
      const parse = () =>
        parseKmsConfig(operatorToml(undefined, `[collateral]\namd_url = "${url}"`))
      expect(refusalOf(parse)).toMatchObject({ details: { path: 'collateral.amd_url' } })
    },
  )
})

describe('what /health says', () => {
  it('names what runs out soon, the first first', () => {
    const expiries = [
      { kind: 'amd-crl', name: 'Milan vcek', expiresAt: NOW + 6 * DAY },
      { kind: 'amd', name: 'Milan ark', expiresAt: NOW + 9000 * DAY },
      { kind: 'tdx-collateral', name: FMSPC, expiresAt: NOW - DAY },
    ]
    const facts = {
      operator: `0x${'01'.repeat(20)}`,
      chainId: 1,
      node: { startedAtMs: 0, accepting: true },
      keys: keyServiceOf(),
      epoch: undefined,
    } as const
    const expiring = (warnDays: number) =>
      reportStatus({ ...facts, expiries, warnDays }, 1000 * NOW).expiring.map(({ name }) => name)
    expect(expiring(7)).toEqual([FMSPC, 'Milan vcek'])
    expect(expiring(0)).toEqual([FMSPC])
  })
})
