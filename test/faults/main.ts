/**
 * `npm run faults -- [--minutes 10] [--seed S] [--operators 4] [--reshare-seconds 15]`: real operator processes over a real
 * chain, while processes die and hang, blocks are replaced and disks fill up. Exit code 0 where every promise was kept.
 * @module
 */
import { startDevnet } from '../../helper/sim/devnet.ts'
import { misuse, readFlags, wholeNumber } from '../kit/flags.ts'
import { formatReport } from './report.ts'
import { runFaults } from './run.ts'
import { judge } from './verdict.ts'

const values = readFlags({
  minutes: { type: 'string', default: '10' },
  seed: { type: 'string', default: `${Date.now() % 1_000_000}` },
  operators: { type: 'string', default: '4' },
  'reshare-seconds': { type: 'string', default: '15' },
})
const minutes = Number(values.minutes)
if (!(minutes > 0 && minutes <= 10_080)) misuse('--minutes is more than 0, a week at most')
const numbers = {
  minutes,
  seed: wholeNumber('seed', values.seed, 0),
  // One must be able to fail.
  operators: wholeNumber('operators', values.operators, 4),
  periodSeconds: wholeNumber('reshare-seconds', values['reshare-seconds'], 5),
}

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
