/** Attacks with the initdata: malformed documents and policies that allow more than the release. */
import { gzipSync } from 'node:zlib'
import { EIGENX_RULES } from '../../../policy/eigenx/rules.ts'
import { toBase64, utf8ToBytes } from '../../../sdk/bytes.ts'
import type { ErrorCode } from '../../../sdk/errors.ts'
import {
  annotated,
  COMMAND,
  container,
  IMAGE,
  makeInitdata,
  makePolicy,
  type PolicyOptions,
} from '../../kms/kit.ts'
import { type Attack, field } from '../table.ts'
import { OTHER_IMAGE } from '../world.ts'

/** A pod that was really booted with this policy: everything about the evidence is right. */
const booted =
  (policy: string): Attack['send'] =>
  (world) =>
    world.body({ initdata: annotated(makeInitdata(policy)) })

const permissive = (
  name: string,
  policy: string | PolicyOptions,
  code: ErrorCode = 'POLICY_TOO_PERMISSIVE',
): Attack => ({
  name: `policy: ${name}`,
  send: booted(typeof policy === 'string' ? policy : makePolicy(policy)),
  status: 403,
  code,
})

const RULES = EIGENX_RULES.trimEnd()
const DATA = makePolicy().slice(makePolicy().lastIndexOf('policy_data := '))

const policies: readonly Attack[] = [
  permissive('none at all', ''),
  permissive(
    'everything allowed',
    'package agent_policy\n\ndefault AllowRequestsFailingPolicy := true\n',
  ),
  permissive(
    'everything allowed, with the release’s data behind',
    `package agent_policy\ndefault CreateContainerRequest := true\n${DATA}`,
  ),
  permissive(
    'the image in a comment only',
    `package agent_policy\n# ghcr.io/example/app@${IMAGE}\ndefault CreateContainerRequest := true\n`,
  ),
  permissive(
    'the image in an unused variable',
    `package agent_policy\nunused := "ghcr.io/example/app@${IMAGE}"\ndefault CreateContainerRequest := true\n`,
  ),
  permissive('known rules with one bit more', { rules: `${RULES} ` }),
  permissive('known rules with a rule added', {
    rules: `${RULES}\ndefault ExecProcessRequest := true`,
  }),
  permissive('known rules with exec allowed', {
    rules: RULES.replace(
      'default ExecProcessRequest := false',
      'default ExecProcessRequest := true',
    ),
  }),
  permissive('known rules with SetPolicy allowed', {
    rules: RULES.replace('default SetPolicyRequest := false', 'default SetPolicyRequest := true'),
  }),
  permissive('a rule behind the data', `${makePolicy()}\ndefault ExecProcessRequest := true\n`),
  permissive('a second policy_data', `${makePolicy()}${DATA}`),
  permissive('data that is no JSON', `${RULES}\npolicy_data := {{{\n`),
  permissive(
    'a key given twice in the data',
    `${RULES}\n${DATA.replace('"env_patterns"', '"containers": [], "env_patterns"')}`,
  ),
  permissive('no container', { containers: [] }),
  permissive('data of another format', { data: { format: 'eigenx-tee/policy/2' } }),
  permissive('an unknown member', { data: { debug: true } }),
  permissive('the host may read the output', {
    data: { request_defaults: { ReadStreamRequest: true } },
  }),
  permissive('request defaults missing', { data: { request_defaults: {} } }),
  permissive('an exec request default', {
    data: { request_defaults: { ReadStreamRequest: false, ExecProcessRequest: ['sh'] } },
  }),
  permissive('another command', { containers: [container({ args: ['/bin/sh', '-c', 'env'] })] }),
  permissive('one more argument', {
    containers: [container({ args: [...COMMAND, '--insecure'] })],
  }),
  permissive('no arguments', { containers: [container({ args: [] })] }),
  permissive('a variable that loads code', {
    containers: [container({ env: ['LD_PRELOAD=/tmp/x.so'] })],
  }),
  permissive('files from the host', {
    containers: [
      container({ mounts: [{ destination: '/usr/bin', kind: 'files', read_only: true }] }),
    ],
  }),
  permissive('an image without a digest', {
    containers: [container({ image: 'ghcr.io/example/app:latest', digest: '' })],
  }),
  permissive('a name that contradicts the digest', {
    containers: [container({ image: `ghcr.io/example/app@${OTHER_IMAGE}`, digest: IMAGE })],
  }),
  permissive('a second container with the same image and a shell', {
    containers: [container(), container({ args: ['/bin/sh'] })],
  }),
  permissive(
    'an image that is not in the release',
    { containers: [container({ digest: OTHER_IMAGE })] },
    'RELEASE_MISMATCH',
  ),
  permissive(
    'a sidecar that is not in the release',
    { containers: [container(), container({ digest: OTHER_IMAGE })] },
    'RELEASE_MISMATCH',
  ),
  {
    name: 'policy: the image from another registry',
    send: booted(makePolicy({ containers: [container({ image: `evil.example/app@${IMAGE}` })] })),
    status: 403,
    code: 'RELEASE_MISMATCH',
  },
]

const TOML = new TextDecoder().decode(makeInitdata())
/** Bytes that no pod can have been booted with; they are refused before anything is compared. */
const broken = (name: string, bytes: Uint8Array, code: ErrorCode = 'INITDATA_INVALID'): Attack => ({
  name: `initdata: ${name}`,
  send: field('cc_init_data', toBase64(bytes)),
  status: 401,
  code,
})
const packed = (...parts: Uint8Array[]) =>
  utf8ToBytes(toBase64(Uint8Array.from(parts.flatMap((part) => [...part]))))

const documents: readonly Attack[] = [
  broken('nothing', new Uint8Array()),
  broken('no TOML', utf8ToBytes('= = =')),
  broken('a JSON document', utf8ToBytes('{"version":"0.1.0"}')),
  broken('bytes that are no text', new Uint8Array(100).fill(0xff)),
  broken('no version', utf8ToBytes(TOML.replace(/^version.*\n/m, ''))),
  broken('no algorithm', utf8ToBytes(TOML.replace(/^algorithm.*\n/m, ''))),
  broken('an unknown algorithm', utf8ToBytes(TOML.replace('"sha256"', '"md5"'))),
  broken('no data', utf8ToBytes('version = "0.1.0"\nalgorithm = "sha256"\n')),
  broken(
    'a file that is no text',
    utf8ToBytes('version = "0.1.0"\nalgorithm = "sha256"\n[data]\nx = 7\n'),
  ),
  broken('a key given twice', utf8ToBytes(`version = "0.1.0"\n${TOML}`)),
  broken('base64 that is none', utf8ToBytes('H4sI****')),
  broken('gzip cut short', packed(gzipSync(utf8ToBytes(TOML)).subarray(0, 40))),
  broken('gzip with a wrong checksum', packed(flipLast(gzipSync(utf8ToBytes(TOML))))),
  broken('two gzip members', packed(gzipSync(utf8ToBytes(TOML)), gzipSync(utf8ToBytes('\n')))),
  broken('bytes behind gzip', packed(gzipSync(utf8ToBytes(TOML)), new Uint8Array([0]))),
  broken(
    'nine megabytes in nine kilobytes',
    packed(gzipSync(new Uint8Array(9 * 1024 * 1024))),
    'INPUT_TOO_LARGE',
  ),
]

function flipLast(bytes: Uint8Array): Uint8Array {
  const out = Uint8Array.from(bytes)
  const at = out.length - 6
  out[at] = (out[at] ?? 0) ^ 1
  return out
}

export const initdataAttacks: readonly Attack[] = [...policies, ...documents]
