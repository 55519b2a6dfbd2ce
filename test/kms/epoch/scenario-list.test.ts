/** The 48 scenarios of the epoch protocol, each in tests or groups of tests that bear its number: some have parts in several files. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const SCENARIOS: readonly string[] = [
  'crash before dealing',
  'crash after persisting the seed, before sending',
  'crash after half of the sends',
  'crash after acknowledging, before signing',
  'crash after signing, before seeing the log entry',
  'crash between final entry and activation',
  'crash between activation and erasure',
  'torn write or full disk at each persist point',
  'all crash at the same point and restart',
  'rolling restart of everybody in each of 100 epochs',
  'laggard that misses every push and can fetch',
  'return after 1, 5 and 1000 epochs',
  'return with a lost disk and the same keys',
  'return with lost keys',
  'join of one, join of so many that n + k > 1.5 n',
  'leave of one, down to t_old survivors, and below',
  'replacement of one by another in one epoch',
  'change of socket or keys in the middle of an epoch',
  'join and leave again in two epochs',
  'partition t / n - t, healed',
  'partition with no side of t',
  'asymmetric link loss',
  'one hung peer',
  'slow-loris and oversize bodies',
  'equivocating dealer',
  'wrong share to one recipient, online and offline',
  'higher-degree and lower-degree dealing',
  'dealing from a stale source',
  'dealing with a random constant',
  'non-canonical, off-curve, small-order, infinity points',
  'withheld body after its hash is public',
  'false complaint, replayed complaint, complaint in the last block of the window',
  'byzantine proposer: two candidates, partial broadcast, invalid candidate, spam',
  'two valid candidates race, a reorganisation swaps the winner',
  'reorganisation of depth 1, 5, past activation',
  'provider behind, lying by omission, down for an epoch',
  'transaction stuck, replaced, out of funds; poster crashes',
  'clock skew of 1 s, 60 s, 1 h, leap, frozen clock',
  'client requests during activation',
  'client clock ahead and behind',
  'operator set changes between config block and posting',
  'replay across epochs, endpoints, chains',
  'n = 1, 2, 3, 4, 7, 10, 15, 30',
  'garbage partials from n - t operators, client succeeds in bounded work',
  'mixed versions of the software; import of a Go share set and first reshare',
  'soak with random faults, secrets from epoch 0 still decrypt',
  'memory and disk bounded over the soak',
  'golden vectors',
]

/** Numbers in titles of tests and groups that run. */
function numbersIn(folder: string): number[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts'))
    .flatMap((file) => readFileSync(`${folder}/${file}`, 'utf8').split('\n'))
    .filter((line) => !/\.(skip|todo)\b/.test(line))
    .flatMap((line) => [...line.matchAll(/'scenario (\d+): /g)].map(([, number]) => Number(number)))
}

it('has every scenario, and no other', () => {
  const found = numbersIn(fileURLToPath(new URL('../..', import.meta.url)))
  expect(SCENARIOS.filter((_, i) => !found.includes(i + 1))).toEqual([])
  expect(found.filter((number) => number > SCENARIOS.length)).toEqual([])
})
