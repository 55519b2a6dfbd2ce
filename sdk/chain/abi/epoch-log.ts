/**
 * The ABI of our EpochLog contract (kms/contracts/EpochLog.sol).
 * @module
 */

export const entryPosted = {
  type: 'event',
  name: 'EntryPosted',
  inputs: [
    { name: 'set', type: 'bytes32', indexed: true },
    { name: 'epoch', type: 'uint64', indexed: true },
    { name: 'prev', type: 'bytes32', indexed: true },
    { name: 'outputHash', type: 'bytes32', indexed: false },
    { name: 'poster', type: 'address', indexed: false },
    { name: 'previousBlock', type: 'uint64', indexed: false },
    { name: 'body', type: 'bytes', indexed: false },
  ],
} as const

export const complaintPosted = {
  type: 'event',
  name: 'ComplaintPosted',
  inputs: [
    { name: 'set', type: 'bytes32', indexed: true },
    { name: 'epoch', type: 'uint64', indexed: true },
    { name: 'poster', type: 'address', indexed: false },
    { name: 'previousBlock', type: 'uint64', indexed: false },
    { name: 'body', type: 'bytes', indexed: false },
  ],
} as const

export const epochLogAbi = [
  {
    type: 'function',
    name: 'heads',
    stateMutability: 'view',
    inputs: [{ name: 'set', type: 'bytes32' }],
    outputs: [
      { name: 'firstBlock', type: 'uint64' },
      { name: 'lastBlock', type: 'uint64' },
      { name: 'count', type: 'uint64' },
    ],
  },
  {
    type: 'function',
    name: 'post',
    stateMutability: 'nonpayable',
    inputs: [
      { name: 'set', type: 'bytes32' },
      { name: 'epoch', type: 'uint64' },
      { name: 'prev', type: 'bytes32' },
      { name: 'outputHash', type: 'bytes32' },
      { name: 'body', type: 'bytes' },
    ],
    outputs: [],
  },
  {
    type: 'function',
    name: 'complain',
    stateMutability: 'nonpayable',
    inputs: [
      { name: 'set', type: 'bytes32' },
      { name: 'epoch', type: 'uint64' },
      { name: 'body', type: 'bytes' },
    ],
    outputs: [],
  },
] as const

/** First topics, written out: a slip in the shapes above is a failing test and not an empty answer. */
export const ENTRY_POSTED_TOPIC =
  '0xdd6d95103a27fe0634a4c6fc66c77023e164d285f29f516e312c5af0aabd01bb'
export const COMPLAINT_POSTED_TOPIC =
  '0xb8b482ddf3065b37a11efa44667cba404b6f92ae073614a1a07e07ee4fb13120'
