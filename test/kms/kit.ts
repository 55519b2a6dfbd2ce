/**
 * What tests of the operator share: a sharing made locally, a pod with real evidence of a throw-away
 * authority, and the smallest request that succeeds. Each test changes one thing.
 */
import { constants, generateKeyPairSync, type KeyObject, privateDecrypt } from 'node:crypto'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { stringify as stringifyToml } from 'smol-toml'
import type { IssueOptions, SnpAuthority } from '../../helper/sim/evidence.ts'
import type { SnpReportFields } from '../../helper/sim/evidence-report.ts'
import { createKeyService, type KeyService, type KeyVersion } from '../../kms/keys.ts'
import { EIGENX_RULES } from '../../policy/eigenx/rules.ts'
import { encodeInitdata, parseInitdata } from '../../policy/initdata.ts'
import { joinPolicy } from '../../policy/rego.ts'
import { ecdsaMessage } from '../../sdk/attest/ecdsa.ts'
import { reportDataV1, reportDataV2 } from '../../sdk/attest/report-data.ts'
import { concatBytes, toBase64, toHex, utf8ToBytes } from '../../sdk/bytes.ts'
import type { Address, Hash32, Release } from '../../sdk/chain/types.ts'
import { operatorX, publicShareOf, thresholdOf } from '../../sdk/crypto/bls.ts'
import { evaluatePolynomial, randomPolynomial } from '../../sdk/crypto/shamir.ts'
import type { Domain, Output } from '../../sdk/protocol/types.ts'
import { NOW } from '../kit/snp-authority.ts'

export const APP: Address = `0x${'a9'.repeat(20)}`
export const IMAGE = `sha256:${'11'.repeat(32)}`
export const REPOSITORY = 'ghcr.io/example/app'
export const COMMAND = ['/usr/bin/app', '--serve']
export const FRESH_BLOCK: Hash32 = `0x${'fb'.repeat(32)}`
export const DOMAIN: Domain = {
  chainId: 31337,
  epochLog: `0x${'e1'.repeat(20)}`,
  avs: `0x${'a5'.repeat(20)}`,
  operatorSetId: 0,
}

export type RsaPair = { pem: Uint8Array; spkiDer: Uint8Array; privateKey: KeyObject }

export function makeRsa(bits = 2048): RsaPair {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: bits })
  return {
    pem: utf8ToBytes(publicKey.export({ type: 'spki', format: 'pem' }).toString()),
    spkiDer: new Uint8Array(publicKey.export({ type: 'spki', format: 'der' })),
    privateKey,
  }
}

export type Sharing = {
  operators: readonly Address[]
  threshold: number
  shares: ReadonlyMap<Address, bigint>
  publicShares: ReadonlyMap<Address, Uint8Array>
  masterPublicKey: Uint8Array
}

/** n operators with shares of one fresh key. */
export function makeSharing(n = 4): Sharing {
  const operators = Array.from(
    { length: n },
    (_, index): Address => `0x${(index + 1).toString(16).padStart(2, '0').repeat(20)}`,
  )
  const threshold = thresholdOf(n)
  const secret = 1n + BigInt(toHex(crypto.getRandomValues(new Uint8Array(30))))
  const polynomial = randomPolynomial(secret, threshold - 1)
  const shares = new Map(
    operators.map((address) => [address, evaluatePolynomial(polynomial, operatorX(address))]),
  )
  const publicShares = new Map(
    [...shares].map(([address, share]) => [address, publicShareOf(share)]),
  )
  return { operators, threshold, shares, publicShares, masterPublicKey: publicShareOf(secret) }
}

/** Unix seconds at which the tests of an operator take place. */
export const TEST_TIME = NOW + 3600
export const KEY_VERSION = 1_700_000_000

