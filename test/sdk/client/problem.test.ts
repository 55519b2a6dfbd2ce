import { build } from 'esbuild'
import { expect, test } from 'vitest'
import { parseProblem } from '../../../sdk/client/problem.ts'

/** Codes that stand in `details` of QUORUM_NOT_REACHED, or decide about posts of the log, and reach no app on their own. */
const NOT_ANSWERED = [
  'COMPLAINT_INVALID',
  'DEALING_INVALID',
  'KEY_VERSION_NOT_FOUND',
  'OPERATOR_PROTOCOL',
  'OPERATOR_UNREACHABLE',
  'PARTIAL_INVALID',
]

/** Every field that some code has; two have the same name and another kind. */
const TEXTS = {
  ...{ path: '', field: '', what: '', method: '', reason: '', anchor: '', appId: '' },
  ...{ contract: '', call: '', endpoint: '', name: '', needed: '', got: '' },
}
const NUMBERS = { limit: 1, afterMs: 1, offset: -1, needed: 2, got: 1, refusals: [] }

test('every code that the helper can throw comes back as itself', async () => {
  const { outputFiles } = await build({
    entryPoints: ['helper/serve.ts'],
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    write: false,
    logLevel: 'silent',
  })
  const text = outputFiles[0]?.text ?? ''
  const codes = new Set([...text.matchAll(/code: "([A-Z_]+)"/g)].map(([, code = '']) => code))
  expect(codes).toContain('CONTRACT_UNEXPECTED')
  const isKnown = (code: string) =>
    [
      { ...NUMBERS, ...TEXTS },
      { ...TEXTS, ...NUMBERS },
    ].some((details) => {
      const body = JSON.stringify({ code, message: 'm', stage: 'chain', details })
      return parseProblem(502, body).code === code
    })
  expect([...codes].filter((code) => !isKnown(code)).sort()).toEqual(NOT_ANSWERED)
})
