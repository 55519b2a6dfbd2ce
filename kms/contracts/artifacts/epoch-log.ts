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
    '0x6080604052348015600e575f5ffd5b506105198061001c5f395ff3fe608060405234801561000f575f5ffd5b5060043610610055575f3560e01c80630d97b0ff1461005957806326af6f4b146100e3578063309bf872146100fa578063d41aebd41461010f578063ddb31e0114610122575b5f5ffd5b6100b4610067366004610309565b5f8181526020818152604091829020825160608101845290546001600160401b03808216808452600160401b83048216948401859052600160801b90920416919093018190529193909250565b604080516001600160401b03948516815292841660208401529216918101919091526060015b60405180910390f35b6100ec61800081565b6040519081526020016100da565b61010d61010836600461037f565b61012c565b005b61010d61011d3660046103ea565b610194565b6100ec6201000081565b61013981620100006101f6565b83856001600160401b0316877fdd6d95103a27fe0634a4c6fc66c77023e164d285f29f516e312c5af0aabd01bb86336101718c610249565b8888604051610184959493929190610467565b60405180910390a4505050505050565b6101a0816180006101f6565b826001600160401b0316847fb8b482ddf3065b37a11efa44667cba404b6f92ae073614a1a07e07ee4fb13120336101d688610249565b86866040516101e894939291906104ab565b60405180910390a350505050565b815f03610216576040516381093f8160e01b815260040160405180910390fd5b8082111561024557604051635d51876360e11b8152600481018390526024810182905260440160405180910390fd5b5050565b5f81815260208190526040812080546001600160401b03600160401b8204811693600160801b90920416900361029457805467ffffffffffffffff1916436001600160401b03161781555b80546001600160401b03438116600160401b026fffffffffffffffff0000000000000000199092169190911780835560019183916010916102df918591600160801b909104166104e8565b92506101000a8154816001600160401b0302191690836001600160401b0316021790555050919050565b5f60208284031215610319575f5ffd5b5035919050565b80356001600160401b0381168114610336575f5ffd5b919050565b5f5f83601f84011261034b575f5ffd5b5081356001600160401b03811115610361575f5ffd5b602083019150836020828501011115610378575f5ffd5b9250929050565b5f5f5f5f5f5f60a08789031215610394575f5ffd5b863595506103a460208801610320565b9450604087013593506060870135925060808701356001600160401b038111156103cc575f5ffd5b6103d889828a0161033b565b979a9699509497509295939492505050565b5f5f5f5f606085870312156103fd575f5ffd5b8435935061040d60208601610320565b925060408501356001600160401b03811115610427575f5ffd5b6104338782880161033b565b95989497509550505050565b81835281816020850137505f828201602090810191909152601f909101601f19169091010190565b8581526001600160a01b03851660208201526001600160401b03841660408201526080606082018190525f906104a0908301848661043f565b979650505050505050565b6001600160a01b03851681526001600160401b03841660208201526060604082018190525f906104de908301848661043f565b9695505050505050565b6001600160401b03818116838216019081111561051357634e487b7160e01b5f52601160045260245ffd5b9291505056',
} as const
