/** What `kms init` does: an operator's first keys and configuration. Loaded only when it runs. @module */
import { access, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { randomBytes } from '@noble/hashes/utils.js'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { bytesToHex } from '../sdk/bytes.ts'
import type { EigenxError } from '../sdk/errors.ts'
import { createBn254PrivateKey } from '../sdk/protocol/bn254.ts'
import { usage } from './errors.ts'
import { createStoreKey } from './store/key-file.ts'

export type Curve = 'ecdsa' | 'bn254'

const FILES: Readonly<Record<Curve, readonly string[]>> = {
  ecdsa: ['signing.key', 'store.key', 'operator.toml'],
  bn254: ['signing.key', 'transaction.key', 'store.key', 'operator.toml'],
}
const SIGNING: Readonly<Record<Curve, string>> = {
  ecdsa: 'signing_key_file = "signing.key"',
  bn254: `signing_key_file = "signing.key"
signing_curve = "bn254"
transaction_key_file = "transaction.key"`,
}

/**
 * The operator's address is that of its secp256k1 key: the one that signs, or beside a BN254 key, which pays for nothing, the one that pays.
 * @returns What to do next.
 * @throws EigenxError CONFIG_INVALID where one of the files is there already; nothing is written then.
 */
export async function initFolder(folder: string, curve: Curve = 'ecdsa'): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  for (const name of FILES[curve]) await demandAbsent(join(folder, name))
  const ethereumKey = generatePrivateKey()
  const { address } = privateKeyToAccount(ethereumKey)
  const ethereumLine = `${ethereumKey.slice(2)}\n`
  if (curve === 'ecdsa') await writeNew(join(folder, 'signing.key'), ethereumLine, 0o600)
  else {
    const signingKey = bytesToHex(createBn254PrivateKey(randomBytes))
    await writeNew(join(folder, 'signing.key'), `${signingKey}\n`, 0o600)
    await writeNew(join(folder, 'transaction.key'), ethereumLine, 0o600)
  }
  await createStoreKey(join(folder, 'store.key'), randomBytes).catch(() => {
    throw exists(join(folder, 'store.key'))
  })
  await writeNew(join(folder, 'operator.toml'), sampleConfig(address, curve), 0o644)
  return `Wrote ${FILES[curve].join(', ')} to ${folder}.
The operator is ${address}. Fill in [chain], [contracts] and listen.public_url, then:
  eigenx-tee kms serve --config ${join(folder, 'operator.toml')}
  eigenx-tee kms register --config ${join(folder, 'operator.toml')}`
}

async function demandAbsent(path: string): Promise<void> {
  const isThere = await access(path).then(
    () => true,
    () => false,
  )
  if (isThere) throw exists(path)
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

function sampleConfig(address: string, curve: Curve): string {
  const zero = `0x${'0'.repeat(40)}`
  return `# One operator. Paths count from this file's folder; every field is in docs/operators.md.

[operator]
address = "${address.toLowerCase()}"
${SIGNING[curve]}

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
