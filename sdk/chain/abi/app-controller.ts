/**
 * The part of AppController that is read: v1.5 views, and the release events of both deployed versions.
 * @module
 */

const artifacts = {
  name: 'rmsRelease',
  type: 'tuple',
  components: [
    {
      name: 'artifacts',
      type: 'tuple[]',
      components: [
        { name: 'digest', type: 'bytes32' },
        { name: 'registry', type: 'string' },
      ],
    },
    { name: 'upgradeByTime', type: 'uint32' },
  ],
} as const

const environment = [
  { name: 'key', type: 'string' },
  { name: 'value', type: 'string' },
] as const

const app = { name: 'app', type: 'address', indexed: true } as const
const rmsReleaseId = { name: 'rmsReleaseId', type: 'uint256', indexed: false } as const
const byApp = [{ name: 'app', type: 'address' }] as const

export const appControllerAbi = [
  {
    type: 'function',
    name: 'getAppCreator',
    stateMutability: 'view',
    inputs: byApp,
    outputs: [{ name: '', type: 'address' }],
  },
  {
    type: 'function',
    name: 'getAppStatus',
    stateMutability: 'view',
    inputs: byApp,
    outputs: [{ name: '', type: 'uint8' }],
  },
  {
    type: 'function',
    name: 'getAppLatestReleaseBlockNumber',
    stateMutability: 'view',
    inputs: byApp,
    outputs: [{ name: '', type: 'uint32' }],
  },
] as const

export const appUpgradedV15 = {
  type: 'event',
  name: 'AppUpgraded',
  inputs: [
    app,
    rmsReleaseId,
    {
      name: 'release',
      type: 'tuple',
      indexed: false,
      components: [
        artifacts,
        { name: 'publicEnv', type: 'bytes' },
        { name: 'encryptedEnv', type: 'bytes' },
        {
          name: 'containerPolicy',
          type: 'tuple',
          components: [
            { name: 'args', type: 'string[]' },
            { name: 'cmdOverride', type: 'string[]' },
            { name: 'env', type: 'tuple[]', components: environment },
            { name: 'envOverride', type: 'tuple[]', components: environment },
            { name: 'restartPolicy', type: 'string' },
          ],
        },
      ],
    },
  ],
} as const

export const appUpgradedV14 = {
  type: 'event',
  name: 'AppUpgraded',
  inputs: [
    app,
    rmsReleaseId,
    {
      name: 'release',
      type: 'tuple',
      indexed: false,
      components: [
        artifacts,
        { name: 'publicEnv', type: 'bytes' },
        { name: 'encryptedEnv', type: 'bytes' },
      ],
    },
  ],
} as const

/** First topics. Written out, so that a slip in the shapes above is a failing test and not an empty answer. */
export const APP_UPGRADED_V15_TOPIC =
  '0x5e69c7a791a6bb49176e938952d5ebf7b706e399ca57a98ea0de48d5ed248408'
export const APP_UPGRADED_V14_TOPIC =
  '0xb5d2b7df0352a87a587a430bfceab43859b3b3c404f0425c4c1ab0675ed57b94'
/** AppCreated(address indexed creator, address indexed app, uint32 operatorSetId) */
export const APP_CREATED_TOPIC =
  '0xe9e6e5409b80e2dab7d38194fb370b2e8045a1af28177b94ddcf19d2495d7589'
/** UpgradeConfirmed(address indexed app, uint32 pendingReleaseBlockNumber) */
export const UPGRADE_CONFIRMED_TOPIC =
  '0x49f25db622ae262096322c8be00886655e649a53333641c2c34004f9458042f7'
