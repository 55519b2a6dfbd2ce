import { describe, expect, it } from 'vitest'
import { encodeHead, parseHead } from '../../../kms/epoch/head.ts'
import { EMPTY_STATE, type NodeState } from '../../../kms/epoch/state.ts'
import { utf8ToBytes } from '../../../sdk/bytes.ts'
import { blobHash } from '../../../sdk/protocol/dealing.ts'
import { outputHash } from '../../../sdk/protocol/output.ts'
import { sidOf } from '../../../sdk/protocol/terms.ts'
import {
  CONFIG_BLOCK,
  certify,
  DOMAIN,
  GENESIS,
  hashOf,
  OPERATORS,
} from '../../sdk/protocol/kit.ts'

const body = certify(GENESIS)
const [first] = OPERATORS
const address = first?.address ?? '0x'
const { epoch, prev, configBlock, leaves, members, threshold } = GENESIS

const FULL: NodeState = {
  log: {
    winners: [
      {
        output: GENESIS,
        hash: outputHash(DOMAIN, GENESIS),
        certificate: { signatures: [] },
        body,
        blob: blobHash(body),
        at: { block: CONFIG_BLOCK, logIndex: 3 },
      },
    ],
    nextEpoch: 1,
    convictions: new Map([[address, { epoch: 0, at: 1_200 }]]),
    changes: [[address, 1_100]],
  },
  through: 77n,
  finalTime: 1_234,
  opened: { epoch: 1, prev: outputHash(DOMAIN, GENESIS), at: 1_234_500 },
  sessions: [
    {
      sid: sidOf(DOMAIN, GENESIS),
      terms: { epoch, prev, configBlock, leaves, members, threshold },
      proposer: address,
      setup: hashOf('setup'),
      openedAt: 1_000_000.5,
      usableAt: 1_000_002,
      dealers: [address],
      needed: 3,
      dealings: [{ dealer: address, hash: hashOf('d'), status: 'badShare' }],
      acks: [{ recipient: address, dealings: [hashOf('d')] }],
      candidates: [
        {
          hash: hashOf('c'),
          blob: hashOf('b'),
          proposer: address,
          signature: new Uint8Array(65).fill(2),
          dealings: [{ dealer: address, hash: hashOf('d') }],
          postBy: 9,
          arrivedAt: 1_000_003.5,
          status: 'good',
          signatures: [{ operator: address, signature: new Uint8Array(65).fill(1) }],
          certifiedAt: undefined,
        },
      ],
      failed: true,
    },
  ],
  abandoned: [
    {
      epoch: 1,
      hash: hashOf('e'),
      blob: hashOf('f'),
      proposer: address,
      dealings: [{ dealer: address, hash: hashOf('d') }],
      postBy: 12,
    },
  ],
  complaints: [
    { epoch: 1, dealing: hashOf('d'), dealer: address, recipient: address, blob: hashOf('x') },
  ],
  leaves: [{ operator: members[0]?.address ?? '0x', notAfter: 99, signature: new Uint8Array(65) }],
  shares: [{ output: hashOf('c'), epoch: 1, status: 'held' }],
}

const spoilAbandoned = (head: Record<string, unknown>, change: object) => ({
  ...head,
  abandoned: FULL.abandoned.map((candidate) => ({ ...candidate, ...change })),
})

const blobs = async (hash: string) => (hash === blobHash(body) ? body : undefined)

describe('the head record', () => {
  it('brings back an empty and a full state', async () => {
    expect(await parseHead(encodeHead(EMPTY_STATE), blobs)).toEqual(EMPTY_STATE)
    const back = await parseHead(encodeHead(FULL), blobs)
    const [winner] = back.log.winners
    expect(winner?.certificate.signatures).toHaveLength(3)
    expect({
      ...back,
      log: { ...back.log, winners: [{ ...winner, certificate: { signatures: [] } }] },
    }).toEqual(FULL)
  })

  it('is read without the signatures of proposers and abandoned candidates, which the first builds did not keep', async () => {
    const { abandoned: _, ...head } = JSON.parse(new TextDecoder().decode(encodeHead(FULL)))
    for (const session of head.sessions)
      for (const candidate of session.candidates) delete candidate.signature
    const { sessions, abandoned } = await parseHead(utf8ToBytes(JSON.stringify(head)), blobs)
    expect(abandoned).toEqual([])
    expect(sessions[0]?.candidates.map(({ signature }) => signature)).toEqual([undefined])
  })

  it('holds no secret: everything in it is public or a name', () => {
    const text = new TextDecoder().decode(encodeHead(FULL))
    expect(Object.keys(JSON.parse(text)).sort()).toEqual([
      'abandoned',
      'changes',
      'complaints',
      'convictions',
      'finalTime',
      'leaves',
      'nextEpoch',
      'opened',
      'sessions',
      'shares',
      'through',
      'version',
      'winners',
    ])
  })

  it.each<[string, (head: Record<string, unknown>) => unknown]>([
    ['another version', (head) => ({ ...head, version: 1 })],
    ['a field it does not know', (head) => ({ ...head, more: 1 })],
    ['a field missing', ({ through: _, ...head }) => head],
    ['a negative epoch', (head) => ({ ...head, nextEpoch: -1 })],
    [
      'a hash cut short',
      (head) => ({ ...head, shares: [{ output: '0x12', epoch: 1, status: 'held' }] }),
    ],
    [
      'an unknown status',
      (head) => ({ ...head, shares: [{ output: hashOf('c'), epoch: 1, status: 'perhaps' }] }),
    ],
    ['an abandoned candidate that ends never', (head) => spoilAbandoned(head, { postBy: null })],
    ['an abandoned candidate of no proposer', (head) => spoilAbandoned(head, { proposer: '0x' })],
    ['no object', () => 'text'],
  ])('is refused with %s', async (_name, change) => {
    const head = JSON.parse(new TextDecoder().decode(encodeHead(FULL)))
    const bytes = utf8ToBytes(JSON.stringify(change(head)))
    await expect(parseHead(bytes, blobs)).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
  })

  it('is refused as garbage, and when the body of a winner is gone or is none', async () => {
    for (const bytes of [new Uint8Array(0), new Uint8Array(40).fill(255), utf8ToBytes('{')])
      await expect(parseHead(bytes, blobs)).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
    await expect(parseHead(encodeHead(FULL), async () => undefined)).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
    })
    await expect(parseHead(encodeHead(FULL), async () => new Uint8Array(9))).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
    })
  })
})
