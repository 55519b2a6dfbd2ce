/**
 * A real EVM node for a test: start in `beforeAll`, stop in `afterAll`.
 * @module
 */
export { type Anvil, startAnvil } from '../../helper/sim/anvil.ts'

/** One plain JSON-RPC call, for what only a development node can do. @throws Error with the node's own words. */
export async function callNode(
  url: string,
  method: string,
  params: readonly unknown[] = [],
): Promise<unknown> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  })
  const answer: { result?: unknown; error?: { message: string } } = JSON.parse(
    await response.text(),
  )
  if (answer.error !== undefined) throw new Error(`${method}: ${answer.error.message}`)
  return answer.result
}

export async function mineBlocks(url: string, count: number): Promise<void> {
  await callNode(url, 'anvil_mine', [`0x${count.toString(16)}`])
}

/** Finality lies two blocks behind the head of a test node. */
export async function finalise(url: string): Promise<void> {
  await mineBlocks(url, 2)
}

/** All transactions sent meanwhile go into one block, in the order of their arrival. */
export async function inOneBlock(url: string, send: () => Promise<unknown>): Promise<void> {
  await callNode(url, 'evm_setAutomine', [false])
  try {
    await send()
    await mineBlocks(url, 1)
  } finally {
    await callNode(url, 'evm_setAutomine', [true])
  }
}
