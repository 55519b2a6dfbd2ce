/** The methods of Azure's confidential VMs from request to answer, on evidence of simulated hardware. Each refusal changes one thing. */
import { describe, expect, it } from 'vitest'
import {
  type AzureSnpOptions,
  type AzureTdxOptions,
  createAzureSnpMachine,
  encodeAzureSnpJson,
  encodeAzureTdxJson,
} from '../../helper/sim/azure-evidence.ts'
import type { AzureFields } from '../../helper/sim/azure-vm.ts'
import { parseKmsConfig } from '../../kms/config.ts'
import { parseInitdata } from '../../policy/initdata.ts'
import { azureNonce } from '../../sdk/attest/azure-binding.ts'
import { createCrlMemory } from '../../sdk/attest/crl-memory.ts'
import { reportDataV1, reportDataV2 } from '../../sdk/attest/report-data.ts'
import { toBase64, utf8ToBytes } from '../../sdk/bytes.ts'
import type { Release } from '../../sdk/chain/types.ts'
import { partialSign } from '../../sdk/crypto/bls.ts'
import { refusalOf } from '../kit/errors.ts'
import { authorityOf } from '../kit/snp-authority.ts'
import { snpVm, tdxVm } from '../sdk/attest/azure/kit.ts'
import { DAY } from '../sdk/attest/tdx/kit.ts'
import {
  APP,
  annotated,
  container,
  DOMAIN,
  FRESH_BLOCK,
  makeBody,
  makeInitdata,
  makePolicy,
  makeRelease,
  makeRsa,
  openPartial,
  type SecretsBody,
  TEST_TIME,
} from './kit.ts'
import {
  honestChain,
  makeWorld,
  operatorToml,
  PROBLEM,
  post,
  WIDE_LIMITS,
  type World,
} from './world.ts'

type Platform = 'snp' | 'tdx'
const METHOD = { snp: 'az-snp-vtpm', tdx: 'az-tdx-vtpm' } as const

/** As the simulated VM boots. */
const PCR4 = '44'.repeat(32)
const PCR11 = 'bb'.repeat(32)
const PARAVISORS = `id_key_digests = ["${'1d'.repeat(48)}"]\nmrtds = ["${'7d'.repeat(48)}"]`
const IMAGE = `pcr4 = "${PCR4}", pcr11 = "${PCR11}"`
const COVERING = `${PARAVISORS}\nimages = [{ ${IMAGE}, covers_image = true }]`
const FOREIGN_INITDATA = makeInitdata(
  makePolicy({ containers: [container({ digest: `sha256:${'22'.repeat(32)}` })] }),
)
const RSA = makeRsa()
const OTHER_RSA = makeRsa()
const OTHER_REGISTER = new Uint8Array(32).fill(0x66)

type Setup = {
  /** Lines of `[attestation]`, of `[attestation.azure]`, and whole further tables. */
  attestation?: string
  azure?: string
  tables?: string
  methods?: string
  release?: Partial<Release>
  nowSeconds?: number
}

async function azureWorld(setup: Setup = {}): Promise<World> {
  const [snp, tdx] = await Promise.all([authorityOf(), tdxVm()])
  return makeWorld({
    toml: `${WIDE_LIMITS}
[attestation]
methods = [${setup.methods ?? '"eigenx-snp", "eigenx-tdx", "az-snp-vtpm", "az-tdx-vtpm"'}]
${setup.attestation ?? ''}
[attestation.azure]
${setup.azure ?? COVERING}
${setup.tables ?? ''}
`,
    anchors: snp.anchors,
    tdx: { anchors: tdx.authority.anchors, sources: { crls: createCrlMemory() } },
    chain: honestChain(makeRelease(setup.release)),
    now: () => 1000 * (setup.nowSeconds ?? TEST_TIME),
  })
}

type Pod = {
  vm?: Partial<AzureFields>
  options?: AzureSnpOptions & AzureTdxOptions
  initdata?: Uint8Array
  /** The agent extended register 8 with the digest of the initdata. */
  anchored?: boolean
  /** What the evidence is bound to; the request is made as an honest pod's. */
  bind?: { tee?: 'snp' | 'tdx'; method?: string; rsaSpkiDer?: Uint8Array; appId?: string }
  withCollateral?: boolean
  body?: SecretsBody
}

