/**
 * `release prepare`: from a pod manifest and the guest's configuration files to everything a release needs: the
 * policy.rego with our rules, the initdata document, the annotation, and the values to put on chain.
 *
 * Offline and deterministic: the same input gives the same bytes. What an image brings along (entrypoint, variables,
 * working directory, user) is not known offline, so it is either written in the manifest or given as the image's
 * configuration; a command is never guessed.
 * @module
 */

import { parse as parseToml, stringify as stringifyToml } from 'smol-toml'
import { bytesToHex, utf8ToBytes } from '../sdk/bytes.ts'
import { EigenxError } from '../sdk/errors.ts'
import { analysePolicy } from './analyse.ts'
import { EIGENX_RULES } from './eigenx/rules.ts'
import { EIGENX_POLICY_FORMAT } from './eigenx-data.ts'
import { encodeInitdata, INITDATA_ANNOTATION, parseInitdata } from './initdata.ts'
import type { JsonObject } from './json.ts'
import { hashArgs } from './judge-container.ts'
import { checkPod, type Pod, parsePod, podInvalid, reportUnknownFields } from './pod.ts'
import { type ImageConfig, makeContainer, type PreparedContainer } from './prepare-container.ts'
import { joinPolicy } from './rego.ts'
import { PIN_KEYS } from './release.ts'
import type { Finding, Initdata, InitdataAlgorithm, PolicyAnalysis } from './types.ts'

export type PrepareInput = {
  podYaml: string
  /** Other files of `[data]`: aa.toml, cdh.toml, eigenx.toml. */
  files: Readonly<Record<string, string>>
  /** Image as written in the manifest -> the digest it stands for (`sha256:<hex>` or a whole reference). */
  images?: Readonly<Record<string, string>>
  /** Image as written in the manifest -> its configuration. */
  imageConfigs?: Readonly<Record<string, ImageConfig>>
  /** The container that the release is about; the first one by default. */
  appContainer?: string
  /** The host may read the containers' output (`kubectl logs`). */
  allowLogs?: boolean
  algorithm?: InitdataAlgorithm
}

export type PreparedRelease = {
  policyRego: string
  initdataToml: string
  /** SHA-384 of the document, lower-case hex. */
  initdataSha384: string
  annotation: { name: string; value: string }
  /** What belongs into the release's publicEnv. */
  pins: Readonly<Record<string, string>>
  imageDigest: string
  /** The whole command of the app's container, for ContainerPolicy.args. */
  args: readonly string[]
  /** The whole environment of the app's container, for ContainerPolicy.env. */
  env: Readonly<Record<string, string>>
  findings: readonly Finding[]
  analysis: PolicyAnalysis
}

/** @throws EigenxError CONFIG_INVALID, INPUT_TOO_LARGE */
export function prepareRelease(input: PrepareInput): PreparedRelease {
  const pod = parsePod(input.podYaml)
  checkPod(pod)
  const written = [...pod.containers, ...(pod.initContainers ?? [])]
  const prepared = written.map((item) =>
    makeContainer({
      pod,
      container: item,
      ...(input.images === undefined ? {} : { images: input.images }),
      ...(input.imageConfigs === undefined ? {} : { imageConfigs: input.imageConfigs }),
    }),
  )
  const app = findApp(prepared, input.appContainer)
  const policyRego = joinPolicy(EIGENX_RULES, policyData(pod, prepared, input.allowLogs === true))
  const initdataToml = stringifyInitdata({
    algorithm: input.algorithm ?? 'sha384',
    data: { ...checkFiles(input.files), 'policy.rego': policyRego },
  })
  const annotation = encodeInitdata(utf8ToBytes(initdataToml))
  // Read back what was written: the pins are those of the document as an operator reads it.
  const initdata = parseInitdata(utf8ToBytes(annotation))
  const analysis = analysePolicy(policyRego)
  return {
    policyRego,
    initdataToml,
    initdataSha384: bytesToHex(initdata.sha384),
    annotation: { name: INITDATA_ANNOTATION, value: annotation },
    pins: makePins(initdata, prepared, app, input.allowLogs === true),
    imageDigest: app.imageDigest,
    args: app.args,
    env: app.env,
    findings: [
      ...prepared.flatMap((container) => container.findings),
      ...written.flatMap((item) => reportUnknownFields(item)),
      ...analysis.findings,
    ],
    analysis,
  }
}

export type InitdataDescription = {
  initdata: Initdata
  initdataSha384: string
  /** Absent where the document has no policy.rego: then a guest allows everything. */
  analysis: PolicyAnalysis | undefined
  pins: Readonly<Record<string, string>>
}

/** The pins of an existing document, and what its policy allows. @throws EigenxError INITDATA_INVALID */
export function describeInitdata(received: Uint8Array): InitdataDescription {
  const initdata = parseInitdata(received)
  const rego = initdata.data['policy.rego']
  const initdataSha384 = bytesToHex(initdata.sha384)
  return {
    initdata,
    initdataSha384,
    analysis: rego === undefined ? undefined : analysePolicy(rego),
    pins: { [PIN_KEYS.initdata]: initdataSha384 },
  }
}

/** One document, files in the order of their names. */
export function stringifyInitdata(document: {
  algorithm: InitdataAlgorithm
  data: Readonly<Record<string, string>>
}): string {
  const names = Object.keys(document.data).sort()
  const data = Object.fromEntries(names.map((name) => [name, document.data[name] ?? '']))
  return stringifyToml({ version: '0.1.0', algorithm: document.algorithm, data })
}

function findApp(prepared: readonly PreparedContainer[], name: string | undefined) {
  const app = name === undefined ? prepared[0] : prepared.find((item) => item.name === name)
  if (app !== undefined) return app
  throw podInvalid('spec.containers', `No container has the name ${JSON.stringify(name)}.`)
}

function policyData(
  pod: Pod,
  prepared: readonly PreparedContainer[],
  allowLogs: boolean,
): JsonObject {
  // kubelet adds the API server's variables in any case.
  const links = pod.enableServiceLinks === false ? 'kubernetes_links' : 'service_links'
  return {
    format: EIGENX_POLICY_FORMAT,
    containers: prepared.map((container) => container.data),
    env_patterns: ['hostname', links],
    request_defaults: { ReadStreamRequest: allowLogs },
  }
}

function checkFiles(files: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  for (const [name, content] of Object.entries(files)) {
    if (name === 'policy.rego') throw fileInvalid(name, 'it is written by this command')
    if (!name.endsWith('.toml')) continue
    try {
      parseToml(content)
    } catch {
      throw fileInvalid(name, 'it is not well-formed TOML')
    }
  }
  return files
}

function fileInvalid(name: string, reason: string): EigenxError<'CONFIG_INVALID'> {
  return new EigenxError({
    code: 'CONFIG_INVALID',
    message: `The file ${JSON.stringify(name.slice(0, 64))} cannot go into the initdata: ${reason}.`,
    stage: 'config',
    details: { path: name },
  })
}

function makePins(
  initdata: Initdata,
  prepared: readonly PreparedContainer[],
  app: PreparedContainer,
  allowLogs: boolean,
): Readonly<Record<string, string>> {
  const further = prepared
    .filter((container) => container.imageDigest !== app.imageDigest)
    .map((container) => `${container.imageDigest}=${hashArgs(container.args)}`)
  return {
    [PIN_KEYS.initdata]: bytesToHex(initdata.sha384),
    ...(further.length === 0 ? {} : { [PIN_KEYS.images]: [...new Set(further)].sort().join(',') }),
    ...(allowLogs ? { [PIN_KEYS.allowLogs]: 'true' } : {}),
  }
}
