import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { sharedVectors } from './shared-vectors.ts'

test('a named folder of vectors must be there, with the part that is asked for', async () => {
  const root = await mkdtemp(join(tmpdir(), 'eigenx-vectors-'))
  try {
    expect(() => sharedVectors('evidence', join(root, 'typo'))).toThrow(/EIGENX_TEE_VECTORS/)
    await mkdir(join(root, 'evidence'))
    expect(sharedVectors('evidence', root)).toBe(join(root, 'evidence'))
    expect(() => sharedVectors('policy', root)).toThrow(/there is no folder .*policy/)
    expect(() => sharedVectors('evidence', '')).toThrow(/EIGENX_TEE_VECTORS/)
  } finally {
    await rm(root, { recursive: true })
  }
})
