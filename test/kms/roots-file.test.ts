/** Files of throw-away roots that are not there, or no such files: an operator's mistake, told as one. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readTdxAnchors } from '../../kms/collateral/start.ts'
import { readSnpAnchors } from '../../kms/collateral/start-snp.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'roots-'))
})
afterAll(() => rm(folder, { recursive: true }))

describe.each([
  ['snp_roots_file', readSnpAnchors],
  ['tdx_roots_file', readTdxAnchors],
] as const)('development.%s', (field, read) => {
  it('that is missing, a folder or too large is named', async () => {
    const large = join(folder, 'large')
    await writeFile(large, new Uint8Array(300_000))
    for (const path of [join(folder, 'missing'), folder, large])
      await expect(read(path)).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
        details: { path: `development.${field}` },
      })
  })

  it('with something else in it is refused', async () => {
    const path = join(folder, 'other')
    await writeFile(path, 'hello')
    await expect(read(path)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })
})
