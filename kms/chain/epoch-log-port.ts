/**
 * The epoch driver's view of the chain: the log of its operator set and who is a member.
 * @module
 */
import { encodeFunctionData } from 'viem'
import { compareBytes, toHex } from '../../sdk/bytes.ts'
import { epochLogAbi } from '../../sdk/chain/abi/epoch-log.ts'
import { epochSetId, readLogEntries } from '../../sdk/chain/epoch-log.ts'
import { type OperatorContracts, readOperatorSet } from '../../sdk/chain/operators.ts'
import type { ChainReader } from '../../sdk/chain/reader.ts'
import type { Address } from '../../sdk/chain/types.ts'
import { EigenxError, isEigenxError } from '../../sdk/errors.ts'
import type { LogSnapshot } from '../../sdk/protocol/types.ts'
import type { EpochLogPort, MembershipPort } from '../epoch/ports.ts'
import type { Poster } from './poster.ts'

export type EpochLogPortInput = {
  reader: ChainReader
  poster: Poster
  epochLog: Address
  avs: Address
  operatorSetId: number
}

/** For one look, which is long only for an operator that comes new: it has the memory of a server, and must not be kept out by noise. */
const LIMITS = { posts: 1_000_000, bytes: 1024 * 1024 * 1024 }
/** How far back an equal post is looked for before one is sent: an hour and more on every chain in use. */
const LOOK_BACK_BLOCKS = 5000n

export function createEpochLogPort(input: EpochLogPortInput): EpochLogPort {
  const { reader, poster, epochLog } = input
  const set = epochSetId(input.avs, input.operatorSetId)
  const read = (fromBlock: bigint) =>
    readLogEntries(reader, { epochLog, set }, fromBlock, { limits: LIMITS })
  /** After a crash or a lost answer the post may be there already, by us or by another operator. */
  const isPosted = async (matches: (snapshot: LogSnapshot) => boolean) => {
    const { number } = await reader.latestBlock()
    return matches(await read(number > LOOK_BACK_BLOCKS ? number - LOOK_BACK_BLOCKS : 0n))
  }
  const postOnce = async (
    what: string,
    data: `0x${string}`,
    matches: (snapshot: LogSnapshot) => boolean,
  ) => {
    if (await isPosted(matches)) return
    try {
      await poster.send({ to: epochLog, data }, what)
    } catch (error) {
      if (!(await isPosted(matches))) throw error
    }
  }

  return {
    read,
    post: ({ epoch, prev, outputHash, body }) =>
      postOnce(
        `the output of epoch ${epoch}`,
        encodeFunctionData({
          abi: epochLogAbi,
          functionName: 'post',
          args: [set, BigInt(epoch), prev, outputHash, toHex(body)],
        }),
        ({ entries }) =>
          entries.some(
            (entry) =>
              entry.epoch === epoch &&
              entry.prev === prev &&
              entry.outputHash === outputHash &&
              compareBytes(entry.body, body) === 0,
          ),
      ),
    complain: ({ epoch, body }) =>
      postOnce(
        `a complaint about epoch ${epoch}`,
        encodeFunctionData({
          abi: epochLogAbi,
          functionName: 'complain',
          args: [set, BigInt(epoch), toHex(body)],
        }),
        ({ complaints }) =>
          complaints.some(
            (complaint) => complaint.epoch === epoch && compareBytes(complaint.body, body) === 0,
          ),
      ),
  }
}

export function createMembershipPort(
  reader: ChainReader,
  contracts: OperatorContracts,
): MembershipPort {
  return {
    current: () => readOperatorSet(reader, contracts),
    async at({ number, hash, timestamp }) {
      const block = await reader.blockByNumber(number)
      // A provider that is behind has no such block yet. That is no answer: an entry judged by it would be lost to this operator alone.
      if (block === undefined) throw unanswered(number)
      // Headers are kept for ever, state is not: whoever lies about a block's age gets no state looked up.
      if (block.hash !== hash || block.timestamp !== timestamp) return undefined
      return readOperatorSet(reader, contracts, block).catch((error: unknown) => {
        // What the providers agree on at a block's hash is the same for all operators and for ever: no set. All else is no answer.
        if (isEigenxError(error, 'CONTRACT_UNEXPECTED')) return undefined
        if (isEigenxError(error, 'OPERATOR_SET_INVALID')) return undefined
        throw isEigenxError(error, 'CHAIN_UNAVAILABLE') ? stateMissing(number, error) : error
      })
    },
  }
}

function stateMissing(
  number: bigint,
  cause: EigenxError<'CHAIN_UNAVAILABLE'>,
): EigenxError<'CHAIN_UNAVAILABLE'> {
  return new EigenxError({
    code: 'CHAIN_UNAVAILABLE',
    message: `The operator set at block ${number} cannot be read`,
    stage: 'chain',
    details: cause.details,
    hint: 'If the chain can be read otherwise, the providers no longer have the state of that block: name some in chain.rpc_urls that keep all (archive).',
    cause,
  })
}

function unanswered(number: bigint): EigenxError<'CHAIN_DISAGREES'> {
  return new EigenxError({
    code: 'CHAIN_DISAGREES',
    message: 'The chain providers do not have a block that must be there',
    stage: 'chain',
    details: { what: `block ${number}` },
    hint: 'They are behind others that were asked before; it is tried again.',
  })
}
