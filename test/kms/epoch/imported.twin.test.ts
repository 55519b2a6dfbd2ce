/** Which imported shares belong together, where wrong ones are among them. */
import { describe, expect, it } from 'vitest'
import { consistentDealings } from '../../../kms/epoch/imported.ts'
import type { OpenedDealing } from '../../../kms/epoch/verify.ts'
import { operatorX, parseG2, publicShareOf, randomScalar } from '../../../sdk/crypto/bls.ts'
import { evaluatePolynomial, randomPolynomial } from '../../../sdk/crypto/shamir.ts'
import { importRoot } from '../../../sdk/protocol/terms.ts'
import { createIdentities, seededRng } from './kit.ts'

/** Constants of n dealings, those at `wrong` of no share of the key. */
function dealingsOf(n: number, needed: number, wrong: readonly number[]) {
  const rng = seededRng(n, `wrong at ${wrong}`)
  const secret = randomScalar(rng)
  const polynomial = randomPolynomial(secret, needed - 1, rng)
  const opened = createIdentities(n).map(({ info }, i): OpenedDealing => {
    const share = wrong.includes(i)
      ? randomScalar(rng)
      : evaluatePolynomial(polynomial, operatorX(info.address))
    return { dealer: info.address, points: [parseG2(publicShareOf(share))], share: undefined }
  })
  return { opened, root: importRoot(publicShareOf(secret)), rng }
}

describe('dealings of imported shares', () => {
  it.each([
    [4, 3, []],
    [4, 3, [0]],
    [15, 10, [0, 7, 14]],
    [30, 20, []],
    [30, 20, [3, 4]],
  ])('of %i, %i needed, are used without those at %j', async (n, needed, wrong) => {
    const { opened, root, rng } = dealingsOf(n, needed, wrong)
    let pauses = 0
    const pause = async () => {
      pauses++
    }
    const found = await consistentDealings({ rng, pause }, opened, needed, root)
    expect(found).toEqual(opened.filter((_, i) => !wrong.includes(i)))
    // Others are served between any two tries, and within one of more than ten.
    const first = Math.ceil(n / 10) - 1
    if (wrong.length === 0) expect(pauses).toBe(first)
    else expect(pauses).toBeGreaterThan(first)
  })

  it.each([
    ['all selections', 4, 3, 4],
    ['as many as are tried, and one pause in the first sum', 15, 10, 1 + 500],
  ])('are none when too few belong together, after %s', async (_name, n, needed, expected) => {
    const { opened, root, rng } = dealingsOf(n, needed, [...Array(n - needed + 1).keys()])
    let pauses = 0
    const pause = async () => {
      pauses++
    }
    expect(await consistentDealings({ rng, pause }, opened, needed, root)).toBeUndefined()
    expect(pauses).toBe(expected)
    const fewer = opened.slice(0, needed - 1)
    expect(await consistentDealings({ rng, pause }, fewer, needed, root)).toBeUndefined()
  })
})
