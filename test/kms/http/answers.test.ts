import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { refuseAsGo, type Trail } from '../../../kms/http/answers.ts'
import { makeFinding } from '../../../policy/findings.ts'
import type { Finding } from '../../../policy/types.ts'
import { EigenxError } from '../../../sdk/errors.ts'
import { PROBLEM } from '../world.ts'

async function problemOf(findings: readonly Finding[]): Promise<{ findings: Finding[] }> {
  const error = new EigenxError({
    code: 'POLICY_TOO_PERMISSIVE',
    message: 'm',
    stage: 'policy',
    details: { findings: [] },
  })
  const trail: Trail = { checks: [], findings }
  const app = new Hono().get('/', (c) => refuseAsGo(c, error, { status: 403, text: 't' }, trail))
  return (await app.request('/', { headers: PROBLEM })).json()
}

describe('the findings of a refusal', () => {
  const refusal = makeFinding('refuse', 'HOST_POWER', 'p', 'm')

  it('are told whole and in order where they are few', async () => {
    const few = [makeFinding('info', 'RULES_KNOWN', 'p', 'm'), refusal]
    expect((await problemOf(few)).findings).toEqual(few)
  })

  it('are cut to a readable number and length, with the refusals first and a count of the rest', async () => {
    const many = Array.from({ length: 1000 }, () =>
      makeFinding('info', 'SCRATCH_MOUNT', 'p'.repeat(10_000), 'm'.repeat(10_000)),
    )
    const { findings } = await problemOf([...many, refusal])
    expect(findings).toHaveLength(257)
    expect(findings[0]).toEqual(refusal)
    expect(findings.at(-1)).toMatchObject({ severity: 'info', message: '745 more are not listed.' })
    expect(JSON.stringify(findings).length).toBeLessThan(300_000)
  })
})
