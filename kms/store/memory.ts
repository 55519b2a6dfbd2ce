/**
 * The store in memory: for simulations and embedding tests. The medium outlives the store object, as a disk outlives a process; the
 * fault hook stands for what a disk can do at the worst moment.
 * @module
 */
import type { Hash32 } from '../../sdk/chain/types.ts'
import { blobHash } from '../../sdk/protocol/dealing.ts'
import type { SecretName, Store, Write } from './store.ts'

export type MemoryMedium = {
  head: Uint8Array | undefined
  secrets: Map<string, { name: SecretName; value: Uint8Array }>
  blobs: Map<Hash32, Uint8Array>
}

/** Called around every commit; a throw before it loses the commit, a throw after it loses only the answer. */
export type StoreFault = (moment: 'before' | 'after') => void

export function createMemoryMedium(): MemoryMedium {
  return { head: undefined, secrets: new Map(), blobs: new Map() }
}

export function openMemoryStore(medium: MemoryMedium, fault: StoreFault = () => undefined): Store {
  const key = ({ kind, epoch, id }: SecretName): string => `${kind}/${epoch}/${id}`
  const write = (entry: Write): void => {
    switch (entry.type) {
      case 'setHead':
        medium.head = entry.head.slice()
        return
      case 'putSecret':
        medium.secrets.set(key(entry.name), { name: entry.name, value: entry.value.slice() })
        return
      case 'eraseSecret':
        medium.secrets.delete(key(entry.name))
        return
      case 'putBlob':
        medium.blobs.set(blobHash(entry.bytes), entry.bytes.slice())
        return
      case 'deleteBlob':
        medium.blobs.delete(entry.hash)
        return
    }
  }
  return {
    commit: async (writes) => {
      fault('before')
      writes.forEach(write)
      fault('after')
    },
    head: async () => medium.head?.slice(),
    secret: async (name) => medium.secrets.get(key(name))?.value.slice(),
    secretNames: async (kind) =>
      [...medium.secrets.values()].flatMap(({ name }) => (name.kind === kind ? [name] : [])),
    blob: async (hash) => medium.blobs.get(hash)?.slice(),
    blobHashes: async () => [...medium.blobs.keys()],
    close: async () => undefined,
  }
}
