/** Waits until every operator of a devnet serves the key that they made together, and says how it came to be. @module */
import { parseHex, toHex } from '../../sdk/bytes.ts'
import { epochSetId, readLogEntries } from '../../sdk/chain/epoch-log.ts'
import { createChainReader } from '../../sdk/chain/reader.ts'
import type { Address, Hash32 } from '../../sdk/chain/types.ts'
import { EigenxError } from '../../sdk/errors.ts'
import { parseCertifiedBody } from '../../sdk/protocol/output.ts'
import type { Devnet as DevnetContracts } from './contracts.ts'
import type { Operator } from './operators.ts'

const POLL_MS = 100
/** A block a second: looking more often only costs. */
const LOG_POLL_MS = 500

export type Genesis = {
  epoch: number
  threshold: number
  members: readonly Address[]
  /** Whose dealings make up the key. */
  dealers: readonly Address[]
  /** Who signed the result. */
  signers: readonly Address[]
  outputHash: Hash32
  masterPublicKey: Uint8Array
  /** Unix seconds. */
  activateAt: number
}

/**
 * The master public key of the log's first entry, seconds before it is in force: a devnet's app is
 * prepared meanwhile. The entry may yet turn out late or void, so the caller compares it with the key
 * that the operators then serve.
 */
export async function foreseeKey(
  contracts: DevnetContracts,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const reader = createChainReader({
    rpcUrls: [contracts.rpcUrl],
    quorum: 1,
    chainId: contracts.chainId,
    finality: 'latest',
    timeoutMs,
  })
  try {
    const set = epochSetId(contracts.avs, contracts.operatorSetId)
    const source = { epochLog: contracts.epochLog, set }
    const deadline = Date.now() + timeoutMs
    while (Date.now() < deadline) {
      signal?.throwIfAborted()
      const { entries } = await readLogEntries(reader, source, 0n)
      const [entry] = entries
      if (entry !== undefined) return parseCertifiedBody(entry.body).output.mpk
      await new Promise((resolve) => setTimeout(resolve, LOG_POLL_MS))
    }
    throw new EigenxError({
      code: 'TIMEOUT',
      message: 'the operators posted no key to the log',
      stage: 'protocol',
      details: { what: 'genesis', afterMs: timeoutMs },
    })
  } finally {
    reader.close()
  }
}

/** @throws TIMEOUT with the reasons that the operators give. */
export async function waitForGenesis(
  operators: readonly Pick<Operator, 'url'>[],
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<Genesis> {
  const deadline = Date.now() + timeoutMs
  const results = await Promise.all(
    operators.map(({ url }) => waitForKey(url, deadline, timeoutMs, signal)),
  )
  const [first] = results
  if (first === undefined) throw new RangeError('a devnet has operators')
  for (const result of results)
    if (result.outputHash !== first.outputHash)
      throw new EigenxError({
        code: 'OPERATORS_DISAGREE',
        message: 'the operators follow different outputs',
        stage: 'protocol',
        details: { what: 'output hash' },
      })
  return first
}

async function waitForKey(
  url: string,
  deadline: number,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<Genesis> {
  let reason = 'no answer'
  while (Date.now() < deadline) {
    signal?.throwIfAborted()
    try {
      const health = await fetch(`${url}/health`)
      if (health.ok) return await readGenesis(url)
      reason = `health ${health.status}: ${(await health.text()).slice(0, 300)}`
    } catch {
      reason = 'no answer'
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
  throw new EigenxError({
    code: 'TIMEOUT',
    message: `operator ${url} has no key yet (${reason})`,
    stage: 'protocol',
    details: { what: 'genesis', afterMs: timeoutMs },
  })
}

async function readGenesis(url: string): Promise<Genesis> {
  const response = await fetch(`${url}/v2/output`)
  const { output, certificate } = parseCertifiedBody(new Uint8Array(await response.arrayBuffer()))
  const hash = parseHex(response.headers.get('x-output-hash') ?? '', 32)
  if (hash === undefined) throw new Error('the operator named no output hash')
  return {
    epoch: output.epoch,
    threshold: output.threshold,
    members: output.members.map((member) => member.address),
    dealers: output.dealings.map((dealing) => dealing.dealer),
    signers: certificate.signatures.map((signature) => signature.operator),
    outputHash: toHex(hash),
    masterPublicKey: output.mpk,
    activateAt: output.activateAt,
  }
}
