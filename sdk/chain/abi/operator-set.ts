/**
 * The reads that find an operator set: EigenLayer's AllocationManager and KeyRegistrar, and the AVS registrar.
 * @module
 */

const operatorSet = {
  name: 'operatorSet',
  type: 'tuple',
  components: [
    { name: 'avs', type: 'address' },
    { name: 'id', type: 'uint32' },
  ],
} as const

const operator = { name: 'operator', type: 'address' } as const

export const allocationManagerAbi = [
  {
    type: 'function',
    name: 'getMembers',
    stateMutability: 'view',
    inputs: [operatorSet],
    outputs: [{ name: '', type: 'address[]' }],
  },
  {
    type: 'function',
    name: 'getAVSRegistrar',
    stateMutability: 'view',
    inputs: [{ name: 'avs', type: 'address' }],
    outputs: [{ name: '', type: 'address' }],
  },
] as const

export const registrarAbi = [
  {
    type: 'function',
    name: 'getOperatorSocket',
    stateMutability: 'view',
    inputs: [operator],
    outputs: [{ name: '', type: 'string' }],
  },
] as const

export const keyRegistrarAbi = [
  {
    type: 'function',
    name: 'getOperatorSetCurveType',
    stateMutability: 'view',
    inputs: [operatorSet],
    outputs: [{ name: '', type: 'uint8' }],
  },
  {
    type: 'function',
    name: 'isRegistered',
    stateMutability: 'view',
    inputs: [operatorSet, operator],
    outputs: [{ name: '', type: 'bool' }],
  },
  {
    type: 'function',
    name: 'getECDSAAddress',
    stateMutability: 'view',
    inputs: [operatorSet, operator],
    outputs: [{ name: '', type: 'address' }],
  },
  {
    type: 'function',
    name: 'getBN254Key',
    stateMutability: 'view',
    inputs: [operatorSet, operator],
    outputs: [
      {
        name: 'g1Point',
        type: 'tuple',
        components: [
          { name: 'X', type: 'uint256' },
          { name: 'Y', type: 'uint256' },
        ],
      },
      {
        name: 'g2Point',
        type: 'tuple',
        components: [
          { name: 'X', type: 'uint256[2]' },
          { name: 'Y', type: 'uint256[2]' },
        ],
      },
    ],
  },
] as const
