/**
 * Compiled from EpochLog.sol by kms/contracts/compile.ts; do not edit.
 * @module
 */
export const epochLogArtifact = {
  contract: 'EpochLog',
  source: 'EpochLog.sol',
  solc: '0.8.37+commit.f401782d.Emscripten.clang',
  settings: {
    evmVersion: 'cancun',
    optimizer: {
      enabled: true,
      runs: 200,
    },
    metadata: {
      appendCBOR: false,
      bytecodeHash: 'none',
    },
  },
  abi: [
    {
      inputs: [],
      name: 'BlockFull',
      type: 'error',
    },
    {
      inputs: [],
      name: 'BodyEmpty',
      type: 'error',
    },
    {
      inputs: [
        {
          internalType: 'uint256',
          name: 'size',
          type: 'uint256',
        },
        {
          internalType: 'uint256',
          name: 'limit',
          type: 'uint256',
        },
      ],
      name: 'BodyTooLarge',
      type: 'error',
    },
    {
      anonymous: false,
      inputs: [
        {
          indexed: true,
          internalType: 'bytes32',
          name: 'set',
          type: 'bytes32',
        },
        {
          indexed: true,
          internalType: 'uint64',
          name: 'epoch',
          type: 'uint64',
        },
        {
          indexed: false,
          internalType: 'address',
          name: 'poster',
          type: 'address',
        },
        {
          indexed: false,
          internalType: 'uint64',
          name: 'previousBlock',
          type: 'uint64',
        },
        {
          indexed: false,
          internalType: 'bytes',
          name: 'body',
          type: 'bytes',
        },
      ],
      name: 'ComplaintPosted',
      type: 'event',
    },
    {
      anonymous: false,
      inputs: [
        {
          indexed: true,
          internalType: 'bytes32',
          name: 'set',
          type: 'bytes32',
        },
        {
          indexed: true,
          internalType: 'uint64',
          name: 'epoch',
          type: 'uint64',
        },
        {
          indexed: true,
          internalType: 'bytes32',
          name: 'prev',
          type: 'bytes32',
        },
        {
          indexed: false,
          internalType: 'bytes32',
          name: 'outputHash',
          type: 'bytes32',
        },
        {
          indexed: false,
          internalType: 'address',
          name: 'poster',
          type: 'address',
        },
        {
          indexed: false,
          internalType: 'uint64',
          name: 'previousBlock',
          type: 'uint64',
        },
        {
          indexed: false,
          internalType: 'bytes',
          name: 'body',
          type: 'bytes',
        },
      ],
      name: 'EntryPosted',
      type: 'event',
    },
    {
      inputs: [],
      name: 'MAX_BLOCK_BYTES',
      outputs: [
        {
          internalType: 'uint256',
          name: '',
          type: 'uint256',
        },
      ],
      stateMutability: 'view',
      type: 'function',
    },
    {
      inputs: [],
      name: 'MAX_COMPLAINT_BYTES',
      outputs: [
        {
          internalType: 'uint256',
          name: '',
          type: 'uint256',
        },
      ],
      stateMutability: 'view',
      type: 'function',
    },
    {
      inputs: [],
      name: 'MAX_ENTRY_BYTES',
      outputs: [
        {
          internalType: 'uint256',
          name: '',
          type: 'uint256',
        },
      ],
      stateMutability: 'view',
      type: 'function',
    },
    {
      inputs: [],
      name: 'POST_OVERHEAD_BYTES',
      outputs: [
        {
          internalType: 'uint256',
          name: '',
          type: 'uint256',
        },
      ],
      stateMutability: 'view',
      type: 'function',
    },
    {
      inputs: [
        {
          internalType: 'bytes32',
          name: 'set',
          type: 'bytes32',
        },
        {
          internalType: 'uint64',
          name: 'epoch',
          type: 'uint64',
        },
        {
          internalType: 'bytes',
          name: 'body',
          type: 'bytes',
        },
      ],
      name: 'complain',
      outputs: [],
      stateMutability: 'nonpayable',
      type: 'function',
    },
    {
      inputs: [
        {
          internalType: 'bytes32',
          name: 'set',
          type: 'bytes32',
        },
      ],
      name: 'heads',
      outputs: [
        {
          internalType: 'uint64',
          name: 'firstBlock',
          type: 'uint64',
        },
        {
          internalType: 'uint64',
          name: 'lastBlock',
          type: 'uint64',
        },
        {
          internalType: 'uint64',
          name: 'count',
          type: 'uint64',
        },
      ],
      stateMutability: 'view',
      type: 'function',
    },
    {
      inputs: [
        {
          internalType: 'bytes32',
          name: 'set',
          type: 'bytes32',
        },
        {
          internalType: 'uint64',
          name: 'epoch',
          type: 'uint64',
        },
        {
          internalType: 'bytes32',
          name: 'prev',
          type: 'bytes32',
        },
        {
          internalType: 'bytes32',
          name: 'outputHash',
          type: 'bytes32',
        },
        {
          internalType: 'bytes',
          name: 'body',
          type: 'bytes',
        },
      ],
      name: 'post',
      outputs: [],
      stateMutability: 'nonpayable',
      type: 'function',
    },
  ],
  bytecode:
    '0x6080604052348015600e575f5ffd5b506106638061001c5f395ff3fe608060405234801561000f575f5ffd5b506004361061007a575f3560e01c8063309bf87211610058578063309bf87214610139578063d41aebd41461014e578063d86fddce14610161578063ddb31e011461016a575f5ffd5b806306d1cf281461007e5780630d97b0ff1461009b57806326af6f4b14610130575b5f5ffd5b6100886230000081565b6040519081526020015b60405180910390f35b6101066100a9366004610438565b5f8181526020818152604091829020825160808101845290546001600160401b03808216808452600160401b83048216948401859052600160801b83048216958401869052600160c01b9092041660609092019190915293909250565b604080516001600160401b0394851681529284166020840152921691810191909152606001610092565b61008861800081565b61014c6101473660046104ae565b610174565b005b61014c61015c366004610519565b6101dd565b61008861020081565b6100886201000081565b6101818162010000610240565b836001600160401b038616877fdd6d95103a27fe0634a4c6fc66c77023e164d285f29f516e312c5af0aabd01bb86336101ba8488610293565b88886040516101cd959493929190610596565b60405180910390a4505050505050565b6101e981618000610240565b6001600160401b038316847fb8b482ddf3065b37a11efa44667cba404b6f92ae073614a1a07e07ee4fb13120336102208386610293565b868660405161023294939291906105da565b60405180910390a350505050565b815f03610260576040516381093f8160e01b815260040160405180910390fd5b8082111561028f57604051635d51876360e11b8152600481018390526024810182905260440160405180910390fd5b5050565b5f82815260208181526040808320815160808101835290546001600160401b038082168352600160401b82048116948301859052600160801b82048116938301849052600160c01b9091041660608201529192036102f8576001600160401b03431681525b5f6103056102008561062b565b9050436001600160401b0316836001600160401b03160361033b576060820151610338906001600160401b03168261062b565b90505b6230000081111561035f5760405163c365ff1560e01b815260040160405180910390fd5b6040518060800160405280835f01516001600160401b03168152602001436001600160401b031681526020018360400151600161039c9190610644565b6001600160401b0390811682529283166020918201525f9687528681526040968790208251815492840151988401516060909401518516600160c01b026001600160c01b03948616600160801b02949094166fffffffffffffffffffffffffffffffff998616600160401b026fffffffffffffffffffffffffffffffff1990941691909516179190911796909616919091171790935592915050565b5f60208284031215610448575f5ffd5b5035919050565b80356001600160401b0381168114610465575f5ffd5b919050565b5f5f83601f84011261047a575f5ffd5b5081356001600160401b03811115610490575f5ffd5b6020830191508360208285010111156104a7575f5ffd5b9250929050565b5f5f5f5f5f5f60a087890312156104c3575f5ffd5b863595506104d36020880161044f565b9450604087013593506060870135925060808701356001600160401b038111156104fb575f5ffd5b61050789828a0161046a565b979a9699509497509295939492505050565b5f5f5f5f6060858703121561052c575f5ffd5b8435935061053c6020860161044f565b925060408501356001600160401b03811115610556575f5ffd5b6105628782880161046a565b95989497509550505050565b81835281816020850137505f828201602090810191909152601f909101601f19169091010190565b8581526001600160a01b03851660208201526001600160401b03841660408201526080606082018190525f906105cf908301848661056e565b979650505050505050565b6001600160a01b03851681526001600160401b03841660208201526060604082018190525f9061060d908301848661056e565b9695505050505050565b634e487b7160e01b5f52601160045260245ffd5b8082018082111561063e5761063e610617565b92915050565b6001600160401b03818116838216019081111561063e5761063e61061756',
} as const
