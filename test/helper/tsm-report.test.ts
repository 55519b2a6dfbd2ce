/** The kernel's reports: a source over a kernel of this process, and the folder over files on disk. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { readSignedFields } from '../../helper/evidence.ts'
import type { SnpAuthority } from '../../helper/sim/evidence.ts'
import { createTsmFolder, type TsmReports } from '../../helper/tsm-folder.ts'
import { createTsmSource } from '../../helper/tsm-report.ts'
import { verifySnp } from '../../sdk/attest/snp-verify.ts'
import { equalBytes, parseUtf8, utf8ToBytes } from '../../sdk/bytes.ts'
import { authorityOf, NOW } from '../kit/snp-authority.ts'
import { encodeCertTable, VCEK, VLEK } from '../sdk/attest/cert-table-kit.ts'
import { issueTdx } from '../sdk/attest/tdx/kit.ts'

const RAW = Uint8Array.from({ length: 64 }, (_, i) => 255 - i)

let amd: SnpAuthority
let cloud: SnpAuthority
beforeAll(async () => {
  amd = await authorityOf()
  cloud = await authorityOf('Genoa', 'VLEK')
})

const failing = (code: string) => Object.assign(new Error(`${code}: the kernel`), { code })

type Fields = Record<string, Uint8Array | undefined>
type Kernel = {
  /** The fields of a request beside `generation`, from what is in `inblob` when it is read. */
  answer: (inblob: Uint8Array, level: number) => Promise<Fields>
  floor?: string
  /** Somebody else writes to the first so many requests, after we did. */
  intrusions?: number
  fail?: { on: string; code: string; times?: number }
  /** Last say over what is read. */
  edit?: (field: string, value: Uint8Array | undefined) => Uint8Array | undefined
}

/** As Linux keeps its requests: a write counts, and a report is made for what is written when it is read. */
function kernelOf({ answer, floor, intrusions = 0, fail, edit }: Kernel) {
  const open = new Set<object>()
  let failures = fail?.times ?? Number.POSITIVE_INFINITY
  let made = 0
  const check = (on: string) => {
    if (fail?.on === on && failures-- > 0) throw failing(fail.code)
  }
  const reports: TsmReports = {
    create: async () => {
      check('create')
      const entry = {}
      open.add(entry)
      const intruded = made++ < intrusions
      let inblob = new Uint8Array()
      let level = 0
      let generation = 0
      return {
        write: async (field, value) => {
          check(field)
          if (field === 'privlevel') level = Number(parseUtf8(value))
          else if (field === 'inblob') inblob = Uint8Array.from(value)
          else throw failing('ENOENT')
          generation++
          if (!intruded || field !== 'inblob') return
          inblob = inblob.map(() => 0x66)
          generation++
        },
        read: async (field) => {
          check(field)
          const fields: Fields =
            field === 'generation'
              ? { generation: utf8ToBytes(`${generation}\n`) }
              : field === 'privlevel_floor'
                ? { privlevel_floor: floor === undefined ? undefined : utf8ToBytes(floor) }
                : await answer(inblob, level)
          return edit === undefined ? fields[field] : edit(field, fields[field])
        },
        remove: async () => {
          open.delete(entry)
          check('remove')
        },
      }
    },
  }
  return { reports, left: () => open.size, made: () => made }
}

const snp =
  (authority: () => SnpAuthority, guid: string) =>
  async (inblob: Uint8Array, vmpl: number): Promise<Fields> => {
    const { report, certificates } = await authority().issue({ reportData: inblob, vmpl })
    const [data = new Uint8Array()] = certificates
    return {
      provider: utf8ToBytes('sev_guest\n'),
      outblob: report,
      auxblob: encodeCertTable([{ guid, data }]),
    }
  }
const milan = snp(() => amd, VCEK)
const tdx = async (reportData: Uint8Array): Promise<Fields> => ({
  provider: utf8ToBytes('tdx_guest\n'),
  outblob: (await issueTdx({ report: { reportData } })).quote,
})

const collect = (kernel: Kernel) => createTsmSource(kernelOf(kernel).reports).collect(RAW)

