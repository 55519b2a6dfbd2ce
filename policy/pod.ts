/**
 * A pod manifest (or a workload with a pod template) as `release prepare` reads it: the fields that decide what the
 * guest runs, and a refusal for each that our rule set cannot fix.
 *
 * What is not listed here is either without effect in the guest or makes the agent refuse the container when the
 * pod boots; it can never let more through. Unknown fields are named in a warning.
 * @module
 */

import { z } from 'zod'
import { EigenxError } from '../sdk/errors.ts'
import { makeFinding, quote } from './findings.ts'
import { readYaml } from './pod-yaml.ts'
import type { Finding } from './types.ts'

const MAX_CONTAINERS = 32

const name = z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/)
const id = z.number().int().min(0).max(0xffff_ffff)
const probe = z.looseObject({ exec: z.unknown().optional() })

const securityContext = z.looseObject({
  runAsUser: id.optional(),
  runAsGroup: id.optional(),
  fsGroup: id.optional(),
  supplementalGroups: z.array(id).max(64).optional(),
  privileged: z.boolean().optional(),
  allowPrivilegeEscalation: z.boolean().optional(),
  readOnlyRootFilesystem: z.boolean().optional(),
  capabilities: z
    .strictObject({
      add: z.array(z.string()).max(64).optional(),
      drop: z.array(z.string()).max(64).optional(),
    })
    .optional(),
})

const container = z.looseObject({
  name,
  image: z.string().min(1).max(1024),
  command: z.array(z.string()).max(1024).optional(),
  args: z.array(z.string()).max(1024).optional(),
  workingDir: z.string().startsWith('/').optional(),
  env: z
    .array(
      z.strictObject({
        name: z.string().regex(/^[^=\0]+$/),
        value: z.string().optional(),
        valueFrom: z.unknown().optional(),
      }),
    )
    .max(1024)
    .optional(),
  envFrom: z.array(z.unknown()).optional(),
  volumeMounts: z
    .array(
      z.looseObject({
        name: z.string(),
        mountPath: z.string().startsWith('/'),
        readOnly: z.boolean().optional(),
        subPath: z.string().optional(),
        subPathExpr: z.string().optional(),
      }),
    )
    .max(256)
    .optional(),
  volumeDevices: z.array(z.unknown()).optional(),
  securityContext: securityContext.optional(),
  livenessProbe: probe.optional(),
  readinessProbe: probe.optional(),
  startupProbe: probe.optional(),
  lifecycle: z.unknown().optional(),
  terminationMessagePath: z.string().optional(),
  tty: z.boolean().optional(),
  stdin: z.boolean().optional(),
})

/** Huge pages would be another file system, which the rules refuse. */
const emptyDir = z.looseObject({ medium: z.enum(['', 'Memory']).optional() })

const podSpec = z.looseObject({
  containers: z.array(container).min(1).max(MAX_CONTAINERS),
  initContainers: z.array(container).max(MAX_CONTAINERS).optional(),
  volumes: z
    .array(z.looseObject({ name, emptyDir: emptyDir.nullish() }))
    .max(256)
    .optional(),
  securityContext: securityContext.optional(),
  enableServiceLinks: z.boolean().optional(),
  automountServiceAccountToken: z.boolean().optional(),
  shareProcessNamespace: z.boolean().optional(),
  hostNetwork: z.boolean().optional(),
  hostPID: z.boolean().optional(),
  hostIPC: z.boolean().optional(),
})

export type Pod = z.infer<typeof podSpec>
export type PodContainer = z.infer<typeof container>

/** The pod specification of the one workload in the file. @throws EigenxError CONFIG_INVALID, INPUT_TOO_LARGE */
export function parsePod(yaml: string): Pod {
  const values = readYaml(yaml, (why) => podInvalid('pod.yaml', REFUSALS[why]))
  const found = values.flatMap((value) => findSpec(value))
  const [only, ...more] = found
  if (only === undefined || more.length > 0)
    throw podInvalid(
      'pod.yaml',
      `The file holds ${found.length} pods or workloads; it must hold exactly one.`,
    )
  const parsed = podSpec.safeParse(only)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw podInvalid(`spec.${issue?.path.join('.') ?? ''}`, `${issue?.message ?? 'It does not fit'}.`)
}

