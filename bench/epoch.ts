/**
 * What an epoch costs without its waiting: genesis and reshare of whole operator sets in one process, over a simulated network and chain, with
 * the CPU time of all operators together, the bytes that each sends, and the gas of the one entry on a real EVM.
 */
import { encodeFunctionData } from 'viem'
import { startAnvil } from '../helper/sim/anvil.ts'
import { deployDevnet } from '../helper/sim/contracts.ts'
import { toHex } from '../sdk/bytes.ts'
import { epochLogAbi } from '../sdk/chain/abi/epoch-log.ts'
import { messageKind } from '../sdk/protocol/codec.ts'
import { encodeCertifiedBody } from '../sdk/protocol/output.ts'
import type { CertifiedOutput } from '../sdk/protocol/types.ts'
import { bootAll, createWorld, keyServiceOf, turn, type World } from '../test/kms/epoch/kit.ts'
import type { Row } from './row.ts'

/** CPU of all operators; two cores share it, so half of this is the least wall time. */
const BUDGETS: Readonly<Record<number, { genesis: number; reshare: number }>> = {
  4: { genesis: 6_000, reshare: 4_000 },
  10: { genesis: 24_000, reshare: 20_000 },
}
const DEALING_BYTES_AT_30 = 5120
const MAX_TURNS = 2000

export async function epochRows(): Promise<Row[]> {
  // The first run pays for compiling the curve code.
  await measure(2)
  const rows: Row[] = []
  for (const n of [4, 10, 20, 30]) {
    const { genesisMs, reshareMs, bytes, dealingBytes, output } = await measure(n)
    const budget = BUDGETS[n]
    rows.push(
      {
        name: `genesis, n = ${n}: CPU of all operators together`,
        value: genesisMs,
        unit: 'ms',
        note: 'dealing, checking, certificate, activation; no HTTP, no disk',
        ...(budget === undefined ? {} : { budget: budget.genesis }),
      },
      {
        name: `reshare, n = ${n}: CPU of all operators together`,
        value: reshareMs,
        unit: 'ms',
        ...(budget === undefined ? {} : { budget: budget.reshare }),
      },
      { name: `reshare, n = ${n}: sent per operator`, value: bytes / 1024, unit: 'KiB' },
      {
        name: `reshare, n = ${n}: one dealing`,
        value: dealingBytes,
        unit: 'bytes',
        ...(n === 30 ? { budget: DEALING_BYTES_AT_30 } : {}),
      },
      {
        name: `reshare, n = ${n}: gas of its one transaction`,
        value: await gasOf(output),
        unit: 'gas',
      },
    )
  }
  return rows
}

async function measure(n: number) {
  const world = createWorld({ seed: n, n, options: { reshareSeconds: 2 } })
  await bootAll(world)
  const genesisMs = await cpuUntil(world, 0)
  const sent = { bytes: 0, dealing: 0 }
  for (const sim of world.nodes)
    sim.tamper = (message) => {
      sent.bytes += message.length
      if (messageKind(message) === 'dealing') sent.dealing = message.length
      return message
    }
  const reshareMs = await cpuUntil(world, 1)
  const [first] = world.nodes
  const output = first === undefined ? undefined : keyServiceOf(world, first).inForce()
  if (output === undefined) throw new Error('the reshare left no output')
  return { genesisMs, reshareMs, bytes: sent.bytes / n, dealingBytes: sent.dealing, output }
}

async function cpuUntil(world: World, epoch: number): Promise<number> {
  const { user, system } = process.cpuUsage()
  const isDone = () =>
    world.nodes.every((sim) => (keyServiceOf(world, sim).active()?.epoch ?? -1) >= epoch)
  for (let i = 0; i < MAX_TURNS && !isDone(); i++) await turn(world)
  if (!isDone()) throw new Error(`epoch ${epoch} did not finish`)
  const spent = process.cpuUsage({ user, system })
  return (spent.user + spent.system) / 1000
}

async function gasOf({ output, hash, ...rest }: CertifiedOutput): Promise<number> {
  const anvil = await startAnvil()
  try {
    const { epochLog } = await deployDevnet({ rpcUrl: anvil.url })
    const body = toHex(encodeCertifiedBody({ output, ...rest }))
    const data = encodeFunctionData({
      abi: epochLogAbi,
      functionName: 'post',
      args: [hash, BigInt(output.epoch), output.prev, hash, body],
    })
    const response = await fetch(anvil.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'eth_estimateGas',
        params: [{ to: epochLog, data }],
      }),
    })
    const { result }: { result?: string } = await response.json()
    if (result === undefined) throw new Error('the node estimated no gas')
    return Number(result)
  } finally {
    await anvil.stop()
  }
}
