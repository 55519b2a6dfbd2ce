/**
 * The attack table: a request that succeeds, and what becomes of it when one thing is changed.
 *
 * Everything is real: evidence signed by a throw-away authority that these operators trust, a chain
 * with the devnet's contracts, the operators' HTTP app with verifier, policy and share. After each
 * refusal an honest request at the same operator must still be granted.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { partialSign } from '../../sdk/crypto/bls.ts'
import { openPartial, type SecretsBody } from '../kms/kit.ts'
import { PROBLEM, post } from '../kms/world.ts'
import { azureAttacks, azurePod } from './rows/azure.ts'
import { bindingAttacks } from './rows/binding.ts'
import { chainAttacks } from './rows/chain.ts'
import { evidenceAttacks } from './rows/evidence.ts'
import { initdataAttacks } from './rows/initdata.ts'
import { ownerAttacks, ownerBody } from './rows/owner.ts'
import { requestAttacks } from './rows/request.ts'
import type { Attack } from './table.ts'
import { type AttackWorld, type OperatorName, startAttackWorld } from './world.ts'

const TABLE: Readonly<Record<string, readonly Attack[]>> = {
  evidence: evidenceAttacks,
  'reused evidence': bindingAttacks,
  'initdata and policy': initdataAttacks,
  'apps and releases': chainAttacks,
  requests: requestAttacks,
  owners: ownerAttacks,
  "Azure's VMs": azureAttacks,
}

let world: AttackWorld
beforeAll(async () => {
  world = await startAttackWorld()
})
afterAll(() => world.stop())

type Problem = {
  code: string
  requestId: string
  checks?: { name: string; result: string }[]
}

async function ask(at: OperatorName, body: SecretsBody | string | Uint8Array) {
  const sent = body instanceof Uint8Array ? new Blob([Uint8Array.from(body)]) : body
  return post(world.operators[at], '/secrets', sent, PROBLEM)
}

async function expectGrant(at: OperatorName, body: SecretsBody): Promise<Record<string, unknown>> {
  const answer = await ask(at, body)
  const grant: Record<string, unknown> & { encrypted_partial_sig: string } = await answer.json()
  expect(grant, JSON.stringify(grant)).toHaveProperty('encrypted_partial_sig')
  const { operator, sharing } = world.operators[at]
  const share = sharing.shares.get(operator) ?? 0n
  expect(openPartial(world.rsa, grant)).toEqual(partialSign(share, String(body.app_id)))
  return grant
}

/** An operator with a fixed list serves nobody here; its neighbour stands in for it. */
/** Where the pod that everything else is compared with gets its key. */
const GRANTS_NOTHING_PLAIN: readonly OperatorName[] = [
  'fixedApps',
  'imageless',
  'lenient',
  'firmwareOnly',
]
const besideOf = (at: OperatorName): OperatorName =>
  GRANTS_NOTHING_PLAIN.includes(at) ? 'strict' : at

describe('what is granted', () => {
  it('an anchored pod of the release, with nothing to mark', async () => {
    const grant = await expectGrant('strict', await world.body())
    expect(grant).toMatchObject({ binding: 'host_data' })
    expect(grant).not.toHaveProperty('marks')
  })

  it('a pod that speaks the older report data, marked', async () => {
    const grant = await expectGrant('strict', await world.body({ reportDataVersion: 1 }))
    expect(grant.marks).toEqual(['report-data-v1'])
  })

  it('self-asserted initdata where operator and release both say so, marked', async () => {
    const body = await world.body({ appId: world.apps.optIn, anchored: false })
    const grant = await expectGrant('lenient', body)
    expect(grant).toMatchObject({
      binding: 'report_data',
      marks: ['self-asserted-initdata', 'unmeasured-image'],
    })
  })

  it('unanchored initdata of an image that is known to guard what it names', async () => {
    const grant = await expectGrant('guarded', await world.body({ anchored: false }))
    expect(grant).toMatchObject({ binding: 'report_data' })
    expect(grant).not.toHaveProperty('marks')
  })

  it('the confirmed image of an app with a pending or a same-block release', async () => {
    await expectGrant('strict', await world.body({ appId: world.apps.pending }))
    await expectGrant('strict', await world.body({ appId: world.apps.sameBlock }))
  })

  it('an app id in capitals when the pod was told so: another identity of the same app', async () => {
    const appId = `0x${world.apps.running.slice(2).toUpperCase()}`
    await expectGrant('strict', await world.body({ appId }))
  })

  it('a pod in an Azure VM of a known paravisor and image', async () => {
    const grant = await expectGrant('azure', await azurePod(world))
    expect(grant).toMatchObject({ binding: 'pcr8' })
    expect(grant).not.toHaveProperty('marks')
  })

  it('the owner of an app, marked, with or without a release', async () => {
    for (const app of ['running', 'created', 'startedEmpty'] as const) {
      const grant = await expectGrant('owner', ownerBody(world, { app }))
      expect(grant).toMatchObject({
        marks: ['owner-not-attested'],
        encrypted_env: '',
        public_env: '',
      })
    }
  })

  it('the owner by the older message, where the operator takes it', async () => {
    const grant = await expectGrant('ownerLegacy', ownerBody(world, { version: 'legacy' }))
    expect(grant.marks).toEqual(['ecdsa-legacy', 'owner-not-attested'])
  })
})

for (const [title, attacks] of Object.entries(TABLE))
  describe(`what is refused: ${title}`, () => {
    it.each(attacks.map((attack) => [attack.name, attack] as const))(
      '%s',
      async (_name, attack) => {
        const at = attack.at ?? 'strict'
        const answer = await ask(at, await attack.send(world))
        const problem: Problem = await answer.json()
        expect({ status: answer.status, code: problem.code }, JSON.stringify(problem)).toEqual({
          status: attack.status,
          code: attack.code,
        })
        expect(problem.requestId).toBe(answer.headers.get('x-request-id'))
        const failed = (problem.checks ?? []).filter((check) => check.result === 'failed')
        expect(failed.length).toBeLessThanOrEqual(1)
        expect(JSON.stringify(problem)).not.toMatch(
          /encrypted_partial_sig|127\.0\.0\.1|BEGIN PUBLIC KEY/,
        )
        await expectGrant(besideOf(at), await world.body())
      },
    )
  })

describe('the table', () => {
  it('has one name per attack, and tells how many there are', () => {
    const names = Object.values(TABLE).flatMap((attacks) => attacks.map((attack) => attack.name))
    expect(new Set(names).size).toBe(names.length)
    const counts = Object.entries(TABLE).map(([title, attacks]) => `${title} ${attacks.length}`)
    process.stdout.write(`attack table: ${names.length} attacks refused (${counts.join(', ')})\n`)
    expect(names.length).toBeGreaterThan(200)
  })

  it('left every decision in the audit log, and no secret', () => {
    for (const operator of Object.values(world.operators)) {
      const log = operator.log()
      for (const share of operator.sharing.shares.values()) {
        expect(log.includes(share.toString(16))).toBe(false)
        expect(log.includes(share.toString())).toBe(false)
      }
      expect(log).not.toContain('BEGIN PUBLIC KEY')
    }
    const audits = world.operators.strict.log().match(/"event":"audit"/g) ?? []
    expect(audits.length).toBeGreaterThan(100)
  })
})
