/** AMD's revocation lists and TCB floors in an operator: a real folder, a throw-away authority, and time by hand. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { encodeAzureSnpJson } from '../../helper/sim/azure-evidence.ts'
import { healthyReport } from '../../helper/sim/evidence-report.ts'
import type { SnpRevocation } from '../../kms/authorize/snp-platform.ts'
import type { RefusedFile } from '../../kms/collateral/folder.ts'
import { openSnpListFolder, type SnpListFolder } from '../../kms/collateral/snp-lists.ts'
import { startSnpService } from '../../kms/collateral/start-snp.ts'
import { parseKmsConfig } from '../../kms/config.ts'
import { createLog } from '../../kms/log.ts'
import { AMD_ANCHORS } from '../../sdk/attest/anchors.ts'
import { createSnpRevocationMemory, openSnpCrl } from '../../sdk/attest/snp-crl.ts'
import { SNP_LISTS, snpListFile } from '../../sdk/attest/snp-list-names.ts'
import { toBase64, utf8ToBytes } from '../../sdk/bytes.ts'
import { refusalOf } from '../kit/errors.ts'
import { authorityOf } from '../kit/snp-authority.ts'
import { snpVm } from '../sdk/attest/azure/kit.ts'
import { DAY, type ListFields, makeList } from '../sdk/attest/crl-kit.ts'
import { makeBody, makeRsa, type SecretsBody, TEST_TIME } from './kit.ts'
import { KNOWN_IMAGE, makeWorld, operatorToml, PROBLEM, post, WIDE_LIMITS } from './world.ts'

const ASK = '010001'
const ASVK = '010101'
const RSA = makeRsa()

describe('the folder of lists', () => {
  let path: string
  let folder: SnpListFolder | undefined
  let looks: { lists: number; refused: readonly RefusedFile[] }[]
  const memory = () => createSnpRevocationMemory()

  beforeEach(async () => {
    path = await mkdtemp(join(tmpdir(), 'lists-'))
    looks = []
  })
  afterEach(async () => {
    await folder?.stop()
    folder = undefined
    await rm(path, { recursive: true, force: true })
  })

  const put = async (name: string, changes: Partial<ListFields> = {}) =>
    writeFile(join(path, name), await makeList(changes))
  const open = async (learnt = memory()): Promise<SnpListFolder> => {
    folder = await openSnpListFolder({
      path,
      anchors: (await authorityOf()).anchors,
      memory: learnt,
      refreshMs: 3_600_000,
      now: () => 1000 * TEST_TIME,
      onLook: (lists, refused) => looks.push({ lists, refused }),
    })
    return folder
  }
  const held = ({ lists }: SnpListFolder) =>
    lists().map(({ product, kind, crl }) => `${product} ${kind} ${crl.number}`)

  it('knows one name for each of AMD’s lists', () => {
    expect(SNP_LISTS.map(snpListFile)).toEqual([
      'vcek-milan.crl',
      'vlek-milan.crl',
      'vcek-genoa.crl',
      'vlek-genoa.crl',
      'vcek-turin.crl',
      'vlek-turin.crl',
    ])
  })

  it('keeps the two series apart, and looks at nothing else', async () => {
    await put('vcek-milan.crl', { number: 11 })
    await put('vlek-milan.crl', { number: 9 })
    await put('milan.crl')
    expect(held(await open())).toEqual(['Milan VCEK 11', 'Milan VLEK 9'])
    expect(looks).toEqual([{ lists: 2, refused: [] }])
  })

  it('takes up a newer list, and holds on against an older or broken one', async () => {
    await put('vcek-milan.crl', { number: 4 })
    const opened = await open()
    await put('vcek-milan.crl', { number: 5 })
    await opened.refresh()
    expect(held(opened)).toEqual(['Milan VCEK 5'])
    await put('vcek-milan.crl', { number: 4 })
    await opened.refresh()
    expect(held(opened)).toEqual(['Milan VCEK 5'])
    await writeFile(join(path, 'vcek-milan.crl'), 'x')
    await opened.refresh()
    expect(held(opened)).toEqual(['Milan VCEK 5'])
    const refused = (code: string) => ({ lists: 1, refused: [{ file: 'vcek-milan.crl', code }] })
    expect(looks.slice(-2)).toEqual([refused('EVIDENCE_INVALID'), refused('EVIDENCE_MALFORMED')])
  })

  it('forgets a list that is gone, but neither its number nor what it revoked', async () => {
    const learnt = memory()
    await put('vcek-milan.crl', { number: 4, revoked: [ASK] })
    const opened = await open(learnt)
    await rm(join(path, 'vcek-milan.crl'))
    await opened.refresh()
    expect(held(opened)).toEqual([])
    expect([...learnt.revoked('Milan')]).toEqual([ASK])
    await put('vcek-milan.crl', { number: 3 })
    await opened.refresh()
    expect(held(opened)).toEqual([])
  })

  it('keeps what it had while the folder is away', async () => {
    await put('vcek-milan.crl')
    const opened = await open()
    await rm(path, { recursive: true })
    await opened.refresh()
    expect(held(opened)).toEqual(['Milan VCEK 7'])
    expect(looks.at(-1)?.refused).toEqual([{ file: '', code: 'UNREADABLE' }])
  })

  it.each<[string, () => Promise<Uint8Array> | Uint8Array, string]>([
    ['nothing', () => new Uint8Array(), 'EVIDENCE_MALFORMED'],
    ['too much', () => new Uint8Array(300_000), 'INPUT_TOO_LARGE'],
    ['of a look-alike root', () => makeList({ keySet: 'look-alike' }), 'EVIDENCE_INVALID'],
    ['of another product line', () => makeList({ product: 'Genoa' }), 'EVIDENCE_INVALID'],
    ['of the future', () => makeList({ thisUpdate: TEST_TIME + DAY }), 'EVIDENCE_INVALID'],
  ])('holds nothing where a file is %s, and says which', async (_name, make, code) => {
    await writeFile(join(path, 'vcek-milan.crl'), await make())
    await mkdir(join(path, 'vlek-milan.crl'))
    expect(held(await open())).toEqual([])
    expect(looks[0]?.refused).toEqual([
      { file: 'vcek-milan.crl', code },
      { file: 'vlek-milan.crl', code: 'UNREADABLE' },
    ])
  })

  it('must be there at the start', async () => {
    await rm(path, { recursive: true })
    await expect(open()).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      details: { path: 'attestation.crl_dir' },
    })
  })

  const start = async (anchors = AMD_ANCHORS) => {
    const config = parseKmsConfig(operatorToml(undefined, `[attestation]\ncrl_dir = "${path}"`))
    const log = createLog({ level: 'debug', destination: { write: () => undefined } })
    return startSnpService({ config, anchors, log, now: () => 1000 * TEST_TIME })
  }

  it('is watched beside every embedded certificate', async () => {
    await put('vcek-milan.crl')
    const genuine = await start()
    expect(genuine.expiries()).toHaveLength(9)
    for (const { expiresAt } of genuine.expiries()) expect(expiresAt).toBeGreaterThan(1_900_000_000)
    await genuine.stop()
    const simulated = await start((await authorityOf()).anchors)
    expect(simulated.expiries()).toEqual([
      { kind: 'amd-crl', name: 'Milan vcek', expiresAt: TEST_TIME - 3600 + 45 * DAY },
    ])
    expect(simulated.deps.lists()).toHaveLength(1)
    await simulated.stop()
  })
})

type Held = { kind: 'VCEK' | 'VLEK'; changes?: Partial<ListFields> }

async function revocationOf(...lists: Held[]): Promise<SnpRevocation> {
  const { anchors } = await authorityOf()
  const opened = await Promise.all(
    lists.map(async ({ kind, changes }) => {
      const der = await makeList(changes)
      return openSnpCrl({ product: 'Milan', kind, der }, anchors, new Map(), TEST_TIME)
    }),
  )
  return { lists: () => opened, memory: createSnpRevocationMemory() }
}

type Asked = {
  /** Lines of `[attestation]`. */
  attestation?: string
  revocation?: SnpRevocation
  body?: SecretsBody
  nowSeconds?: number
}

