/** Complaints without end: two members that conspire, one dealing shares that do not open and the other proving it. */
import { expect, it } from 'vitest'
import { encodeComplaint, makeComplaint } from '../../../sdk/protocol/complaint.ts'
import { blobHash, encodeDealing } from '../../../sdk/protocol/dealing.ts'
import {
  allActive,
  assertOneKey,
  bootAll,
  createWorld,
  nodeAt,
  runUntil,
  seededRng,
} from './kit.ts'
import { encryptionSecretsOf, forgeDealing, signedBy, spoilShare } from './liars.ts'
import { addressOf } from './scenario-kit.ts'

/** A set with its first session open, in which a member says nothing and another has this secret. */
async function conspiracy(seed: number) {
  const world = createWorld({ seed, n: 4 })
  await bootAll(world)
  const honest = nodeAt(world, 0)
  const [liar, friend] = [nodeAt(world, 2), nodeAt(world, 3)]
  liar.tamper = () => undefined
  const isOpen = () => (honest.node?.status().sessions.length ?? 0) > 0
  expect(await runUntil(world, isOpen, 40)).toBe(true)
  const sid = honest.node?.status().sessions[0]?.sid
  const terms = sid === undefined ? undefined : world.overheard.terms.get(sid)
  const [secret] = encryptionSecretsOf(friend)
  if (terms === undefined || secret === undefined) throw new Error('no session or no key')
  return { world, honest, liar, friend, terms, secret }
}

it('are taken once for each dealer', async () => {
  const { world, honest, liar, friend, terms, secret } = await conspiracy(1300)
  const rng = seededRng(1, 'conspiracy')
  const answers: (string | undefined)[] = []
  for (let i = 0; i < 20; i++) {
    const forged = forgeDealing({ terms, dealer: addressOf(liar), constant: 5n, degree: 2, rng })
    const dealing = await signedBy(liar, { ...forged, shares: spoilShare(forged.shares, 3) })
    const bytes = encodeDealing(dealing)
    const recipient = addressOf(friend)
    const complaint = makeComplaint({ recipient, secret, dealing, bytes }, 7n)
    if (complaint === undefined) throw new Error('no complaint')
    answers.push(await honest.node?.handler.receive(encodeComplaint(complaint)))
    expect(honest.medium.blobs.has(blobHash(bytes))).toBe(i === 0)
  }
  expect(answers).toEqual(['accepted', ...Array(19).fill('later')])
  world.liars.add(addressOf(liar))
  expect(await runUntil(world, allActive(world), 200)).toBe(true)
  assertOneKey(world)
})

it('that are false are refused, and nobody hears their accuser in this session any more, except about what is here', async () => {
  const { world, honest, liar, friend, terms, secret } = await conspiracy(1301)
  const rng = seededRng(2, 'conspiracy')
  const complain = async (isTrue: boolean, isHere = false) => {
    const forged = forgeDealing({ terms, dealer: addressOf(liar), constant: 5n, degree: 2, rng })
    const shares = isTrue ? spoilShare(forged.shares, 3) : forged.shares
    const dealing = await signedBy(liar, { ...forged, shares })
    const bytes = encodeDealing(dealing)
    const complaint = makeComplaint({ recipient: addressOf(friend), secret, dealing, bytes }, 7n)
    if (complaint === undefined) throw new Error('no complaint')
    const say = () => honest.node?.handler.receive(encodeComplaint(complaint))
    const unheard = await say()
    if (!isHere) return unheard
    expect(await honest.node?.handler.receive(bytes)).toBe('accepted')
    return [unheard, await say()]
  }
  const before = honest.node?.remembered() ?? 0
  expect(await complain(false)).toBe('refused')
  for (const isTrue of [false, true]) expect(await complain(isTrue)).toBe('later')
  // The liar's name, once.
  expect(honest.node?.remembered()).toBe(before + 1)
  expect(await complain(true, true)).toEqual(['later', 'accepted'])
  world.liars.add(addressOf(liar))
  expect(await runUntil(world, allActive(world), 200)).toBe(true)
  assertOneKey(world)
})
