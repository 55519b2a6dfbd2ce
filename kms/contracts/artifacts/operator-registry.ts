/**
 * Compiled from devnet/OperatorRegistry.sol by kms/contracts/compile.ts; do not edit.
 * @module
 */
export const operatorRegistryArtifact = {
  contract: 'OperatorRegistry',
  source: 'devnet/OperatorRegistry.sol',
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
      stateMutability: 'nonpayable',
      type: 'constructor',
    },
    {
      inputs: [],
      name: 'AlreadyMember',
      type: 'error',
    },
    {
      inputs: [],
      name: 'InvalidCurveType',
      type: 'error',
    },
    {
      inputs: [],
      name: 'InvalidKeyFormat',
      type: 'error',
    },
    {
      inputs: [],
      name: 'InvalidOperator',
      type: 'error',
    },
    {
      inputs: [],
      name: 'InvalidSignature',
      type: 'error',
    },
    {
      inputs: [],
      name: 'KeyAlreadyRegistered',
      type: 'error',
    },
    {
      inputs: [],
      name: 'KeyNotRegistered',
      type: 'error',
    },
    {
      inputs: [],
      name: 'NotAllowed',
      type: 'error',
    },
    {
      inputs: [],
      name: 'NotMember',
      type: 'error',
    },
    {
      inputs: [],
      name: 'OperatorAlreadyRegistered',
      type: 'error',
    },
    {
      anonymous: false,
      inputs: [
        {
          indexed: false,
          internalType: 'uint32',
          name: 'operatorSetId',
          type: 'uint32',
        },
        {
          indexed: false,
          internalType: 'string',
          name: 'platformRpcUrl',
          type: 'string',
        },
      ],
      name: 'AvsConfigSet',
      type: 'event',
    },
    {
      anonymous: false,
      inputs: [
        {
          indexed: true,
          internalType: 'address',
          name: 'operator',
          type: 'address',
        },
        {
          components: [
            {
              internalType: 'address',
              name: 'avs',
              type: 'address',
            },
            {
              internalType: 'uint32',
              name: 'id',
              type: 'uint32',
            },
          ],
          indexed: false,
          internalType: 'struct OperatorRegistry.OperatorSet',
          name: 'operatorSet',
          type: 'tuple',
        },
      ],
      name: 'OperatorAddedToOperatorSet',
      type: 'event',
    },
    {
      anonymous: false,
      inputs: [
        {
          indexed: true,
          internalType: 'address',
          name: 'operator',
          type: 'address',
        },
        {
          components: [
            {
              internalType: 'address',
              name: 'avs',
              type: 'address',
            },
            {
              internalType: 'uint32',
              name: 'id',
              type: 'uint32',
            },
          ],
          indexed: false,
          internalType: 'struct OperatorRegistry.OperatorSet',
          name: 'operatorSet',
          type: 'tuple',
        },
      ],
      name: 'OperatorRemovedFromOperatorSet',
      type: 'event',
    },
    {
      anonymous: false,
      inputs: [
        {
          indexed: true,
          internalType: 'address',
          name: 'operator',
          type: 'address',
        },
        {
          indexed: false,
          internalType: 'string',
          name: 'socket',
          type: 'string',
        },
      ],
      name: 'OperatorSocketSet',
      type: 'event',
    },
    {
      inputs: [
        {
          components: [
            {
              internalType: 'address',
              name: 'avs',
              type: 'address',
            },
            {
              internalType: 'uint32',
              name: 'id',
              type: 'uint32',
            },
          ],
          internalType: 'struct OperatorRegistry.OperatorSet',
          name: 'set',
          type: 'tuple',
        },
        {
          internalType: 'enum OperatorRegistry.CurveType',
          name: 'curveType',
          type: 'uint8',
        },
      ],
      name: 'configureOperatorSet',
      outputs: [],
      stateMutability: 'nonpayable',
      type: 'function',
    },
    {
      inputs: [],
      name: 'delegation',
      outputs: [
        {
          internalType: 'address',
          name: '',
          type: 'address',
        },
      ],
      stateMutability: 'view',
      type: 'function',
    },
    {
      inputs: [
        {
          components: [
            {
              internalType: 'address',
              name: 'avs',
              type: 'address',
            },
            {
              internalType: 'uint32',
              name: 'id',
              type: 'uint32',
            },
          ],
          internalType: 'struct OperatorRegistry.OperatorSet',
          name: 'set',
          type: 'tuple',
        },
        {
          internalType: 'address',
          name: 'operator',
          type: 'address',
        },
      ],
      name: 'deregisterFromOperatorSet',
      outputs: [],
      stateMutability: 'nonpayable',
      type: 'function',
    },
    {
      inputs: [
        {
          components: [
            {
              internalType: 'address',
              name: 'operator',
              type: 'address',
            },
            {
              internalType: 'address',
              name: 'avs',
              type: 'address',
            },
            {
              internalType: 'uint32[]',
              name: 'operatorSetIds',
              type: 'uint32[]',
            },
          ],
          internalType: 'struct OperatorRegistry.DeregisterParams',
          name: 'params',
          type: 'tuple',
        },
      ],
      name: 'deregisterFromOperatorSets',
      outputs: [],
      stateMutability: 'nonpayable',
      type: 'function',
    },
    {
      inputs: [
        {
          internalType: 'address',
          name: 'operator',
          type: 'address',
        },
        {
          components: [
            {
              internalType: 'address',
              name: 'avs',
              type: 'address',
            },
            {
              internalType: 'uint32',
              name: 'id',
              type: 'uint32',
            },
          ],
          internalType: 'struct OperatorRegistry.OperatorSet',
          name: 'set',
          type: 'tuple',
        },
      ],
      name: 'deregisterKey',
      outputs: [],
      stateMutability: 'nonpayable',
      type: 'function',
    },
    {
      inputs: [
        {
          internalType: 'address',
          name: '',
          type: 'address',
        },
      ],
      name: 'getAVSRegistrar',
      outputs: [
        {
          internalType: 'address',
          name: '',
          type: 'address',
        },
      ],
      stateMutability: 'view',
      type: 'function',
    },
    {
      inputs: [],
      name: 'getAvsConfig',
      outputs: [
        {
          components: [
            {
              internalType: 'uint32',
              name: 'operatorSetId',
              type: 'uint32',
            },
            {
              internalType: 'string',
              name: 'platformRpcUrl',
              type: 'string',
            },
          ],
          internalType: 'struct OperatorRegistry.AvsConfig',
          name: '',
          type: 'tuple',
        },
      ],
      stateMutability: 'view',
      type: 'function',
    },
    {
      inputs: [
        {
          components: [
            {
              internalType: 'address',
              name: 'avs',
              type: 'address',
            },
            {
              internalType: 'uint32',
              name: 'id',
              type: 'uint32',
            },
          ],
          internalType: 'struct OperatorRegistry.OperatorSet',
          name: 'set',
          type: 'tuple',
        },
        {
          internalType: 'address',
          name: 'operator',
          type: 'address',
        },
      ],
      name: 'getBN254Key',
      outputs: [
        {
          components: [
            {
              internalType: 'uint256',
              name: 'X',
              type: 'uint256',
            },
            {
              internalType: 'uint256',
              name: 'Y',
              type: 'uint256',
            },
          ],
          internalType: 'struct OperatorRegistry.G1Point',
          name: 'g1Point',
          type: 'tuple',
        },
        {
          components: [
            {
              internalType: 'uint256[2]',
              name: 'X',
              type: 'uint256[2]',
            },
            {
              internalType: 'uint256[2]',
              name: 'Y',
              type: 'uint256[2]',
            },
          ],
          internalType: 'struct OperatorRegistry.G2Point',
          name: 'g2Point',
          type: 'tuple',
        },
      ],
      stateMutability: 'view',
      type: 'function',
    },
    {
      inputs: [
        {
          internalType: 'address',
          name: 'operator',
          type: 'address',
        },
        {
          components: [
            {
              internalType: 'address',
              name: 'avs',
              type: 'address',
            },
            {
              internalType: 'uint32',
              name: 'id',
              type: 'uint32',
            },
          ],
          internalType: 'struct OperatorRegistry.OperatorSet',
          name: 'set',
          type: 'tuple',
        },
        {
          internalType: 'bytes',
          name: 'key',
          type: 'bytes',
        },
      ],
      name: 'getBN254KeyRegistrationMessageHash',
      outputs: [
        {
          internalType: 'bytes32',
          name: '',
          type: 'bytes32',
        },
      ],
      stateMutability: 'view',
      type: 'function',
    },
    {
      inputs: [
        {
          components: [
            {
              internalType: 'address',
              name: 'avs',
              type: 'address',
            },
            {
              internalType: 'uint32',
              name: 'id',
              type: 'uint32',
            },
          ],
          internalType: 'struct OperatorRegistry.OperatorSet',
          name: 'set',
          type: 'tuple',
        },
        {
          internalType: 'address',
          name: 'operator',
          type: 'address',
        },
      ],
      name: 'getECDSAAddress',
      outputs: [
        {
          internalType: 'address',
          name: '',
          type: 'address',
        },
      ],
      stateMutability: 'view',
      type: 'function',
    },
    {
      inputs: [
        {
          internalType: 'address',
          name: 'operator',
          type: 'address',
        },
        {
          components: [
            {
              internalType: 'address',
              name: 'avs',
              type: 'address',
            },
            {
              internalType: 'uint32',
              name: 'id',
              type: 'uint32',
            },
          ],
          internalType: 'struct OperatorRegistry.OperatorSet',
          name: 'set',
          type: 'tuple',
        },
        {
          internalType: 'address',
          name: 'keyAddress',
          type: 'address',
        },
      ],
      name: 'getECDSAKeyRegistrationMessageHash',
      outputs: [
        {
          internalType: 'bytes32',
          name: '',
          type: 'bytes32',
        },
      ],
      stateMutability: 'view',
      type: 'function',
    },
    {
      inputs: [
        {
          components: [
            {
              internalType: 'address',
              name: 'avs',
              type: 'address',
            },
            {
              internalType: 'uint32',
              name: 'id',
              type: 'uint32',
            },
          ],
          internalType: 'struct OperatorRegistry.OperatorSet',
          name: 'set',
          type: 'tuple',
        },
      ],
      name: 'getMembers',
      outputs: [
        {
          internalType: 'address[]',
          name: '',
          type: 'address[]',
        },
      ],
      stateMutability: 'view',
      type: 'function',
    },
    {
      inputs: [
        {
          components: [
            {
              internalType: 'address',
              name: 'avs',
              type: 'address',
            },
            {
              internalType: 'uint32',
              name: 'id',
              type: 'uint32',
            },
          ],
          internalType: 'struct OperatorRegistry.OperatorSet',
          name: 'set',
          type: 'tuple',
        },
      ],
      name: 'getOperatorSetCurveType',
      outputs: [
        {
          internalType: 'enum OperatorRegistry.CurveType',
          name: '',
          type: 'uint8',
        },
      ],
      stateMutability: 'view',
      type: 'function',
    },
    {
      inputs: [
        {
          internalType: 'address',
          name: 'operator',
          type: 'address',
        },
      ],
      name: 'getOperatorSocket',
      outputs: [
        {
          internalType: 'string',
          name: '',
          type: 'string',
        },
      ],
      stateMutability: 'view',
      type: 'function',
    },
    {
      inputs: [
        {
          internalType: 'address',
          name: '',
          type: 'address',
        },
      ],
      name: 'isOperator',
      outputs: [
        {
          internalType: 'bool',
          name: '',
          type: 'bool',
        },
      ],
      stateMutability: 'view',
      type: 'function',
    },
    {
      inputs: [
        {
          components: [
            {
              internalType: 'address',
              name: 'avs',
              type: 'address',
            },
            {
              internalType: 'uint32',
              name: 'id',
              type: 'uint32',
            },
          ],
          internalType: 'struct OperatorRegistry.OperatorSet',
          name: 'set',
          type: 'tuple',
        },
      ],
      name: 'isOperatorSet',
      outputs: [
        {
          internalType: 'bool',
          name: '',
          type: 'bool',
        },
      ],
      stateMutability: 'view',
      type: 'function',
    },
    {
      inputs: [
        {
          components: [
            {
              internalType: 'address',
              name: 'avs',
              type: 'address',
            },
            {
              internalType: 'uint32',
              name: 'id',
              type: 'uint32',
            },
          ],
          internalType: 'struct OperatorRegistry.OperatorSet',
          name: 'set',
          type: 'tuple',
        },
        {
          internalType: 'address',
          name: 'operator',
          type: 'address',
        },
      ],
      name: 'isRegistered',
      outputs: [
        {
          internalType: 'bool',
          name: '',
          type: 'bool',
        },
      ],
      stateMutability: 'view',
      type: 'function',
    },
    {
      inputs: [],
      name: 'owner',
      outputs: [
        {
          internalType: 'address',
          name: '',
          type: 'address',
        },
      ],
      stateMutability: 'view',
      type: 'function',
    },
    {
      inputs: [
        {
          internalType: 'address',
          name: '',
          type: 'address',
        },
        {
          internalType: 'uint32',
          name: '',
          type: 'uint32',
        },
        {
          internalType: 'string',
          name: '',
          type: 'string',
        },
      ],
      name: 'registerAsOperator',
      outputs: [],
      stateMutability: 'nonpayable',
      type: 'function',
    },
    {
      inputs: [
        {
          components: [
            {
              internalType: 'address',
              name: 'avs',
              type: 'address',
            },
            {
              internalType: 'uint32',
              name: 'id',
              type: 'uint32',
            },
          ],
          internalType: 'struct OperatorRegistry.OperatorSet',
          name: 'set',
          type: 'tuple',
        },
        {
          internalType: 'address',
          name: 'operator',
          type: 'address',
        },
        {
          components: [
            {
              internalType: 'uint256',
              name: 'X',
              type: 'uint256',
            },
            {
              internalType: 'uint256',
              name: 'Y',
              type: 'uint256',
            },
          ],
          internalType: 'struct OperatorRegistry.G1Point',
          name: 'a',
          type: 'tuple',
        },
        {
          components: [
            {
              internalType: 'uint256[2]',
              name: 'X',
              type: 'uint256[2]',
            },
            {
              internalType: 'uint256[2]',
              name: 'Y',
              type: 'uint256[2]',
            },
          ],
          internalType: 'struct OperatorRegistry.G2Point',
          name: 'b',
          type: 'tuple',
        },
      ],
      name: 'registerBn254Key',
      outputs: [],
      stateMutability: 'nonpayable',
      type: 'function',
    },
    {
      inputs: [
        {
          components: [
            {
              internalType: 'address',
              name: 'avs',
              type: 'address',
            },
            {
              internalType: 'uint32',
              name: 'id',
              type: 'uint32',
            },
          ],
          internalType: 'struct OperatorRegistry.OperatorSet',
          name: 'set',
          type: 'tuple',
        },
        {
          internalType: 'address',
          name: 'operator',
          type: 'address',
        },
        {
          internalType: 'address',
          name: 'key',
          type: 'address',
        },
      ],
      name: 'registerEcdsaKey',
      outputs: [],
      stateMutability: 'nonpayable',
      type: 'function',
    },
    {
      inputs: [
        {
          components: [
            {
              internalType: 'address',
              name: 'avs',
              type: 'address',
            },
            {
              internalType: 'uint32',
              name: 'id',
              type: 'uint32',
            },
          ],
          internalType: 'struct OperatorRegistry.OperatorSet',
          name: 'set',
          type: 'tuple',
        },
        {
          internalType: 'address',
          name: 'operator',
          type: 'address',
        },
        {
          internalType: 'string',
          name: 'socket',
          type: 'string',
        },
      ],
      name: 'registerForOperatorSet',
      outputs: [],
      stateMutability: 'nonpayable',
      type: 'function',
    },
    {
      inputs: [
        {
          internalType: 'address',
          name: 'operator',
          type: 'address',
        },
        {
          components: [
            {
              internalType: 'address',
              name: 'avs',
              type: 'address',
            },
            {
              internalType: 'uint32[]',
              name: 'operatorSetIds',
              type: 'uint32[]',
            },
            {
              internalType: 'bytes',
              name: 'data',
              type: 'bytes',
            },
          ],
          internalType: 'struct OperatorRegistry.RegisterParams',
          name: 'params',
          type: 'tuple',
        },
      ],
      name: 'registerForOperatorSets',
      outputs: [],
      stateMutability: 'nonpayable',
      type: 'function',
    },
    {
      inputs: [
        {
          internalType: 'address',
          name: 'operator',
          type: 'address',
        },
        {
          components: [
            {
              internalType: 'address',
              name: 'avs',
              type: 'address',
            },
            {
              internalType: 'uint32',
              name: 'id',
              type: 'uint32',
            },
          ],
          internalType: 'struct OperatorRegistry.OperatorSet',
          name: 'set',
          type: 'tuple',
        },
        {
          internalType: 'bytes',
          name: 'key',
          type: 'bytes',
        },
        {
          internalType: 'bytes',
          name: 'signature',
          type: 'bytes',
        },
      ],
      name: 'registerKey',
      outputs: [],
      stateMutability: 'nonpayable',
      type: 'function',
    },
    {
      inputs: [
        {
          components: [
            {
              internalType: 'uint32',
              name: 'operatorSetId',
              type: 'uint32',
            },
            {
              internalType: 'string',
              name: 'platformRpcUrl',
              type: 'string',
            },
          ],
          internalType: 'struct OperatorRegistry.AvsConfig',
          name: 'next',
          type: 'tuple',
        },
      ],
      name: 'setAvsConfig',
      outputs: [],
      stateMutability: 'nonpayable',
      type: 'function',
    },
    {
      inputs: [
        {
          internalType: 'address',
          name: 'operator',
          type: 'address',
        },
        {
          internalType: 'string',
          name: 'socket',
          type: 'string',
        },
      ],
      name: 'updateSocket',
      outputs: [],
      stateMutability: 'nonpayable',
      type: 'function',
    },
  ],
  bytecode:
    '0x60a060405234801561000f575f5ffd5b5033608052608051612d226100795f395f81816103480152818161040f01528181610552015281816106f6015281816108e30152818161096101528181610a0d01528181610dd90152818161103e01528181611226015281816115da015261166b0152612d225ff3fe608060405234801561000f575f5ffd5b5060043610610187575f3560e01c80637690e395116100d9578063adc2e3d911610093578063d9f12db21161006e578063d9f12db2146103c4578063df5cf723146103d7578063ea0d8149146103dd578063fd489817146103f0575f5ffd5b8063adc2e3d91461038b578063bd30a0b91461039e578063d40cda16146103b1575f5ffd5b80637690e395146102cf5780637cffe48c146102f05780638481931d1461031057806387ab86f4146103305780638da5cb5b146103435780639a43e3fb1461036a575f5ffd5b80633b32a7bd116101445780636591666a1161011f5780636591666a146102675780636d70f7ae1461027a5780636e3492b51461029c5780636e875dba146102af575f5ffd5b80633b32a7bd1461022c57806341f548f01461023f5780635ed80f0914610254575f5ffd5b8063102b29491461018b57806311990d4d146101a0578063260dc758146101b35780632aa6d888146101db578063304c10cd146101ee57806337a54ef414610219575b5f5ffd5b61019e610199366004611f5a565b610403565b005b61019e6101ae366004611fb7565b610546565b6101c66101c1366004611ff8565b610659565b60405190151581526020015b60405180910390f35b61019e6101e936600461206a565b61069c565b6102016101fc3660046120c8565b503090565b6040516001600160a01b0390911681526020016101d2565b61019e6102273660046120e1565b6106eb565b61020161023a366004612126565b610791565b610247610816565b6040516101d29190612186565b61019e610262366004612126565b6108d7565b61019e6102753660046121b0565b610955565b6101c66102883660046120c8565b600a6020525f908152604090205460ff1681565b61019e6102aa36600461220e565b6109f5565b6102c26102bd366004611ff8565b610afd565b6040516101d2919061223f565b6102e26102dd36600461228a565b610b7f565b6040519081526020016101d2565b6103036102fe366004611ff8565b610cff565b6040516101d291906122c9565b61032361031e3660046120c8565b610d2e565b6040516101d291906122ef565b61019e61033e366004612301565b610dcd565b6102017f000000000000000000000000000000000000000000000000000000000000000081565b61037d610378366004612126565b610ef6565b6040516101d292919061234c565b61019e610399366004612389565b611032565b6101c66103ac366004612126565b6111d3565b61019e6103bf3660046123d3565b61121a565b6102e26103d2366004612462565b611547565b30610201565b61019e6103eb36600461248c565b6115cf565b61019e6103fe3660046124c5565b611660565b82336001600160a01b037f000000000000000000000000000000000000000000000000000000000000000016148015906104465750336001600160a01b03821614155b1561046457604051631eb49d6d60e11b815260040160405180910390fd5b5f61047c61047736889003880188612562565b61170d565b905060025f8281526004602052604090205460ff1660028111156104a2576104a26122b5565b146104c05760405163fdea7c0960e01b815260040160405180910390fd5b5f8181526005602090815260408083206001600160a01b0389168085529083528184208835815588840135600190910155848452600683528184209084529091529020839061050f82826125b5565b50505f9081526008602090815260408083206001600160a01b03909716835295905293909320805460ff1916600117905550505050565b81336001600160a01b037f000000000000000000000000000000000000000000000000000000000000000016148015906105895750336001600160a01b03821614155b156105a757604051631eb49d6d60e11b815260040160405180910390fd5b5f6105ba61047736879003870187612562565b905060015f8281526004602052604090205460ff1660028111156105e0576105e06122b5565b146105fe5760405163fdea7c0960e01b815260040160405180910390fd5b5f8181526007602090815260408083206001600160a01b0397881680855290835281842080546001600160a01b0319169790981696909617909655918152600882528481209381529290525020805460ff1916600117905550565b5f8060045f61067061047736879003870187612562565b815260208101919091526040015f205460ff166002811115610694576106946122b5565b141592915050565b335f908152600a602052604090205460ff16156106cc576040516342ee68b560e01b815260040160405180910390fd5b5050335f908152600a60205260409020805460ff191660011790555050565b336001600160a01b037f0000000000000000000000000000000000000000000000000000000000000000161461073457604051631eb49d6d60e11b815260040160405180910390fd5b61074c61074636869003860186612562565b8461174c565b61078b8383838080601f0160208091040260200160405190810160405280939291908181526020018383808284375f9201919091525061183a92505050565b50505050565b5f806107a561047736869003860186612562565b905060015f8281526004602052604090205460ff1660028111156107cb576107cb6122b5565b146107e95760405163fdea7c0960e01b815260040160405180910390fd5b5f9081526007602090815260408083206001600160a01b0380871685529252909120541690505b92915050565b604080518082019091525f815260606020820152604080518082019091525f805463ffffffff16825260018054602084019190610852906125fd565b80601f016020809104026020016040519081016040528092919081815260200182805461087e906125fd565b80156108c95780601f106108a0576101008083540402835291602001916108c9565b820191905f5260205f20905b8154815290600101906020018083116108ac57829003601f168201915b505050505081525050905090565b80336001600160a01b037f0000000000000000000000000000000000000000000000000000000000000000161480159061091a5750336001600160a01b03821614155b1561093857604051631eb49d6d60e11b815260040160405180910390fd5b61095061094a36859003850185612562565b836118a1565b505050565b82336001600160a01b037f000000000000000000000000000000000000000000000000000000000000000016148015906109985750336001600160a01b03821614155b156109b657604051631eb49d6d60e11b815260040160405180910390fd5b61078b8484848080601f0160208091040260200160405190810160405280939291908181526020018383808284375f9201919091525061183a92505050565b610a0260208201826120c8565b336001600160a01b037f00000000000000000000000000000000000000000000000000000000000000001614801590610a445750336001600160a01b03821614155b15610a6257604051631eb49d6d60e11b815260040160405180910390fd5b5f5b610a71604084018461262f565b905081101561095057610af56040518060400160405280856020016020810190610a9b91906120c8565b6001600160a01b03168152602001610ab6604087018761262f565b85818110610ac657610ac6612674565b9050602002016020810190610adb9190612688565b63ffffffff169052610af060208601866120c8565b6118a1565b600101610a64565b606060025f610b1461047736869003860186612562565b81526020019081526020015f20805480602002602001604051908101604052809291908181526020018280548015610b7357602002820191905f5260205f20905b81546001600160a01b03168152600190910190602001808311610b55575b50505050509050919050565b5f610cf67fda86e76deaed01641f80ff5f72c372a038fa5182697aeb967e8b1f9819d58d8186610bb260208801886120c8565b610bc26040890160208a01612688565b8787604051610bd29291906126a3565b6040805191829003822060208301969096526001600160a01b039485169082015292909116606083015263ffffffff16608082015260a081019190915260c0015b60408051601f1981840301815282825280516020918201207f8b73c3c69bb8fe3d512ecc4cf759cc79239f7b179b0ffacaa9a75d522b39400f848301527f71b625cfad44bac63b13dba07f2e1d6084ee04b6f8752101ece6126d584ee6ea848401527fc89efdaa54c0f20c7adf612882df0950f5a951637e0307cdcb4c672f298b8bc660608501524660808501523060a0808601919091528351808603909101815260c08501845280519083012061190160f01b60e086015260e28501526101028085019190915282518085039091018152610122909301909152815191012090565b95945050505050565b5f600481610d1561047736869003860186612562565b815260208101919091526040015f205460ff1692915050565b6001600160a01b0381165f908152600960205260409020805460609190610d54906125fd565b80601f0160208091040260200160405190810160405280929190818152602001828054610d80906125fd565b8015610b735780601f10610da257610100808354040283529160200191610b73565b820191905f5260205f20905b815481529060010190602001808311610dae5750939695505050505050565b81336001600160a01b037f00000000000000000000000000000000000000000000000000000000000000001614801590610e105750336001600160a01b03821614155b15610e2e57604051631eb49d6d60e11b815260040160405180910390fd5b5f610e4161047736859003850185612562565b5f8181526003602090815260408083206001600160a01b038916845290915290205490915015610e84576040516340803a5f60e11b815260040160405180910390fd5b5f8181526008602090815260408083206001600160a01b038816845290915290205460ff16610ec65760405163815589fb60e01b815260040160405180910390fd5b5f9081526008602090815260408083206001600160a01b03909616835294905292909220805460ff191690555050565b604080518082019091525f8082526020820152610f11611ee6565b5f610f2461047736879003870187612562565b905060025f8281526004602052604090205460ff166002811115610f4a57610f4a6122b5565b14610f685760405163fdea7c0960e01b815260040160405180910390fd5b5f8181526005602090815260408083206001600160a01b0388168085529083528184208585526006845282852091855290835292819020815180830183528454815260019094015492840192909252805160808101808352909183918391820190839060029082845b815481526020019060010190808311610fd157505050918352505060408051808201918290526020909201919060028481019182845b81548152602001906001019080831161100757505050505081525050905092509250505b9250929050565b81336001600160a01b037f000000000000000000000000000000000000000000000000000000000000000016148015906110755750336001600160a01b03821614155b1561109357604051631eb49d6d60e11b815260040160405180910390fd5b6001600160a01b0383165f908152600a602052604090205460ff166110cb5760405163ccea9e6f60e01b815260040160405180910390fd5b5f5b6110da602084018461262f565b90508110156111af57604080518082019091525f90806110fd60208701876120c8565b6001600160a01b0316815260200185806020019061111b919061262f565b8581811061112b5761112b612674565b90506020020160208101906111409190612688565b63ffffffff169052905060085f6111568361170d565b815260208082019290925260409081015f9081206001600160a01b038916825290925290205460ff1661119c5760405163815589fb60e01b815260040160405180910390fd5b6111a6818661174c565b506001016110cd565b50610950836111c160408501856126b2565b8101906111ce91906126f4565b61183a565b5f6008816111e961047736879003870187612562565b815260208082019290925260409081015f9081206001600160a01b038616825290925290205460ff16905092915050565b85336001600160a01b037f0000000000000000000000000000000000000000000000000000000000000000161480159061125d5750336001600160a01b03821614155b1561127b57604051631eb49d6d60e11b815260040160405180910390fd5b5f61128e61047736899003890189612562565b5f8181526008602090815260408083206001600160a01b038d16845290915290205490915060ff16156112d457604051630c7bc20160e11b815260040160405180910390fd5b600b5f87876040516112e79291906126a3565b604080519182900390912082526020820192909252015f205460ff161561132157604051630c7bc20160e11b815260040160405180910390fd5b60015f8281526004602052604090205460ff166002811115611345576113456122b5565b036113cd576014851461136b5760405163d109118160e01b815260040160405180910390fd5b5f6113768688612786565b60601c90506113916113898a8a84611547565b828787611a4d565b5f8281526007602090815260408083206001600160a01b03808e16855292529091208054919092166001600160a01b03199091161790556114ce565b60025f8281526004602052604090205460ff1660028111156113f1576113f16122b5565b036114b55760c085146114175760405163d109118160e01b815260040160405180910390fd5b61142f61142689898989610b7f565b87878787611b61565b61143b85870187612825565b5f8381526005602090815260408083206001600160a01b038e1680855290835281842087855260068452828520918552925282208351919291849190819061148390826128a2565b506020820151600282019061149890826128a2565b5050845183555050602090920151600190920191909155506114ce565b60405163fdea7c0960e01b815260040160405180910390fd5b5f8181526008602090815260408083206001600160a01b038c168452909152808220805460ff1916600190811790915590519091600b91611512908a908a906126a3565b604051809103902081526020019081526020015f205f6101000a81548160ff0219169083151502179055505050505050505050565b5f6115c77f991b0a3376ce87f8ecc5d70962279ac09cdce934e8b5b9683e73c8ff087c7f818561157a60208701876120c8565b61158a6040880160208901612688565b6040805160208101959095526001600160a01b0393841690850152908216606084015263ffffffff166080830152841660a082015260c001610c13565b949350505050565b336001600160a01b037f0000000000000000000000000000000000000000000000000000000000000000161461161857604051631eb49d6d60e11b815260040160405180910390fd5b8060045f61162e61047736879003870187612562565b815260208101919091526040015f20805460ff19166001836002811115611657576116576122b5565b02179055505050565b336001600160a01b037f000000000000000000000000000000000000000000000000000000000000000016146116a957604051631eb49d6d60e11b815260040160405180910390fd5b805f6116b58282612918565b507fd244f5fc10476c50d82e2167d968d12f5aec1d9ca39b6f1fe28f0bc3b2a9dc5f90506116e66020830183612688565b6116f360208401846126b2565b60405161170293929190612a2b565b60405180910390a150565b8051602091820151604080516001600160a01b039093168385015263ffffffff9091168282015280518083038201815260609092019052805191012090565b5f6117568361170d565b5f8181526003602090815260408083206001600160a01b038716845290915290205490915015611799576040516340803a5f60e11b815260040160405180910390fd5b5f81815260026020908152604080832080546001810182558185528385200180546001600160a01b0319166001600160a01b03888116918217909255868652915460038552838620838752855294839020949094558151875190941684528683015163ffffffff169284019290925290917f43232edf9071753d2321e5fa7e018363ee248e5f2142e6c08edd3265bfb4895e910160405180910390a2505050565b6001600160a01b0382165f90815260096020526040902061185b8282612a66565b50816001600160a01b03167f0728b43b8c8244bf835bc60bb800c6834d28d6b696427683617f8d4b0878054b8260405161189591906122ef565b60405180910390a25050565b5f6118ab8361170d565b5f8181526003602090815260408083206001600160a01b03871684529091528120549192508190036118f05760405163148fe22160e11b815260040160405180910390fd5b5f828152600260205260408120805461190b90600190612b20565b8154811061191b5761191b612674565b5f918252602080832090910154858352600290915260409091206001600160a01b039091169150819061194f600185612b20565b8154811061195f5761195f612674565b5f91825260208083209190910180546001600160a01b0319166001600160a01b03948516179055858252600381526040808320938516835292815282822085905585825260029052208054806119b7576119b7612b33565b5f82815260208082205f19908401810180546001600160a01b03191690559092019092558482526003815260408083206001600160a01b03888116808652918452828520949094558151895190941684528883015163ffffffff169284019290925290917fad34c3070be1dffbcaa499d000ba2b8d9848aefcac3059df245dd95c4ece14fe910160405180910390a25050505050565b60418114611a6e57604051638baa579f60e01b815260040160405180910390fd5b5f60018584846040818110611a8557611a85612674565b919091013560f81c9050611a9c60205f8789612b47565b611aa591612b6e565b611ab360406020888a612b47565b611abc91612b6e565b604080515f8152602081018083529590955260ff909316928401929092526060830152608082015260a0016020604051602081039080840390855afa158015611b07573d5f5f3e3d5ffd5b5050604051601f1901519150506001600160a01b0381161580611b3c5750836001600160a01b0316816001600160a01b031614155b15611b5a57604051638baa579f60e01b815260040160405180910390fd5b5050505050565b60408114611b8257604051638baa579f60e01b815260040160405180910390fd5b5f611b8f82840184612b8b565b90505f80611b9f86880188612ba5565b91509150611baf88848484611bd6565b611bcc57604051638baa579f60e01b815260040160405180910390fd5b5050505050505050565b5f611bea84611be487611c12565b84611da1565b8015610cf65750610cf683604051806040016040528060018152602001600281525084611da1565b611c1a611f0b565b5f611c325f516020612d025f395f51905f5284612c31565b90505b5f5f516020612d025f395f51905f5260035f516020612d025f395f51905f52845f516020612d025f395f51905f52868709090890505f60208080846004611c8a5f516020612d025f395f51905f526001612c44565b611c949190612c57565b6040805160208101969096528501939093526060840191909152608083015260a08201525f516020612d025f395f51905f5260c082015260e00160405160208183030381529060405290505f60056001600160a01b031682604051611cf99190612c6a565b5f60405180830381855afa9150503d805f8114611d31576040519150601f19603f3d011682016040523d82523d5f602084013e611d36565b606091505b509150505f81806020019051810190611d4f9190612c80565b9050835f516020612d025f395f51905f5282830903611d84576040805180820190915294855260208501525091949350505050565b5f516020612d025f395f51905f5260018608945050505050611c35565b5f5f847f198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c27f1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed7f275dc4a288d1afb3cbb1ac09187524c7db36395df7be3b99e673b13a075a65ec7f1d9befcd05a5323e6da4d435f3b617cdb3af83285c2df711ef39c01571827f9d8888604051602001611e409796959493929190612c97565b60405160208183030381529060405290505f5f60086001600160a01b031683604051611e6c9190612c6a565b5f60405180830381855afa9150503d805f8114611ea4576040519150601f19603f3d011682016040523d82523d5f602084013e611ea9565b606091505b5091509150818015611ebc575080516020145b8015611edb575080806020019051810190611ed79190612c80565b6001145b979650505050505050565b6040518060400160405280611ef9611f0b565b8152602001611f06611f0b565b905290565b60405180604001604052806002906020820280368337509192915050565b5f60408284031215611f39575f5ffd5b50919050565b80356001600160a01b0381168114611f55575f5ffd5b919050565b5f5f5f5f848603610120811215611f6f575f5ffd5b611f798787611f29565b9450611f8760408701611f3f565b9350611f968760608801611f29565b92506080609f1982011215611fa9575f5ffd5b5092959194509260a0019150565b5f5f5f60808486031215611fc9575f5ffd5b611fd38585611f29565b9250611fe160408501611f3f565b9150611fef60608501611f3f565b90509250925092565b5f60408284031215612008575f5ffd5b6120128383611f29565b9392505050565b63ffffffff8116811461202a575f5ffd5b50565b5f5f83601f84011261203d575f5ffd5b5081356001600160401b03811115612053575f5ffd5b60208301915083602082850101111561102b575f5ffd5b5f5f5f5f6060858703121561207d575f5ffd5b61208685611f3f565b9350602085013561209681612019565b925060408501356001600160401b038111156120b0575f5ffd5b6120bc8782880161202d565b95989497509550505050565b5f602082840312156120d8575f5ffd5b61201282611f3f565b5f5f5f5f608085870312156120f4575f5ffd5b6120fe8686611f29565b935061210c60408601611f3f565b925060608501356001600160401b038111156120b0575f5ffd5b5f5f60608385031215612137575f5ffd5b6121418484611f29565b915061214f60408401611f3f565b90509250929050565b5f81518084528060208401602086015e5f602082860101526020601f19601f83011685010191505092915050565b6020815263ffffffff82511660208201525f60208301516040808401526115c76060840182612158565b5f5f5f604084860312156121c2575f5ffd5b6121cb84611f3f565b925060208401356001600160401b038111156121e5575f5ffd5b6121f18682870161202d565b9497909650939450505050565b5f60608284031215611f39575f5ffd5b5f6020828403121561221e575f5ffd5b81356001600160401b03811115612233575f5ffd5b6115c7848285016121fe565b602080825282518282018190525f918401906040840190835b8181101561227f5783516001600160a01b0316835260209384019390920191600101612258565b509095945050505050565b5f5f5f5f6080858703121561229d575f5ffd5b6122a685611f3f565b935061210c8660208701611f29565b634e487b7160e01b5f52602160045260245ffd5b60208101600383106122e957634e487b7160e01b5f52602160045260245ffd5b91905290565b602081525f6120126020830184612158565b5f5f60608385031215612312575f5ffd5b61231b83611f3f565b915061214f8460208501611f29565b805f5b600281101561078b57815184526020938401939091019060010161232d565b5f60c082019050835182526020840151602083015261236f60408301845161232a565b6020830151612381608084018261232a565b509392505050565b5f5f6040838503121561239a575f5ffd5b6123a383611f3f565b915060208301356001600160401b038111156123bd575f5ffd5b6123c9858286016121fe565b9150509250929050565b5f5f5f5f5f5f60a087890312156123e8575f5ffd5b6123f187611f3f565b95506124008860208901611f29565b945060608701356001600160401b0381111561241a575f5ffd5b61242689828a0161202d565b90955093505060808701356001600160401b03811115612444575f5ffd5b61245089828a0161202d565b979a9699509497509295939492505050565b5f5f5f60808486031215612474575f5ffd5b61247d84611f3f565b9250611fe18560208601611f29565b5f5f6060838503121561249d575f5ffd5b6124a78484611f29565b91506040830135600381106124ba575f5ffd5b809150509250929050565b5f602082840312156124d5575f5ffd5b81356001600160401b038111156124ea575f5ffd5b6115c784828501611f29565b634e487b7160e01b5f52604160045260245ffd5b604080519081016001600160401b038111828210171561252c5761252c6124f6565b60405290565b604051601f8201601f191681016001600160401b038111828210171561255a5761255a6124f6565b604052919050565b5f6040828403128015612573575f5ffd5b5061257c61250a565b61258583611f3f565b8152602083013561259581612019565b60208201529392505050565b634e487b7160e01b5f52601160045260245ffd5b815f5b60028110156125d5578135838201556020909101906001016125b8565b5050604082015f5b600281101561078b578135838201600201556020909101906001016125dd565b600181811c9082168061261157607f821691505b602082108103611f3957634e487b7160e01b5f52602260045260245ffd5b5f5f8335601e19843603018112612644575f5ffd5b8301803591506001600160401b0382111561265d575f5ffd5b6020019150600581901b360382131561102b575f5ffd5b634e487b7160e01b5f52603260045260245ffd5b5f60208284031215612698575f5ffd5b813561201281612019565b818382375f9101908152919050565b5f5f8335601e198436030181126126c7575f5ffd5b8301803591506001600160401b038211156126e0575f5ffd5b60200191503681900382131561102b575f5ffd5b5f60208284031215612704575f5ffd5b81356001600160401b03811115612719575f5ffd5b8201601f81018413612729575f5ffd5b80356001600160401b03811115612742576127426124f6565b612755601f8201601f1916602001612532565b818152856020838501011115612769575f5ffd5b816020840160208301375f91810160200191909152949350505050565b80356bffffffffffffffffffffffff1981169060148410156127cc576bffffffffffffffffffffffff196bffffffffffffffffffffffff198560140360031b1b82161691505b5092915050565b5f82601f8301126127e2575f5ffd5b5f6127ed6040612532565b9050806040840185811115612800575f5ffd5b845b8181101561281a578035835260209283019201612802565b509195945050505050565b5f5f82840360c0811215612837575f5ffd5b6040811215612844575f5ffd5b61284c61250a565b843581526020808601359082015292506080603f198201121561286d575f5ffd5b5061287661250a565b61288385604086016127d3565b815261289285608086016127d3565b6020820152809150509250929050565b815f5b600281101561078b578151838201556020909101906001016128a5565b601f821115610950578282111561095057805f5260205f20601f840160051c60208510156128ed57505f5b90810190601f840160051c035f5b81811015612910575f838201556001016128fb565b505050505050565b813561292381612019565b63ffffffff811663ffffffff1983541617825550600181016020830135601e19843603018112612951575f5ffd5b830180356001600160401b0381118015612969575f5ffd5b81360360208401131561297a575f5ffd5b5f9050506129928161298c85546125fd565b856128c2565b5f601f8211600181146129c6575f83156129af5750838201602001355b5f19600385901b1c1916600184901b178555612a22565b5f85815260208120601f198516915b828110156129f7576020858801810135835594850194600190920191016129d5565b5084821015612a16575f1960f88660031b161c19602085880101351681555b505060018360011b0185555b50505050505050565b63ffffffff8416815260406020820152816040820152818360608301375f818301606090810191909152601f909201601f1916010192915050565b81516001600160401b03811115612a7f57612a7f6124f6565b612a9381612a8d84546125fd565b846128c2565b6020601f821160018114612ac5575f8315612aae5750848201515b5f19600385901b1c1916600184901b178455611b5a565b5f84815260208120601f198516915b82811015612af45787850151825560209485019460019092019101612ad4565b5084821015612b1157868401515f19600387901b60f8161c191681555b50505050600190811b01905550565b81810381811115610810576108106125a1565b634e487b7160e01b5f52603160045260245ffd5b5f5f85851115612b55575f5ffd5b83861115612b61575f5ffd5b5050820193919092039150565b80356020831015610810575f19602084900360031b1b1692915050565b5f60408284031215612b9b575f5ffd5b61201283836127d3565b5f5f60c08385031215612bb6575f5ffd5b612bc084846127d3565b91505f84605f850112612bd1575f5ffd5b505f80612bde6080612532565b905080915060c0850186811115612bf3575f5ffd5b604086015b81811015612c10578035845260209384019301612bf8565b5093969095509350505050565b634e487b7160e01b5f52601260045260245ffd5b5f82612c3f57612c3f612c1d565b500690565b80820180821115610810576108106125a1565b5f82612c6557612c65612c1d565b500490565b5f82518060208501845e5f920191825250919050565b5f60208284031215612c90575f5ffd5b5051919050565b6101808101612ca6828a61232a565b8760408301528660608301528560808301528460a0830152612ccb60c083018561232a565b6101008201835f5b6004811015612cf2578151835260209283019290910190600101612cd3565b5050509897505050505050505056fe30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47',
} as const
