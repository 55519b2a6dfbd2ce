/** A peer transport whose calls are counted by operator and result. @module */
import type { PeerPort } from '../epoch/ports.ts'
import type { Metrics, PeerCall, PeerResult } from '../metrics.ts'

export function countPeerCalls(port: PeerPort, metrics: Pick<Metrics, 'peerCalled'>): PeerPort {
  const counted = async <T>(
    operator: Parameters<Metrics['peerCalled']>[0],
    call: PeerCall,
    work: Promise<T>,
    resultOf: (value: T) => PeerResult,
  ): Promise<T> => {
    try {
      const value = await work
      metrics.peerCalled(operator, call, resultOf(value))
      return value
    } catch (error) {
      metrics.peerCalled(operator, call, 'failed')
      throw error
    }
  }
  const found = (value: Uint8Array | undefined) => (value === undefined ? 'absent' : 'found')
  return {
    push: (peer, message) =>
      counted(peer.address, 'push', port.push(peer, message), (result) => result),
    fetchBlob: (peer, hash) => counted(peer.address, 'blob', port.fetchBlob(peer, hash), found),
    fetchEncryptionKey: (peer) =>
      counted(peer.address, 'encryption_key', port.fetchEncryptionKey(peer), found),
  }
}
