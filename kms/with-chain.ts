/** What commands need beside a running operator: the chain, the other operators, and an end to both. @module */
import { createChainReader } from '../sdk/chain/reader.ts'
import { decisionSettings } from './authorize/settings.ts'
import { createMembershipPort } from './chain/epoch-log-port.ts'
import type { KmsConfig } from './config.ts'
import { MAX_BLOB_BYTES } from './epoch/ports.ts'
import { createPeerTransport, readCapped } from './peer/transport.ts'
import type { OrderDeps } from './registration-order.ts'
import { fetchReport } from './status-actions.ts'

export async function withChain<T>(
  config: KmsConfig,
  work: (deps: OrderDeps) => Promise<T>,
): Promise<T> {
  const { rpcUrls, quorum, chainId, timeoutMs, finality } = config.chain
  const reader = createChainReader({ rpcUrls, quorum, chainId, timeoutMs, finality })
  const { peerTimeoutMs } = config.limits
  try {
    return await work({
      domain: decisionSettings(config).domain,
      reader,
      contracts: config.contracts,
      membership: createMembershipPort(reader, config.contracts),
      peers: createPeerTransport({ timeoutMs: peerTimeoutMs }),
      fetchOutput: async (peer) => {
        const response = await fetch(`${peer.socket}/v2/output`, {
          redirect: 'error',
          signal: AbortSignal.timeout(peerTimeoutMs),
        })
        return response.ok ? readCapped(response, MAX_BLOB_BYTES) : undefined
      },
      fetchReport: ({ socket }) => fetchReport(socket, peerTimeoutMs),
    })
  } finally {
    reader.close()
  }
}
