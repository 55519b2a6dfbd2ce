/**
 * What a decision needs besides the request: the operator's settings as the pipeline reads them,
 * and the chain behind three questions.
 * @module
 */

import type { SnpTrustAnchors } from '../../sdk/attest/anchors.ts'
import type { AzurePolicy } from '../../sdk/attest/azure-policy.ts'
import type { SnpCrlPolicy } from '../../sdk/attest/snp-crl.ts'
import type { SnpTcbFloor } from '../../sdk/attest/snp-floor.ts'
import { DEFAULT_SNP_POLICY, platformBits, type SnpPolicy } from '../../sdk/attest/snp-policy.ts'
import { DEFAULT_TDX_POLICY, type TdxPolicy } from '../../sdk/attest/tdx-policy.ts'
import type { FirmwareVersion, SnpTcb } from '../../sdk/attest/types.ts'
import { parseHex } from '../../sdk/bytes.ts'
import type { Address, AppDecision, Hash32 } from '../../sdk/chain/types.ts'
import type { Domain } from '../../sdk/protocol/types.ts'
import type { KmsConfig } from '../config.ts'
import type { KeyService } from '../keys.ts'
import type { SnpRevocation } from './snp-platform.ts'
import type { TdxDeps } from './tdx.ts'
import type { TokenDeps } from './token.ts'
import { during, type Window, type Windows } from './windows.ts'

const DAY_SECONDS = 86_400

export type DecisionSettings = {
  domain: Domain
  methods: readonly string[]
  allowedApps: ReadonlySet<string> | undefined
  allowSelfAssertedInitdata: boolean
  selfAssertedNeedsOptIn: boolean
  acceptReportDataV1: boolean
  allowDigestOnly: boolean
  ecdsaLegacy: boolean
  snp: SnpPolicy
  /** What holds for SNP under every method that reads its reports. */
  crl: SnpCrlPolicy
  tcbFloors: readonly SnpTcbFloor[]
  tdx: TdxPolicy
  /** Azure's confidential VMs: the hardware under the paravisor, and what its vTPM says. */
  azure: { snp: SnpPolicy; tdx: TdxPolicy; vm: AzurePolicy }
  /** Days on which entries of the three lists of images count; those without any always do. */
  windows: Windows
}

/** The chain, as one decision sees it. Each call does its own reads at one pinned block. */
export type ChainQuestions = {
  /** @throws APP_*, RELEASE_*, CHAIN_* */
  decideApp: (app: Address) => Promise<AppDecision>
  /** @throws APP_UNKNOWN, CHAIN_* */
  creatorOf: (app: Address) => Promise<Address>
  /** @throws EVIDENCE_STALE, CHAIN_* */
  demandFresh: (block: Hash32) => Promise<void>
}

/** What raw hardware evidence is judged with. */
export type EvidenceDeps = {
  settings: DecisionSettings
  anchors: SnpTrustAnchors
  revocation: SnpRevocation
  /** There where a method that reads TDX quotes is enabled. */
  tdx?: TdxDeps
}

export type DecisionDeps = EvidenceDeps & {
  chain: ChainQuestions
  keys: KeyService
  /** There where a token method is enabled. */
  tokens?: TokenDeps
}

export function decisionSettings(config: KmsConfig): DecisionSettings {
  const { attestation, contracts, chain, policy, routes } = config
  const windows = new Map<object, Window>()
  return {
    windows,
    domain: {
      chainId: chain.chainId,
      epochLog: contracts.epochLog,
      avs: contracts.avs,
      operatorSetId: contracts.operatorSetId,
    },
    methods: attestation.methods,
    allowedApps: policy.allowedApps === undefined ? undefined : new Set(policy.allowedApps),
    allowSelfAssertedInitdata: attestation.allowSelfAssertedInitdata,
    selfAssertedNeedsOptIn: attestation.selfAssertedNeedsOptIn,
    acceptReportDataV1: attestation.acceptReportDataV1,
    allowDigestOnly: policy.allowDigestOnly,
    ecdsaLegacy: routes.ecdsaLegacy,
    snp: snpPolicyOf(attestation, windows),
    crl: {
      required: attestation.requireCrl,
      graceSeconds: attestation.crlGraceDays * DAY_SECONDS,
    },
    tcbFloors: attestation.tcbFloors.map(({ product, since, graceDays, reason, ...floor }) => ({
      product,
      since,
      graceDays,
      reason,
      tcb: floorOf(floor),
    })),
    tdx: tdxPolicyOf(attestation.tdx, windows),
    azure: azurePoliciesOf(attestation, windows),
  }
}

