/** I1, I2 and I9: outputs of the log against the bodies on the disks of the simulated members. */
import { equalBytes } from '../../../sdk/bytes.ts'
import { type G2Point, g2Msm, operatorX, parseG2, serializeG2 } from '../../../sdk/crypto/bls.ts'
import { evaluateCommitment, lagrangeAtZero } from '../../../sdk/crypto/shamir.ts'
import { type Dealing, parseDealing } from '../../../sdk/protocol/dealing.ts'
import { isGenesis, isOrigin, sidOf } from '../../../sdk/protocol/terms.ts'
import type { Output } from '../../../sdk/protocol/types.ts'
import { DOMAIN } from './sim-chain.ts'
import type { World } from './world.ts'

type Fail = (what: string) => never

/** Bodies of closed epochs are erased: an output that could not be read by then is read no more, and counted as such. */
const RECENT = 3

/** I1, I2, once for each settled output, as soon as its bodies are there. */
export function assertTranscripts(
  world: World,
  previousOf: (output: Output) => Output | undefined,
  fail: Fail,
): void {
  const { witness } = world
  const recent = witness.history.slice(-RECENT).map(({ hash }) => hash)
  witness.unread = witness.unread.filter((hash) => {
    const output = witness.settled.get(hash)
    if (output === undefined || !recent.includes(hash)) return false
    const previous = isOrigin(output) ? undefined : previousOf(output)
    const dealings = dealingsOf(world, output)
    if (dealings === undefined || (previous === undefined && !isOrigin(output))) return true
    if (previous !== undefined) assertSources(output, dealings, previous, fail)
    assertTable(output, dealings, fail)
    witness.compared += 1
    return false
  })
}

function dealingsOf(world: World, output: Output): readonly Dealing[] | undefined {
  const bodies = output.dealings.flatMap(
    ({ hash }) => world.nodes.map(({ medium }) => medium.blobs.get(hash)).find(Boolean) ?? [],
  )
  return bodies.length === output.dealings.length ? bodies.map(parseDealing) : undefined
}

/** I2: each dealing's constant term is its dealer's public share in the output before. */
function assertSources(
  { dealings: named }: Output,
  dealings: readonly Dealing[],
  previous: Output,
  fail: Fail,
): void {
  for (const [i, { dealer }] of named.entries()) {
    const seat = previous.members.findIndex(({ address }) => address === dealer)
    const source = previous.publicShares[seat]
    const constant = dealings[i]?.commitment[0]
    if (source === undefined || constant === undefined || !equalBytes(source, constant))
      fail(`I2: ${dealer} dealt something else than its share`)
  }
}

/** I1: what the dealings of this very session add up to, reckoned point by point. */
function assertTable(output: Output, dealings: readonly Dealing[], fail: Fail): void {
  const sid = sidOf(DOMAIN, output)
  for (const [i, { dealer }] of output.dealings.entries())
    if (dealings[i]?.sid !== sid || dealings[i]?.dealer !== dealer)
      fail(`I1: the dealing of ${dealer} is of another session or dealer`)
  const weights = isGenesis(output)
    ? dealings.map(() => 1n)
    : lagrangeAtZero(dealings.map(({ dealer }) => operatorX(dealer)))
  const combined = Array.from({ length: output.threshold }, (_, k): G2Point => {
    const column = dealings.map(({ commitment }) => parseG2(commitment[k] ?? fail('I3: degree')))
    return g2Msm(column, weights)
  })
  const [constant] = combined
  if (constant === undefined || !equalBytes(serializeG2(constant), output.mpk))
    fail('I1: the master public key does not follow from the dealings')
  for (const [i, { address }] of output.members.entries()) {
    const expected = serializeG2(evaluateCommitment(combined, operatorX(address)))
    if (!equalBytes(expected, output.publicShares[i] ?? new Uint8Array(0)))
      fail(`I1: the public share of ${address} does not follow from the dealings`)
  }
}

/**
 * I9: a member of the newest output that may be asked, and answers, holds every body of it. With fewer members awake than its threshold the
 * disks of those that are down count too: the bodies come back with them. Who lies now may keep them back: it counts only if all do.
 */
export function assertObtainable(world: World, fail: Fail): void {
  const newest = world.witness.history.at(-1)
  if (newest === undefined) return
  const { members, dealings, epoch, threshold } = newest.output
  const asked = world.nodes.filter(({ identity }) =>
    members.some(({ address }) => address === identity.info.address),
  )
  const honest = asked.filter(({ tamper }) => tamper === undefined)
  const willing = honest.length > 0 ? honest : asked
  const awake = willing.filter(({ node, hangs }) => node !== undefined && !hangs)
  const holders = awake.length >= threshold ? awake : willing
  if (!holders.some(({ medium }) => dealings.every(({ hash }) => medium.blobs.has(hash))))
    fail(`I9: nobody has the bodies of epoch ${epoch}`)
}