async function azureBody(platform: Platform, pod: Pod = {}): Promise<SecretsBody> {
  const received = pod.initdata ?? annotated(makeInitdata())
  const initdata = parseInitdata(received)
  const reportData = reportDataV2({
    tee: platform,
    method: METHOD[platform],
    rsaSpkiDer: RSA.spkiDer,
    appId: APP,
    chainId: DOMAIN.chainId,
    avs: DOMAIN.avs,
    operatorSetId: DOMAIN.operatorSetId,
    freshnessBlock: FRESH_BLOCK,
    extraData: new Uint8Array(),
    initdataSha384: initdata.sha384,
    ...pod.bind,
  })
  const fields: Partial<AzureFields> = {
    nonce: azureNonce(reportData),
    ...(pod.anchored === false ? {} : { initdataDigest: initdata.digest }),
    ...pod.vm,
  }
  return {
    app_id: APP,
    attestation_method: METHOD[platform],
    attestation: toBase64(utf8ToBytes(await issue(platform, fields, pod))),
    rsa_pubkey_tmp: toBase64(RSA.pem),
    attestation_time: 0,
    cc_init_data: toBase64(received),
    report_data_version: 2,
    freshness_block: FRESH_BLOCK,
    ...pod.body,
  }
}

async function issue(platform: Platform, fields: Partial<AzureFields>, pod: Pod): Promise<string> {
  if (platform === 'snp')
    return encodeAzureSnpJson(await (await snpVm()).issue(fields, pod.options))
  const { collateral, ...evidence } = await (await tdxVm()).machine.issue(fields, pod.options)
  return encodeAzureTdxJson(pod.withCollateral === false ? evidence : { ...evidence, collateral })
}

type Answer = {
  status: number
  code?: string
  checks?: { name: string; result: string }[]
  encrypted_partial_sig: string
  binding?: string
  marks?: string[]
}

async function ask(world: World, body: SecretsBody): Promise<Answer> {
  const response = await post(world, '/secrets', body, PROBLEM)
  const answer: Omit<Answer, 'status'> = await response.json()
  return { ...answer, status: response.status }
}

function expectGrant(world: World, answer: Answer): void {
  expect(answer, JSON.stringify(answer)).toMatchObject({ status: 200 })
  const share = world.sharing.shares.get(world.operator) ?? 0n
  expect(openPartial(RSA, answer)).toEqual(partialSign(share, APP))
}

type Attack = {
  name: string
  /** On one platform only; otherwise on both. */
  on?: Platform
  setup?: Setup
  pod?: Pod
  send?: () => Promise<SecretsBody>
  /** Status as Go operators answer at this step, code, and the one check that failed; a refusal that is no named check gives none. */
  expect: readonly [number, string, string?]
}

const report = (fields: NonNullable<AzureSnpOptions['report']>): Pod => ({
  options: { report: fields },
})
const vm = (fields: Partial<AzureFields>): Pod => ({ vm: fields })

