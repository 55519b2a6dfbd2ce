/**
 * The maker of a devnet's processors: what its firmware says about a launched pod, and what operators need to believe it.
 *
 * Each machine boots one known guest image; like any other, it must be known to its operators.
 * @module
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { encodeSnpRoots } from '../../sdk/attest/anchors.ts'
import { fitDigest } from '../../sdk/attest/binding.ts'
import { encodeTdxCollateral } from '../../sdk/attest/collateral-bundle.ts'
import { encodeTdxRoots } from '../../sdk/attest/tdx-anchors.ts'
import type { SnpProduct } from '../../sdk/attest/types.ts'
import { bytesToHex } from '../../sdk/bytes.ts'
import { METHODS, TEE_NAMES, type Tee } from '../evidence.ts'
import { createSnpAuthority } from './evidence.ts'
import { SIMULATED_MEASUREMENT } from './evidence-report.ts'
import type { ConfigOverrides } from './operators.ts'
import { SIM_BOOT_LOG, SIM_BOOT_RTMRS } from './tdx-event-log.ts'
import { createTdxAuthority, SIM_PCK } from './tdx-evidence.ts'
import { SIM_MRTD } from './tdx-quote.ts'

export type Launch = {
  /** What the host put into HOST_DATA or MRCONFIGID, before it is cut or padded to the field; absent: zero. */
  digest?: Uint8Array
  /** The host may look into the guest. */
  debug?: boolean
}

export type Vendor = {
  tee: Tee
  /** For people. */
  processor: string
  /** The Attestation Agent's answer. @param reportData - 64 bytes. */
  attest: (launch: Launch, reportData: Uint8Array) => Promise<string>
  /** Writes what operators must have into `folder`. @returns The sections of operator.toml that name it. */
  equip: (folder: string) => Promise<ConfigOverrides>
}

export type VendorChoice = {
  /** @default 'snp' */
  tee?: Tee
  /** Of AMD. @default 'Milan' */
  product?: SnpProduct
}

/** AMD 56860, POLICY: bit 19 permits debugging, which lets the host read guest memory. */
const SNP_DEBUG = 1n << 19n
const SNP_POLICY = 0x30000n
/** Intel TDX Module ABI, ATTRIBUTES: DEBUG beside the usual SEPT_VE_DISABLE. */
const TD_DEBUG = 1n
const TD_ATTRIBUTES = 1n << 28n

export function createVendor({ tee = 'snp', product = 'Milan' }: VendorChoice): Promise<Vendor> {
  return tee === 'snp' ? createAmd(product) : createIntel()
}

async function createAmd(product: SnpProduct): Promise<Vendor> {
  const authority = await createSnpAuthority({
    product,
    kind: 'VCEK',
    now: Math.floor(Date.now() / 1000),
    // Once per process: a second devnet in a test need not wait for new keys.
    keySet: 'devnet',
    oneKey: true,
  })
  return {
    tee: 'snp',
    processor: `${TEE_NAMES.snp}, ${product}`,
    attest: async ({ digest, debug }, reportData) => {
      const { aaJson } = await authority.issue({
        reportData,
        policy: debug === true ? SNP_POLICY | SNP_DEBUG : SNP_POLICY,
        ...(digest === undefined ? {} : { hostData: fitDigest(digest, 32) }),
      })
      return aaJson()
    },
    equip: async (folder) => {
      const roots = join(folder, 'snp-roots.json')
      await writeFile(roots, encodeSnpRoots(authority.anchors))
      return {
        attestation: {
          methods: [METHODS.snp],
          measurements: [{ value: SIMULATED_MEASUREMENT, covers_image: true }],
        },
        development: { snp_roots_file: roots },
      }
    },
  }
}

async function createIntel(): Promise<Vendor> {
  const authority = await createTdxAuthority({ now: Math.floor(Date.now() / 1000) })
  return {
    tee: 'tdx',
    processor: TEE_NAMES.tdx,
    attest: async ({ digest, debug }, reportData) => {
      const { aaJson } = await authority.issue({
        version: 5,
        report: {
          reportData,
          rtmrs: SIM_BOOT_RTMRS,
          tdAttributes: debug === true ? TD_ATTRIBUTES | TD_DEBUG : TD_ATTRIBUTES,
          ...(digest === undefined ? {} : { mrConfigId: fitDigest(digest, 48) }),
        },
        logs: { eventLog: SIM_BOOT_LOG },
      })
      return aaJson()
    },
    equip: async (folder) => {
      const roots = join(folder, 'tdx-roots.pem')
      const collateralFolder = join(folder, 'tdx-collateral')
      const { collateral } = await authority.issue()
      await mkdir(collateralFolder)
      await writeFile(roots, encodeTdxRoots(authority.anchors))
      await writeFile(
        join(collateralFolder, `${bytesToHex(SIM_PCK.fmspc)}.json`),
        JSON.stringify(encodeTdxCollateral(collateral)),
      )
      const [rtmr0, rtmr1, rtmr2] = SIM_BOOT_RTMRS.map((value) => bytesToHex(value))
      return {
        attestation: {
          methods: [METHODS.tdx],
          tdx: {
            collateral_dir: collateralFolder,
            measurements: [{ mrtd: bytesToHex(SIM_MRTD), rtmr0, rtmr1, rtmr2, covers_image: true }],
          },
        },
        development: { tdx_roots_file: roots },
      }
    },
  }
}
