/** What `kms serve` does. Loaded only when it runs. @module */
import { setFlagsFromString } from 'node:v8'
import { describeConfig } from './config.ts'
import { loadKmsConfig } from './load-config.ts'
import { createLog } from './log.ts'
import { startOperator } from './node.ts'

/**
 * Garbage is collected at half more than what is in use, instead of at four times that: an operator on a small machine keeps
 * below 200 MB under load, for a tenth of its throughput.
 */
const HEAP_GROWTH = '--heap-growing-percent=50'

/** Runs until a signal comes or the operator cannot go on. */
export async function serve(file: string): Promise<void> {
  setFlagsFromString(HEAP_GROWTH)
  const config = await loadKmsConfig(file)
  const log = createLog({ level: config.log.level, operator: config.operator.address })
  // From the first moment on: a signal during start must not kill half-way through a write.
  const stopped = new Promise<string>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(signal))
  })
  log.info({ event: 'starting', config: describeConfig(config) }, 'operator starting')
  const operator = await startOperator(config, { log })
  const end = await Promise.race([
    stopped.then((signal) => ({ signal })),
    operator.failed.then((reason) => ({ reason })),
  ])
  await operator.stop()
  log.info({ event: 'stopped' }, 'operator stopped')
  if ('reason' in end) throw end.reason
}
