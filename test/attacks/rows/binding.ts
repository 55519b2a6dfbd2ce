/** Attacks that reuse genuine evidence: for another key, app, chain, time or document. */
import { toBase64, utf8ToBytes } from '../../../sdk/bytes.ts'
import { annotated, makeInitdata, makePolicy, type PodOptions } from '../../kms/kit.ts'
import { type Attack, altered, field } from '../table.ts'

const pod =
  (changes: Partial<PodOptions>): Attack['send'] =>
  (world) =>
    world.body(changes)

const mismatch = (name: string, send: Attack['send'], at?: Attack['at']): Attack => ({
  name,
  send,
  status: 401,
  code: 'REPORT_DATA_MISMATCH',
  ...(at === undefined ? {} : { at }),
})

const foreign = annotated(makeInitdata(makePolicy(), { 'extra.toml': 'a = 1' }))

export const bindingAttacks: readonly Attack[] = [
  mismatch(
    'the RSA key of a thief',
    altered((body, { thief }) => ({ ...body, rsa_pubkey_tmp: toBase64(thief.pem) })),
  ),
  mismatch('the RSA key of a thief, report data v1', async (world) => ({
    ...(await world.body({ reportDataVersion: 1 })),
    rsa_pubkey_tmp: toBase64(world.thief.pem),
  })),
  mismatch('extra data added', field('extra_data', toBase64(utf8ToBytes('x')))),
  mismatch('extra data taken away', async (world) => {
    const { extra_data: _, ...rest } = await world.body({ extraData: utf8ToBytes('x') })
    return rest
  }),
  mismatch('extra data added, report data v1', async (world) => ({
    ...(await world.body({ reportDataVersion: 1 })),
    extra_data: toBase64(utf8ToBytes('x')),
  })),
  mismatch(
    'evidence of another app',
    altered((body, { apps }) => ({ ...body, app_id: apps.optIn })),
  ),
  mismatch(
    'the app id in capitals',
    altered((body, { apps }) => ({ ...body, app_id: `0x${apps.running.slice(2).toUpperCase()}` })),
  ),
  mismatch('evidence for another chain', (world) =>
    world.body({ domain: { ...world.domain, chainId: 1 } }),
  ),
  mismatch('evidence for another AVS', (world) =>
    world.body({ domain: { ...world.domain, avs: `0x${'77'.repeat(20)}` } }),
  ),
  mismatch('evidence for another operator set', (world) =>
    world.body({ domain: { ...world.domain, operatorSetId: 1 } }),
  ),
  mismatch('evidence for another method', pod({ method: 'eigenx-tdx' })),
  mismatch(
    'another freshness block than the evidence names',
    altered((body, { stale }) => ({ ...body, freshness_block: stale })),
  ),
  mismatch(
    'version 2 evidence sent as version 1',
    altered((body) => ({ ...body, report_data_version: 1 })),
  ),
  mismatch('version 1 evidence sent as version 2', async (world) => ({
    ...(await world.body({ reportDataVersion: 1 })),
    report_data_version: 2,
    freshness_block: world.fresh,
  })),
  mismatch('no version, to slip under the older rule', async (world) => {
    const { report_data_version: _, freshness_block: __, ...rest } = await world.body()
    return rest
  }),
  mismatch('version 1 where it is switched off', pod({ reportDataVersion: 1 }), 'modern'),
  mismatch('zero report data', pod({ report: { reportData: new Uint8Array(64) } })),
  mismatch('the initdata of another pod', field('cc_init_data', toBase64(foreign))),
  mismatch('the initdata of another pod, report data v1', async (world) => ({
    ...(await world.body({ reportDataVersion: 1 })),
    cc_init_data: toBase64(foreign),
  })),
  mismatch('the same initdata packed anew, report data v1', async (world) => ({
    ...(await world.body({ reportDataVersion: 1 })),
    cc_init_data: toBase64(makeInitdata()),
  })),
  {
    name: 'another freshness block that nobody knows',
    send: pod({ freshnessBlock: `0x${'13'.repeat(32)}` }),
    status: 401,
    code: 'EVIDENCE_STALE',
  },
  {
    name: 'evidence replayed after its time',
    send: (world) => world.body({ freshnessBlock: world.stale }),
    status: 401,
    code: 'EVIDENCE_STALE',
  },
  {
    name: 'evidence made for a zero block',
    send: pod({ freshnessBlock: `0x${'00'.repeat(32)}` }),
    status: 401,
    code: 'EVIDENCE_STALE',
  },
  {
    name: 'HOST_DATA of another document',
    send: pod({ report: { hostData: new Uint8Array(32).fill(9) } }),
    status: 401,
    code: 'INITDATA_MISMATCH',
  },
  {
    name: 'HOST_DATA of another document, report data v1',
    send: pod({ reportDataVersion: 1, report: { hostData: new Uint8Array(32).fill(9) } }),
    status: 401,
    code: 'INITDATA_MISMATCH',
  },
  {
    name: 'HOST_DATA of another document where self-asserted initdata is served',
    at: 'lenient',
    send: pod({ report: { hostData: new Uint8Array(32).fill(9) } }),
    status: 401,
    code: 'INITDATA_MISMATCH',
  },
  {
    name: 'initdata that only the guest vouches for',
    send: pod({ anchored: false }),
    status: 401,
    code: 'BINDING_TOO_WEAK',
  },
  {
    name: 'initdata that only the guest vouches for, for a release that would take it',
    send: (world) => world.body({ appId: world.apps.optIn, anchored: false }),
    status: 401,
    code: 'BINDING_TOO_WEAK',
  },
  {
    name: 'initdata that only the guest vouches for, for a release that did not opt in',
    at: 'lenient',
    send: pod({ anchored: false }),
    status: 401,
    code: 'BINDING_TOO_WEAK',
  },
  {
    name: 'HOST_DATA of the release, written by a host that boots an image nobody knows',
    at: 'imageless',
    send: (world) => world.body(),
    status: 401,
    code: 'BINDING_TOO_WEAK',
  },
  {
    name: 'HOST_DATA of the release under known firmware that does not cover the image',
    at: 'firmwareOnly',
    send: (world) => world.body(),
    status: 401,
    code: 'BINDING_TOO_WEAK',
  },
  {
    name: 'HOST_DATA of the release, image unknown, for a release that demands the launch',
    at: 'lenient',
    send: (world) => world.body({ appId: world.apps.launchOnly }),
    status: 401,
    code: 'BINDING_TOO_WEAK',
  },
  {
    name: 'initdata named by a known image in which anybody can name one',
    send: (world) => world.body({ anchored: false, reportDataVersion: 1 }),
    status: 401,
    code: 'BINDING_TOO_WEAK',
  },
  {
    name: 'a guarding image without anchored initdata, for a release that demands the launch',
    at: 'guarded',
    send: (world) => world.body({ appId: world.apps.launchOnly, anchored: false }),
    status: 401,
    code: 'BINDING_TOO_WEAK',
  },
  {
    name: 'evidence of another app, report data v1: the release does not know the image',
    send: async (world) => ({
      ...(await world.body({ reportDataVersion: 1 })),
      app_id: world.apps.other,
    }),
    status: 403,
    code: 'RELEASE_MISMATCH',
  },
]
