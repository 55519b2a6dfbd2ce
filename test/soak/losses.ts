/** What operators lose: disks, keys, weeks. */
import { createMemoryMedium, type MemoryMedium } from '../../kms/store/memory.ts'
import { isEigenxError } from '../../sdk/errors.ts'
import { boot, kill } from '../kms/epoch/kit.ts'
import type { SimNode, World } from '../kms/epoch/world.ts'
import type { Undo } from './faults.ts'
import type { Ledger } from './ledger.ts'
import type { Fault, LossKind } from './plan.ts'

/** Old copies of disks. */
export type Copies = Map<SimNode, MemoryMedium>

export function copyOf({ head, secrets, blobs }: MemoryMedium): MemoryMedium {
  return { head, secrets: new Map(secrets), blobs: new Map(blobs) }
}

/** @returns How it ends; `undefined` when too many are in trouble already. */
export async function beginLoss(
  world: World,
  fault: Fault & { kind: LossKind },
  ledger: Ledger,
  copies: Copies,
): Promise<Undo | undefined> {
  const sim = ledger.memberAt(fault.who)
  if (sim?.node === undefined || !ledger.mayFail(sim)) return undefined
  kill(sim)
  ledger.damaged.set(sim, 0)
  const { medium } = sim
  switch (fault.kind) {
    case 'disk lost':
      put(sim, createMemoryMedium())
      return () => undefined
    case 'disk damaged':
      damage(sim, fault.amount)
      await assertRefuses(world, sim)
      put(sim, createMemoryMedium())
      return () => undefined
    case 'only keys kept': {
      const keys = [...medium.secrets].filter(([, { name }]) => name.kind === 'encryption-key')
      put(sim, { ...createMemoryMedium(), secrets: new Map(keys) })
      return () => undefined
    }
    case 'old disk copy':
      put(sim, copyOf(copies.get(sim) ?? createMemoryMedium()))
      return () => undefined
    case 'away for slots':
      ledger.heldDown.add(sim)
      return () => void ledger.heldDown.delete(sim)
  }
}

function put(sim: SimNode, medium: MemoryMedium): void {
  sim.medium = medium
}

/** What a sealed store would notice as well: a head that is none, or a share that is gone. */
function damage({ medium }: SimNode, amount: number): void {
  const share = [...medium.secrets].find(([, { name }]) => name.kind === 'share')
  if (amount % 3 === 0 && share !== undefined) medium.secrets.delete(share[0])
  // A disk without a head yet is a new one: there is nothing to cut off.
  else if (amount % 2 === 0 || medium.head === undefined) medium.head = new Uint8Array(20)
  else medium.head = medium.head.slice(0, -1)
}

async function assertRefuses(world: World, sim: SimNode): Promise<void> {
  const refusal = await boot(world, sim).catch((error: unknown) => error)
  if (!isEigenxError(refusal, 'STORE_CORRUPT'))
    throw new Error(`seed ${world.seed}: a node started from a damaged disk`)
}
