/** Looks at a devnet from outside, as clients do: what operators tell, and whether a pod gets the same keys. @module */
import { setTimeout as pause } from 'node:timers/promises'
import { DEMO_SECRET } from '../../helper/sim/app.ts'
import { countDecisions, waitForDecisions } from '../../helper/sim/audit.ts'
import type { Devnet } from '../../helper/sim/devnet.ts'
import type { Operator } from '../../helper/sim/operators.ts'
import { bytesToHex } from '../../sdk/bytes.ts'
import { createClient } from '../../sdk/index.ts'
import { parsePubkeyResponse } from '../../sdk/wire/secrets.ts'
import type { Sighting } from './verdict.ts'

const ANSWER_MS = 3000
const DECISIONS_MS = 5000
const LOOK_AGAIN_MS = 500

/** @returns Nothing where the operator does not answer, or holds no share of a key in force. */
export async function look(operator: Operator): Promise<Sighting | undefined> {
  let body: Uint8Array
  try {
    const answer = await fetch(`${operator.url}/pubkey`, { signal: AbortSignal.timeout(ANSWER_MS) })
    if (!answer.ok) return undefined
    body = new Uint8Array(await answer.arrayBuffer())
  } catch {
    return undefined
  }
  const { isActive, version, masterPublicKey, epoch, outputHash } = parsePubkeyResponse(body)
  if (!isActive || masterPublicKey === undefined || outputHash === undefined) return undefined
  return {
    atMs: Date.now(),
    operator: operator.index,
    // Written only where it is not 0.
    epoch: epoch ?? 0,
    version,
    outputHash,
    masterPublicKey: bytesToHex(masterPublicKey),
  }
}

/**
 * Waits until all operators hold shares of the same output, seen in one look.
 * @returns Who was missing or behind at the last look; empty when they agree.
 */
export async function waitForAgreement(
  operators: readonly Operator[],
  timeoutMs: number,
  isGood: (sighting: Sighting) => boolean = () => true,
): Promise<string[]> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    const seen = await Promise.all(operators.map(look))
    const hashes = new Set(seen.map((sighting) => sighting?.outputHash))
    if (hashes.size === 1 && seen.every((sighting) => sighting !== undefined && isGood(sighting)))
      return []
    if (Date.now() > deadline)
      return seen.map((sighting, index) =>
        sighting === undefined
          ? `operator ${index + 1} serves no key`
          : `operator ${index + 1} is at epoch ${sighting.epoch}`,
      )
    await pause(LOOK_AGAIN_MS)
  }
}

export type PodKeys = { evm: string; solana: string; secret: string }

/** A pod boots, proves itself to the operators and opens what was sealed to the first epoch's key. */
export async function bootPod(
  devnet: Devnet,
  present: readonly Operator[],
): Promise<{ keys: PodKeys; granted: number; tookMs: number }> {
  const started = Date.now()
  const before = countDecisions(present)
  const pod = await devnet.machine.boot({ initdata: devnet.app.initdata })
  try {
    const client = createClient({ endpoint: pod.socketPath })
    const { evm, solana } = await client.getAddresses({ count: 1 })
    const secret = await client.getSecret(DEMO_SECRET.name)
    const tookMs = Date.now() - started
    const decisions = await waitForDecisions(present, before, DECISIONS_MS)
    return {
      keys: { evm: evm[0]?.address ?? '', solana: solana[0]?.address ?? '', secret },
      granted: decisions.filter(({ entry }) => entry?.decision === 'granted').length,
      tookMs,
    }
  } finally {
    await pod.stop()
  }
}