async function ask(asked: Asked = {}) {
  const authority = await authorityOf()
  const world = await makeWorld({
    toml: `${WIDE_LIMITS}\n[attestation]\n${asked.attestation ?? ''}\n${KNOWN_IMAGE}`,
    anchors: authority.anchors,
    ...(asked.revocation === undefined ? {} : { revocation: asked.revocation }),
    now: () => 1000 * (asked.nowSeconds ?? TEST_TIME),
  })
  const body = asked.body ?? (await makeBody(authority, { rsa: RSA }))
  const response = await post(world, '/secrets', body, PROBLEM)
  const answer: {
    code?: string
    marks?: string[]
    checks?: { name: string; result: string }[]
  } = await response.json()
  const failed = answer.checks?.find(({ result }) => result === 'failed')?.name
  return { status: response.status, code: answer.code, failed, marks: answer.marks }
}

const granted = { status: 200, code: undefined, failed: undefined, marks: undefined }
const refused = (code: string, failed: string) => ({
  status: 401,
  code,
  failed,
  marks: undefined,
})

/** The honest request with lists beside its certificate. */
async function carrying(...crls: string[]): Promise<SecretsBody> {
  const body = await makeBody(await authorityOf(), { rsa: RSA })
  const evidence: object = JSON.parse(Buffer.from(String(body.attestation), 'base64').toString())
  const attestation = toBase64(utf8ToBytes(JSON.stringify({ ...evidence, crls })))
  return { ...body, attestation }
}

