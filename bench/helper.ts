/** How long an app waits for the helper: from nothing, from the running service, and from the cache that the CDH uses. @module */
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DEMO_SECRET } from '../helper/sim/app.ts'
import type { Devnet } from '../helper/sim/devnet.ts'
import { encodeInitdata } from '../policy/initdata.ts'
import { createClient } from '../sdk/index.ts'
import { median } from './devnet.ts'
import type { Row } from './row.ts'

const COLD_RUNS = 5
const WARM_RUNS = 300
const CACHED_RUNS = 10

export async function helperRows(devnet: Devnet): Promise<Row[]> {
  return [...(await socketRows(devnet)), ...(await stdinRows(devnet))]
}

async function socketRows({ machine, app }: Devnet): Promise<Row[]> {
  const cold: number[] = []
  const warm: number[] = []
  for (let run = 0; run < COLD_RUNS; run++) {
    const started = performance.now()
    const pod = await machine.boot({ initdata: app.initdata })
    const client = createClient({ endpoint: pod.socketPath })
    await client.getMnemonic()
    cold.push(performance.now() - started)
    if (run === COLD_RUNS - 1)
      for (let i = 0; i < WARM_RUNS; i++) {
        const asked = performance.now()
        await client.getMnemonic()
        warm.push(performance.now() - asked)
      }
    await pod.stop()
  }
  return [
    {
      name: 'helper, process start to attested mnemonic',
      value: median(cold),
      unit: 'ms',
      note: 'four operators on the same two cores',
    },
    { name: 'helper, warm socket answer', value: median(warm), unit: 'ms', budget: 3 },
  ]
}

/** /dev/shm is memory on Linux; the cache refuses anything else. */
async function stdinRows({ cliPath, app }: Devnet): Promise<Row[]> {
  const folder = await mkdtemp('/dev/shm/eigenx-tee-bench-')
  try {
    const initdata = join(folder, 'initdata')
    await writeFile(initdata, encodeInitdata(app.initdata.toml))
    const argv = [cliPath, 'helper', 'unseal', '--initdata', initdata, '--cache-dir', folder]
    const request = JSON.stringify({ app_id: app.appId, key: DEMO_SECRET.name })
    const first = await timeProcess(argv, request)
    const cached: number[] = []
    for (let run = 0; run < CACHED_RUNS; run++) cached.push(await timeProcess(argv, request))
    return [
      { name: 'helper unseal, first of a boot', value: first, unit: 'ms', note: 'attests' },
      { name: 'helper unseal, cached', value: median(cached), unit: 'ms', note: 'a whole process' },
    ]
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function timeProcess(argv: readonly string[], stdin: string): Promise<number> {
  const started = performance.now()
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, argv, { stdio: ['pipe', 'pipe', 'pipe'] })
    let output = ''
    let complaint = ''
    child.stdout.on('data', (chunk) => {
      output += chunk
    })
    child.stderr.on('data', (chunk) => {
      complaint += chunk
    })
    child.once('error', reject)
    child.once('close', () => {
      if (output === DEMO_SECRET.value) resolve(performance.now() - started)
      else reject(new Error(`helper unseal gave no secret: ${complaint}`))
    })
    child.stdin.end(stdin)
  })
}
