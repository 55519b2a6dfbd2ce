/**
 * What joining and leaving need beside the running operator: reading who is registered and what is in force, and announcing a leave.
 *
 * Order matters to clients. A join registers first and is dealt in then. A leave is dealt out first, while the operator is registered and deals
 * once more, and deregisters when the output without it is in force: clients that count the registered operators always
 * find enough shares.
 * @module
 */
import type { BlockRef, OperatorInfo, OperatorSet } from '../sdk/chain/types.ts'
import { thresholdOf } from '../sdk/crypto/bls.ts'
import { EigenxError, isEigenxError } from '../sdk/errors.ts'
import { encodeLeave, leaveStatement, MAX_LEAVE_SECONDS } from '../sdk/protocol/leave.ts'
import { parseCertifiedBody, verifyCertifiedBody } from '../sdk/protocol/output.ts'
import type { CertifiedOutput, Domain } from '../sdk/protocol/types.ts'
import type { MembershipPort, PeerPort, SignerPort } from './epoch/ports.ts'
import type { OperatorKeys } from './signer.ts'

export type MembershipDeps = {
  domain: Domain
  membership: MembershipPort
  peers: Pick<PeerPort, 'push'>
  /** The certified body that an operator calls the one in force; `undefined` when it has none or does not answer. */
  fetchOutput(peer: OperatorInfo): Promise<Uint8Array | undefined>
  /** What this operator's own process says at its socket. @throws EigenxError when it does not answer */
  fetchReport(self: OperatorInfo): Promise<OwnReport>
}

/** The part of an operator's report that its own commands go by. */
export type OwnReport = {
  outputHash: string | null
  shareHeld: boolean
  protocol: { leaving: readonly string[] } | null
}

export type InForce = { certified: CertifiedOutput; servedBy: number }

/**
 * What a threshold of the output's own members serve now.
 *
 * Its set is read at its config block. Where no provider has that state any more, its members' keys of today are taken instead; then a
 * threshold of all registered operators has to serve it, because an output over a chosen few would pass.
 */
export async function outputInForce(
  deps: MembershipDeps,
  set: OperatorSet,
): Promise<InForce | undefined> {
  const answers = await Promise.all(
    set.operators.map((operator) => deps.fetchOutput(operator).catch(() => undefined)),
  )
  const found = new Map<string, InForce & { needed: number }>()
  for (const body of answers) {
    const checked = body === undefined ? undefined : await verify(deps, set, body)
    if (checked === undefined) continue
    const { certified, isAssumed } = checked
    const { threshold } = certified.output
    const needed = isAssumed ? Math.max(threshold, thresholdOf(set.operators.length)) : threshold
    const known = found.get(certified.hash)
    found.set(certified.hash, { certified, needed, servedBy: (known?.servedBy ?? 0) + 1 })
  }
  const inForce = [...found.values()].find(({ needed, servedBy }) => servedBy >= needed)
  return inForce && { certified: inForce.certified, servedBy: inForce.servedBy }
}

type Checked = { certified: CertifiedOutput; isAssumed: boolean }

async function verify(
  { domain, membership }: MembershipDeps,
  today: OperatorSet,
  body: Uint8Array,
): Promise<Checked | undefined> {
  try {
    const { configBlock, members, leaves } = parseCertifiedBody(body).output
    if (configBlock.number > today.block.number) return undefined
    const set = await membership.at(configBlock satisfies BlockRef).catch((error: unknown) => {
      if (isEigenxError(error, 'CHAIN_UNAVAILABLE')) return 'forgotten' as const
      throw error
    })
    if (set === undefined) return undefined
    if (set !== 'forgotten')
      return {
        certified: verifyCertifiedBody({ body, domain, members: set.operators }),
        isAssumed: false,
      }
    const named = new Set([
      ...members.map(({ address }) => address),
      ...leaves.map(({ operator }) => operator),
    ])
    const assumed = today.operators.filter(({ address }) => named.has(address))
    return {
      certified: verifyCertifiedBody({ body, domain, members: assumed }),
      isAssumed: true,
    }
  } catch (error) {
    // An operator that answers nonsense is one that does not answer.
    if (isEigenxError(error) && error.stage === 'protocol') return undefined
    throw error
  }
}

export type JoinReport = {
  /** What is done and what is not, in the order of doing it. */
  steps: readonly { done: boolean; text: string }[]
  joined: boolean
}

/** How far this operator has come with joining. */
export async function checkJoin(deps: MembershipDeps, keys: OperatorKeys): Promise<JoinReport> {
  const set = await deps.membership.current()
  const { operator } = keys.signer
  const info = set.operators.find(({ address }) => address.toLowerCase() === operator)
  const keyMatches = info !== undefined && sameKey(info.signingKey, keys.signingKey)
  const certified = (await outputInForce(deps, set))?.certified
  const dealtIn = certified?.output.members.some(({ address }) => address === operator) ?? false
  // An output names also the member that has lost its disk since: only the process knows what it holds.
  const report = await ownReport(deps, info)
  const holds = report?.shareHeld === true && report.outputHash === certified?.hash
  const steps = [
    { done: info !== undefined, text: `registered in operator set ${set.operatorSetId}` },
    { done: keyMatches, text: 'the registered signing key is the one in the configuration' },
    { done: info !== undefined && info.socket !== '', text: `reachable at ${info?.socket ?? ''}` },
    { done: dealtIn, text: 'dealt in: the output in force has a share for this operator' },
    { done: dealtIn && holds, text: 'its running process holds that share' },
  ]
  return { steps, joined: steps.every(({ done }) => done) }
}

