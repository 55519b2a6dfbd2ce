/** Attacks on the methods of Azure's confidential VMs: forged below the vTPM or above it, reused, or sent to the wrong door. */
import {
  type AzureSnpOptions,
  createAzureSnpMachine,
  encodeAzureSnpJson,
} from '../../../helper/sim/azure-evidence.ts'
import type { AzureFields } from '../../../helper/sim/azure-vm.ts'
import { parseInitdata } from '../../../policy/initdata.ts'
import { azureNonce } from '../../../sdk/attest/azure-binding.ts'
import { reportDataV2 } from '../../../sdk/attest/report-data.ts'
import { toBase64, utf8ToBytes } from '../../../sdk/bytes.ts'
import type { Hash32 } from '../../../sdk/chain/types.ts'
import type { Domain } from '../../../sdk/protocol/types.ts'
import { annotated, makeInitdata, makePolicy, type SecretsBody } from '../../kms/kit.ts'
import type { Attack } from '../table.ts'
import type { AttackWorld } from '../world.ts'

const METHOD = 'az-snp-vtpm'
const foreign = annotated(makeInitdata(makePolicy(), { 'extra.toml': 'a = 1' }))

export type AzurePod = {
  vm?: Partial<AzureFields>
  options?: AzureSnpOptions
  appId?: string
  domain?: Partial<Domain>
  freshnessBlock?: Hash32
  lookAlike?: boolean
  body?: SecretsBody
}

/** An honest pod in a VM of the known image, with changes. */
export async function azurePod(world: AttackWorld, pod: AzurePod = {}): Promise<SecretsBody> {
  const received = annotated(makeInitdata())
  const initdata = parseInitdata(received)
  const appId = pod.appId ?? world.apps.running
  const freshnessBlock = pod.freshnessBlock ?? world.fresh
  const { chainId, avs, operatorSetId } = { ...world.domain, ...pod.domain }
  const reportData = reportDataV2({
    tee: 'snp',
    method: METHOD,
    rsaSpkiDer: world.rsa.spkiDer,
    appId,
    chainId,
    avs,
    operatorSetId,
    freshnessBlock,
    extraData: new Uint8Array(),
    initdataSha384: initdata.sha384,
  })
  const machine = createAzureSnpMachine(pod.lookAlike === true ? world.lookAlike : world.authority)
  const fields = { nonce: azureNonce(reportData), initdataDigest: initdata.digest, ...pod.vm }
  const evidence = encodeAzureSnpJson(await machine.issue(fields, pod.options))
  return {
    app_id: appId,
    attestation_method: METHOD,
    attestation: toBase64(utf8ToBytes(evidence)),
    rsa_pubkey_tmp: toBase64(world.rsa.pem),
    attestation_time: 0,
    cc_init_data: toBase64(received),
    report_data_version: 2,
    freshness_block: freshnessBlock,
    ...pod.body,
  }
}

const row = (
  name: string,
  code: Attack['code'],
  pod: AzurePod | ((world: AttackWorld) => AzurePod),
  status = 401,
): Attack => ({
  name: `an Azure VM: ${name}`,
  at: 'azure',
  send: (world) => azurePod(world, typeof pod === 'function' ? pod(world) : pod),
  status,
  code,
})

const report = (fields: NonNullable<AzureSnpOptions['report']>): AzurePod => ({
  options: { report: fields },
})

export const azureAttacks: readonly Attack[] = [
  row('hardware of a look-alike authority', 'EVIDENCE_INVALID', { lookAlike: true }),
  row(
    'a paravisor of its owner',
    'EVIDENCE_NOT_ALLOWED',
    report({ idKeyDigest: new Uint8Array(48).fill(9) }),
  ),
  row(
    'a container group that plays a VM',
    'EVIDENCE_NOT_ALLOWED',
    report({ hostData: new Uint8Array(32).fill(9) }),
  ),
  row('a debuggable paravisor', 'EVIDENCE_NOT_ALLOWED', report({ policy: 0xb0000n })),
  row('another kernel', 'EVIDENCE_NOT_ALLOWED', {
    vm: {
      pcrs: new Map([
        [4, new Uint8Array(32).fill(0x44)],
        [11, new Uint8Array(32).fill(9)],
      ]),
    },
  }),
  row('a register 8 of another document', 'INITDATA_MISMATCH', {
    vm: { initdataDigest: new Uint8Array(32).fill(9) },
  }),
  row('no document in register 8', 'BINDING_TOO_WEAK', { vm: { initdataDigest: undefined } }),
  row('a nonce of somebody else', 'REPORT_DATA_MISMATCH', {
    vm: { nonce: new Uint8Array(43).fill(65) },
  }),
  row('the RSA key of a thief', 'REPORT_DATA_MISMATCH', ({ thief }) => ({
    body: { rsa_pubkey_tmp: toBase64(thief.pem) },
  })),
  row('evidence of another app', 'REPORT_DATA_MISMATCH', ({ apps }) => ({
    body: { app_id: apps.optIn },
  })),
  row('evidence for another chain', 'REPORT_DATA_MISMATCH', { domain: { chainId: 1 } }),
  row('evidence for another operator set', 'REPORT_DATA_MISMATCH', {
    domain: { operatorSetId: 1 },
  }),
  row('the initdata of another pod', 'REPORT_DATA_MISMATCH', {
    body: { cc_init_data: toBase64(foreign) },
  }),
  row('the older report data', 'REPORT_DATA_MISMATCH', { body: { report_data_version: 1 } }),
  row('evidence replayed after its time', 'EVIDENCE_STALE', ({ stale }) => ({
    freshnessBlock: stale,
  })),
  row('a stopped app', 'APP_NOT_RUNNING', ({ apps }) => ({ appId: apps.stopped }), 403),
  row('the app of another image', 'RELEASE_MISMATCH', ({ apps }) => ({ appId: apps.other }), 403),
  row('under the name of the plain method', 'EVIDENCE_MALFORMED', {
    body: { attestation_method: 'eigenx-snp' },
  }),
  {
    name: 'a plain guest under the name of an Azure VM',
    at: 'azure',
    send: async (world) => ({
      ...(await world.body({ method: METHOD })),
      attestation_method: METHOD,
    }),
    status: 401,
    code: 'EVIDENCE_MALFORMED',
  },
  {
    name: 'an Azure VM where nobody serves it',
    send: (world) => azurePod(world),
    status: 401,
    code: 'METHOD_DISABLED',
  },
]
