import { parseEigenxToml } from '../../helper/config.ts'
import { parseKmsConfig } from '../../kms/config.ts'
import { analysePolicy } from '../../policy/analyse.ts'
import { parseImageReference } from '../../policy/image.ts'
import { encodeInitdata, parseInitdata } from '../../policy/initdata.ts'
import { readStrictJson } from '../../policy/json.ts'
import { checkPod, parsePod } from '../../policy/pod.ts'
import { prepareRelease } from '../../policy/prepare.ts'
import { joinPolicy, splitPolicy } from '../../policy/rego.ts'
import { PIN_KEYS, releaseDemand } from '../../policy/release.ts'
import { parseTcbFloor } from '../../policy/tcb-floor.ts'
import { equalBytes, utf8ToBytes } from '../../sdk/bytes.ts'
import {
  JSON_TOKENS,
  json,
  ofJson,
  ofText,
  same,
  type Target,
  TOML_TOKENS,
  textOf,
  textual,
  total,
} from './kit.ts'

const pinKeys: readonly string[] = Object.values(PIN_KEYS)
const PINS = {
  EIGENX_TEE_INITDATA_SHA384: `${'ab'.repeat(48)},0x${'CD'.repeat(48)}`,
  EIGENX_TEE_IMAGES: `sha256:${'12'.repeat(32)},sha256:${'34'.repeat(32)}=${'56'.repeat(32)}`,
  EIGENX_TEE_LAYER_ROOTS: `sha256:${'12'.repeat(32)}=${'78'.repeat(32)}:${'9a'.repeat(32)}`,
  EIGENX_TEE_MIN_BINDING: 'launch',
  EIGENX_TEE_METHODS: 'eigenx-snp,eigenx-tdx',
  EIGENX_TEE_MEASUREMENTS: 'ef'.repeat(48),
  EIGENX_TEE_TDX_STATUSES: 'UpToDate',
  EIGENX_TEE_MINIMUM_SNP_TCB: 'Milan=bl4.snp24,Turin=fmc1.snp3',
  EIGENX_TEE_REFUSE_MARKS: 'tcb-grace',
}

/** A release whose public environment is the value: a map of strings, as the chain's reader gives it. */
function readPins(value: unknown) {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const entries = Object.entries(value)
  if (!entries.every((entry): entry is [string, string] => typeof entry[1] === 'string'))
    return undefined
  const publicEnv = Object.fromEntries(entries)
  const imageDigest = `sha256:${'12'.repeat(32)}`
  const containerPolicy = { args: [], cmdOverride: [], env: {}, envOverride: {}, restartPolicy: '' }
  const demand = releaseDemand({ app: APP, imageDigest, publicEnv, containerPolicy })
  return { demand, publicEnv }
}

const APP = `0x${'12'.repeat(20)}`
const ADDRESS = `0x${'ab'.repeat(20)}`
const POD = JSON.stringify({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'app' },
  spec: {
    runtimeClassName: 'kata-qemu-snp',
    containers: [
      {
        name: 'app',
        image: `ghcr.io/acme/app@sha256:${'ab'.repeat(32)}`,
        command: ['/usr/bin/app'],
        args: ['--serve'],
        workingDir: '/srv',
        env: [{ name: 'MODE', value: 'production' }],
        securityContext: { runAsUser: 1000, runAsGroup: 1000, capabilities: { drop: ['ALL'] } },
      },
    ],
  },
})
let prepared: ReturnType<typeof prepareRelease> | undefined
function released() {
  prepared ??= prepareRelease({
    podYaml: POD,
    files: { 'eigenx.toml': `version = 1\napp_id = "${APP}"\n` },
  })
  return prepared
}

const EIGENX_TOML = `version = 1
app_id = "${APP}"
[chain]
chain_id = 31337
rpc_urls = ["http://127.0.0.1:8545"]
quorum = 1
[operators]
avs_address = "${ADDRESS}"
operator_set_id = 3
allocation_manager = "${ADDRESS}"
key_registrar = "${ADDRESS}"
epoch_log = "${ADDRESS}"
[attestation]
method = "eigenx-snp"
report_data = "v2"
aa_url = "http://127.0.0.1:8006"
`
const OPERATOR_TOML = `[operator]
address = "${ADDRESS}"
signing_key_file = "signing.key"
[chain]
chain_id = 31337
rpc_urls = ["http://127.0.0.1:8545"]
[contracts]
${['allocation_manager', 'key_registrar', 'app_controller', 'epoch_log', 'avs'].map((name) => `${name} = "${ADDRESS}"`).join('\n')}
operator_set_id = 0
[store]
path = "operator.db"
key_file = "store.key"
`