export function keyVersionOf(sharing: Sharing, operator: Address): KeyVersion {
  const share = sharing.shares.get(operator)
  if (share === undefined) throw new Error('no member')
  const hash: Hash32 = `0x${'0d'.repeat(32)}`
  const output: Output = {
    epoch: 1,
    prev: `0x${'00'.repeat(32)}`,
    configBlock: { number: 1n, hash: `0x${'cb'.repeat(32)}`, timestamp: KEY_VERSION - 100 },
    leaves: [],
    members: sharing.operators.map((address) => ({ address, encryptionKey: new Uint8Array(32) })),
    threshold: sharing.threshold,
    dealings: sharing.operators.map((dealer) => ({ dealer, hash: `0x${'de'.repeat(32)}` })),
    publicShares: [...sharing.publicShares.values()],
    mpk: sharing.masterPublicKey,
    postBy: KEY_VERSION - 50,
    vetoBy: KEY_VERSION - 20,
    activateAt: KEY_VERSION,
  }
  return { version: KEY_VERSION, epoch: 1, output, hash, share }
}

/** The real key service over fixed versions, oldest first. */
export function keyServiceOf(...versions: KeyVersion[]): KeyService {
  const outputs = versions.map(({ output, hash }) => ({
    output,
    hash,
    certificate: {
      signatures: output.members.map((member) => ({
        operator: member.address,
        signature: new Uint8Array(65),
      })),
    },
  }))
  const shares = new Map(versions.map(({ hash, share }) => [hash, share]))
  return createKeyService({
    keyRing: () => ({ outputs, shares, keptSince: 0 }),
    clock: () => TEST_TIME * 1000,
  })
}

export type ContainerOptions = {
  image?: string
  digest?: string
  args?: readonly string[]
  env?: readonly string[]
  mounts?: readonly { destination: string; kind: string; read_only: boolean }[]
}

/** One container as our own rule set lists it. */
export function container(options: ContainerOptions = {}) {
  const digest = options.digest ?? IMAGE
  return {
    name: 'app',
    image: options.image ?? `${REPOSITORY}@${digest}`,
    image_digest: digest,
    args: options.args ?? COMMAND,
    env: options.env ?? [],
    cwd: '/',
    user: { uid: 1000, gid: 1000, additional_gids: [] },
    capabilities: [],
    no_new_privileges: true,
    readonly_root: true,
    mounts: options.mounts ?? [],
  }
}

export type PolicyOptions = {
  rules?: string
  containers?: readonly unknown[]
  data?: Readonly<Record<string, unknown>>
}

export function makePolicy(options: PolicyOptions = {}): string {
  return joinPolicy(options.rules ?? EIGENX_RULES.trimEnd(), {
    format: 'eigenx-tee/policy/1',
    containers: options.containers ?? [container()],
    env_patterns: [],
    request_defaults: { ReadStreamRequest: false },
    ...options.data,
  } as Parameters<typeof joinPolicy>[1])
}

export function makeInitdata(policy: string | undefined = makePolicy(), extra = {}): Uint8Array {
  return utf8ToBytes(
    stringifyToml({
      version: '0.1.0',
      algorithm: 'sha256',
      data: {
        'aa.toml': '',
        ...(policy === '' ? {} : { 'policy.rego': policy }),
        'eigenx.toml': `app_id = "${APP}"`,
        ...extra,
      },
    }),
  )
}

/** As the annotation carries it. */
export function annotated(toml: Uint8Array): Uint8Array {
  return utf8ToBytes(encodeInitdata(toml))
}

export function makeRelease(changes: Partial<Release> = {}): Release {
  return {
    app: APP,
    block: { number: 5n, hash: `0x${'5b'.repeat(32)}`, timestamp: 1_700_000_000 },
    logIndex: 0,
    rmsReleaseId: 0n,
    imageDigest: IMAGE,
    registry: REPOSITORY,
    publicEnv: {},
    encryptedEnv: '',
    containerPolicy: {
      args: COMMAND,
      cmdOverride: [],
      env: {},
      envOverride: {},
      restartPolicy: '',
    },
    abi: 'v1.5',
    ...changes,
  }
}

