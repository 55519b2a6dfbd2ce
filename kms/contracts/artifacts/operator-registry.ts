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
      name: 'NotAllowed',
      type: 'error',
    },
    {
      inputs: [],
      name: 'NotMember',
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
    '0x60a060405234801561000f575f5ffd5b503360805260805161179e61005d5f395f818161024b015281816102d301528181610450015281816105a50152818161082801528181610a2d01528181610d710152610e02015261179e5ff3fe608060405234801561000f575f5ffd5b5060043610610106575f3560e01c80636591666a1161009e5780638da5cb5b1161006e5780638da5cb5b146102465780639a43e3fb1461026d578063bd30a0b91461028e578063ea0d8149146102a1578063fd489817146102b4575f5ffd5b80636591666a146101d35780636e875dba146101e65780637cffe48c146102065780638481931d14610226575f5ffd5b806337a54ef4116100d957806337a54ef4146101855780633b32a7bd1461019857806341f548f0146101ab5780635ed80f09146101c0575f5ffd5b8063102b29491461010a57806311990d4d1461011f578063260dc75814610132578063304c10cd1461015a575b5f5ffd5b61011d610118366004610f83565b6102c7565b005b61011d61012d366004610fe0565b610444565b610145610140366004611021565b610557565b60405190151581526020015b60405180910390f35b61016d610168366004611042565b503090565b6040516001600160a01b039091168152602001610151565b61011d610193366004611099565b61059a565b61016d6101a63660046110f7565b6106d6565b6101b361075b565b6040516101519190611157565b61011d6101ce3660046110f7565b61081c565b61011d6101e1366004611189565b610a21565b6101f96101f4366004611021565b610a93565b60405161015191906111d8565b610219610214366004611021565b610b15565b6040516101519190611237565b610239610234366004611042565b610b44565b604051610151919061125d565b61016d7f000000000000000000000000000000000000000000000000000000000000000081565b61028061027b3660046110f7565b610be3565b604051610151929190611291565b61014561029c3660046110f7565b610d1f565b61011d6102af3660046112ce565b610d66565b61011d6102c2366004611307565b610df7565b82336001600160a01b037f0000000000000000000000000000000000000000000000000000000000000000161480159061030a5750336001600160a01b03821614155b1561032857604051631eb49d6d60e11b815260040160405180910390fd5b5f61037a61033b36889003880188611361565b8051602091820151604080516001600160a01b039093168385015263ffffffff9091168282015280518083038201815260609092019052805191012090565b905060025f8281526004602052604090205460ff1660028111156103a0576103a0611223565b146103be5760405163fdea7c0960e01b815260040160405180910390fd5b5f8181526005602090815260408083206001600160a01b0389168085529083528184208835815588840135600190910155848452600683528184209084529091529020839061040d82826113be565b50505f9081526008602090815260408083206001600160a01b03909716835295905293909320805460ff1916600117905550505050565b81336001600160a01b037f000000000000000000000000000000000000000000000000000000000000000016148015906104875750336001600160a01b03821614155b156104a557604051631eb49d6d60e11b815260040160405180910390fd5b5f6104b861033b36879003870187611361565b905060015f8281526004602052604090205460ff1660028111156104de576104de611223565b146104fc5760405163fdea7c0960e01b815260040160405180910390fd5b5f8181526007602090815260408083206001600160a01b0397881680855290835281842080546001600160a01b0319169790981696909617909655918152600882528481209381529290525020805460ff1916600117905550565b5f8060045f61056e61033b36879003870187611361565b815260208101919091526040015f205460ff16600281111561059257610592611223565b141592915050565b336001600160a01b037f000000000000000000000000000000000000000000000000000000000000000016146105e357604051631eb49d6d60e11b815260040160405180910390fd5b5f6105f661033b36879003870187611361565b5f8181526003602090815260408083206001600160a01b038916845290915290205490915015610639576040516340803a5f60e11b815260040160405180910390fd5b5f81815260026020908152604080832080546001810182558185528385200180546001600160a01b0319166001600160a01b038a169081179091558585529054600384528285208286529093529281902091909155517f43232edf9071753d2321e5fa7e018363ee248e5f2142e6c08edd3265bfb4895e906106bc908890611406565b60405180910390a26106cf848484610ea4565b5050505050565b5f806106ea61033b36869003860186611361565b905060015f8281526004602052604090205460ff16600281111561071057610710611223565b1461072e5760405163fdea7c0960e01b815260040160405180910390fd5b5f9081526007602090815260408083206001600160a01b0380871685529252909120541690505b92915050565b604080518082019091525f815260606020820152604080518082019091525f805463ffffffff168252600180546020840191906107979061143f565b80601f01602080910402602001604051908101604052809291908181526020018280546107c39061143f565b801561080e5780601f106107e55761010080835404028352916020019161080e565b820191905f5260205f20905b8154815290600101906020018083116107f157829003601f168201915b505050505081525050905090565b80336001600160a01b037f0000000000000000000000000000000000000000000000000000000000000000161480159061085f5750336001600160a01b03821614155b1561087d57604051631eb49d6d60e11b815260040160405180910390fd5b5f61089061033b36869003860186611361565b5f8181526003602090815260408083206001600160a01b03881684529091528120549192508190036108d55760405163148fe22160e11b815260040160405180910390fd5b5f82815260026020526040812080546108f090600190611471565b8154811061090057610900611490565b5f918252602080832090910154858352600290915260409091206001600160a01b0390911691508190610934600185611471565b8154811061094457610944611490565b5f91825260208083209190910180546001600160a01b0319166001600160a01b039485161790558582526003815260408083209385168352928152828220859055858252600290522080548061099c5761099c6114a4565b5f828152602080822083015f1990810180546001600160a01b03191690559092019092558482526003815260408083206001600160a01b03891680855292528083209290925590517fad34c3070be1dffbcaa499d000ba2b8d9848aefcac3059df245dd95c4ece14fe90610a11908990611406565b60405180910390a2505050505050565b82336001600160a01b037f00000000000000000000000000000000000000000000000000000000000000001614801590610a645750336001600160a01b03821614155b15610a8257604051631eb49d6d60e11b815260040160405180910390fd5b610a8d848484610ea4565b50505050565b606060025f610aaa61033b36869003860186611361565b81526020019081526020015f20805480602002602001604051908101604052809291908181526020018280548015610b0957602002820191905f5260205f20905b81546001600160a01b03168152600190910190602001808311610aeb575b50505050509050919050565b5f600481610b2b61033b36869003860186611361565b815260208101919091526040015f205460ff1692915050565b6001600160a01b0381165f908152600960205260409020805460609190610b6a9061143f565b80601f0160208091040260200160405190810160405280929190818152602001828054610b969061143f565b8015610b095780601f10610bb857610100808354040283529160200191610b09565b820191905f5260205f20905b815481529060010190602001808311610bc45750939695505050505050565b604080518082019091525f8082526020820152610bfe610f0f565b5f610c1161033b36879003870187611361565b905060025f8281526004602052604090205460ff166002811115610c3757610c37611223565b14610c555760405163fdea7c0960e01b815260040160405180910390fd5b5f8181526005602090815260408083206001600160a01b0388168085529083528184208585526006845282852091855290835292819020815180830183528454815260019094015492840192909252805160808101808352909183918391820190839060029082845b815481526020019060010190808311610cbe57505050918352505060408051808201918290526020909201919060028481019182845b815481526020019060010190808311610cf457505050505081525050905092509250505b9250929050565b5f600881610d3561033b36879003870187611361565b815260208082019290925260409081015f9081206001600160a01b038616825290925290205460ff16905092915050565b336001600160a01b037f00000000000000000000000000000000000000000000000000000000000000001614610daf57604051631eb49d6d60e11b815260040160405180910390fd5b8060045f610dc561033b36879003870187611361565b815260208101919091526040015f20805460ff19166001836002811115610dee57610dee611223565b02179055505050565b336001600160a01b037f00000000000000000000000000000000000000000000000000000000000000001614610e4057604051631eb49d6d60e11b815260040160405180910390fd5b805f610e4c828261160c565b507fd244f5fc10476c50d82e2167d968d12f5aec1d9ca39b6f1fe28f0bc3b2a9dc5f9050610e7d6020830183611720565b610e8a60208401846114b8565b604051610e9993929190611763565b60405180910390a150565b6001600160a01b0383165f908152600960205260409020610ec6828483611552565b50826001600160a01b03167f0728b43b8c8244bf835bc60bb800c6834d28d6b696427683617f8d4b0878054b8383604051610f0292919061178b565b60405180910390a2505050565b6040518060400160405280610f22610f34565b8152602001610f2f610f34565b905290565b60405180604001604052806002906020820280368337509192915050565b5f60408284031215610f62575f5ffd5b50919050565b80356001600160a01b0381168114610f7e575f5ffd5b919050565b5f5f5f5f848603610120811215610f98575f5ffd5b610fa28787610f52565b9450610fb060408701610f68565b9350610fbf8760608801610f52565b92506080609f1982011215610fd2575f5ffd5b5092959194509260a0019150565b5f5f5f60808486031215610ff2575f5ffd5b610ffc8585610f52565b925061100a60408501610f68565b915061101860608501610f68565b90509250925092565b5f60408284031215611031575f5ffd5b61103b8383610f52565b9392505050565b5f60208284031215611052575f5ffd5b61103b82610f68565b5f5f83601f84011261106b575f5ffd5b50813567ffffffffffffffff811115611082575f5ffd5b602083019150836020828501011115610d18575f5ffd5b5f5f5f5f608085870312156110ac575f5ffd5b6110b68686610f52565b93506110c460408601610f68565b9250606085013567ffffffffffffffff8111156110df575f5ffd5b6110eb8782880161105b565b95989497509550505050565b5f5f60608385031215611108575f5ffd5b6111128484610f52565b915061112060408401610f68565b90509250929050565b5f81518084528060208401602086015e5f602082860101526020601f19601f83011685010191505092915050565b6020815263ffffffff82511660208201525f60208301516040808401526111816060840182611129565b949350505050565b5f5f5f6040848603121561119b575f5ffd5b6111a484610f68565b9250602084013567ffffffffffffffff8111156111bf575f5ffd5b6111cb8682870161105b565b9497909650939450505050565b602080825282518282018190525f918401906040840190835b818110156112185783516001600160a01b03168352602093840193909201916001016111f1565b509095945050505050565b634e487b7160e01b5f52602160045260245ffd5b602081016003831061125757634e487b7160e01b5f52602160045260245ffd5b91905290565b602081525f61103b6020830184611129565b805f5b6002811015610a8d578151845260209384019390910190600101611272565b5f60c08201905083518252602084015160208301526112b460408301845161126f565b60208301516112c6608084018261126f565b509392505050565b5f5f606083850312156112df575f5ffd5b6112e98484610f52565b91506040830135600381106112fc575f5ffd5b809150509250929050565b5f60208284031215611317575f5ffd5b813567ffffffffffffffff81111561132d575f5ffd5b61118184828501610f52565b634e487b7160e01b5f52604160045260245ffd5b63ffffffff8116811461135e575f5ffd5b50565b5f6040828403128015611372575f5ffd5b506040805190810167ffffffffffffffff8111828210171561139657611396611339565b6040526113a283610f68565b815260208301356113b28161134d565b60208201529392505050565b815f5b60028110156113de578135838201556020909101906001016113c1565b5050604082015f5b6002811015610a8d578135838201600201556020909101906001016113e6565b604081016001600160a01b0361141b84610f68565b168252602083013561142c8161134d565b63ffffffff811660208401525092915050565b600181811c9082168061145357607f821691505b602082108103610f6257634e487b7160e01b5f52602260045260245ffd5b8181038181111561075557634e487b7160e01b5f52601160045260245ffd5b634e487b7160e01b5f52603260045260245ffd5b634e487b7160e01b5f52603160045260245ffd5b5f5f8335601e198436030181126114cd575f5ffd5b83018035915067ffffffffffffffff8211156114e7575f5ffd5b602001915036819003821315610d18575f5ffd5b601f82111561154d578282111561154d57805f5260205f20601f840160051c602085101561152657505f5b90810190601f840160051c035f5b81811015611549575f83820155600101611534565b5050505b505050565b67ffffffffffffffff83111561156a5761156a611339565b61157e83611578835461143f565b836114fb565b5f601f8411600181146115af575f85156115985750838201355b5f19600387901b1c1916600186901b1783556106cf565b5f83815260208120601f198716915b828110156115de57868501358255602094850194600190920191016115be565b50868210156115fa575f1960f88860031b161c19848701351681555b505060018560011b0183555050505050565b81356116178161134d565b63ffffffff811663ffffffff1983541617825550600181016020830135601e19843603018112611645575f5ffd5b8301803567ffffffffffffffff8111801561165e575f5ffd5b81360360208401131561166f575f5ffd5b5f90505061168781611681855461143f565b856114fb565b5f601f8211600181146116bb575f83156116a45750838201602001355b5f19600385901b1c1916600184901b178555611717565b5f85815260208120601f198516915b828110156116ec576020858801810135835594850194600190920191016116ca565b508482101561170b575f1960f88660031b161c19602085880101351681555b505060018360011b0185555b50505050505050565b5f60208284031215611730575f5ffd5b813561103b8161134d565b81835281816020850137505f828201602090810191909152601f909101601f19169091010190565b63ffffffff84168152604060208201525f61178260408301848661173b565b95945050505050565b602081525f61118160208301848661173b56',
} as const
