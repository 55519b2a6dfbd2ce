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
      inputs: [
        {
          internalType: 'address',
          name: 'operator',
          type: 'address',
        },
        {
          internalType: 'uint32',
          name: 'operatorSetId',
          type: 'uint32',
        },
      ],
      name: 'OperatorNotAllowed',
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
          internalType: 'address',
          name: 'operator',
          type: 'address',
        },
      ],
      name: 'addOperatorToAllowlist',
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
        {
          internalType: 'address',
          name: 'operator',
          type: 'address',
        },
      ],
      name: 'isOperatorAllowed',
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
      name: 'removeOperatorFromAllowlist',
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
      ],
      name: 'restrictOperatorSet',
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
    '0x60a060405234801561000f575f5ffd5b503360805260805161300261008e5f395f81816103cb015281816104a401528181610543015281816105a4015281816106e2015281816108860152818161092c01528181610af401528181610b7201528181610c1e01528181610fea0152818161124f0152818161147f01528181611833015261191701526130025ff3fe608060405234801561000f575f5ffd5b50600436106101d1575f3560e01c80636e875dba116100fe578063adc2e3d91161009e578063df5cf7231161006e578063df5cf7231461045a578063ea0d814914610460578063f91ff80c14610473578063fd48981714610486575f5ffd5b8063adc2e3d91461040e578063bd30a0b914610421578063d40cda1614610434578063d9f12db214610447575f5ffd5b80638481931d116100d95780638481931d1461039357806387ab86f4146103b35780638da5cb5b146103c65780639a43e3fb146103ed575f5ffd5b80636e875dba146103325780637690e395146103525780637cffe48c14610373575f5ffd5b806337a54ef4116101745780635ed80f09116101445780635ed80f09146102d75780636591666a146102ea5780636d70f7ae146102fd5780636e3492b51461031f575f5ffd5b806337a54ef4146102895780633af2a5c41461029c5780633b32a7bd146102af57806341f548f0146102c2575f5ffd5b806311990d4d116101af57806311990d4d14610210578063260dc758146102235780632aa6d8881461024b578063304c10cd1461025e575f5ffd5b80630a4d3d29146101d55780631017873a146101ea578063102b2949146101fd575b5f5ffd5b6101e86101e3366004612206565b610499565b005b6101e86101f8366004612206565b610538565b6101e861020b366004612238565b610598565b6101e861021e366004612295565b6106d6565b6102366102313660046122d6565b6107e9565b60405190151581526020015b60405180910390f35b6101e8610259366004612348565b61082c565b61027161026c3660046123a6565b503090565b6040516001600160a01b039091168152602001610242565b6101e86102973660046123bf565b61087b565b6101e86102aa3660046122d6565b610921565b6102716102bd366004612206565b6109a2565b6102ca610a27565b6040516102429190612432565b6101e86102e5366004612206565b610ae8565b6101e86102f836600461245c565b610b66565b61023661030b3660046123a6565b600a6020525f908152604090205460ff1681565b6101e861032d3660046124ba565b610c06565b6103456103403660046122d6565b610d0e565b60405161024291906124eb565b610365610360366004612536565b610d90565b604051908152602001610242565b6103866103813660046122d6565b610f10565b6040516102429190612575565b6103a66103a13660046123a6565b610f3f565b604051610242919061259b565b6101e86103c13660046125ad565b610fde565b6102717f000000000000000000000000000000000000000000000000000000000000000081565b6104006103fb366004612206565b611107565b6040516102429291906125f8565b6101e861041c366004612635565b611243565b61023661042f366004612206565b61142c565b6101e861044236600461267f565b611473565b61036561045536600461270e565b6117a0565b30610271565b6101e861046e366004612738565b611828565b61023661048136600461281b565b6118b9565b6101e8610494366004612836565b61190c565b336001600160a01b037f000000000000000000000000000000000000000000000000000000000000000016146104e257604051631eb49d6d60e11b815260040160405180910390fd5b5f600c816104fd6104f836879003870187612867565b6119b9565b815260208082019290925260409081015f9081206001600160a01b0395909516815293909152909120805460ff191691151591909117905550565b336001600160a01b037f0000000000000000000000000000000000000000000000000000000000000000161461058157604051631eb49d6d60e11b815260040160405180910390fd5b6001600c5f6104fd6104f836879003870187612867565b82336001600160a01b037f000000000000000000000000000000000000000000000000000000000000000016148015906105db5750336001600160a01b03821614155b156105f957604051631eb49d6d60e11b815260040160405180910390fd5b5f61060c6104f836889003880188612867565b905060025f8281526004602052604090205460ff16600281111561063257610632612561565b146106505760405163fdea7c0960e01b815260040160405180910390fd5b5f8181526005602090815260408083206001600160a01b0389168085529083528184208835815588840135600190910155848452600683528184209084529091529020839061069f8282612895565b50505f9081526008602090815260408083206001600160a01b03909716835295905293909320805460ff1916600117905550505050565b81336001600160a01b037f000000000000000000000000000000000000000000000000000000000000000016148015906107195750336001600160a01b03821614155b1561073757604051631eb49d6d60e11b815260040160405180910390fd5b5f61074a6104f836879003870187612867565b905060015f8281526004602052604090205460ff16600281111561077057610770612561565b1461078e5760405163fdea7c0960e01b815260040160405180910390fd5b5f8181526007602090815260408083206001600160a01b0397881680855290835281842080546001600160a01b0319169790981696909617909655918152600882528481209381529290525020805460ff1916600117905550565b5f8060045f6108006104f836879003870187612867565b815260208101919091526040015f205460ff16600281111561082457610824612561565b141592915050565b335f908152600a602052604090205460ff161561085c576040516342ee68b560e01b815260040160405180910390fd5b5050335f908152600a60205260409020805460ff191660011790555050565b336001600160a01b037f000000000000000000000000000000000000000000000000000000000000000016146108c457604051631eb49d6d60e11b815260040160405180910390fd5b6108dc6108d636869003860186612867565b846119f8565b61091b8383838080601f0160208091040260200160405190810160405280939291908181526020018383808284375f92019190915250611ae692505050565b50505050565b336001600160a01b037f0000000000000000000000000000000000000000000000000000000000000000161461096a57604051631eb49d6d60e11b815260040160405180910390fd5b6001600b5f6109816104f836869003860186612867565b815260208101919091526040015f20805460ff191691151591909117905550565b5f806109b66104f836869003860186612867565b905060015f8281526004602052604090205460ff1660028111156109dc576109dc612561565b146109fa5760405163fdea7c0960e01b815260040160405180910390fd5b5f9081526007602090815260408083206001600160a01b0380871685529252909120541690505b92915050565b604080518082019091525f815260606020820152604080518082019091525f805463ffffffff16825260018054602084019190610a63906128dd565b80601f0160208091040260200160405190810160405280929190818152602001828054610a8f906128dd565b8015610ada5780601f10610ab157610100808354040283529160200191610ada565b820191905f5260205f20905b815481529060010190602001808311610abd57829003601f168201915b505050505081525050905090565b80336001600160a01b037f00000000000000000000000000000000000000000000000000000000000000001614801590610b2b5750336001600160a01b03821614155b15610b4957604051631eb49d6d60e11b815260040160405180910390fd5b610b61610b5b36859003850185612867565b83611b4d565b505050565b82336001600160a01b037f00000000000000000000000000000000000000000000000000000000000000001614801590610ba95750336001600160a01b03821614155b15610bc757604051631eb49d6d60e11b815260040160405180910390fd5b61091b8484848080601f0160208091040260200160405190810160405280939291908181526020018383808284375f92019190915250611ae692505050565b610c1360208201826123a6565b336001600160a01b037f00000000000000000000000000000000000000000000000000000000000000001614801590610c555750336001600160a01b03821614155b15610c7357604051631eb49d6d60e11b815260040160405180910390fd5b5f5b610c82604084018461290f565b9050811015610b6157610d066040518060400160405280856020016020810190610cac91906123a6565b6001600160a01b03168152602001610cc7604087018761290f565b85818110610cd757610cd7612954565b9050602002016020810190610cec9190612968565b63ffffffff169052610d0160208601866123a6565b611b4d565b600101610c75565b606060025f610d256104f836869003860186612867565b81526020019081526020015f20805480602002602001604051908101604052809291908181526020018280548015610d8457602002820191905f5260205f20905b81546001600160a01b03168152600190910190602001808311610d66575b50505050509050919050565b5f610f077fda86e76deaed01641f80ff5f72c372a038fa5182697aeb967e8b1f9819d58d8186610dc360208801886123a6565b610dd36040890160208a01612968565b8787604051610de3929190612983565b6040805191829003822060208301969096526001600160a01b039485169082015292909116606083015263ffffffff16608082015260a081019190915260c0015b60408051601f1981840301815282825280516020918201207f8b73c3c69bb8fe3d512ecc4cf759cc79239f7b179b0ffacaa9a75d522b39400f848301527f71b625cfad44bac63b13dba07f2e1d6084ee04b6f8752101ece6126d584ee6ea848401527fc89efdaa54c0f20c7adf612882df0950f5a951637e0307cdcb4c672f298b8bc660608501524660808501523060a0808601919091528351808603909101815260c08501845280519083012061190160f01b60e086015260e28501526101028085019190915282518085039091018152610122909301909152815191012090565b95945050505050565b5f600481610f266104f836869003860186612867565b815260208101919091526040015f205460ff1692915050565b6001600160a01b0381165f908152600960205260409020805460609190610f65906128dd565b80601f0160208091040260200160405190810160405280929190818152602001828054610f91906128dd565b8015610d845780601f10610fb357610100808354040283529160200191610d84565b820191905f5260205f20905b815481529060010190602001808311610fbf5750939695505050505050565b81336001600160a01b037f000000000000000000000000000000000000000000000000000000000000000016148015906110215750336001600160a01b03821614155b1561103f57604051631eb49d6d60e11b815260040160405180910390fd5b5f6110526104f836859003850185612867565b5f8181526003602090815260408083206001600160a01b038916845290915290205490915015611095576040516340803a5f60e11b815260040160405180910390fd5b5f8181526008602090815260408083206001600160a01b038816845290915290205460ff166110d75760405163815589fb60e01b815260040160405180910390fd5b5f9081526008602090815260408083206001600160a01b03909616835294905292909220805460ff191690555050565b604080518082019091525f8082526020820152611122612192565b5f6111356104f836879003870187612867565b905060025f8281526004602052604090205460ff16600281111561115b5761115b612561565b146111795760405163fdea7c0960e01b815260040160405180910390fd5b5f8181526005602090815260408083206001600160a01b0388168085529083528184208585526006845282852091855290835292819020815180830183528454815260019094015492840192909252805160808101808352909183918391820190839060029082845b8154815260200190600101908083116111e257505050918352505060408051808201918290526020909201919060028481019182845b81548152602001906001019080831161121857505050505081525050905092509250505b9250929050565b81336001600160a01b037f000000000000000000000000000000000000000000000000000000000000000016148015906112865750336001600160a01b03821614155b156112a457604051631eb49d6d60e11b815260040160405180910390fd5b6001600160a01b0383165f908152600a602052604090205460ff166112dc5760405163ccea9e6f60e01b815260040160405180910390fd5b5f5b6112eb602084018461290f565b905081101561140857604080518082019091525f908061130e60208701876123a6565b6001600160a01b0316815260200185806020019061132c919061290f565b8581811061133c5761133c612954565b90506020020160208101906113519190612968565b63ffffffff169052905060085f611367836119b9565b815260208082019290925260409081015f9081206001600160a01b038916825290925290205460ff166113ad5760405163815589fb60e01b815260040160405180910390fd5b6113b781866118b9565b6113f55760208101516040516315cfe7d760e01b81526001600160a01b038716600482015263ffffffff909116602482015260440160405180910390fd5b6113ff81866119f8565b506001016112de565b50610b618361141a6040850185612992565b81019061142791906129d4565b611ae6565b5f6008816114426104f836879003870187612867565b815260208082019290925260409081015f9081206001600160a01b038616825290925290205460ff16905092915050565b85336001600160a01b037f000000000000000000000000000000000000000000000000000000000000000016148015906114b65750336001600160a01b03821614155b156114d457604051631eb49d6d60e11b815260040160405180910390fd5b5f6114e76104f836899003890189612867565b5f8181526008602090815260408083206001600160a01b038d16845290915290205490915060ff161561152d57604051630c7bc20160e11b815260040160405180910390fd5b600d5f8787604051611540929190612983565b604080519182900390912082526020820192909252015f205460ff161561157a57604051630c7bc20160e11b815260040160405180910390fd5b60015f8281526004602052604090205460ff16600281111561159e5761159e612561565b0361162657601485146115c45760405163d109118160e01b815260040160405180910390fd5b5f6115cf8688612a66565b60601c90506115ea6115e28a8a846117a0565b828787611cf9565b5f8281526007602090815260408083206001600160a01b03808e16855292529091208054919092166001600160a01b0319909116179055611727565b60025f8281526004602052604090205460ff16600281111561164a5761164a612561565b0361170e5760c085146116705760405163d109118160e01b815260040160405180910390fd5b61168861167f89898989610d90565b87878787611e0d565b61169485870187612b05565b5f8381526005602090815260408083206001600160a01b038e168085529083528184208785526006845282852091855292528220835191929184919081906116dc9082612b82565b50602082015160028201906116f19082612b82565b505084518355505060209092015160019092019190915550611727565b60405163fdea7c0960e01b815260040160405180910390fd5b5f8181526008602090815260408083206001600160a01b038c168452909152808220805460ff1916600190811790915590519091600d9161176b908a908a90612983565b604051809103902081526020019081526020015f205f6101000a81548160ff0219169083151502179055505050505050505050565b5f6118207f991b0a3376ce87f8ecc5d70962279ac09cdce934e8b5b9683e73c8ff087c7f81856117d360208701876123a6565b6117e36040880160208901612968565b6040805160208101959095526001600160a01b0393841690850152908216606084015263ffffffff166080830152841660a082015260c001610e24565b949350505050565b336001600160a01b037f0000000000000000000000000000000000000000000000000000000000000000161461187157604051631eb49d6d60e11b815260040160405180910390fd5b8060045f6118876104f836879003870187612867565b815260208101919091526040015f20805460ff191660018360028111156118b0576118b0612561565b02179055505050565b5f5f6118c4846119b9565b5f818152600b602052604090205490915060ff16158061182057505f818152600c602090815260408083206001600160a01b038716845290915290205460ff16949350505050565b336001600160a01b037f0000000000000000000000000000000000000000000000000000000000000000161461195557604051631eb49d6d60e11b815260040160405180910390fd5b805f6119618282612bf8565b507fd244f5fc10476c50d82e2167d968d12f5aec1d9ca39b6f1fe28f0bc3b2a9dc5f90506119926020830183612968565b61199f6020840184612992565b6040516119ae93929190612d0b565b60405180910390a150565b8051602091820151604080516001600160a01b039093168385015263ffffffff9091168282015280518083038201815260609092019052805191012090565b5f611a02836119b9565b5f8181526003602090815260408083206001600160a01b038716845290915290205490915015611a45576040516340803a5f60e11b815260040160405180910390fd5b5f81815260026020908152604080832080546001810182558185528385200180546001600160a01b0319166001600160a01b03888116918217909255868652915460038552838620838752855294839020949094558151875190941684528683015163ffffffff169284019290925290917f43232edf9071753d2321e5fa7e018363ee248e5f2142e6c08edd3265bfb4895e910160405180910390a2505050565b6001600160a01b0382165f908152600960205260409020611b078282612d46565b50816001600160a01b03167f0728b43b8c8244bf835bc60bb800c6834d28d6b696427683617f8d4b0878054b82604051611b41919061259b565b60405180910390a25050565b5f611b57836119b9565b5f8181526003602090815260408083206001600160a01b0387168452909152812054919250819003611b9c5760405163148fe22160e11b815260040160405180910390fd5b5f8281526002602052604081208054611bb790600190612e00565b81548110611bc757611bc7612954565b5f918252602080832090910154858352600290915260409091206001600160a01b0390911691508190611bfb600185612e00565b81548110611c0b57611c0b612954565b5f91825260208083209190910180546001600160a01b0319166001600160a01b0394851617905585825260038152604080832093851683529281528282208590558582526002905220805480611c6357611c63612e13565b5f82815260208082205f19908401810180546001600160a01b03191690559092019092558482526003815260408083206001600160a01b03888116808652918452828520949094558151895190941684528883015163ffffffff169284019290925290917fad34c3070be1dffbcaa499d000ba2b8d9848aefcac3059df245dd95c4ece14fe910160405180910390a25050505050565b60418114611d1a57604051638baa579f60e01b815260040160405180910390fd5b5f60018584846040818110611d3157611d31612954565b919091013560f81c9050611d4860205f8789612e27565b611d5191612e4e565b611d5f60406020888a612e27565b611d6891612e4e565b604080515f8152602081018083529590955260ff909316928401929092526060830152608082015260a0016020604051602081039080840390855afa158015611db3573d5f5f3e3d5ffd5b5050604051601f1901519150506001600160a01b0381161580611de85750836001600160a01b0316816001600160a01b031614155b15611e0657604051638baa579f60e01b815260040160405180910390fd5b5050505050565b60408114611e2e57604051638baa579f60e01b815260040160405180910390fd5b5f611e3b82840184612e6b565b90505f80611e4b86880188612e85565b91509150611e5b88848484611e82565b611e7857604051638baa579f60e01b815260040160405180910390fd5b5050505050505050565b5f611e9684611e9087611ebe565b8461204d565b8015610f075750610f078360405180604001604052806001815260200160028152508461204d565b611ec66121b7565b5f611ede5f516020612fe25f395f51905f5284612f11565b90505b5f5f516020612fe25f395f51905f5260035f516020612fe25f395f51905f52845f516020612fe25f395f51905f52868709090890505f60208080846004611f365f516020612fe25f395f51905f526001612f24565b611f409190612f37565b6040805160208101969096528501939093526060840191909152608083015260a08201525f516020612fe25f395f51905f5260c082015260e00160405160208183030381529060405290505f60056001600160a01b031682604051611fa59190612f4a565b5f60405180830381855afa9150503d805f8114611fdd576040519150601f19603f3d011682016040523d82523d5f602084013e611fe2565b606091505b509150505f81806020019051810190611ffb9190612f60565b9050835f516020612fe25f395f51905f5282830903612030576040805180820190915294855260208501525091949350505050565b5f516020612fe25f395f51905f5260018608945050505050611ee1565b5f5f847f198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c27f1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed7f275dc4a288d1afb3cbb1ac09187524c7db36395df7be3b99e673b13a075a65ec7f1d9befcd05a5323e6da4d435f3b617cdb3af83285c2df711ef39c01571827f9d88886040516020016120ec9796959493929190612f77565b60405160208183030381529060405290505f5f60086001600160a01b0316836040516121189190612f4a565b5f60405180830381855afa9150503d805f8114612150576040519150601f19603f3d011682016040523d82523d5f602084013e612155565b606091505b5091509150818015612168575080516020145b80156121875750808060200190518101906121839190612f60565b6001145b979650505050505050565b60405180604001604052806121a56121b7565b81526020016121b26121b7565b905290565b60405180604001604052806002906020820280368337509192915050565b5f604082840312156121e5575f5ffd5b50919050565b80356001600160a01b0381168114612201575f5ffd5b919050565b5f5f60608385031215612217575f5ffd5b61222184846121d5565b915061222f604084016121eb565b90509250929050565b5f5f5f5f84860361012081121561224d575f5ffd5b61225787876121d5565b9450612265604087016121eb565b935061227487606088016121d5565b92506080609f1982011215612287575f5ffd5b5092959194509260a0019150565b5f5f5f608084860312156122a7575f5ffd5b6122b185856121d5565b92506122bf604085016121eb565b91506122cd606085016121eb565b90509250925092565b5f604082840312156122e6575f5ffd5b6122f083836121d5565b9392505050565b63ffffffff81168114612308575f5ffd5b50565b5f5f83601f84011261231b575f5ffd5b5081356001600160401b03811115612331575f5ffd5b60208301915083602082850101111561123c575f5ffd5b5f5f5f5f6060858703121561235b575f5ffd5b612364856121eb565b93506020850135612374816122f7565b925060408501356001600160401b0381111561238e575f5ffd5b61239a8782880161230b565b95989497509550505050565b5f602082840312156123b6575f5ffd5b6122f0826121eb565b5f5f5f5f608085870312156123d2575f5ffd5b6123dc86866121d5565b93506123ea604086016121eb565b925060608501356001600160401b0381111561238e575f5ffd5b5f81518084528060208401602086015e5f602082860101526020601f19601f83011685010191505092915050565b6020815263ffffffff82511660208201525f60208301516040808401526118206060840182612404565b5f5f5f6040848603121561246e575f5ffd5b612477846121eb565b925060208401356001600160401b03811115612491575f5ffd5b61249d8682870161230b565b9497909650939450505050565b5f606082840312156121e5575f5ffd5b5f602082840312156124ca575f5ffd5b81356001600160401b038111156124df575f5ffd5b611820848285016124aa565b602080825282518282018190525f918401906040840190835b8181101561252b5783516001600160a01b0316835260209384019390920191600101612504565b509095945050505050565b5f5f5f5f60808587031215612549575f5ffd5b612552856121eb565b93506123ea86602087016121d5565b634e487b7160e01b5f52602160045260245ffd5b602081016003831061259557634e487b7160e01b5f52602160045260245ffd5b91905290565b602081525f6122f06020830184612404565b5f5f606083850312156125be575f5ffd5b6125c7836121eb565b915061222f84602085016121d5565b805f5b600281101561091b5781518452602093840193909101906001016125d9565b5f60c082019050835182526020840151602083015261261b6040830184516125d6565b602083015161262d60808401826125d6565b509392505050565b5f5f60408385031215612646575f5ffd5b61264f836121eb565b915060208301356001600160401b03811115612669575f5ffd5b612675858286016124aa565b9150509250929050565b5f5f5f5f5f5f60a08789031215612694575f5ffd5b61269d876121eb565b95506126ac88602089016121d5565b945060608701356001600160401b038111156126c6575f5ffd5b6126d289828a0161230b565b90955093505060808701356001600160401b038111156126f0575f5ffd5b6126fc89828a0161230b565b979a9699509497509295939492505050565b5f5f5f60808486031215612720575f5ffd5b612729846121eb565b92506122bf85602086016121d5565b5f5f60608385031215612749575f5ffd5b61275384846121d5565b9150604083013560038110612766575f5ffd5b809150509250929050565b634e487b7160e01b5f52604160045260245ffd5b604080519081016001600160401b03811182821017156127a7576127a7612771565b60405290565b604051601f8201601f191681016001600160401b03811182821017156127d5576127d5612771565b604052919050565b5f604082840312156127ed575f5ffd5b6127f5612785565b9050612800826121eb565b81526020820135612810816122f7565b602082015292915050565b5f5f6060838503121561282c575f5ffd5b61222184846127dd565b5f60208284031215612846575f5ffd5b81356001600160401b0381111561285b575f5ffd5b611820848285016121d5565b5f60408284031215612877575f5ffd5b6122f083836127dd565b634e487b7160e01b5f52601160045260245ffd5b815f5b60028110156128b557813583820155602090910190600101612898565b5050604082015f5b600281101561091b578135838201600201556020909101906001016128bd565b600181811c908216806128f157607f821691505b6020821081036121e557634e487b7160e01b5f52602260045260245ffd5b5f5f8335601e19843603018112612924575f5ffd5b8301803591506001600160401b0382111561293d575f5ffd5b6020019150600581901b360382131561123c575f5ffd5b634e487b7160e01b5f52603260045260245ffd5b5f60208284031215612978575f5ffd5b81356122f0816122f7565b818382375f9101908152919050565b5f5f8335601e198436030181126129a7575f5ffd5b8301803591506001600160401b038211156129c0575f5ffd5b60200191503681900382131561123c575f5ffd5b5f602082840312156129e4575f5ffd5b81356001600160401b038111156129f9575f5ffd5b8201601f81018413612a09575f5ffd5b80356001600160401b03811115612a2257612a22612771565b612a35601f8201601f19166020016127ad565b818152856020838501011115612a49575f5ffd5b816020840160208301375f91810160200191909152949350505050565b80356bffffffffffffffffffffffff198116906014841015612aac576bffffffffffffffffffffffff196bffffffffffffffffffffffff198560140360031b1b82161691505b5092915050565b5f82601f830112612ac2575f5ffd5b5f612acd60406127ad565b9050806040840185811115612ae0575f5ffd5b845b81811015612afa578035835260209283019201612ae2565b509195945050505050565b5f5f82840360c0811215612b17575f5ffd5b6040811215612b24575f5ffd5b612b2c612785565b843581526020808601359082015292506080603f1982011215612b4d575f5ffd5b50612b56612785565b612b638560408601612ab3565b8152612b728560808601612ab3565b6020820152809150509250929050565b815f5b600281101561091b57815183820155602090910190600101612b85565b601f821115610b615782821115610b6157805f5260205f20601f840160051c6020851015612bcd57505f5b90810190601f840160051c035f5b81811015612bf0575f83820155600101612bdb565b505050505050565b8135612c03816122f7565b63ffffffff811663ffffffff1983541617825550600181016020830135601e19843603018112612c31575f5ffd5b830180356001600160401b0381118015612c49575f5ffd5b813603602084011315612c5a575f5ffd5b5f905050612c7281612c6c85546128dd565b85612ba2565b5f601f821160018114612ca6575f8315612c8f5750838201602001355b5f19600385901b1c1916600184901b178555612d02565b5f85815260208120601f198516915b82811015612cd757602085880181013583559485019460019092019101612cb5565b5084821015612cf6575f1960f88660031b161c19602085880101351681555b505060018360011b0185555b50505050505050565b63ffffffff8416815260406020820152816040820152818360608301375f818301606090810191909152601f909201601f1916010192915050565b81516001600160401b03811115612d5f57612d5f612771565b612d7381612d6d84546128dd565b84612ba2565b6020601f821160018114612da5575f8315612d8e5750848201515b5f19600385901b1c1916600184901b178455611e06565b5f84815260208120601f198516915b82811015612dd45787850151825560209485019460019092019101612db4565b5084821015612df157868401515f19600387901b60f8161c191681555b50505050600190811b01905550565b81810381811115610a2157610a21612881565b634e487b7160e01b5f52603160045260245ffd5b5f5f85851115612e35575f5ffd5b83861115612e41575f5ffd5b5050820193919092039150565b80356020831015610a21575f19602084900360031b1b1692915050565b5f60408284031215612e7b575f5ffd5b6122f08383612ab3565b5f5f60c08385031215612e96575f5ffd5b612ea08484612ab3565b91505f84605f850112612eb1575f5ffd5b505f80612ebe60806127ad565b905080915060c0850186811115612ed3575f5ffd5b604086015b81811015612ef0578035845260209384019301612ed8565b5093969095509350505050565b634e487b7160e01b5f52601260045260245ffd5b5f82612f1f57612f1f612efd565b500690565b80820180821115610a2157610a21612881565b5f82612f4557612f45612efd565b500490565b5f82518060208501845e5f920191825250919050565b5f60208284031215612f70575f5ffd5b5051919050565b6101808101612f86828a6125d6565b8760408301528660608301528560808301528460a0830152612fab60c08301856125d6565b6101008201835f5b6004811015612fd2578151835260209283019290910190600101612fb3565b5050509897505050505050505056fe30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47',
} as const
