/**
 * `npm run soak -- [--epochs N] [--seed S] [--life SLOTS] [--workers W] [--real] [--plan FILE]`: simulated operator sets under random faults,
 * one life after the other, every invariant asserted after every step. Exit code 1 when one is broken: then the seed, the smallest
 * plan that breaks it and what happened are printed, and the plan is written to a file for `--plan`.
 *
 * Lives run over the twins of the curves (`test/twin`); with `--real` over the curves, some fifteen times slower.
 * @module
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { build } from 'esbuild'
import { readFlags, wholeNumber } from '../kit/flags.ts'
import { twinsInBundle } from '../twin/swap.ts'
import type { Plan } from './plan.ts'
import { createSummary, tellFailure } from './summary.ts'
import type { Answer, Task } from './worker.ts'

const values = readFlags({
  epochs: { type: 'string', default: '2000' },
  seed: { type: 'string', default: '1' },
  life: { type: 'string', default: '60' },
  workers: { type: 'string', default: String(availableParallelism()) },
  real: { type: 'boolean', default: false },
  plan: { type: 'string' },
})
const epochs = wholeNumber('epochs', values.epochs, 1)
const seed = wholeNumber('seed', values.seed, 1)
const life = wholeNumber('life', values.life, 1)
const workers = wholeNumber('workers', values.workers, 1)
const write = (text: string) => process.stdout.write(`${text}\n`)

const folder = mkdtempSync(join(tmpdir(), 'eigenx-tee-soak-'))
const code = join(folder, 'worker.mjs')
await build({
  entryPoints: [new URL('./worker.ts', import.meta.url).pathname],
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  sourcemap: 'inline',
  plugins: values.real ? [] : [twinsInBundle()],
  // Some packages of the bundle are CommonJS.
  banner: {
    js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
  },
  outfile: code,
})

const summary = createSummary()
let lives = 0
/** Every tenth life is ten times as long; with a plan there is one life only. */
function nextTask(): Task | undefined {
  if (values.plan !== undefined)
    return lives++ === 0
      ? { plan: JSON.parse(readFileSync(values.plan, 'utf8')) as Plan }
      : undefined
  if (summary.epochs() >= epochs || summary.failed()) return undefined
  const index = lives++
  return { seed: seed + index, slots: index % 10 === 9 ? 10 * life : life }
}

function lifeOf(worker: Worker, task: Task): Promise<Answer> {
  return new Promise((resolve, reject) => {
    worker.removeAllListeners()
    worker.once('message', resolve)
    worker.once('error', reject)
    worker.once('exit', () => {
      const which = 'plan' in task ? 'the plan' : `seed ${task.seed} with --life ${task.slots}`
      reject(new Error(`${which}: the life waits for something that never comes`))
    })
    worker.postMessage(task)
  })
}

async function work(): Promise<void> {
  const worker = new Worker(code, {
    execArgv: ['--enable-source-maps'],
    resourceLimits: { maxYoungGenerationSizeMb: 64 },
  })
  try {
    for (let task = nextTask(); task !== undefined; task = nextTask()) {
      const { report, small } = await lifeOf(worker, task)
      summary.add(report)
      write(summary.line(report))
      if (small !== undefined) reportFailure(report.plan, small)
    }
  } finally {
    await worker.terminate()
  }
}

function reportFailure(plan: Plan, small: Parameters<typeof tellFailure>[0]): void {
  const file = join(tmpdir(), `eigenx-tee-soak-${plan.seed}.json`)
  writeFileSync(file, `${JSON.stringify(small.plan, undefined, 2)}\n`)
  write(tellFailure(small))
  write(`again, whole: npm run soak -- --epochs 1 --seed ${plan.seed} --life ${plan.slots}`)
  write(`again, small: npm run soak -- --plan ${file}`)
  process.exitCode = 1
}

write(
  `${values.real ? 'curves' : 'twins'}, ${workers} workers, seeds from ${seed}, ${epochs} epochs or more`,
)
try {
  await Promise.all(Array.from({ length: workers }, work))
} finally {
  rmSync(folder, { recursive: true })
}
write(summary.text())
