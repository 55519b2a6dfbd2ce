/** `release prepare`: files for the pod and pins for the chain, from a pod's YAML or a finished document. @module */
import { join } from 'node:path'
import { layoutColumns } from '../../kms/terminal.ts'
import { INITDATA_ANNOTATION, MAX_INITDATA_ENCODED } from '../../policy/initdata.ts'
import { describeInitdata, type PreparedRelease, prepareRelease } from '../../policy/prepare.ts'
import type { ImageConfig } from '../../policy/prepare-container.ts'
import type { Finding } from '../../policy/types.ts'
import { parseUtf8 } from '../../sdk/bytes.ts'
import { printable } from '../printable.ts'
import {
  type ExitCode,
  type Io,
  makeOutputFolder,
  readInput,
  readTextInput,
  UsageError,
  writeOutput,
} from './io.ts'
import { createPaint } from './terminal.ts'

const POD = { field: 'a pod’s YAML or initdata', maxBytes: MAX_INITDATA_ENCODED }
const CONFIG = { field: 'a file of initdata', maxBytes: MAX_INITDATA_ENCODED }
const IMAGE_CONFIG = { field: 'the configuration of an image', maxBytes: MAX_INITDATA_ENCODED }

export type ReleaseInput = {
  pod: string
  config?: string
  aa?: string
  cdh?: string
  /** `image=file` pairs. */
  imageConfig?: readonly string[]
  appContainer?: string
  allowLogs?: boolean
  out?: string
  json: boolean
}

export async function prepareReleaseFiles(io: Io, input: ReleaseInput): Promise<ExitCode> {
  const bytes = await readInput(io, input.pod, POD)
  return isPodYaml(bytes) ? prepareFromPod(io, input, bytes) : describeDocument(io, input, bytes)
}

async function prepareFromPod(io: Io, input: ReleaseInput, bytes: Uint8Array): Promise<ExitCode> {
  const prepared = prepareRelease({
    podYaml: parseUtf8(bytes) ?? '',
    files: await readFiles(io, input),
    imageConfigs: await readImageConfigs(io, input.imageConfig ?? []),
    ...(input.appContainer === undefined ? {} : { appContainer: input.appContainer }),
    ...(input.allowLogs === undefined ? {} : { allowLogs: input.allowLogs }),
  })
  const release = {
    imageDigest: prepared.imageDigest,
    publicEnv: prepared.pins,
    containerPolicy: { args: prepared.args, env: prepared.env },
  }
  if (input.out !== undefined) await writeFolder(io, input.out, prepared, release)
  if (input.json)
    io.out(
      JSON.stringify(
        { ...release, annotation: prepared.annotation, findings: prepared.findings },
        null,
        2,
      ),
    )
  else {
    printPins(io, prepared.imageDigest, prepared.pins)
    printFindings(io, prepared.findings)
    if (input.out === undefined) {
      io.out('')
      io.out(`${prepared.annotation.name}: ${prepared.annotation.value}`)
    } else
      io.out(`\nWrote policy.rego, initdata.toml, annotation.txt and release.json to ${input.out}`)
  }
  return hasRefusal(prepared.findings) ? 1 : 0
}

/** A document made with other tools: its pin, and what its policy admits. */
function describeDocument(io: Io, input: ReleaseInput, bytes: Uint8Array): ExitCode {
  for (const option of ['config', 'aa', 'cdh', 'out', 'imageConfig', 'appContainer'] as const)
    if (input[option] !== undefined)
      throw new UsageError(
        'a finished initdata document is only described: no further options apply',
      )
  const { pins, analysis } = describeInitdata(bytes)
  const findings = analysis?.findings ?? []
  if (input.json) io.out(JSON.stringify({ publicEnv: pins, findings }, null, 2))
  else {
    printPins(io, undefined, pins)
    if (analysis === undefined)
      io.out('There is no policy.rego: the agent in the pod then allows everything.')
    printFindings(io, findings)
  }
  // The pin makes the release exact whatever the policy allows; that this is wanted is for its author to say.
  return 0
}