function snpPolicyOf(
  attestation: KmsConfig['attestation'],
  windows: Map<object, Window>,
): SnpPolicy {
  return {
    ...DEFAULT_SNP_POLICY,
    minimumReportVersion: attestation.minimumReportVersion,
    products: attestation.products,
    minimumTcb: floorsOf(attestation.minimumTcb),
    minimumLaunchTcb: floorsOf(attestation.minimumLaunchTcb),
    requiredMitigations: mitigationsOf(attestation.requiredMitigations),
    signers: attestation.signers,
    allowSmt: attestation.allowSmt,
    require: {
      singleSocket: attestation.requiredPolicy.includes('single_socket'),
      memAes256Xts: attestation.requiredPolicy.includes('mem_aes_256_xts'),
      raplDisabled: attestation.requiredPolicy.includes('rapl_disabled'),
      ciphertextHiding: attestation.requiredPolicy.includes('ciphertext_hiding'),
      pageSwapDisabled: attestation.requiredPolicy.includes('page_swap_disabled'),
    },
    platformInfo: {
      mustBeSet: platformBits(attestation.platformInfo.required),
      mustBeClear: platformBits(attestation.platformInfo.refused),
    },
    vmpls: attestation.vmpls,
    minimumFirmware: versionsOf(attestation.minimumFirmware),
    minimumGuestAbi: abiOf(attestation.minimumGuestAbi),
    minimumGuestSvn: attestation.minimumGuestSvn,
    idKeyDigests: attestation.idKeyDigests.map(digestOf),
    authorKeyDigests: attestation.authorKeyDigests.map(digestOf),
    familyIds: attestation.familyIds.map((hex) => bytesOf(hex, 16)),
    imageIds: attestation.imageIds.map((hex) => bytesOf(hex, 16)),
    cspIds: attestation.cspIds,
    chipIds: attestation.chipIds.map((hex) => bytesOf(hex, 64)),
    measurements: attestation.measurements.map(({ value, coversImage, bindsInitdata, ...days }) =>
      during(days, { value: digestOf(value), coversImage, bindsInitdata }, windows),
    ),
  }
}

/** What is not in the configuration stays as strict as the default. */
function tdxPolicyOf(
  tdx: KmsConfig['attestation']['tdx'],
  windows: Map<object, Window>,
): TdxPolicy {
  const { allowedAdvisories: allowed, deniedAdvisories: denied } = tdx
  return {
    ...DEFAULT_TDX_POLICY,
    statuses: tdx.statuses,
    graceDays: tdx.graceDays,
    advisories: { ...(allowed === undefined ? {} : { allowed }), denied },
    minimumEvaluationNumber: tdx.minimumEvaluationNumber,
    minimumTeeTcbSvn: tdx.minimumTeeTcbSvn,
    mrSeams: tdx.mrSeams.map(digestOf),
    fmspcs: tdx.fmspcs,
    ppids: tdx.ppids.map((hex) => bytesOf(hex, 16)),
    rtmrs: [
      tdx.rtmr0.map(digestOf),
      tdx.rtmr1.map(digestOf),
      tdx.rtmr2.map(digestOf),
      tdx.rtmr3.map(digestOf),
    ],
    mrOwners: tdx.mrOwners.map(digestOf),
    mrOwnerConfigs: tdx.mrOwnerConfigs.map(digestOf),
    xfamMask: BigInt(tdx.xfam),
    allowPks: tdx.allowPks,
    allowKeyLocker: tdx.allowKeyLocker,
    measurements: tdx.measurements.map((entry) => {
      const register = (hex: string | undefined) => (hex === undefined ? hex : digestOf(hex))
      const { rtmr0, rtmr1, rtmr2, rtmr3, coversImage, bindsInitdata } = entry
      const rtmrs = [register(rtmr0), register(rtmr1), register(rtmr2), register(rtmr3)] as const
      const measurement = { mrTd: digestOf(entry.mrtd), rtmrs, coversImage, bindsInitdata }
      return during(entry, measurement, windows)
    }),
  }
}

