/**
 * A machine of a devnet that boots pods: the simulated firmware, the Attestation Agent on it, and the
 * helper inside the pod as a process of its own.
 *
 * As on bare metal, whoever launches a pod has the initdata's digest put into HOST_DATA (on TDX: MRCONFIGID) before any
 * guest code runs. On platforms without that field (AWS), it stays zero: `anchored: false`.
 * @module
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { encodeInitdata } from '../../policy/initdata.ts'
import type { Initdata } from '../../policy/types.ts'
import { type AttestationAgent, startAttestationAgent } from './aa.ts'
import type { Cleanup } from './cleanup.ts'
import { type Program, startProgram } from './program.ts'
import type { Launch, Vendor } from './vendor.ts'

const START_TIMEOUT_MS = 30_000

export type LaunchOptions = {
  /** What lies in the pod: the helper and the operators read this document. */
  initdata: Initdata
  /** What the machine was launched with; another one than `initdata` is a host that swaps documents. */
  launchedWith?: Initdata
  /** The launch holds the digest. @default true */
  anchored?: boolean
  /** The host may debug the guest, and so read its memory. */
  debug?: boolean
  /** @default a path in the devnet's folder */
  socketPath?: string
}

export type Pod = {
  socketPath: string
  initdata: Initdata
  helper: Program
  stop: () => Promise<void>
}

export type Machine = {
  agent: AttestationAgent
  /** Starts the helper of a pod; it answers once the socket is there. One pod at a time. */
  boot: (options: LaunchOptions) => Promise<Pod>
}

export type MachineInput = {
  vendor: Vendor
  cliPath: string
  folder: string
  cleanup: Cleanup
}

export async function startMachine(input: MachineInput): Promise<Machine> {
  const { vendor } = input
  let launch: Launch | undefined
  const agent = await startAttestationAgent({
    tee: vendor.tee,
    getEvidence: async (reportData) => {
      if (launch === undefined) throw new Error('no pod was launched')
      return vendor.attest(launch, reportData)
    },
  })
  input.cleanup.add(agent.stop)
  let booted = 0
  return {
    agent,
    boot: async (options) => {
      booted++
      const measured = options.launchedWith ?? options.initdata
      launch = {
        debug: options.debug ?? false,
        ...((options.anchored ?? true) ? { digest: measured.digest } : {}),
      }
      const pod = await startPod(input, options, join(input.folder, `pod-${booted}`))
      input.cleanup.add(pod.stop)
      return pod
    },
  }
}

async function startPod(input: MachineInput, options: LaunchOptions, folder: string): Promise<Pod> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const initdataPath = join(folder, 'initdata')
  // As the annotation carries it, and as it lies in /run/peerpod/initdata.
  await writeFile(initdataPath, encodeInitdata(options.initdata.toml))
  const socketPath = options.socketPath ?? join(folder, 'eigenx.sock')
  const helper = startProgram({
    name: 'helper',
    path: input.cliPath,
    args: ['helper', 'serve', '--initdata', initdataPath, '--socket', socketPath],
    cwd: folder,
  })
  const stop = () => helper.stop()
  try {
    await helper.waitFor(
      (line) => (line.includes('listening') ? true : undefined),
      START_TIMEOUT_MS,
    )
  } catch (error) {
    await stop()
    throw error
  }
  return { socketPath, initdata: options.initdata, helper, stop }
}