const REQUIRE = 'crl_dir = "lists"\nrequire_crl = true'

describe('a guest whose authority is revoked', () => {
  it('is refused by the list of its kind, also by one that ran out and is not demanded', async () => {
    const invalid = refused('EVIDENCE_INVALID', 'snp.crl.intermediate')
    const revoked = { revoked: [ASK] }
    const revocation = await revocationOf({ kind: 'VCEK', changes: revoked })
    expect(await ask({ revocation })).toEqual(invalid)
    const old = { ...revoked, nextUpdate: TEST_TIME - 1 }
    expect(await ask({ revocation: await revocationOf({ kind: 'VCEK', changes: old }) })).toEqual(
      invalid,
    )
  })

  it('is refused for the authority that signed, not for its neighbour', async () => {
    const revocation = await revocationOf({ kind: 'VCEK', changes: { revoked: [ASVK] } })
    expect(await ask({ revocation })).toEqual(granted)
  })

  it('is refused in an Azure VM too', async () => {
    const revocation = await revocationOf({ kind: 'VCEK', changes: { revoked: [ASK] } })
    const attestation = encodeAzureSnpJson(await (await snpVm()).issue())
    const honest = await makeBody(await authorityOf(), { rsa: RSA })
    const body = {
      ...honest,
      attestation_method: 'az-snp-vtpm',
      attestation: toBase64(utf8ToBytes(attestation)),
    }
    const setup = `methods = ["az-snp-vtpm"]\nazure = { id_key_digests = ["${'1d'.repeat(48)}"] }`
    expect(await ask({ attestation: setup, revocation, body })).toEqual(
      refused('EVIDENCE_INVALID', 'snp.crl.intermediate'),
    )
  })
})

describe('an operator that demands lists', () => {
  it('serves nobody without the one of the right kind', async () => {
    const absent = refused('EVIDENCE_NOT_ALLOWED', 'snp.crl.present')
    expect(await ask({ attestation: REQUIRE })).toEqual(absent)
    const other = await revocationOf({ kind: 'VLEK' })
    expect(await ask({ attestation: REQUIRE, revocation: other })).toEqual(absent)
    const right = await revocationOf({ kind: 'VCEK' })
    expect(await ask({ attestation: REQUIRE, revocation: right })).toEqual(granted)
  })

  it('takes none that came with the evidence for it', async () => {
    const body = await carrying(toBase64(await makeList()))
    expect(await ask({ attestation: REQUIRE, body })).toEqual(
      refused('EVIDENCE_NOT_ALLOWED', 'snp.crl.present'),
    )
  })

  it('serves nobody on a list that ran out, but for days of grace', async () => {
    const changes = { thisUpdate: TEST_TIME - 9 * DAY, nextUpdate: TEST_TIME - 2 * DAY }
    const revocation = await revocationOf({ kind: 'VCEK', changes })
    const stale = refused('EVIDENCE_NOT_ALLOWED', 'snp.crl.current')
    const days = (n: number) => `${REQUIRE}\ncrl_grace_days = ${n}`
    expect(await ask({ attestation: REQUIRE, revocation })).toEqual(stale)
    expect(await ask({ attestation: days(1), revocation })).toEqual(stale)
    expect(await ask({ attestation: days(2), revocation })).toEqual(granted)
  })

  it('needs a folder for them', () => {
    const parse = () => parseKmsConfig(operatorToml(undefined, '[attestation]\nrequire_crl = true'))
    expect(refusalOf(parse)).toMatchObject({ details: { path: 'attestation.require_crl' } })
  })
})

