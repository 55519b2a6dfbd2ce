import { describe, expect, it } from 'vitest'
import type { Answer, Fault } from '../../../sdk/chain/provider.ts'
import { askQuorum, type ProviderAlarm } from '../../../sdk/chain/quorum.ts'

const says = (value: string | undefined): Answer<string | undefined> => ({ kind: 'value', value })
const fails = (fault: Fault): Answer<never> => ({ kind: 'fault', fault })
const reverts: Answer<never> = { kind: 'revert' }

async function ask(quorum: number, answers: readonly Answer<string | undefined>[]) {
  const alarms: ProviderAlarm[] = []
  const outcome = await askQuorum<string>({
    what: 'a thing',
    quorum,
    answers: answers.map((answer) => Promise.resolve(answer)),
    canonical: (text) => text,
    onAlarm: (alarm) => alarms.push(alarm),
  }).catch((error: { code: string }) => error.code)
  await Promise.resolve()
  return { outcome, alarms: alarms.map(({ provider, kind }) => `${provider} ${kind}`) }
}

describe('a quorum', () => {
  it('takes what k say and reports who says otherwise', async () => {
    expect(await ask(2, [says('a'), says('b'), says('a')])).toEqual({
      outcome: { kind: 'value', value: 'a' },
      alarms: ['1 disagrees'],
    })
  })

  it('reports a contradiction that comes after the answer', async () => {
    const { alarms } = await ask(2, [says('a'), says('a'), says('b')])
    expect(alarms).toEqual(['2 disagrees'])
  })

  it('agrees on a revert and on absence as on a value', async () => {
    expect((await ask(2, [reverts, reverts, says('a')])).outcome).toEqual({ kind: 'revert' })
    const absent = await ask(2, [says(undefined), says(undefined), says('a')])
    expect(absent).toEqual({ outcome: { kind: 'absent' }, alarms: [] })
  })

  it.each([
    ['contradiction', 2, [says('a'), says('b')], 'CHAIN_DISAGREES'],
    [
      'contradiction beside a fault',
      2,
      [says('a'), says('b'), fails('timeout')],
      'CHAIN_DISAGREES',
    ],
    ['value against revert', 2, [says('a'), reverts], 'CHAIN_DISAGREES'],
    ['too few', 2, [says('a'), fails('timeout'), fails('busy')], 'CHAIN_UNAVAILABLE'],
    ['one that lags', 2, [says('a'), says(undefined)], 'CHAIN_UNAVAILABLE'],
    ['nobody', 1, [], 'CHAIN_UNAVAILABLE'],
  ] as const)('%s is no answer', async (_name, quorum, answers, code) => {
    expect((await ask(quorum, answers)).outcome).toBe(code)
  })

  it('counts faults by kind in its message', async () => {
    const answers = [fails('timeout'), fails('timeout'), fails('wrong-chain')]
    const failure = await askQuorum<string>({
      what: 'the thing',
      quorum: 2,
      answers: answers.map((answer) => Promise.resolve(answer)),
      canonical: (text) => text,
      onAlarm: () => {},
    }).catch((error: unknown) => error)
    expect(failure).toMatchObject({
      message:
        'Too few chain providers answered about the thing: 0 of 2 (2 timeout, 1 wrong-chain)',
      details: { needed: 2, got: 0 },
    })
  })
})
