/**
 * What operators and helpers read from the chain, decoded and bounded.
 * @module
 */

export type Address = `0x${string}`
export type Hash32 = `0x${string}`

/** One block, named by hash: every read of one decision is made at the same one. */
export type BlockRef = { number: bigint; hash: Hash32 /** Unix seconds. */; timestamp: number }

export type AppStatus = 'NONE' | 'STARTED' | 'STOPPED' | 'TERMINATED' | 'SUSPENDED' | 'CREATED'

export type ContainerPolicy = {
  args: readonly string[]
  cmdOverride: readonly string[]
  env: Readonly<Record<string, string>>
  envOverride: Readonly<Record<string, string>>
  restartPolicy: string
}

/** The confirmed release of an app. */
export type Release = {
  app: Address
  /** The block that emitted it. */
  block: { number: bigint; hash: Hash32; timestamp: number }
  logIndex: number
  rmsReleaseId: bigint
  /** `sha256:` and 64 lower-case hex digits. */
  imageDigest: string
  registry: string
  publicEnv: Readonly<Record<string, string>>
  /** Lower-case hex without 0x, "" when empty. */
  encryptedEnv: string
  containerPolicy: ContainerPolicy
  abi: 'v1.4' | 'v1.5'
}

/** The answer to "may this app have keys now, and for which release?", read at one pinned block. */
export type AppDecision = {
  creator: Address
  /** As the newest block shows it: STARTED, or STOPPED where that is served. */
  status: AppStatus
  release: Release
  /** The final block of the decision. */
  block: BlockRef
  /** The newest block, which agrees. */
  latest: BlockRef
}

export type OperatorInfo = {
  address: Address
  /**
   * Base URL as registered, http or https, without a slash at its end. Empty when what is registered is no usable
   * URL: the operator is a member that cannot be reached.
   */
  socket: string
  signingKey:
    | { curve: 'ecdsa'; address: Address }
    /** G1 x||y (64 bytes hex) and G2 in chain order [imaginary, real] (128 bytes hex). */
    | { curve: 'bn254'; g1: Hash32; g2: Hash32 }
}

/** Sorted by address bytes. */
export type OperatorSet = {
  avs: Address
  operatorSetId: number
  operators: readonly OperatorInfo[]
  block: BlockRef
}
