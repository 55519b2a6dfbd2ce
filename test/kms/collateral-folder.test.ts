/** The folder in which an operator keeps Intel's collateral: real files, a simulated authority, and time by hand. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { TdxAuthority, TdxIssueOptions } from '../../helper/sim/tdx-evidence.ts'
import {
  type CollateralFolder,
  MAX_COLLATERAL_FILES,
  openCollateralFolder,
  type RefusedFile,
} from '../../kms/collateral/folder.ts'
import { startTdxService } from '../../kms/collateral/start.ts'
import { parseKmsConfig } from '../../kms/config.ts'
import { createLog } from '../../kms/log.ts'
import { encodeTdxCollateral } from '../../sdk/attest/collateral-bundle.ts'
import { createCrlMemory } from '../../sdk/attest/crl-memory.ts'
import { encodeTdxRoots } from '../../sdk/attest/tdx-anchors.ts'
import { DAY, NOW, tdxAuthority } from '../sdk/attest/tdx/kit.ts'
import { operatorToml } from './world.ts'

const PLATFORM = { fmspc: '51806f000000', pceId: '0000' }

let path: string
let authority: TdxAuthority
let nowSeconds: number
let folder: CollateralFolder | undefined
let looks: { bundles: number; refused: readonly RefusedFile[] }[]

beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'collateral-'))
  authority = await tdxAuthority()
  nowSeconds = NOW
  looks = []
})
afterEach(async () => {
  await folder?.stop()
  folder = undefined
  await rm(path, { recursive: true, force: true })
})

async function openFolder(): Promise<CollateralFolder> {
  folder = await openCollateralFolder({
    path,
    anchors: authority.anchors,
    crls: createCrlMemory(),
    refreshMs: 3_600_000,
    now: () => 1000 * nowSeconds,
    onLook: (bundles, refused) => looks.push({ bundles, refused }),
  })
  return folder
}

async function bundle(options: TdxIssueOptions = {}, by = authority): Promise<string> {
  return JSON.stringify(encodeTdxCollateral((await by.issue(options)).collateral))
}

const put = (name: string, text: string) => writeFile(join(path, name), text)
const evaluation = (number: number): TdxIssueOptions => ({
  tcbInfo: (honest) => ({ ...honest, tcbEvaluationDataNumber: number }),
})

describe('the collateral folder', () => {
  it('is there once it is open, by platform and provisioning enclave', async () => {
    await put('a.json', await bundle())
    await put('notes.txt', 'not looked at')
    const { find, expiries } = await openFolder()
    expect(find(PLATFORM)?.tcbInfo.text).toContain('51806F000000')
    expect(find({ ...PLATFORM, fmspc: '00806f050000' })).toBeUndefined()
    expect(find({ ...PLATFORM, pceId: '0001' })).toBeUndefined()
    expect(expiries()).toEqual([{ fmspc: PLATFORM.fmspc, expiresAt: NOW + 29 * DAY }])
    expect(looks).toEqual([{ bundles: 1, refused: [] }])
  })

  it('runs out with the certificate that signed it, where that ends first', async () => {
    const notAfter = NOW + 5 * DAY
    await put('a.json', await bundle({ certificates: { tcbSigner: () => ({ notAfter }) } }))
    const { find, expiries } = await openFolder()
    expect(expiries()).toEqual([{ fmspc: PLATFORM.fmspc, expiresAt: notAfter }])
    expect(find(PLATFORM)).toBeDefined()
    nowSeconds = notAfter
    expect(find(PLATFORM)).toBeUndefined()
  })

  it('uses the newest of several, whatever their names', async () => {
    await put('a.json', await bundle(evaluation(20)))
    await put('b.json', await bundle(evaluation(19)))
    const { find, expiries } = await openFolder()
    expect(find(PLATFORM)?.tcbInfo.text).toContain('"tcbEvaluationDataNumber":20')
    expect(expiries()).toHaveLength(1)
  })

  it('does not hand out what has run out', async () => {
    await put('a.json', await bundle())
    const { find } = await openFolder()
    nowSeconds = NOW + 29 * DAY
    expect(find(PLATFORM)).toBeUndefined()
  })

  it('takes up what is new and drops what is gone at the next look', async () => {
    const { find, refresh } = await openFolder()
    expect(find(PLATFORM)).toBeUndefined()
    await put('a.json', await bundle())
    expect(find(PLATFORM)).toBeUndefined()
    await refresh()
    expect(find(PLATFORM)).toBeDefined()
    await rm(join(path, 'a.json'))
    await refresh()
    expect(find(PLATFORM)).toBeUndefined()
  })

  it('keeps what it had while a file is half written, and while the folder is away', async () => {
    const text = await bundle()
    await put('a.json', text)
    const { find, refresh } = await openFolder()
    await put('a.json', text.slice(0, 5000))
    await refresh()
    expect(find(PLATFORM)).toBeDefined()
    expect(looks.at(-1)).toEqual({
      bundles: 1,
      refused: [{ file: 'a.json', code: 'EVIDENCE_MALFORMED' }],
    })
    await rm(path, { recursive: true })
    await refresh()
    expect(find(PLATFORM)).toBeDefined()
    expect(looks.at(-1)?.refused).toEqual([{ file: '', code: 'UNREADABLE' }])
  })

  it.each<[string, () => Promise<string> | string, string]>([
    ['garbage', () => 'x', 'EVIDENCE_MALFORMED'],
    ['nothing', () => '', 'EVIDENCE_MALFORMED'],
    ['too much', () => ' '.repeat(1_000_000), 'INPUT_TOO_LARGE'],
    [
      'documents of a look-alike authority',
      async () => bundle({}, await tdxAuthority('look-alike')),
      'EVIDENCE_INVALID',
    ],
    [
      'a document that another key signed',
      async () => {
        const key = (await tdxAuthority('look-alike')).keys.tcbSigner.privateKey
        return bundle({ signWith: { tcbInfo: key } })
      },
      'EVIDENCE_INVALID',
    ],
    ['documents that have run out', () => bundle({ at: NOW - 60 * DAY }), 'EVIDENCE_INVALID'],
    ['documents from the future', () => bundle({ at: NOW + 2 * DAY }), 'EVIDENCE_INVALID'],
    [
      'a signer that is revoked',
      () => bundle({ rootCrl: () => ({ revoked: ['44'] }) }),
      'EVIDENCE_INVALID',
    ],
  ])('holds nothing where a file is %s, and says which', async (_name, make, code) => {
    await put('a.json', await make())
    const { find } = await openFolder()
    expect(find(PLATFORM)).toBeUndefined()
    expect(looks).toEqual([{ bundles: 0, refused: [{ file: 'a.json', code }] }])
  })

  it('reads a bounded number of files', async () => {
    for (let index = 0; index <= MAX_COLLATERAL_FILES; index++)
      await put(`${index + 100}.json`, 'x')
    await openFolder()
    expect(looks[0]?.refused).toContainEqual({
      file: `${100 + MAX_COLLATERAL_FILES}.json`,
      code: 'INPUT_TOO_LARGE',
    })
  })

  it('must be there at the start', async () => {
    await rm(path, { recursive: true })
    await expect(openFolder()).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      details: { path: 'attestation.tdx.collateral_dir' },
    })
  })
})

describe('what eigenx-tdx runs on', () => {
  const start = (methods: string, extra = '') => {
    const text = `[attestation]\nmethods = [${methods}]\n${extra}`
    const log = createLog({ level: 'debug', destination: { write: () => undefined } })
    const config = parseKmsConfig(operatorToml(undefined, text))
    return startTdxService({ config, log, now: () => 1000 * NOW })
  }

  it('is not there where the method is not enabled', async () => {
    expect(await start('"eigenx-snp"')).toBeUndefined()
  })

  it('trusts Intel, and watches its root', async () => {
    const service = await start('"eigenx-tdx"')
    expect(service?.expiries()).toEqual([
      {
        kind: 'intel',
        name: expect.stringMatching(/^root [0-9a-f]{16}$/),
        expiresAt: 2_524_607_999,
      },
    ])
    expect(service?.deps.sources.findCollateral).toBeUndefined()
    await service?.stop()
  })

  it('watches the collateral in use; a simulated root is not watched', async () => {
    const roots = join(path, 'roots.pem')
    await writeFile(roots, encodeTdxRoots(authority.anchors))
    await put('a.json', await bundle())
    const service = await start(
      '"eigenx-tdx"',
      `[attestation.tdx]\ncollateral_dir = "${path}"\n[development]\ntdx_roots_file = "${roots}"`,
    )
    expect(service?.expiries()).toEqual([
      { kind: 'tdx-collateral', name: PLATFORM.fmspc, expiresAt: NOW + 29 * DAY },
    ])
    expect(service?.deps.sources.findCollateral?.(PLATFORM)).toBeDefined()
    await service?.stop()
  })
})