const ATTACKS: readonly Attack[] = [
  {
    name: 'a paravisor of somebody who owns such hardware',
    on: 'snp',
    pod: report({ idKeyDigest: new Uint8Array(48).fill(0x1e) }),
    expect: [401, 'EVIDENCE_NOT_ALLOWED', 'azure.policy.paravisor'],
  },
  {
    name: 'a paravisor that nobody signed',
    on: 'snp',
    pod: report({ idKeyDigest: new Uint8Array(48) }),
    expect: [401, 'EVIDENCE_NOT_ALLOWED', 'azure.policy.paravisor'],
  },
  {
    name: 'a paravisor of somebody who owns such hardware, TDX',
    on: 'tdx',
    pod: { options: { tdx: { report: { mrTd: new Uint8Array(48).fill(0x7e) } } } },
    expect: [401, 'EVIDENCE_NOT_ALLOWED', 'azure.policy.paravisor'],
  },
  {
    name: 'a container group with a vTPM of its own making',
    on: 'snp',
    pod: report({ hostData: new Uint8Array(32).fill(1) }),
    expect: [401, 'EVIDENCE_NOT_ALLOWED', 'azure.policy.host-data'],
  },
  {
    name: 'a report of the guest instead of the paravisor',
    on: 'snp',
    pod: report({ vmpl: 2 }),
    expect: [401, 'EVIDENCE_NOT_ALLOWED', 'snp.policy.vmpl'],
  },
  {
    name: 'an older paravisor than the operator demands',
    on: 'snp',
    setup: { azure: `${COVERING}\nminimum_guest_svn = 11` },
    pod: report({ guestSvn: 10 }),
    expect: [401, 'EVIDENCE_NOT_ALLOWED', 'snp.policy.guest-svn'],
  },
  {
    name: 'a TCB below the floor of the processor',
    on: 'snp',
    setup: { tables: '[attestation.minimum_tcb.Milan]\nsnp = 99' },
    expect: [401, 'TCB_TOO_OLD', 'snp.policy.minimum-tcb'],
  },
  {
    name: 'a debuggable TD',
    on: 'tdx',
    pod: { options: { tdx: { report: { tdAttributes: (1n << 28n) | 1n } } } },
    expect: [401, 'EVIDENCE_NOT_ALLOWED', 'tdx.policy.debug'],
  },
  {
    name: 'another boot loader',
    pod: vm({ pcrs: new Map([[4, OTHER_REGISTER]]) }),
    expect: [401, 'EVIDENCE_NOT_ALLOWED', 'azure.policy.pcrs'],
  },
  {
    name: 'another kernel behind the same boot loader',
    pod: vm({
      pcrs: new Map([
        [4, new Uint8Array(32).fill(0x44)],
        [11, OTHER_REGISTER],
      ]),
    }),
    expect: [401, 'EVIDENCE_NOT_ALLOWED', 'azure.policy.pcrs'],
  },
  {
    name: 'a VM without secure boot',
    pod: vm({ secureBoot: false }),
    expect: [401, 'EVIDENCE_NOT_ALLOWED', 'azure.policy.secure-boot'],
  },
  {
    name: 'a VM with a console where that is not allowed',
    setup: { azure: `${COVERING}\nallow_console = false` },
    expect: [401, 'EVIDENCE_NOT_ALLOWED', 'azure.policy.console'],
  },
  {
    name: 'a report of the boot where a fresh one is demanded',
    setup: { azure: `${COVERING}\nrequire_fresh_report = true` },
    pod: vm({ version: 1 }),
    expect: [401, 'EVIDENCE_NOT_ALLOWED', 'azure.policy.fresh-report'],
  },
  {
    name: 'registers that the vTPM did not sign',
    pod: {
      options: {
        editQuote: (message) => message.with(message.length - 1, 1 ^ (message.at(-1) ?? 0)),
      },
    },
    expect: [401, 'EVIDENCE_INVALID', 'azure.quote-pcr-digest'],
  },
  {
    name: 'a quote over some of the registers',
    pod: vm({ selection: [0, 1, 2, 3, 4, 5, 6, 7, 8] }),
    expect: [401, 'EVIDENCE_INVALID', 'azure.quote-pcr-selection'],
  },
  {
    name: 'the runtime data of another key under a genuine report',
    pod: {
      options: {
        editHcl: (bytes) => {
          const at = Buffer.from(bytes).indexOf('"n":"') + 10
          bytes[at] = bytes[at] === 0x41 ? 0x42 : 0x41
        },
      },
    },
    expect: [401, 'EVIDENCE_INVALID', 'azure.runtime-data-hash'],
  },
  {
    name: 'a quote without collateral from anybody',
    on: 'tdx',
    pod: { withCollateral: false },
    expect: [503, 'COLLATERAL_UNAVAILABLE', 'tdx.collateral'],
  },
  {
    name: 'collateral that has run out',
    on: 'tdx',
    setup: { nowSeconds: TEST_TIME + 40 * DAY },
    expect: [401, 'EVIDENCE_INVALID', 'tdx.tcb-info.validity'],
  },
  {
    name: 'a swapped RSA key',
    pod: { body: { rsa_pubkey_tmp: toBase64(OTHER_RSA.pem) } },
    expect: [401, 'REPORT_DATA_MISMATCH', 'report-data.nonce'],
  },
  {
    name: 'evidence bound to the method of a plain guest',
    pod: { bind: { method: 'eigenx-snp' } },
    expect: [401, 'REPORT_DATA_MISMATCH', 'report-data.nonce'],
  },
  {
    name: 'evidence bound to another processor',
    on: 'snp',
    pod: { bind: { tee: 'tdx' } },
    expect: [401, 'REPORT_DATA_MISMATCH', 'report-data.nonce'],
  },
  {
    name: 'evidence made for another app',
    pod: { bind: { appId: `0x${'aa'.repeat(20)}` } },
    expect: [401, 'REPORT_DATA_MISMATCH', 'report-data.nonce'],
  },
  {
    name: 'initdata that was swapped after the evidence was made',
    pod: { body: { cc_init_data: toBase64(annotated(FOREIGN_INITDATA)) } },
    expect: [401, 'REPORT_DATA_MISMATCH', 'report-data.nonce'],
  },
  {
    name: 'report data of version 1',
    pod: {
      vm: {
        nonce: azureNonce(
          reportDataV1({
            rsaPem: RSA.pem,
            extraData: new Uint8Array(),
            initdataReceived: annotated(makeInitdata()),
          }),
        ),
      },
      body: { report_data_version: 1 },
    },
    expect: [401, 'REPORT_DATA_MISMATCH'],
  },
  {
    name: 'initdata that the agent did not extend register 8 with',
    pod: vm({ initdataDigest: OTHER_REGISTER }),
    expect: [401, 'INITDATA_MISMATCH', 'initdata.pcr8'],
  },
  {
    name: 'an anchored document in an image that nobody listed',
    setup: { azure: PARAVISORS },
    expect: [401, 'BINDING_TOO_WEAK', 'operator.self-asserted-initdata'],
  },
  {
    name: 'an anchored document in an image of which only the boot loader is known',
    setup: { azure: `${PARAVISORS}\nimages = [{ pcr4 = "${PCR4}" }]` },
    expect: [401, 'BINDING_TOO_WEAK', 'operator.self-asserted-initdata'],
  },
  {
    name: 'a known image in which nothing anchored the document',
    pod: { anchored: false },
    expect: [401, 'BINDING_TOO_WEAK', 'operator.self-asserted-initdata'],
  },
  {
    name: 'a policy that admits another image',
    pod: { initdata: annotated(FOREIGN_INITDATA) },
    expect: [403, 'RELEASE_MISMATCH', 'policy.release-enforced'],
  },
  {
    name: 'a processor below the lowest TCB of the release',
    on: 'snp',
    setup: {
      release: { publicEnv: { EIGENX_TEE_MINIMUM_SNP_TCB: 'Milan=uc255,Genoa=uc255,Turin=uc255' } },
    },
    expect: [403, 'TCB_TOO_OLD', 'release.minimum-snp-tcb'],
  },
  {
    name: 'a status that the release does not allow',
    on: 'tdx',
    setup: { release: { publicEnv: { EIGENX_TEE_TDX_STATUSES: 'OutOfDate' } } },
    expect: [403, 'EVIDENCE_NOT_ALLOWED', 'release.tdx-statuses'],
  },
  {
    name: 'the name of the plain method of its processor',
    on: 'snp',
    pod: { body: { attestation_method: 'eigenx-snp' } },
    expect: [401, 'EVIDENCE_MALFORMED'],
  },
  {
    name: 'the name of the method of the other processor',
    on: 'snp',
    pod: { body: { attestation_method: 'az-tdx-vtpm' } },
    expect: [401, 'EVIDENCE_MALFORMED'],
  },
  {
    name: 'evidence of a plain guest of the same processor',
    on: 'snp',
    send: async () => ({
      ...(await makeBody(await authorityOf(), { rsa: RSA, method: METHOD.snp })),
      attestation_method: METHOD.snp,
    }),
    expect: [401, 'EVIDENCE_MALFORMED'],
  },
  {
    name: 'hardware of a look-alike authority',
    on: 'snp',
    send: async () => {
      const lookAlike = await authorityOf('Milan', 'VCEK', 'look-alike')
      const evidence = await createAzureSnpMachine(lookAlike).issue()
      const attestation = toBase64(utf8ToBytes(encodeAzureSnpJson(evidence)))
      return { ...(await azureBody('snp')), attestation }
    },
    expect: [401, 'EVIDENCE_INVALID', 'snp.leaf-signature'],
  },
  {
    name: 'the method where it is not enabled',
    setup: { methods: '"eigenx-snp", "eigenx-tdx"' },
    expect: [401, 'METHOD_DISABLED'],
  },
  {
    name: 'bytes that are no evidence',
    pod: { body: { attestation: toBase64(new Uint8Array(4096).fill(0xff)) } },
    expect: [401, 'EVIDENCE_MALFORMED'],
  },
  {
    name: 'more than any evidence',
    pod: { body: { attestation: toBase64(new Uint8Array(256 * 1024 + 1)) } },
    expect: [400, 'INPUT_TOO_LARGE'],
  },
]

