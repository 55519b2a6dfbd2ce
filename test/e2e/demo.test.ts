/** The demonstration, run exactly as the README says. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Child, isRunning, namedProcesses, startChild } from '../kit/child.ts'

let child: Child
let code: number | null
let tookMs: number
beforeAll(async () => {
  const started = Date.now()
  child = startChild('npm', ['run', 'demo'])
  code = await child.ended
  tookMs = Date.now() - started
}, 170_000)
afterAll(() => child.remove())

test('it ends with exit code 0, and no claim failed', () => {
  expect(child.output()).not.toContain('NOT SO')
  expect({ code, output: code === 0 ? '' : child.output() }).toEqual({ code: 0, output: '' })
})

test('it shows one EVM and one Solana address', () => {
  expect(child.output()).toMatch(/EVM address +0x[0-9a-fA-F]{40}\n/)
  expect(child.output()).toMatch(/Solana address +[1-9A-HJ-NP-Za-km-z]{32,44}\n/)
})

test('it tells who dealt, what was attested, and what each operator decided', () => {
  const output = child.output()
  expect(output).toMatch(/dealt by +\d of 4/)
  expect(output).toContain('HOST_DATA')
  expect(output).toContain('snp.report-signature')
  for (const operator of [1, 2, 3, 4])
    expect(output).toMatch(new RegExp(`operator ${operator} +granted`))
})

test('each attack was refused by every operator, with its reason', () => {
  const output = child.output()
  for (const reason of ['INITDATA_MISMATCH', 'EVIDENCE_NOT_ALLOWED', 'APP_NOT_RUNNING'])
    expect(output.match(new RegExp(`operator \\d +${reason}`, 'g'))).toHaveLength(4)
})

test('it shows no secret: neither the words nor the sealed value', () => {
  expect(child.output()).not.toContain('correct horse')
  expect(child.output()).not.toMatch(/([a-z]{3,8} ){11}[a-z]{3,8}$/m)
})

test('nothing is left: no process, no file', () => {
  const pids = namedProcesses(child.output())
  expect(pids.length).toBeGreaterThanOrEqual(5)
  expect(pids.filter(isRunning)).toEqual([])
  expect(child.leftFiles()).toEqual([])
})

test('it does not take long, even on a busy machine', () => {
  expect(tookMs).toBeLessThan(120_000)
})
