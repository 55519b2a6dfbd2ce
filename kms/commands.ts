/** What the `kms` subcommands do. Loaded only when one of them runs. @module */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { randomBytes } from '@noble/hashes/utils.js'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { EigenxError, isEigenxError } from '../sdk/errors.ts'
import { describeConfig } from './config.ts'
import { loadKmsConfig } from './load-config.ts'
import { createLog } from './log.ts'
import { startOperator } from './node.ts'
import { createStoreKey } from './store/key-file.ts'

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

/** @returns What to do next. */
export async function initFolder(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const signingKey = generatePrivateKey()
  const { address } = privateKeyToAccount(signingKey)
  await writeNew(join(folder, 'signing.key'), `${signingKey.slice(2)}\n`, 0o600)
  try {
    await createStoreKey(join(folder, 'store.key'), randomBytes)
  } catch (error) {
    throw isEigenxError(error) ? error : exists(join(folder, 'store.key'))
  }
  await writeNew(join(folder, 'operator.toml'), sampleConfig(address), 0o644)
  return `Wrote signing.key, store.key and operator.toml to ${folder}.
The operator is ${address}. Fill in [chain], [contracts] and listen.public_url, then:
  eigenx-tee kms serve --config ${join(folder, 'operator.toml')}
  eigenx-tee kms register --config ${join(folder, 'operator.toml')}`
}

async function writeNew(path: string, content: string, mode: number): Promise<void> {
  try {
    await writeFile(path, content, { flag: 'wx', mode })
  } catch {
    throw exists(path)
  }
}

function exists(path: string): EigenxError<'CONFIG_INVALID'> {
  return usage(`${path} exists already or cannot be written; nothing was overwritten.`)
}

function usage(message: string): EigenxError<'CONFIG_INVALID'> {
  return new EigenxError({
    code: 'CONFIG_INVALID',
    message,
    stage: 'config',
    details: { path: '' },
  })
}

function sampleConfig(address: string): string {
  const zero = `0x${'0'.repeat(40)}`
  return `# One operator. Paths count from this file's folder; every field is in docs/operators.md.

[operator]
address = "${address.toLowerCase()}"
signing_key_file = "signing.key"

[listen]
host = "127.0.0.1"          # behind your TLS proxy
port = 8000
# public_url = "https://operator.example"   # what is registered on chain
# Where that proxy connects from. It must append its caller to X-Forwarded-For; callers of a proxy that is not listed count as one.
trusted_proxies = ["127.0.0.1"]

[chain]
chain_id = 1
# Several providers of different companies; more than half must agree on every answer.
rpc_urls = ["https://…", "https://…", "https://…"]
finality = "finalized"

[contracts]
allocation_manager = "${zero}"
key_registrar = "${zero}"
app_controller = "${zero}"
epoch_log = "${zero}"
avs = "${zero}"
operator_set_id = 0

[store]
path = "operator.db"
key_file = "store.key"

[epoch]
# Make the first key of a set: only once all its operators are registered, because who is alone makes it alone.
genesis = false

[attestation]
methods = ["eigenx-snp"]
allow_self_asserted_initdata = false
accept_report_data_v1 = true

[policy]
allow_digest_only = false
serve_stopped_apps = false
`
}
