/** One attack: what is changed, and the answer that it must get. */
import type { ErrorCode } from '../../sdk/errors.ts'
import type { SecretsBody } from '../kms/kit.ts'
import type { AttackWorld, OperatorName } from './world.ts'

export type Attack = {
  name: string
  /** Which operator is attacked; the strict one unless said. */
  at?: OperatorName
  send: (world: AttackWorld) => Promise<SecretsBody | string | Uint8Array>
  status: number
  code: ErrorCode
}

/** Changes fields of an honest body. */
export const altered =
  (change: (body: SecretsBody, world: AttackWorld) => SecretsBody): Attack['send'] =>
  async (world) =>
    change(await world.body(), world)

export const field =
  (name: string, value: unknown): Attack['send'] =>
  async (world) => ({ ...(await world.body()), [name]: value })