export function podInvalid(path: string, message: string, hint?: string) {
  return new EigenxError({
    code: 'CONFIG_INVALID',
    message: `The pod manifest cannot be released as it is, at ${path}: ${message}`,
    stage: 'config',
    details: { path },
    ...(hint === undefined ? {} : { hint }),
  })
}

const REFUSALS = {
  malformed: 'It is not well-formed YAML.',
  nested: 'It is nested too deeply.',
  anchors: 'It repeats its anchors too often.',
} as const

const workloadDocument = z.looseObject({ kind: z.string(), spec: z.unknown() })
const template = z.looseObject({ template: z.looseObject({ spec: z.unknown() }) })
const cron = z.looseObject({ jobTemplate: z.looseObject({ spec: template }) })

function findSpec(value: unknown): unknown[] {
  const parsed = workloadDocument.safeParse(value)
  if (!parsed.success) return []
  const { kind, spec } = parsed.data
  if (kind === 'Pod') return [spec]
  if (kind === 'CronJob') {
    const job = cron.safeParse(spec)
    return job.success ? [job.data.jobTemplate.spec.template.spec] : []
  }
  if (!['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Job'].includes(kind)) return []
  const workload = template.safeParse(spec)
  return workload.success ? [workload.data.template.spec] : []
}

/** Refuses what the rules cannot fix and what they deny anyway, by the field's name. */
export function checkPod(pod: Pod): void {
  for (const key of ['shareProcessNamespace', 'hostNetwork', 'hostPID', 'hostIPC'] as const)
    if (pod[key] === true) throw podInvalid(`spec.${key}`, 'It must not be true.')
  for (const [list, containers] of [
    ['containers', pod.containers],
    ['initContainers', pod.initContainers ?? []],
  ] as const)
    for (const [index, item] of containers.entries()) checkContainer(item, `spec.${list}[${index}]`)
  const names = [...pod.containers, ...(pod.initContainers ?? [])].map((item) => item.name)
  if (new Set(names).size !== names.length)
    throw podInvalid('spec.containers', 'Two containers have one name.')
}

function checkContainer(item: PodContainer, path: string): void {
  const refuse = (field: string, message: string, hint?: string) =>
    podInvalid(`${path}.${field}`, message, hint)
  if (item.securityContext?.privileged === true)
    throw refuse('securityContext.privileged', 'A privileged container reaches the whole guest.')
  if (item.tty === true || item.stdin === true)
    throw refuse('tty', 'Terminals and standard input are closed to the host.')
  if ((item.envFrom ?? []).length > 0)
    throw refuse('envFrom', 'The variables would be chosen at boot.', 'Write them as env values.')
  const open = item.env?.find((variable) => variable.valueFrom !== undefined)
  if (open !== undefined)
    throw refuse(
      `env.${open.name}.valueFrom`,
      'The value would be chosen at boot.',
      'Write the value itself; a secret can be written in its sealed form.',
    )
  if ((item.volumeDevices ?? []).length > 0)
    throw refuse('volumeDevices', 'Devices come from the host unchecked.')
  if (item.volumeMounts?.some((mount) => mount.subPath ?? mount.subPathExpr))
    throw refuse('volumeMounts.subPath', 'Sub-paths are not supported.')
  for (const key of ['livenessProbe', 'readinessProbe', 'startupProbe'] as const)
    if (item[key]?.exec !== undefined)
      throw refuse(`${key}.exec`, 'The host may not run commands.', 'Use an HTTP or TCP probe.')
  if (item.lifecycle !== undefined && item.lifecycle !== null)
    throw refuse('lifecycle', 'The host may not run commands in the container.')
  if (![undefined, '/dev/termination-log'].includes(item.terminationMessagePath))
    throw refuse('terminationMessagePath', 'Only /dev/termination-log is supported.')
}

const KNOWN_FIELDS = [
  ...Object.keys(container.shape),
  'imagePullPolicy',
  'ports',
  'resources',
  'restartPolicy',
  'terminationMessagePolicy',
]

export function reportUnknownFields(item: PodContainer): readonly Finding[] {
  return Object.keys(item)
    .filter((key) => !KNOWN_FIELDS.includes(key))
    .map((key) =>
      makeFinding(
        'warn',
        'POD_FIELD_IGNORED',
        `pod.yaml#${item.name}.${key.slice(0, 64)}`,
        `The field ${quote(key)} is not taken into the policy; the guest may refuse the container.`,
      ),
    )
}
