/** Operators that come, go and move. */
import { encodeLeave, leaveStatement } from '../../sdk/protocol/leave.ts'
import { boot, DOMAIN, kill } from '../kms/epoch/kit.ts'
import type { SimNode, World } from '../kms/epoch/world.ts'
import type { Ledger } from './ledger.ts'
import type { Fault, MemberKind } from './plan.ts'

/** How long an announced leave holds. */
const LEAVE_SECONDS = 600

/** Puts the ledger's set on the chain. */
export function register(world: World, ledger: Ledger): void {
  world.chain.members = world.nodes
    .filter((sim) => ledger.registered.has(sim))
    .map(({ identity }) => identity.info)
}

/** @returns Whether it could happen. */
export async function changeMembers(
  world: World,
  { kind, who }: Fault & { kind: MemberKind },
  ledger: Ledger,
): Promise<boolean> {
  const member = ledger.memberAt(who)
  // Who announced its leave is dealt in again when that has run out.
  const newcomers = world.nodes.filter(
    (sim) => !ledger.registered.has(sim) && !isIn(world, sim) && !ledger.isLeaving(sim),
  )
  const coming = [newcomers[who % Math.max(1, newcomers.length)] ?? []].flat()
  const second = newcomers.find((sim) => !coming.includes(sim))
  switch (kind) {
    case 'join':
      return change(world, ledger, coming, [])
    case 'join of two':
      return second !== undefined && change(world, ledger, [...coming, second], [])
    case 'deregistration':
      return member !== undefined && change(world, ledger, [], [member])
    case 'replacement':
      return member !== undefined && change(world, ledger, coming, [member])
    case 'announced leave':
      return member?.node !== undefined && announce(world, ledger, member)
    case 'new socket': {
      if (member === undefined) return false
      const { info } = member.identity
      member.identity = { ...member.identity, info: { ...info, socket: `${info.socket}-` } }
      register(world, ledger)
      return true
    }
  }
}

async function change(
  world: World,
  ledger: Ledger,
  come: readonly SimNode[],
  go: readonly SimNode[],
): Promise<boolean> {
  const next = new Set([...ledger.registered, ...come].filter((sim) => !go.includes(sim)))
  const staying = new Set([...next].filter((sim) => !ledger.isLeaving(sim)))
  if (come.length + go.length === 0 || !ledger.mayBecome(staying)) return false
  ledger.registered = next
  for (const sim of come) if (sim.node === undefined) await boot(world, sim)
  register(world, ledger)
  return true
}

async function announce(world: World, ledger: Ledger, member: SimNode): Promise<boolean> {
  const staying = [...ledger.registered].filter((sim) => sim !== member && !ledger.isLeaving(sim))
  const isSound = !ledger.isExcused(member) && !ledger.troubled.has(member)
  if (!isSound || member.fuse < Number.POSITIVE_INFINITY) return false
  if (!ledger.mayBecome(new Set(staying))) return false
  const { info, signer } = member.identity
  const notAfter = world.chain.now() + LEAVE_SECONDS
  const unsigned = { operator: info.address, notAfter }
  const signature = await signer.sign(leaveStatement(DOMAIN, unsigned))
  const answer = await member.node?.handler.receive(encodeLeave({ ...unsigned, signature }))
  if (answer !== 'accepted') return false
  ledger.leaves.set(member, notAfter)
  return true
}

/** Takes those off the chain that were dealt out after they announced it, and turns off who has no part any more. */
export function dismiss(world: World, ledger: Ledger): void {
  const dealtOut = [...ledger.registered].filter(
    (sim) => ledger.isLeaving(sim) && world.witness.history.length > 0 && !isIn(world, sim),
  )
  for (const sim of dealtOut) ledger.registered.delete(sim)
  if (dealtOut.length > 0) register(world, ledger)
  for (const sim of world.nodes)
    if (sim.node !== undefined && !ledger.registered.has(sim) && !isIn(world, sim)) kill(sim)
}

/** Whether a node is a member of the newest output; before the first one, of the registered set. */
export function isIn(world: World, sim: SimNode): boolean {
  const newest = world.witness.history.at(-1)?.output
  return newest?.members.some(({ address }) => address === sim.identity.info.address) ?? false
}