describe('the source', () => {
  test('gives verifiable evidence of SEV-SNP with the leaf from the host, under VCEK and VLEK', async () => {
    for (const [authority, guid] of [
      [amd, VCEK],
      [cloud, VLEK],
    ] as const) {
      const kernel = kernelOf({ answer: snp(() => authority, guid) })
      const evidence = await createTsmSource(kernel.reports).collect(RAW)
      if (evidence.tee !== 'snp') throw new Error('no SNP evidence')
      const { claims } = verifySnp(evidence, authority.anchors, NOW)
      expect(claims.reportData).toEqual(RAW)
      expect([kernel.left(), kernel.made()]).toEqual([0, 1])
    }
  })

  test('gives the quote of TDX, which has no table', async () => {
    const evidence = await collect({ answer: tdx })
    expect(evidence.tee).toBe('tdx')
    expect(readSignedFields(evidence).reportData).toEqual(RAW)
  })

  test('asks for the lowest level that a guest below a monitor may speak for', async () => {
    const levels: number[] = []
    const answer = (inblob: Uint8Array, level: number) => {
      levels.push(level)
      return milan(inblob, level)
    }
    await collect({ answer, floor: '2\n' })
    await collect({ answer, floor: '0\n' })
    expect(new Set(levels)).toEqual(new Set([2, 0]))
  })

  test('asks anew where somebody else writes to its request, or keeps it busy', async () => {
    for (const kernel of [
      kernelOf({ answer: milan, intrusions: 2 }),
      kernelOf({ answer: milan, fail: { on: 'outblob', code: 'EBUSY', times: 2 } }),
      kernelOf({ answer: milan, fail: { on: 'auxblob', code: 'EAGAIN', times: 2 } }),
    ]) {
      const evidence = await createTsmSource(kernel.reports).collect(RAW)
      expect(readSignedFields(evidence).reportData).toEqual(RAW)
      expect([kernel.left(), kernel.made()]).toEqual([0, 3])
    }
  })

  test('notices a write that the kernel did not take', async () => {
    const kernel = {
      answer: milan,
      edit: (field: string, value: Uint8Array | undefined) =>
        field === 'generation' ? utf8ToBytes('7\n') : value,
    }
    await expect(collect(kernel)).rejects.toMatchObject({ code: 'AGENT_PROTOCOL' })
  })

  const edited =
    (
      changed: string,
      change: (value: Uint8Array) => Uint8Array | undefined,
    ): NonNullable<Kernel['edit']> =>
    (field, value) =>
      field === changed ? change(value ?? new Uint8Array()) : value
  test.each<[string, Partial<Kernel>, string]>([
    ['somebody who never stops writing', { intrusions: 3 }, 'AGENT_PROTOCOL'],
    ['no provider', { fail: { on: 'create', code: 'ENXIO' } }, 'NOT_IN_TEE'],
    ['no such folder', { fail: { on: 'create', code: 'ENOENT' } }, 'AGENT_UNREACHABLE'],
    ['no right to it', { fail: { on: 'create', code: 'EACCES' } }, 'AGENT_UNREACHABLE'],
    ['firmware that fails', { fail: { on: 'outblob', code: 'EIO' } }, 'AGENT_PROTOCOL'],
    ['a host that stays silent', { fail: { on: 'outblob', code: 'ETIMEDOUT' } }, 'AGENT_PROTOCOL'],
    ['no report', { edit: edited('outblob', () => undefined) }, 'AGENT_PROTOCOL'],
    ['no table', { edit: edited('auxblob', () => undefined) }, 'AGENT_PROTOCOL'],
    ['an empty table', { edit: edited('auxblob', () => new Uint8Array(4096)) }, 'AGENT_PROTOCOL'],
    ['the leaf of another key', { answer: snp(() => amd, VLEK) }, 'AGENT_PROTOCOL'],
    ['a table cut short', { edit: edited('auxblob', (v) => v.subarray(0, 50)) }, 'AGENT_PROTOCOL'],
    ['a report cut short', { edit: edited('outblob', (v) => v.subarray(1)) }, 'AGENT_PROTOCOL'],
    ['garbage', { edit: edited('outblob', () => RAW) }, 'AGENT_PROTOCOL'],
    [
      'the report of another request',
      { answer: (inblob, level) => milan(inblob.with(0, 1), level) },
      'AGENT_PROTOCOL',
    ],
    [
      'a provider that nobody knows',
      { edit: edited('provider', () => utf8ToBytes('arm_cca_guest\n')) },
      'AGENT_PROTOCOL',
    ],
    [
      'a quote under the name of AMD',
      { answer: async (data) => ({ ...(await tdx(data)), provider: utf8ToBytes('sev_guest\n') }) },
      'AGENT_PROTOCOL',
    ],
    [
      'a generation that is no number',
      { edit: edited('generation', () => utf8ToBytes('-1')) },
      'AGENT_PROTOCOL',
    ],
    ['a level that is no number', { floor: 'two' }, 'AGENT_PROTOCOL'],
  ])('refuses %s, and leaves nothing behind', async (_, kernel, code) => {
    const { reports, left } = kernelOf({ answer: milan, ...kernel })
    await expect(createTsmSource(reports).collect(RAW)).rejects.toMatchObject({ code })
    expect(left()).toBe(0)
  })

  test('does not wait for ever', async () => {
    const { reports } = kernelOf({ answer: () => new Promise(() => {}) })
    const source = createTsmSource(reports, { timeoutMs: 30 })
    await expect(source.collect(RAW)).rejects.toMatchObject({ code: 'TIMEOUT' })
  })

  test('has no vTPM, and takes 64 bytes', async () => {
    const source = createTsmSource(kernelOf({ answer: milan }).reports)
    await expect(source.collect(RAW, 'vtpm')).rejects.toMatchObject({ code: 'AGENT_PROTOCOL' })
    await expect(source.collect(RAW.subarray(1))).rejects.toThrow(RangeError)
  })
})