describe.each(['snp', 'tdx'] as const)('a grant on evidence of an Azure VM, %s', (platform) => {
  it.each([0, 1, 2] as const)(
    'goes to a known image that anchored the document, version %i of its agent',
    async (version) => {
      const world = await azureWorld()
      const answer = await ask(world, await azureBody(platform, { vm: { version } }))
      expectGrant(world, answer)
      expect(answer.binding).toBe('pcr8')
      expect(answer.marks).toBeUndefined()
      const passed = ['azure.quote-signature', 'azure.policy.paravisor', 'initdata.pcr8']
      for (const name of passed) expect(world.log()).toContain(`{"name":"${name}"`)
    },
  )

  it('is marked where nobody vouches for the initdata and both sides allow it', async () => {
    const world = await azureWorld({
      azure: PARAVISORS,
      attestation: 'allow_self_asserted_initdata = true',
      release: { publicEnv: { EIGENX_TEE_MIN_BINDING: 'report_data' } },
    })
    const answer = await ask(world, await azureBody(platform, { anchored: false }))
    expectGrant(world, answer)
    expect(answer.binding).toBe('report_data')
    expect(answer.marks).toEqual(['self-asserted-initdata', 'unmeasured-image'])
  })

  it('goes to an image that lets nobody else name the document', async () => {
    const azure = COVERING.replace('covers_image', 'binds_initdata = true, covers_image')
    const world = await azureWorld({ azure })
    const answer = await ask(world, await azureBody(platform, { anchored: false }))
    expectGrant(world, answer)
    expect(answer.binding).toBe('report_data')
  })

  it('does not ask for launch digests of plain guests', async () => {
    const other = '99'.repeat(48)
    const world = await azureWorld({
      attestation: [
        'vmpls = [3]',
        'minimum_guest_abi = "255.0"',
        `id_key_digests = ["${other}"]`,
        `author_key_digests = ["${other}"]`,
        `family_ids = ["${'99'.repeat(16)}"]`,
        `image_ids = ["${'99'.repeat(16)}"]`,
      ].join('\n'),
      tables: [
        `[[attestation.measurements]]\nvalue = "${other}"`,
        '[attestation.tdx]',
        'xfam = "0x3"',
        'allow_pks = false',
        `rtmr0 = ["${other}"]`,
        `mr_owners = ["${other}"]`,
        `mr_owner_configs = ["${other}"]`,
        `measurements = [{ mrtd = "${other}" }]`,
      ].join('\n'),
    })
    expectGrant(world, await ask(world, await azureBody(platform)))
  })
})