async function ownReport(
  deps: MembershipDeps,
  info: OperatorInfo | undefined,
): Promise<OwnReport | undefined> {
  if (info === undefined || info.socket === '') return undefined
  try {
    return await deps.fetchReport(info)
  } catch (error) {
    if (isEigenxError(error)) return undefined
    throw error
  }
}

function sameKey(a: OperatorInfo['signingKey'], b: OperatorInfo['signingKey']): boolean {
  if (a.curve === 'ecdsa') return b.curve === 'ecdsa' && a.address === b.address
  return b.curve === 'bn254' && a.g1 === b.g1 && a.g2 === b.g2
}

export type LeaveInput = {
  /** Unix seconds. */
  now: number
  /** How long the leave holds: the time to be dealt out and to deregister. */
  holdsSeconds: number
  /** Leave although clients will miss this operator between being dealt out and deregistering. */
  force: boolean
}

/**
 * Announces a leave to all operators, this one's own node among them.
 * @returns How many took it.
 * @throws EigenxError REQUEST_INVALID when it would hurt clients, QUORUM_NOT_REACHED when too few heard it.
 */
export async function announceLeave(
  deps: MembershipDeps,
  signer: SignerPort,
  input: LeaveInput,
): Promise<number> {
  const set = await deps.membership.current()
  const n = set.operators.length
  const info = set.operators.find(({ address }) => address.toLowerCase() === signer.operator)
  if (info === undefined) throw refuse('this operator is not registered in the set')
  if (n === 1) throw refuse('it is the last one; its key would be lost')
  if (!input.force) await demandEnoughSharesToLeave(deps, set, info)
  if (input.holdsSeconds > MAX_LEAVE_SECONDS)
    throw refuse(`a leave holds for ${MAX_LEAVE_SECONDS} seconds at most`)
  const unsigned = { operator: signer.operator, notAfter: input.now + input.holdsSeconds }
  const signature = await signer.sign(leaveStatement(deps.domain, unsigned))
  const message = encodeLeave({ ...unsigned, signature })
  const results = await Promise.all(
    set.operators.map((peer) => deps.peers.push(peer, message).catch(() => 'unreachable' as const)),
  )
  const accepted = results.filter((result) => result === 'accepted').length
  if (accepted >= thresholdOf(n)) return accepted
  throw new EigenxError({
    code: 'QUORUM_NOT_REACHED',
    message: 'Too few operators took the leave; run this again, it may be repeated.',
    stage: 'protocol',
    details: { needed: thresholdOf(n), got: accepted, refusals: [] },
  })
}

/**
 * Until those that leave have deregistered, clients count them, and they hold no share.
 *
 * Two that announce a leave in the same moment do not know of each other; one that comes later does.
 * @throws EigenxError REQUEST_INVALID
 */
async function demandEnoughSharesToLeave(
  deps: MembershipDeps,
  set: OperatorSet,
  self: OperatorInfo,
): Promise<void> {
  const registered = set.operators.map(({ address }) => address.toLowerCase())
  const members = (await outputInForce(deps, set))?.certified.output.members.map(
    ({ address }) => address,
  )
  const holders = registered.filter((address) => members?.some((m) => m === address) ?? true)
  if (!holders.includes(self.address.toLowerCase())) return
  const leaving = new Set((await ownReport(deps, self))?.protocol?.leaving)
  const staying = holders.filter(
    (address) => address !== self.address.toLowerCase() && !leaving.has(address),
  )
  const needed = thresholdOf(registered.length)
  if (staying.length >= needed) return
  throw refuse(
    `clients need ${needed} shares while ${registered.length} operators are registered, and ${staying.length} would hold one; wait until those that leave have deregistered, or accept that gap with --force`,
  )
}

/**
 * Whether the operator may deregister: what is in force has no share for it.
 * @returns The epoch that dealt it out; `undefined` while it is still needed.
 */
export async function dealtOutIn(
  deps: MembershipDeps,
  signer: SignerPort,
): Promise<number | undefined> {
  const inForce = await outputInForce(deps, await deps.membership.current())
  if (inForce === undefined) return undefined
  const { output } = inForce.certified
  const isMember = output.members.some(({ address }) => address === signer.operator)
  return isMember ? undefined : output.epoch
}

function refuse(reason: string): EigenxError<'REQUEST_INVALID'> {
  return new EigenxError({
    code: 'REQUEST_INVALID',
    message: `The operator cannot leave: ${reason}.`,
    stage: 'request',
    details: { path: 'leave' },
  })
}
