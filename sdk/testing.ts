/**
 * `eigenx-tee/testing`: a whole devnet with one attested pod, from a test in one line. Node only.
 *
 * The operators, the chain and the attestation are real code in real processes; only the hardware's root of
 * trust is made at start, and no production operator accepts it.
 * @module
 */
import { type Client, createClient } from './client/client.ts'

export type SimulatorOptions = {
  /** @default 4 */
  operators?: number
  /** The simulated processor: AMD SEV-SNP or Intel TDX. @default 'snp' */
  tee?: 'snp' | 'tdx'
  signal?: AbortSignal
}

export type Simulator = {
  /** Connected to the pod's helper. */
  client: Client
  /** For `createClient({ endpoint })` or EIGENX_SIMULATOR_ENDPOINT. */
  endpoint: string
  /** URLs of the operators. */
  operators: readonly string[]
  stop(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Takes some seconds; start it once for a test file.
 *
 * @example
 * ```ts
 * const simulator = await createSimulator()
 * const mnemonic = await simulator.client.getMnemonic()
 * await simulator.stop()
 * ```
 */
export async function createSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const { startDevnet } = await import('../helper/sim/devnet.ts')
  const devnet = await startDevnet(options)
  try {
    const pod = await devnet.machine.boot({ initdata: devnet.app.initdata })
    const client = createClient({ endpoint: pod.socketPath })
    // The first answer comes after attestation; whoever gets the simulator finds it ready.
    await client.info()
    return {
      client,
      endpoint: pod.socketPath,
      operators: devnet.operators.map(({ url }) => url),
      stop: devnet.stop,
      [Symbol.asyncDispose]: devnet.stop,
    }
  } catch (error) {
    await devnet.stop()
    throw error
  }
}