describe('a list that comes with the evidence', () => {
  it('revokes, for those who come after without it as well', async () => {
    const revocation = await revocationOf()
    const shown = refused('EVIDENCE_INVALID', 'snp.crl.seen-before')
    expect(await ask({ revocation })).toEqual(granted)
    const body = await carrying(toBase64(await makeList({ revoked: [ASK], number: 1 })))
    expect(await ask({ revocation, body })).toEqual(shown)
    expect(await ask({ revocation })).toEqual(shown)
  })

  it('that revokes nothing of this chain changes nothing', async () => {
    const body = await carrying(
      toBase64(await makeList()),
      toBase64(await makeList({ revoked: [ASVK] })),
    )
    expect(await ask({ body })).toEqual(granted)
  })

  it.each<[string, () => Promise<string[]>, string, string | undefined]>([
    [
      'of a look-alike root',
      async () => [toBase64(await makeList({ keySet: 'look-alike', revoked: [ASK] }))],
      'EVIDENCE_INVALID',
      'snp.crl.signature',
    ],
    [
      'of another product line',
      async () => [toBase64(await makeList({ product: 'Genoa' }))],
      'EVIDENCE_INVALID',
      'snp.crl.issuer',
    ],
    ['of garbage', async () => ['AAAA'], 'EVIDENCE_MALFORMED', undefined],
    ['that is no base64', async () => ['%'], 'EVIDENCE_MALFORMED', undefined],
    [
      'of which there are three',
      async () => ['AAAA', 'AAAA', 'AAAA'],
      'INPUT_TOO_LARGE',
      undefined,
    ],
  ])('%s is refused, and teaches nothing', async (_name, crls, code, failed) => {
    const revocation = await revocationOf()
    const body = await carrying(...(await crls()))
    expect(await ask({ revocation, body })).toMatchObject({ code, failed })
    expect(await ask({ revocation })).toEqual(granted)
  })
})

describe('a TCB floor with a date', () => {
  const since = '2026-06-01' // TEST_TIME is an hour later
  const snp = healthyReport('Milan', 'VCEK').reportedTcb.snp
  const floor = (fields: string) =>
    `tcb_floors = [{ product = "Milan", since = "${since}", reason = "AMD-SB-3019", ${fields} }]`
  const above = `snp = ${snp + 1}`

  it('marks a platform below it for its days of grace, and refuses it afterwards', async () => {
    const attestation = floor(`${above}, grace_days = 30`)
    expect(await ask({ attestation })).toEqual({ ...granted, marks: ['tcb-grace'] })
    expect(await ask({ attestation, nowSeconds: TEST_TIME + 30 * DAY })).toEqual(
      refused('TCB_TOO_OLD', 'snp.policy.tcb-floor'),
    )
  })

  it('without grace refuses at once; a platform that reaches it is not marked', async () => {
    expect(await ask({ attestation: floor(above) })).toEqual(
      refused('TCB_TOO_OLD', 'snp.policy.tcb-floor'),
    )
    expect(await ask({ attestation: floor(`snp = ${snp}`) })).toEqual(granted)
  })

  it('of tomorrow, or of another product line, does not exist yet', async () => {
    const attestation = floor(above)
    expect(await ask({ attestation: attestation.replace(since, '2026-06-02') })).toEqual(granted)
    expect(await ask({ attestation: attestation.replace('Milan', 'Genoa') })).toEqual(granted)
  })

  it.each([
    ['since', floor(above).replace(since, '2026-06-31')],
    ['since', floor(above).replace(since, '2026-06-01T00:00:00Z')],
    ['reason', floor(above).replace('AMD-SB-3019', '')],
    ['grace_days', floor(`${above}, grace_days = 366`)],
  ])('has a well-formed %s', (field, lines) => {
    const parse = () => parseKmsConfig(operatorToml(undefined, `[attestation]\n${lines}`))
    expect(refusalOf(parse)).toMatchObject({
      code: 'CONFIG_INVALID',
      details: { path: `attestation.tcb_floors.0.${field}` },
    })
  })
})