describe('the folder', () => {
  const folders: string[] = []
  afterEach(async () => {
    await Promise.all(folders.splice(0).map((path) => rm(path, { recursive: true, force: true })))
  })

  /** On disk a new folder is empty, and one with files in it is not removed by `rmdir`. */
  async function folderWith(fields: Record<string, string | Uint8Array>) {
    const base = await mkdtemp(join(tmpdir(), 'eigenx-tsm-'))
    folders.push(base)
    return {
      base,
      reports: createTsmFolder(base, {
        mkdir: async (path) => {
          await mkdir(path)
          for (const [name, value] of Object.entries(fields))
            await writeFile(join(path.toString(), name), value)
          return undefined
        },
        rmdir: (path) => rm(path, { recursive: true }),
      }),
    }
  }

  test('makes one folder for each request, writes and reads its files, and removes it', async () => {
    const { base, reports } = await folderWith({ inblob: '', outblob: RAW })
    const [first, second] = await Promise.all([reports.create(), reports.create()])
    const names = await readdir(base)
    expect(new Set(names).size).toBe(2)
    await first.write('inblob', RAW)
    const contents = await Promise.all(names.map((name) => readFile(join(base, name, 'inblob'))))
    expect(contents.filter((content) => equalBytes(content, RAW))).toHaveLength(1)
    expect(await second.read('outblob', 64)).toEqual(RAW)
    await Promise.all([first.remove(), second.remove()])
    expect(await readdir(base)).toEqual([])
  })

  test('never makes a field, and reads one that is not there as none', async () => {
    const { base, reports } = await folderWith({})
    const entry = await reports.create()
    await expect(entry.write('inblob', RAW)).rejects.toMatchObject({ code: 'ENOENT' })
    expect(await entry.read('auxblob', 64)).toBeUndefined()
    const [name = ''] = await readdir(base)
    expect(await readdir(join(base, name))).toEqual([])
  })

  test('reads no more than fits', async () => {
    const { reports } = await folderWith({ outblob: new Uint8Array(65) })
    const entry = await reports.create()
    await expect(entry.read('outblob', 64)).rejects.toMatchObject({ code: 'INPUT_TOO_LARGE' })
    const large = await folderWith({ generation: '0', inblob: '', outblob: new Uint8Array(40_000) })
    await expect(createTsmSource(large.reports).collect(RAW)).rejects.toMatchObject({
      code: 'AGENT_PROTOCOL',
    })
    expect(await readdir(large.base)).toEqual([])
  })

  test('that is not there, or is a file, is no source', async () => {
    const { base } = await folderWith({})
    await writeFile(join(base, 'file'), '')
    for (const path of [join(base, 'absent'), join(base, 'file')])
      await expect(createTsmSource(createTsmFolder(path)).collect(RAW)).rejects.toMatchObject({
        code: 'AGENT_UNREACHABLE',
      })
  })
})
