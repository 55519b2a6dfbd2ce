/**
 * Compiled from devnet/AppRegistry.sol by kms/contracts/compile.ts; do not edit.
 * @module
 */
export const appRegistryArtifact = {
  contract: 'AppRegistry',
  source: 'devnet/AppRegistry.sol',
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
      inputs: [
        {
          internalType: 'address',
          name: 'coordinator_',
          type: 'address',
        },
      ],
      stateMutability: 'nonpayable',
      type: 'constructor',
    },
    {
      inputs: [],
      name: 'AppAlreadyExists',
      type: 'error',
    },
    {
      inputs: [],
      name: 'InvalidAppStatus',
      type: 'error',
    },
    {
      inputs: [],
      name: 'InvalidPermissions',
      type: 'error',
    },
    {
      inputs: [],
      name: 'MoreThanOneArtifact',
      type: 'error',
    },
    {
      inputs: [],
      name: 'NoPendingUpgrade',
      type: 'error',
    },
    {
      anonymous: false,
      inputs: [
        {
          indexed: true,
          internalType: 'address',
          name: 'creator',
          type: 'address',
        },
        {
          indexed: true,
          internalType: 'address',
          name: 'app',
          type: 'address',
        },
        {
          indexed: false,
          internalType: 'uint32',
          name: 'operatorSetId',
          type: 'uint32',
        },
      ],
      name: 'AppCreated',
      type: 'event',
    },
    {
      anonymous: false,
      inputs: [
        {
          indexed: true,
          internalType: 'address',
          name: 'app',
          type: 'address',
        },
      ],
      name: 'AppStarted',
      type: 'event',
    },
    {
      anonymous: false,
      inputs: [
        {
          indexed: true,
          internalType: 'address',
          name: 'app',
          type: 'address',
        },
      ],
      name: 'AppStopped',
      type: 'event',
    },
    {
      anonymous: false,
      inputs: [
        {
          indexed: true,
          internalType: 'address',
          name: 'app',
          type: 'address',
        },
      ],
      name: 'AppSuspended',
      type: 'event',
    },
    {
      anonymous: false,
      inputs: [
        {
          indexed: true,
          internalType: 'address',
          name: 'app',
          type: 'address',
        },
      ],
      name: 'AppTerminated',
      type: 'event',
    },
    {
      anonymous: false,
      inputs: [
        {
          indexed: true,
          internalType: 'address',
          name: 'app',
          type: 'address',
        },
      ],
      name: 'AppTerminatedByAdmin',
      type: 'event',
    },
    {
      anonymous: false,
      inputs: [
        {
          indexed: true,
          internalType: 'address',
          name: 'app',
          type: 'address',
        },
        {
          indexed: false,
          internalType: 'uint256',
          name: 'rmsReleaseId',
          type: 'uint256',
        },
        {
          components: [
            {
              components: [
                {
                  components: [
                    {
                      internalType: 'bytes32',
                      name: 'digest',
                      type: 'bytes32',
                    },
                    {
                      internalType: 'string',
                      name: 'registry',
                      type: 'string',
                    },
                  ],
                  internalType: 'struct AppRegistry.Artifact[]',
                  name: 'artifacts',
                  type: 'tuple[]',
                },
                {
                  internalType: 'uint32',
                  name: 'upgradeByTime',
                  type: 'uint32',
                },
              ],
              internalType: 'struct AppRegistry.RmsRelease',
              name: 'rmsRelease',
              type: 'tuple',
            },
            {
              internalType: 'bytes',
              name: 'publicEnv',
              type: 'bytes',
            },
            {
              internalType: 'bytes',
              name: 'encryptedEnv',
              type: 'bytes',
            },
            {
              components: [
                {
                  internalType: 'string[]',
                  name: 'args',
                  type: 'string[]',
                },
                {
                  internalType: 'string[]',
                  name: 'cmdOverride',
                  type: 'string[]',
                },
                {
                  components: [
                    {
                      internalType: 'string',
                      name: 'key',
                      type: 'string',
                    },
                    {
                      internalType: 'string',
                      name: 'value',
                      type: 'string',
                    },
                  ],
                  internalType: 'struct AppRegistry.EnvVar[]',
                  name: 'env',
                  type: 'tuple[]',
                },
                {
                  components: [
                    {
                      internalType: 'string',
                      name: 'key',
                      type: 'string',
                    },
                    {
                      internalType: 'string',
                      name: 'value',
                      type: 'string',
                    },
                  ],
                  internalType: 'struct AppRegistry.EnvVar[]',
                  name: 'envOverride',
                  type: 'tuple[]',
                },
                {
                  internalType: 'string',
                  name: 'restartPolicy',
                  type: 'string',
                },
              ],
              internalType: 'struct AppRegistry.ContainerPolicy',
              name: 'containerPolicy',
              type: 'tuple',
            },
          ],
          indexed: false,
          internalType: 'struct AppRegistry.Release',
          name: 'release',
          type: 'tuple',
        },
      ],
      name: 'AppUpgraded',
      type: 'event',
    },
    {
      anonymous: false,
      inputs: [
        {
          indexed: true,
          internalType: 'address',
          name: 'app',
          type: 'address',
        },
        {
          indexed: false,
          internalType: 'uint32',
          name: 'pendingReleaseBlockNumber',
          type: 'uint32',
        },
      ],
      name: 'UpgradeConfirmed',
      type: 'event',
    },
    {
      inputs: [
        {
          internalType: 'address',
          name: 'deployer',
          type: 'address',
        },
        {
          internalType: 'bytes32',
          name: 'salt',
          type: 'bytes32',
        },
      ],
      name: 'calculateAppId',
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
          name: 'app',
          type: 'address',
        },
      ],
      name: 'confirmUpgrade',
      outputs: [],
      stateMutability: 'nonpayable',
      type: 'function',
    },
    {
      inputs: [],
      name: 'coordinator',
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
          internalType: 'bytes32',
          name: 'salt',
          type: 'bytes32',
        },
        {
          components: [
            {
              components: [
                {
                  components: [
                    {
                      internalType: 'bytes32',
                      name: 'digest',
                      type: 'bytes32',
                    },
                    {
                      internalType: 'string',
                      name: 'registry',
                      type: 'string',
                    },
                  ],
                  internalType: 'struct AppRegistry.Artifact[]',
                  name: 'artifacts',
                  type: 'tuple[]',
                },
                {
                  internalType: 'uint32',
                  name: 'upgradeByTime',
                  type: 'uint32',
                },
              ],
              internalType: 'struct AppRegistry.RmsRelease',
              name: 'rmsRelease',
              type: 'tuple',
            },
            {
              internalType: 'bytes',
              name: 'publicEnv',
              type: 'bytes',
            },
            {
              internalType: 'bytes',
              name: 'encryptedEnv',
              type: 'bytes',
            },
            {
              components: [
                {
                  internalType: 'string[]',
                  name: 'args',
                  type: 'string[]',
                },
                {
                  internalType: 'string[]',
                  name: 'cmdOverride',
                  type: 'string[]',
                },
                {
                  components: [
                    {
                      internalType: 'string',
                      name: 'key',
                      type: 'string',
                    },
                    {
                      internalType: 'string',
                      name: 'value',
                      type: 'string',
                    },
                  ],
                  internalType: 'struct AppRegistry.EnvVar[]',
                  name: 'env',
                  type: 'tuple[]',
                },
                {
                  components: [
                    {
                      internalType: 'string',
                      name: 'key',
                      type: 'string',
                    },
                    {
                      internalType: 'string',
                      name: 'value',
                      type: 'string',
                    },
                  ],
                  internalType: 'struct AppRegistry.EnvVar[]',
                  name: 'envOverride',
                  type: 'tuple[]',
                },
                {
                  internalType: 'string',
                  name: 'restartPolicy',
                  type: 'string',
                },
              ],
              internalType: 'struct AppRegistry.ContainerPolicy',
              name: 'containerPolicy',
              type: 'tuple',
            },
          ],
          internalType: 'struct AppRegistry.Release',
          name: 'release',
          type: 'tuple',
        },
      ],
      name: 'createApp',
      outputs: [
        {
          internalType: 'address',
          name: 'app',
          type: 'address',
        },
      ],
      stateMutability: 'nonpayable',
      type: 'function',
    },
    {
      inputs: [
        {
          internalType: 'bytes32',
          name: 'salt',
          type: 'bytes32',
        },
      ],
      name: 'createEmptyApp',
      outputs: [
        {
          internalType: 'address',
          name: '',
          type: 'address',
        },
      ],
      stateMutability: 'nonpayable',
      type: 'function',
    },
    {
      inputs: [
        {
          internalType: 'address',
          name: 'app',
          type: 'address',
        },
      ],
      name: 'getAppCreator',
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
          name: 'app',
          type: 'address',
        },
      ],
      name: 'getAppLatestReleaseBlockNumber',
      outputs: [
        {
          internalType: 'uint32',
          name: '',
          type: 'uint32',
        },
      ],
      stateMutability: 'view',
      type: 'function',
    },
    {
      inputs: [
        {
          internalType: 'address',
          name: 'app',
          type: 'address',
        },
      ],
      name: 'getAppOperatorSetId',
      outputs: [
        {
          internalType: 'uint32',
          name: '',
          type: 'uint32',
        },
      ],
      stateMutability: 'view',
      type: 'function',
    },
    {
      inputs: [
        {
          internalType: 'address',
          name: 'app',
          type: 'address',
        },
      ],
      name: 'getAppPendingReleaseBlockNumber',
      outputs: [
        {
          internalType: 'uint32',
          name: '',
          type: 'uint32',
        },
      ],
      stateMutability: 'view',
      type: 'function',
    },
    {
      inputs: [
        {
          internalType: 'address',
          name: 'app',
          type: 'address',
        },
      ],
      name: 'getAppStatus',
      outputs: [
        {
          internalType: 'enum AppRegistry.AppStatus',
          name: '',
          type: 'uint8',
        },
      ],
      stateMutability: 'view',
      type: 'function',
    },
    {
      inputs: [],
      name: 'nextOperatorSetId',
      outputs: [
        {
          internalType: 'uint32',
          name: '',
          type: 'uint32',
        },
      ],
      stateMutability: 'view',
      type: 'function',
    },
    {
      inputs: [
        {
          internalType: 'address',
          name: 'app',
          type: 'address',
        },
      ],
      name: 'startApp',
      outputs: [],
      stateMutability: 'nonpayable',
      type: 'function',
    },
    {
      inputs: [
        {
          internalType: 'address',
          name: 'app',
          type: 'address',
        },
      ],
      name: 'stopApp',
      outputs: [],
      stateMutability: 'nonpayable',
      type: 'function',
    },
    {
      inputs: [
        {
          internalType: 'address',
          name: 'app',
          type: 'address',
        },
      ],
      name: 'suspendApp',
      outputs: [],
      stateMutability: 'nonpayable',
      type: 'function',
    },
    {
      inputs: [
        {
          internalType: 'address',
          name: 'app',
          type: 'address',
        },
      ],
      name: 'terminateApp',
      outputs: [],
      stateMutability: 'nonpayable',
      type: 'function',
    },
    {
      inputs: [
        {
          internalType: 'address',
          name: 'app',
          type: 'address',
        },
      ],
      name: 'terminateAppByAdmin',
      outputs: [],
      stateMutability: 'nonpayable',
      type: 'function',
    },
    {
      inputs: [
        {
          internalType: 'address',
          name: 'app',
          type: 'address',
        },
        {
          components: [
            {
              components: [
                {
                  components: [
                    {
                      internalType: 'bytes32',
                      name: 'digest',
                      type: 'bytes32',
                    },
                    {
                      internalType: 'string',
                      name: 'registry',
                      type: 'string',
                    },
                  ],
                  internalType: 'struct AppRegistry.Artifact[]',
                  name: 'artifacts',
                  type: 'tuple[]',
                },
                {
                  internalType: 'uint32',
                  name: 'upgradeByTime',
                  type: 'uint32',
                },
              ],
              internalType: 'struct AppRegistry.RmsRelease',
              name: 'rmsRelease',
              type: 'tuple',
            },
            {
              internalType: 'bytes',
              name: 'publicEnv',
              type: 'bytes',
            },
            {
              internalType: 'bytes',
              name: 'encryptedEnv',
              type: 'bytes',
            },
            {
              components: [
                {
                  internalType: 'string[]',
                  name: 'args',
                  type: 'string[]',
                },
                {
                  internalType: 'string[]',
                  name: 'cmdOverride',
                  type: 'string[]',
                },
                {
                  components: [
                    {
                      internalType: 'string',
                      name: 'key',
                      type: 'string',
                    },
                    {
                      internalType: 'string',
                      name: 'value',
                      type: 'string',
                    },
                  ],
                  internalType: 'struct AppRegistry.EnvVar[]',
                  name: 'env',
                  type: 'tuple[]',
                },
                {
                  components: [
                    {
                      internalType: 'string',
                      name: 'key',
                      type: 'string',
                    },
                    {
                      internalType: 'string',
                      name: 'value',
                      type: 'string',
                    },
                  ],
                  internalType: 'struct AppRegistry.EnvVar[]',
                  name: 'envOverride',
                  type: 'tuple[]',
                },
                {
                  internalType: 'string',
                  name: 'restartPolicy',
                  type: 'string',
                },
              ],
              internalType: 'struct AppRegistry.ContainerPolicy',
              name: 'containerPolicy',
              type: 'tuple',
            },
          ],
          internalType: 'struct AppRegistry.Release',
          name: 'release',
          type: 'tuple',
        },
      ],
      name: 'upgradeApp',
      outputs: [
        {
          internalType: 'uint256',
          name: '',
          type: 'uint256',
        },
      ],
      stateMutability: 'nonpayable',
      type: 'function',
    },
    {
      inputs: [],
      name: 'version',
      outputs: [
        {
          internalType: 'string',
          name: '',
          type: 'string',
        },
      ],
      stateMutability: 'pure',
      type: 'function',
    },
  ],
  bytecode:
    '0x60a060405234801561000f575f5ffd5b506040516113ec3803806113ec83398101604081905261002e9161003f565b6001600160a01b031660805261006c565b5f6020828403121561004f575f5ffd5b81516001600160a01b0381168114610065575f5ffd5b9392505050565b6080516113536100995f395f818161011a015281816104d90152818161066601526107d201526113535ff3fe608060405234801561000f575f5ffd5b5060043610610111575f3560e01c806390e2196b1161009e578063c3478d141161006e578063c3478d14146102c7578063d5aae178146102fc578063d66f777114610338578063e70b81b11461034b578063e71ad4041461035e575f5ffd5b806390e2196b146102595780639ffbdce61461026c578063ae7001b3146102a1578063bbc1c204146102b4575f5ffd5b80635e92a19f116100e45780635e92a19f146101af57806367962d48146101c25780636eb2099f146101ed5780638160c73e14610237578063833b3fa31461024a575f5ffd5b80630a0090971461011557806336b18874146101595780634dd8ef811461016c57806354fd4d5014610181575b5f5ffd5b61013c7f000000000000000000000000000000000000000000000000000000000000000081565b6040516001600160a01b0390911681526020015b60405180910390f35b61013c610167366004610d6a565b61037f565b61017f61017a366004610d92565b6103d3565b005b604080518082018252600c81526b0c4b8d4b8c0b59195d9b995d60a21b602082015290516101509190610db2565b61013c6101bd366004610dfd565b61046b565b61013c6101d0366004610d92565b6001600160a01b039081165f908152600160205260409020541690565b6102226101fb366004610d92565b6001600160a01b03165f90815260016020526040902054600160a01b900463ffffffff1690565b60405163ffffffff9091168152602001610150565b61017f610245366004610d92565b6104ce565b5f546102229063ffffffff1681565b61017f610267366004610d92565b6105d6565b61022261027a366004610d92565b6001600160a01b03165f90815260016020526040902054600160c01b900463ffffffff1690565b61013c6102af366004610e41565b610651565b61017f6102c2366004610d92565b61065b565b6102226102d5366004610d92565b6001600160a01b03165f90815260016020526040902054600160e01b900463ffffffff1690565b61032b61030a366004610d92565b6001600160a01b03165f908152600160208190526040909120015460ff1690565b6040516101509190610e6c565b61017f610346366004610d92565b6107c7565b61017f610359366004610d92565b61084f565b61037161036c366004610e92565b61092b565b604051908152602001610150565b6040516bffffffffffffffffffffffff1930606090811b8216602084015284901b166034820152604881018290525f90606801604051602081830303815290604052805190602001205f1c90505b92915050565b6001600160a01b038082165f90815260016020526040902054829116331461040e5760405163932d94f760e01b815260040160405180910390fd5b60036001600160a01b0383165f908152600160208190526040909120015460ff16600581111561044057610440610e58565b0361045e5760405163304ba4f160e11b815260040160405180910390fd5b610467826109ca565b5050565b5f61047583610a1a565b90506104818183610bf4565b506001600160a01b0381165f90815260016020526040902080546001600160e01b03600160c01b63ffffffff600160e01b84041602166001600160c01b039091161790556103cd816109ca565b336001600160a01b037f000000000000000000000000000000000000000000000000000000000000000016146105175760405163932d94f760e01b815260040160405180910390fd5b6001600160a01b0381165f90815260016020819052604090912090600182015460ff16600581111561054b5761054b610e58565b1415801561057257506002600182015460ff16600581111561056f5761056f610e58565b14155b156105905760405163304ba4f160e11b815260040160405180910390fd5b60018101805460ff191660041790556040516001600160a01b038316907fbb85757a09bd73484c9fb6857c3e9f8dbf92c3e22ce1655213c9481dacf81c62905f90a25050565b6001600160a01b038082165f9081526001602052604090205482911633146106115760405163932d94f760e01b815260040160405180910390fd5b61061a82610ccb565b6040516001600160a01b038316907f2465e924a1e9a02843493e65702fd09152c8a631caf7b9b58e4b01ee20ced416905f90a25050565b5f6103cd82610a1a565b336001600160a01b037f000000000000000000000000000000000000000000000000000000000000000016146106a45760405163932d94f760e01b815260040160405180910390fd5b6001600160a01b0381165f90815260016020819052604090912090600182015460ff1660058111156106d8576106d8610e58565b141580156106ff57506002600182015460ff1660058111156106fc576106fc610e58565b14155b1561071d5760405163304ba4f160e11b815260040160405180910390fd5b8054600160e01b900463ffffffff165f0361074b57604051636eb093af60e11b815260040160405180910390fd5b805463ffffffff60c01b198116600160e01b9182900463ffffffff908116600160c01b02919091178084556040519290041681526001600160a01b038316907f49f25db622ae262096322c8be00886655e649a53333641c2c34004f9458042f79060200160405180910390a280546001600160e01b0316905550565b336001600160a01b037f000000000000000000000000000000000000000000000000000000000000000016146108105760405163932d94f760e01b815260040160405180910390fd5b61081981610ccb565b6040516001600160a01b038216907f4636ad9a0a072d9c8b05a5bcda7d33256c5401515e612c25c13273b378cb2809905f90a250565b6001600160a01b038082165f90815260016020526040902054829116331461088a5760405163932d94f760e01b815260040160405180910390fd5b60016001600160a01b0383165f908152600160208190526040909120015460ff1660058111156108bc576108bc610e58565b146108da5760405163304ba4f160e11b815260040160405180910390fd5b6001600160a01b0382165f818152600160208190526040808320909101805460ff19166002179055517f143b9e3b5aa0fb8cf19b1bdb2eb8d7a94657d4b505070c667433d322b90b1f789190a25050565b6001600160a01b038083165f90815260016020526040812054909184911633146109685760405163932d94f760e01b815260040160405180910390fd5b60036001600160a01b0385165f908152600160208190526040909120015460ff16600581111561099a5761099a610e58565b036109b85760405163304ba4f160e11b815260040160405180910390fd5b6109c28484610bf4565b949350505050565b6001600160a01b0381165f8181526001602081905260408083208201805460ff1916909217909155517f8426864999f5f9244a203f75107b05f8b474838bc43ff0d8abe18ee5f44275139190a250565b5f610a25338361037f565b90505f6001600160a01b0382165f908152600160208190526040909120015460ff166005811115610a5857610a58610e58565b14610a7657604051636ccdc2fd60e01b815260040160405180910390fd5b6040805160c081019091523381525f8054602083019163ffffffff9091169080610a9f83610edb565b82546101009290920a63ffffffff8181021990931691831602179091551681525f602082018190526040820152606001600581525f60209182018190526001600160a01b03848116825260018084526040928390208551815495870151948701516060880151919094166001600160c01b031990961695909517600160a01b63ffffffff95861602176001600160c01b0316600160c01b938516939093026001600160e01b031692909217600160e01b9390941692909202929092178255608083015182820180549192909160ff191690836005811115610b8257610b82610e58565b021790555060a091909101516002909101556001600160a01b0381165f81815260016020908152604091829020549151600160a01b90920463ffffffff16825233917fe9e6e5409b80e2dab7d38194fb370b2e8045a1af28177b94ddcf19d2495d7589910160405180910390a3919050565b5f610bff8280610eff565b610c099080610f1d565b9050600114610c2b576040516398c82cef60e01b815260040160405180910390fd5b6001600160a01b0383165f908152600160205260408120600201805491610c5183610f6a565b909155506001600160a01b0384165f818152600160205260409081902080546001600160e01b0316600160e01b4363ffffffff160217905551919250907f5e69c7a791a6bb49176e938952d5ebf7b706e399ca57a98ea0de48d5ed24840890610cbd9084908690611218565b60405180910390a292915050565b6001600160a01b0381165f90815260016020526040812090600182015460ff166005811115610cfc57610cfc610e58565b1480610d2057506003600182015460ff166005811115610d1e57610d1e610e58565b145b15610d3e5760405163304ba4f160e11b815260040160405180910390fd5b600101805460ff1916600317905550565b80356001600160a01b0381168114610d65575f5ffd5b919050565b5f5f60408385031215610d7b575f5ffd5b610d8483610d4f565b946020939093013593505050565b5f60208284031215610da2575f5ffd5b610dab82610d4f565b9392505050565b602081525f82518060208401528060208501604085015e5f604082850101526040601f19601f83011684010191505092915050565b5f60808284031215610df7575f5ffd5b50919050565b5f5f60408385031215610e0e575f5ffd5b82359150602083013567ffffffffffffffff811115610e2b575f5ffd5b610e3785828601610de7565b9150509250929050565b5f60208284031215610e51575f5ffd5b5035919050565b634e487b7160e01b5f52602160045260245ffd5b6020810160068310610e8c57634e487b7160e01b5f52602160045260245ffd5b91905290565b5f5f60408385031215610ea3575f5ffd5b610eac83610d4f565b9150602083013567ffffffffffffffff811115610e2b575f5ffd5b634e487b7160e01b5f52601160045260245ffd5b5f63ffffffff821663ffffffff8103610ef657610ef6610ec7565b60010192915050565b5f8235603e19833603018112610f13575f5ffd5b9190910192915050565b5f5f8335601e19843603018112610f32575f5ffd5b83018035915067ffffffffffffffff821115610f4c575f5ffd5b6020019150600581901b3603821315610f63575f5ffd5b9250929050565b5f60018201610f7b57610f7b610ec7565b5060010190565b5f8235603e19833603018112610f96575f5ffd5b90910192915050565b5f5f8335601e19843603018112610fb4575f5ffd5b830160208101925035905067ffffffffffffffff811115610fd3575f5ffd5b8060051b3603821315610f63575f5ffd5b5f5f8335601e19843603018112610ff9575f5ffd5b830160208101925035905067ffffffffffffffff811115611018575f5ffd5b803603821315610f63575f5ffd5b81835281816020850137505f828201602090810191909152601f909101601f19169091010190565b803563ffffffff81168114610d65575f5ffd5b5f8235609e19833603018112610f96575f5ffd5b5f8383855260208501945060208460051b820101835f5b868110156110ca57838303601f190188526110a78287610fe4565b6110b2858284611026565b60209a8b019a9095509390930192505060010161108c565b50909695505050505050565b5f8383855260208501945060208460051b820101835f5b868110156110ca57838303601f190188526111088287610f82565b6111128182610fe4565b60408652611124604087018284611026565b9150506111346020830183610fe4565b92508582036020870152611149828483611026565b60209b8c019b90965094909401935050506001016110ed565b5f61116d8283610f9f565b60a0855261117f60a086018284611075565b91505061118f6020840184610f9f565b85830360208701526111a2838284611075565b925050506111b36040840184610f9f565b85830360408701526111c68382846110d6565b925050506111d76060840184610f9f565b85830360608701526111ea8382846110d6565b925050506111fb6080840184610fe4565b858303608087015261120e838284611026565b9695505050505050565b828152604060208201525f61122d8384610f82565b6080604084015261010083016112438283610f9f565b604060c087015282818452610120870190506101208260051b8801019350825f5b838110156112bf5788860361011f190183526112808286610f82565b803587526112916020820182610fe4565b9150604060208901526112a8604089018383611026565b975050506020928301929190910190600101611264565b50505050506112d06020830161104e565b63ffffffff811660e086015291506112eb6020860186610fe4565b858303603f190160608701529250611304828483611026565b925050506113156040850185610fe4565b848303603f1901608086015261132c838284611026565b9250505061133d6060850185611061565b838203603f190160a085015261120e828261116256',
} as const