export const POLICY_TARGETS: readonly Target[] = [
  {
    name: 'initdata',
    seeds: () => [
      utf8ToBytes(released().initdataToml),
      utf8ToBytes(released().annotation.value),
      utf8ToBytes('version = "0.1.0"\nalgorithm = "sha256"\n[data]\n"a" = "b"\n'),
      utf8ToBytes(encodeInitdata(utf8ToBytes('version = "0.1.0"\nalgorithm = "sha512"\n[data]\n'))),
    ],
    dictionary: [
      ...TOML_TOKENS,
      '[data]',
      '"policy.rego"',
      'algorithm = "sha384"',
      'H4sI',
      '=',
      '-_',
    ],
    prepare: () =>
      total(parseInitdata, (read) => {
        const again = parseInitdata(utf8ToBytes(encodeInitdata(read.toml)))
        return equalBytes(again.digest, read.digest) && same(again.data, read.data)
      }),
    cost: 10,
  },
  {
    name: 'policy-split',
    seeds: () => [
      utf8ToBytes(released().policyRego),
      utf8ToBytes('package agent_policy\npolicy_data := {"a": [1]}\n'),
    ],
    dictionary: [...JSON_TOKENS, '\npolicy_data := ', 'policy_data := {}', 'default X := true\n'],
    prepare: () =>
      total(ofText(splitPolicy), (parts) => {
        if (!parts.data.ok) return true
        const again = splitPolicy(joinPolicy(parts.rules, parts.data.value))
        return (
          again?.rulesSha256 === parts.rulesSha256 &&
          again.data.ok &&
          same(again.data.value, parts.data.value)
        )
      }),
    cost: 4,
  },
  {
    name: 'policy-analyse',
    seeds: () => [utf8ToBytes(released().policyRego)],
    dictionary: [
      ...JSON_TOKENS,
      '"containers"',
      '"image_digest"',
      '"env"',
      '"capabilities"',
      '"mounts"',
      'eigenx-tee/policy/1',
    ],
    prepare: () => total(ofText(analysePolicy)),
    cost: 20,
  },
  {
    ...textual(
      'pod-yaml',
      [
        POD,
        'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - {name: a, image: b}\n',
      ],
      (yaml) => {
        const pod = parsePod(yaml)
        checkPod(pod)
        return pod
      },
    ),
    dictionary: [...JSON_TOKENS, '&a ', '*a', '!!binary', '---\n', '? ', '- ', '|\n', '<<: '],
    cost: 20,
  },
  textual(
    'strict-json',
    ['{"a":[1,{"b":null}],"c":"\\u00e9"}'],
    (text) => {
      const read = readStrictJson(text)
      return read.ok ? { value: read.value } : undefined
    },
    ({ value }, bytes) => same(value, JSON.parse(textOf(bytes))),
  ),
  {
    name: 'release-pins',
    seeds: () => [json(PINS), json({ EIGENX_TEE_ALLOW_LOGS: 'true', MODE: 'production' })],
    dictionary: [
      ...JSON_TOKENS,
      ...Object.values(PIN_KEYS),
      ',',
      '=',
      ':',
      'Turin=fmc1',
      'eigenx_tee_images',
    ],
    prepare: () =>
      total(ofJson(readPins), ({ publicEnv }) =>
        Object.keys(publicEnv).every(
          (key) => !/^\s*eigenx_tee_/i.test(key) || pinKeys.includes(key),
        ),
      ),
    cost: 1,
  },
  textual(
    'tcb-floor',
    ['Milan=bl4.tee0.snp24.uc219', 'Turin=fmc1.snp3'],
    parseTcbFloor,
    ({ product, fmc, bootloader, tee, snp, microcode }, bytes) => {
      const levels = { fmc, bl: bootloader, tee, snp, uc: microcode }
      const parts = Object.entries(levels).flatMap(([name, value]) =>
        value === undefined ? [] : [`${name}${value}`],
      )
      return `${product}=${parts.join('.')}` === textOf(bytes)
    },
    ['Genoa', 'Turin', 'fmc', '=', '.', '256', '00', '-1', 'e1', ' '],
  ),
  textual(
    'image-reference',
    [
      'ghcr.io/acme/app:v1',
      `localhost:5000/a/b@sha256:${'ab'.repeat(32)}`,
      'alpine',
      '[::1]:5000/a:b',
    ],
    parseImageReference,
    ({ domain, path, tag, digest }, bytes) =>
      `${domain === undefined ? '' : `${domain}/`}${path}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}` ===
      textOf(bytes),
    [':', '/', '@', '//', '..', '__', '-', 'sha256:', 'sha512:', '[', ']', 'A', '\n', 'localhost'],
  ),
  textual(
    'eigenx-toml',
    [EIGENX_TOML, EIGENX_TOML.replace('"v2"', '"auto"')],
    parseEigenxToml,
    undefined,
    TOML_TOKENS,
    4,
  ),
  textual(
    'operator-toml',
    [OPERATOR_TOML],
    parseKmsConfig,
    undefined,
    [
      ...TOML_TOKENS,
      '[limits]\n',
      '[attestation]\n',
      '[listen]\n',
      '[policy]\n',
      '[development]\n',
    ],
    4,
  ),
]