const ANY_SNP_LAUNCH = {
  vmpls: DEFAULT_SNP_POLICY.vmpls,
  minimumGuestAbi: DEFAULT_SNP_POLICY.minimumGuestAbi,
  measurements: DEFAULT_SNP_POLICY.measurements,
  idKeyDigests: DEFAULT_SNP_POLICY.idKeyDigests,
  authorKeyDigests: DEFAULT_SNP_POLICY.authorKeyDigests,
  familyIds: DEFAULT_SNP_POLICY.familyIds,
  imageIds: DEFAULT_SNP_POLICY.imageIds,
} satisfies Partial<SnpPolicy>
const ANY_TDX_LAUNCH = {
  measurements: DEFAULT_TDX_POLICY.measurements,
  rtmrs: DEFAULT_TDX_POLICY.rtmrs,
  mrOwners: DEFAULT_TDX_POLICY.mrOwners,
  mrOwnerConfigs: DEFAULT_TDX_POLICY.mrOwnerConfigs,
  xfamMask: DEFAULT_TDX_POLICY.xfamMask,
  allowPks: DEFAULT_TDX_POLICY.allowPks,
  allowKeyLocker: DEFAULT_TDX_POLICY.allowKeyLocker,
} satisfies Partial<TdxPolicy>

/** The launch is the paravisor's, which has rules of its own: what `[attestation]` says about launches is about other guests. */
function azurePoliciesOf(
  attestation: KmsConfig['attestation'],
  windows: Map<object, Window>,
): DecisionSettings['azure'] {
  const { azure } = attestation
  return {
    snp: {
      ...snpPolicyOf(attestation, windows),
      ...ANY_SNP_LAUNCH,
      minimumGuestSvn: azure.minimumGuestSvn,
    },
    tdx: { ...tdxPolicyOf(attestation.tdx, windows), ...ANY_TDX_LAUNCH },
    vm: {
      paravisors: {
        idKeyDigests: azure.idKeyDigests.map(digestOf),
        mrTds: azure.mrtds.map(digestOf),
      },
      images: azure.images.map(({ coversImage, bindsInitdata, from, until, ...registers }) =>
        during(
          { from, until },
          { pcrs: registersOf(registers), coversImage, bindsInitdata },
          windows,
        ),
      ),
      requireSecureBoot: azure.requireSecureBoot,
      allowConsole: azure.allowConsole,
      requireFreshReport: azure.requireFreshReport,
    },
  }
}

/** `pcr4` -> 4. */
function registersOf(
  registers: Readonly<Record<string, string | undefined>>,
): ReadonlyMap<number, Uint8Array> {
  return new Map(
    Object.entries(registers).flatMap(([name, hex]) =>
      hex === undefined ? [] : [[Number(name.slice('pcr'.length)), bytesOf(hex, 32)] as const],
    ),
  )
}

const digestOf = (hex: string) => bytesOf(hex, 48)

function bytesOf(hex: string, length: number): Uint8Array {
  const bytes = parseHex(hex, length)
  if (bytes === undefined) throw new RangeError('the configuration was not parsed')
  return bytes
}

function floorsOf(floors: KmsConfig['attestation']['minimumTcb']): SnpPolicy['minimumTcb'] {
  const { Milan, Genoa, Turin } = floors
  return {
    ...(Milan === undefined ? {} : { Milan: floorOf(Milan) }),
    ...(Genoa === undefined ? {} : { Genoa: floorOf(Genoa) }),
    ...(Turin === undefined ? {} : { Turin: floorOf(Turin) }),
  }
}

function versionsOf({
  Milan,
  Genoa,
  Turin,
}: KmsConfig['attestation']['minimumFirmware']): SnpPolicy['minimumFirmware'] {
  return {
    ...(Milan === undefined ? {} : { Milan: versionOf(Milan) }),
    ...(Genoa === undefined ? {} : { Genoa: versionOf(Genoa) }),
    ...(Turin === undefined ? {} : { Turin: versionOf(Turin) }),
  }
}

/** `1.55.21` */
function versionOf(text: string): FirmwareVersion {
  const [major = 0, minor = 0, build = 0] = text.split('.').map(Number)
  return { major, minor, build }
}

/** `1.51` */
function abiOf(text: string): SnpPolicy['minimumGuestAbi'] {
  const { major, minor } = versionOf(text)
  return { major, minor }
}

function floorOf(floor: NonNullable<KmsConfig['attestation']['minimumTcb']['Milan']>): SnpTcb {
  const { fmc, ...components } = floor
  return fmc === undefined ? components : { ...components, fmc }
}

function mitigationsOf({
  Milan,
  Genoa,
  Turin,
}: KmsConfig['attestation']['requiredMitigations']): SnpPolicy['requiredMitigations'] {
  return {
    ...(Milan === undefined ? {} : { Milan: BigInt(Milan) }),
    ...(Genoa === undefined ? {} : { Genoa: BigInt(Genoa) }),
    ...(Turin === undefined ? {} : { Turin: BigInt(Turin) }),
  }
}