/** YAML of a pod has an apiVersion; an initdata document is TOML or base64. */
function isPodYaml(bytes: Uint8Array): boolean {
  return /^\s*("?apiVersion"?|"?kind"?)\s*:/m.test(parseUtf8(bytes) ?? '')
}

async function readFiles(io: Io, input: ReleaseInput): Promise<Record<string, string>> {
  const named = [
    ['eigenx.toml', input.config],
    ['aa.toml', input.aa],
    ['cdh.toml', input.cdh],
  ] as const
  const files: Record<string, string> = {}
  for (const [name, path] of named)
    if (path !== undefined) files[name] = await readTextInput(io, path, CONFIG)
  return files
}

async function readImageConfigs(
  io: Io,
  pairs: readonly string[],
): Promise<Record<string, ImageConfig>> {
  const configs: Record<string, ImageConfig> = {}
  for (const pair of pairs) {
    const at = pair.lastIndexOf('=')
    if (at <= 0) throw new UsageError('--image-config: expected <image as written>=<file>')
    configs[pair.slice(0, at)] = parseImageConfig(
      await readTextInput(io, pair.slice(at + 1), IMAGE_CONFIG),
      pair,
    )
  }
  return configs
}

/** The image's configuration as `skopeo inspect --config` prints it, or its `config` object alone. */
function parseImageConfig(text: string, source: string): ImageConfig {
  const document = asObject(parseJson(text))
  const config = asObject(document?.config) ?? document
  if (config === undefined)
    throw new UsageError(`${source}: not the JSON of an image configuration`)
  const list = (name: string) => readStrings(config[name])
  const line = (name: string) => (typeof config[name] === 'string' ? config[name] : undefined)
  const [entrypoint, cmd, env] = [list('Entrypoint'), list('Cmd'), list('Env')]
  const [workingDir, user] = [line('WorkingDir'), line('User')]
  return {
    ...(entrypoint === undefined ? {} : { entrypoint }),
    ...(cmd === undefined ? {} : { cmd }),
    ...(env === undefined ? {} : { env }),
    ...(workingDir === undefined ? {} : { workingDir }),
    ...(user === undefined ? {} : { user }),
  }
}

function readStrings(value: unknown): readonly string[] | undefined {
  if (!Array.isArray(value)) return undefined
  const items: unknown[] = value
  return items.every((item) => typeof item === 'string') ? items : undefined
}

function asObject(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value))
    : undefined
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

async function writeFolder(
  io: Io,
  folder: string,
  prepared: PreparedRelease,
  release: object,
): Promise<void> {
  await makeOutputFolder(io, folder)
  await writeOutput(io, join(folder, 'policy.rego'), prepared.policyRego)
  await writeOutput(io, join(folder, 'initdata.toml'), prepared.initdataToml)
  await writeOutput(io, join(folder, 'annotation.txt'), `${prepared.annotation.value}\n`)
  await writeOutput(io, join(folder, 'release.json'), `${JSON.stringify(release, null, 2)}\n`)
}

function printPins(
  io: Io,
  imageDigest: string | undefined,
  pins: Readonly<Record<string, string>>,
): void {
  const paint = createPaint(io.color)
  if (imageDigest !== undefined) io.out(`${paint('bold', 'Image')}  ${imageDigest}`)
  io.out(paint('bold', 'publicEnv of the release'))
  for (const line of layoutColumns(Object.entries(pins))) io.out(`  ${line}`)
  io.out(`${paint('bold', 'Annotation of the pod')}  ${INITDATA_ANNOTATION}`)
}

function printFindings(io: Io, findings: readonly Finding[]): void {
  const paint = createPaint(io.color)
  for (const { severity, code, path, message } of findings) {
    const style = severity === 'refuse' ? 'red' : severity === 'warn' ? 'yellow' : 'dim'
    io.out(`${paint(style, severity.padEnd(6))} ${code}  ${printable(path)}`)
    io.out(`       ${printable(message)}`)
  }
}

function hasRefusal(findings: readonly Finding[]): boolean {
  return findings.some((finding) => finding.severity === 'refuse')
}
