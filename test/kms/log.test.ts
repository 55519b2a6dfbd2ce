import { describe, expect, it } from 'vitest'
import { createLog, errorFields, writeAudit } from '../../kms/log.ts'
import { EigenxError } from '../../sdk/errors.ts'

function capture(level: 'debug' | 'info' | 'error' = 'debug') {
  const lines: string[] = []
  const log = createLog({
    level,
    operator: '0x01',
    destination: { write: (line) => void lines.push(line) },
  })
  return { log, text: () => lines.join('') }
}

describe('the log', () => {
  it('writes one JSON object a line, with level, time and operator', () => {
    const { log, text } = capture()
    log.info({ event: 'listening', url: 'http://127.0.0.1:1' }, 'operator listening')
    expect(JSON.parse(text())).toMatchObject({
      level: 'info',
      operator: '0x01',
      event: 'listening',
      msg: 'operator listening',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    })
  })

  it('removes fields that look like secrets, at the top and one level down', () => {
    const { log, text } = capture()
    log.info(
      { share: 'S1', privateKey: 'S2', inner: { seed: 'S3', rpcUrl: 'S4', body: 'S5' } },
      'x',
    )
    expect(text()).not.toMatch(/S[1-5]/)
  })

  it('tells an error by code and own message, never by its cause', () => {
    const { log, text } = capture()
    const error = new EigenxError({
      code: 'CHAIN_UNAVAILABLE',
      message: 'Too few providers answered.',
      stage: 'chain',
      details: { needed: 2, got: 1 },
      cause: new Error('POST https://rpc.example/v3/api-key failed'),
    })
    log.warn(errorFields(error), 'refused')
    expect(text()).toContain('CHAIN_UNAVAILABLE')
    expect(text()).not.toMatch(/rpc\.example|api-key/)
  })

  it('tells a bug by kind and place, never by its message', () => {
    const fields = errorFields(new TypeError('cannot read share 0xdeadbeef'))
    expect(fields).toMatchObject({ code: 'INTERNAL', reason: 'TypeError' })
    expect(JSON.stringify(fields)).not.toContain('deadbeef')
    expect(fields.at).toMatch(/log\.test\.ts:\d+/)
    expect(errorFields('a string')).toMatchObject({ code: 'INTERNAL', reason: 'string' })
  })

  it('cuts what a caller chose and keeps every check of an audit record', () => {
    const { log, text } = capture('info')
    writeAudit(log, {
      requestId: 'request-1',
      caller: '127.0.0.1',
      route: 'secrets',
      app: 'a'.repeat(100_000),
      method: 'm'.repeat(100_000),
      verdict: 'refused',
      status: 401,
      code: 'EVIDENCE_INVALID',
      marks: [],
      checks: [{ name: 'snp.signature', result: 'failed', inputs: { a: 'b' }, source: 's' }],
      findings: [{ code: 'X', severity: 'refuse', path: 'p'.repeat(10_000), message: 'm' }],
      durationMs: 3,
    })
    expect(text().length).toBeLessThan(2500)
    expect(JSON.parse(text())).toMatchObject({
      event: 'audit',
      decision: 'refused',
      level: 'warn',
      checks: [{ name: 'snp.signature', result: 'failed', inputs: { a: 'b' }, source: 's' }],
    })
  })

  it('keeps decisions on record however quiet it is', () => {
    const { log, text } = capture('error')
    log.warn('not this')
    for (const verdict of ['granted', 'refused'] as const)
      writeAudit(log, {
        requestId: verdict,
        caller: '127.0.0.1',
        route: 'secrets',
        app: 'a',
        method: 'm',
        verdict,
        status: 200,
        marks: ['digest-only'],
        checks: [],
        findings: [],
        durationMs: 1,
      })
    const lines = text().trim().split('\n')
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { event: 'audit', requestId: 'granted', operator: '0x01', marks: ['digest-only'] },
      { event: 'audit', requestId: 'refused' },
    ])
  })
})