describe('a pod in an Azure VM is refused for', () => {
  const rows = ATTACKS.flatMap((attack) =>
    (attack.on === undefined ? (['snp', 'tdx'] as const) : [attack.on]).map(
      (platform) => [attack.name, platform, attack] as const,
    ),
  )
  it.each(rows)('%s, %s', async (_name, platform, attack) => {
    const world = await azureWorld(attack.setup)
    const body = await (attack.send?.() ?? azureBody(platform, attack.pod))
    const answer = await ask(world, body)
    const [status, code, check] = attack.expect
    expect(answer, JSON.stringify(answer)).toMatchObject({ status, code })
    expect(answer).not.toHaveProperty('encrypted_partial_sig')
    const failed = (answer.checks ?? []).filter(({ result }) => result === 'failed')
    expect(failed.map(({ name }) => name)).toEqual(check === undefined ? [] : [check])
  })
})

describe('the settings of Azure', () => {
  const parse = (lines: string) =>
    refusalOf(() => parseKmsConfig(operatorToml(undefined, `[attestation]\n${lines}`)))
  const at = (path: string) => ({ code: 'CONFIG_INVALID', details: { path } })
  const images = (text: string) => `[attestation.azure]\nimages = [{ ${text} }]`

  it.each([
    ['methods = ["az-snp-vtpm"]', 'attestation.azure.id_key_digests'],
    ['methods = ["az-tdx-vtpm"]', 'attestation.azure.mrtds'],
    [images(`pcr4 = "${PCR4}", covers_image = true`), 'attestation.azure.images.0.covers_image'],
    [images(`pcr11 = "${PCR11}", covers_image = true`), 'attestation.azure.images.0.covers_image'],
    [images('covers_image = false'), 'attestation.azure.images.0'],
    [images(`pcr8 = "${PCR4}"`), 'attestation.azure.images.0.pcr8'],
    [images(`pcr16 = "${PCR4}"`), 'attestation.azure.images.0.pcr16'],
    [images(`pcr4 = "${PCR4.slice(2)}"`), 'attestation.azure.images.0.pcr4'],
  ])('refuse %s', (lines, path) => {
    expect(parse(lines)).toEqual(at(path))
  })

  it('leave both methods off by default', async () => {
    const { attestation } = parseKmsConfig(operatorToml())
    expect(attestation.methods).toEqual(['eigenx-snp'])
    expect(attestation.azure).toMatchObject({ requireSecureBoot: true, images: [] })
  })
})