export type PodOptions = {
  appId?: string
  /** What the pod binds its evidence to; a row that lies changes the body instead. */
  domain?: Partial<Domain>
  method?: string
  rsa: RsaPair
  reportDataVersion?: 1 | 2
  freshnessBlock?: Hash32
  extraData?: Uint8Array
  /** Bytes as sent in cc_init_data. */
  initdata?: Uint8Array
  /** Anchor the initdata in HOST_DATA, as a launch with initdata does. */
  anchored?: boolean
  report?: Partial<SnpReportFields>
  issue?: IssueOptions
}

export type SecretsBody = Record<string, unknown>

/** Evidence and request of an honest pod. */
export async function makeBody(authority: SnpAuthority, pod: PodOptions): Promise<SecretsBody> {
  const received = pod.initdata ?? annotated(makeInitdata())
  const extraData = pod.extraData ?? new Uint8Array()
  const version = pod.reportDataVersion ?? 2
  const appId = pod.appId ?? APP
  const freshnessBlock = pod.freshnessBlock ?? FRESH_BLOCK
  const initdata = parseInitdata(received)
  const domain = { ...DOMAIN, ...pod.domain }
  const reportData =
    version === 1
      ? reportDataV1({ rsaPem: pod.rsa.pem, extraData, initdataReceived: received })
      : reportDataV2({
          tee: 'snp',
          method: pod.method ?? 'eigenx-snp',
          rsaSpkiDer: pod.rsa.spkiDer,
          appId,
          chainId: domain.chainId,
          avs: domain.avs,
          operatorSetId: domain.operatorSetId,
          freshnessBlock,
          extraData,
          initdataSha384: initdata.sha384,
        })
  const hostData = pod.anchored === false ? new Uint8Array(32) : initdata.digest.slice(0, 32)
  const evidence = await authority.issue({ reportData, hostData, ...pod.report }, pod.issue)
  return {
    app_id: appId,
    attestation_method: 'eigenx-snp',
    attestation: toBase64(evidence.wire()),
    rsa_pubkey_tmp: toBase64(pod.rsa.pem),
    attestation_time: 0,
    cc_init_data: toBase64(received),
    ...(extraData.length === 0 ? {} : { extra_data: toBase64(extraData) }),
    ...(version === 2 ? { report_data_version: 2, freshness_block: freshnessBlock } : {}),
  }
}

export type OwnerRequest = {
  privateKey: Uint8Array
  appId: string
  rsaPem: Uint8Array
  version?: 'legacy' | 'v2'
  challenge?: string
}

/** What an app's creator sends instead of evidence. */
export function signedByOwner(owner: OwnerRequest): SecretsBody {
  const { privateKey, appId, rsaPem } = owner
  const publicKey = secp256k1.getPublicKey(privateKey, false)
  const challenge = utf8ToBytes(owner.challenge ?? `${TEST_TIME}-${'n'.repeat(64)}`)
  const message = ecdsaMessage({
    version: owner.version ?? 'v2',
    appId,
    challenge,
    publicKey,
    rsaPublicKey: rsaPem,
    extraData: new Uint8Array(),
  })
  const signature = secp256k1.sign(keccak_256(message), privateKey, { prehash: false })
  return {
    app_id: appId,
    attestation_method: 'ecdsa',
    attestation: toBase64(concatBytes(signature, Uint8Array.of(27))),
    rsa_pubkey_tmp: toBase64(rsaPem),
    attestation_time: 0,
    challenge: toBase64(challenge),
    public_key: toBase64(publicKey),
  }
}

/** What the pod does with the answer, by node:crypto alone. */
export function openPartial(rsa: RsaPair, answer: { encrypted_partial_sig: string }): Uint8Array {
  const plaintext = privateDecrypt(
    { key: rsa.privateKey, oaepHash: 'sha256', padding: constants.RSA_PKCS1_OAEP_PADDING },
    Buffer.from(answer.encrypted_partial_sig, 'base64'),
  ).toString()
  const parsed: { CompressedBytes: string } = JSON.parse(plaintext)
  return new Uint8Array(Buffer.from(parsed.CompressedBytes, 'base64'))
}

export function flipBit(bytes: Uint8Array, index: number): Uint8Array {
  const out = concatBytes(bytes)
  out[index] = (out[index] ?? 0) ^ 1
  return out
}
