/**
 * `npm run faults -- [--minutes 10] [--seed S] [--operators 4] [--reshare-seconds 15]`: real operator processes over a real
 * chain, while processes die and hang, blocks are replaced and disks fill up. Exit code 0 where every promise was kept.
 * @module
 */
import { parseArgs } from 'node:util'
import { startDevnet } from '../../helper/sim/devnet.ts'
import { formatReport } from './report.ts'
import { runFaults } from './run.ts'
import { judge } from './verdict.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: `${Date.now() % 1_000_000}` },
    operators: { type: 'string', default: '4' },
    'reshare-seconds': { type: 'string', default: '15' },
  },
})
const numbers = {
  minutes: Number(values.minutes),
  seed: Number(values.seed),
  operators: Number(values.operators),
  periodSeconds: Number(values['reshare-seconds']),
}
if (!(numbers.minutes > 0)) throw new RangeError('--minutes is more than 0')
if (!Number.isSafeInteger(numbers.seed)) throw new RangeError('--seed is a whole number')
if (!Number.isSafeInteger(numbers.operators) || numbers.operators < 4)
  throw new RangeError('--operators is a whole number of at least 4: one must be able to fail')
if (!Number.isSafeInteger(numbers.periodSeconds) || numbers.periodSeconds < 5)
  throw new RangeError('--reshare-seconds is a whole number of at least 5')

const say = (text: string) => void process.stdout.write(`${text}\n`)
const interruption = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const)
  process.once(name, () => {
    say('stopping')
    interruption.abort()
  })

say(`seed ${numbers.seed}: starting ${numbers.operators} operators`)
const devnet = await startDevnet({
  operators: numbers.operators,
  config: { epoch: { reshare_seconds: numbers.periodSeconds } },
  signal: interruption.signal,
}).catch((error) => {
  if (interruption.signal.aborted) process.exit(1)
  throw error
})
try {
  const record = await runFaults(devnet, {
    seed: numbers.seed,
    periodSeconds: numbers.periodSeconds,
    durationMs: 60_000 * numbers.minutes,
    // An epoch takes its period and its windows; a fault may cost two attempts, and a busy machine the rest.
    stallSeconds: 60 + 6 * numbers.periodSeconds,
    signal: interruption.signal,
    say,
  })
  say(formatReport(record))
  process.exitCode = judge(record).length === 0 ? 0 : 1
} finally {
  await devnet.stop()
}
// A request to a process that is gone may linger.
process.exit()
