/**
 * One container of a manifest as an entry of our policy_data: what kubelet and containerd will make of it.
 * Sources: Kubernetes "Define a Command and Arguments", `pkg/kubelet/container/helpers.go` (what is expanded, and by which variables)
 * and `third_party/forked/golang/expansion`; containerd's CRI plugin for defaults (PATH, capabilities, HOSTNAME).
 * @module
 */

import { makeFinding, quote } from './findings.ts'
import { isSha256Digest, parseImageReference } from './image.ts'
import type { JsonObject } from './json.ts'
import { type Pod, type PodContainer, podInvalid } from './pod.ts'
import type { Finding } from './types.ts'

/** The `config` object of an image (OCI image specification), as far as it decides what runs. */
export type ImageConfig = {
  entrypoint?: readonly string[]
  cmd?: readonly string[]
  env?: readonly string[]
  workingDir?: string
  user?: string
}

export type PrepareContainerInput = {
  pod: Pod
  container: PodContainer
  images?: Readonly<Record<string, string>>
  imageConfigs?: Readonly<Record<string, ImageConfig>>
}

export type PreparedContainer = {
  name: string
  imageDigest: string
  args: readonly string[]
  env: Readonly<Record<string, string>>
  data: JsonObject
  findings: readonly Finding[]
}

export function makeContainer(input: PrepareContainerInput): PreparedContainer {
  const { container, pod } = input
  const path = `pod.yaml#${container.name}`
  const config = lookUp(input.imageConfigs, container.image)
  const image = resolveImage(container, input.images)
  const own = expandVariables(container)
  const env = makeEnv(own, config)
  const args = makeArgs(container, own, config)
  const user = makeUser(pod, container, config)
  const data: JsonObject = {
    name: container.name,
    image: image.reference,
    image_digest: image.digest,
    args,
    env: [...env].map(([name, value]) => `${name}=${value}`),
    cwd: container.workingDir ?? (config?.workingDir || '/'),
    user,
    capabilities: makeCapabilities(container),
    no_new_privileges: container.securityContext?.allowPrivilegeEscalation === false,
    readonly_root: container.securityContext?.readOnlyRootFilesystem === true,
    mounts: makeMounts(pod, container),
  }
  return {
    name: container.name,
    imageDigest: image.digest,
    args,
    env: Object.fromEntries(env),
    data,
    findings: [
      ...(config === undefined ? reportAssumptions(pod, container, path) : []),
      ...reportMedia(pod, container, path),
    ],
  }
}

/** Own properties only: an image may be called "constructor". */
function lookUp<T>(map: Readonly<Record<string, T>> | undefined, key: string): T | undefined {
  return map !== undefined && Object.hasOwn(map, key) ? map[key] : undefined
}

function resolveImage(
  container: PodContainer,
  images: Readonly<Record<string, string>> | undefined,
): { reference: string; digest: string } {
  const path = `${container.name}.image`
  const written = parseImageReference(container.image)
  if (written === undefined) throw podInvalid(path, `${quote(container.image)} is no reference.`)
  const resolved = lookUp(images, container.image)
  const digest =
    written.digest ??
    (resolved === undefined || isSha256Digest(resolved)
      ? resolved
      : parseImageReference(resolved)?.digest)
  if (digest === undefined || !isSha256Digest(digest))
    throw podInvalid(
      path,
      `${quote(container.image)} names no sha256 digest, so it can become another image any time.`,
      'Write the image as name@sha256:…, or give the digest that the tag stands for.',
    )
  // As containerd reports it: a tag beside a digest is dropped.
  const name = written.domain === undefined ? written.path : `${written.domain}/${written.path}`
  return { reference: `${name}@${digest}`, digest }
}

/**
 * A command in the manifest replaces both of the image's; arguments alone replace only its Cmd. References are expanded in the
 * manifest's words alone: kubelet does it, and hands the image's to nobody.
 */
function makeArgs(
  container: PodContainer,
  own: ReadonlyMap<string, string>,
  config: ImageConfig | undefined,
): readonly string[] {
  const command = (container.command ?? []).map((word) => expand(word, own))
  const written = (container.args ?? []).map((word) => expand(word, own))
  if (command.length > 0) return [...command, ...written]
  const args = [
    ...(config?.entrypoint ?? []),
    ...(written.length > 0 ? written : (config?.cmd ?? [])),
  ]
  if (config !== undefined && args.length > 0) return args
  throw podInvalid(
    `${container.name}.command`,
    'The manifest gives no command, and the image is not known offline.',
    "Write the command (and args) into the manifest, or give the image's configuration.",
  )
}

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** The manifest's variables, each with those before it expanded. kubelet knows none of the image's. */
function expandVariables(container: PodContainer): ReadonlyMap<string, string> {
  const own = new Map<string, string>()
  for (const { name, value } of container.env ?? []) own.set(name, expand(value ?? '', own))
  return own
}

/** The manifest's variables replace the image's of the same name; HOSTNAME comes from the host by its pattern. */
function makeEnv(
  own: ReadonlyMap<string, string>,
  config: ImageConfig | undefined,
): ReadonlyMap<string, string> {
  const env = new Map<string, string>()
  for (const item of config?.env ?? []) {
    const at = item.indexOf('=')
    if (at > 0) env.set(item.slice(0, at), item.slice(at + 1))
  }
  for (const [name, value] of own) env.set(name, value)
  if (!env.has('PATH')) env.set('PATH', DEFAULT_PATH)
  return env
}

/** `$(NAME)` becomes the variable's value, `$$` a dollar; what is not known stays as it is. A name ends at the first bracket. */
function expand(text: string, env: ReadonlyMap<string, string>): string {
  return text.replace(/\$(?:\$|\(([^)]*)\))/g, (whole, name: string | undefined) => {
    if (name === undefined) return '$'
    return env.get(name) ?? whole
  })
}

function makeUser(
  pod: Pod,
  container: PodContainer,
  config: ImageConfig | undefined,
): { uid: number; gid: number; additional_gids: number[] } {
  const [imageUid, imageGid] = parseImageUser(container, config?.user ?? '')
  const uid = container.securityContext?.runAsUser ?? pod.securityContext?.runAsUser ?? imageUid
  const gid = container.securityContext?.runAsGroup ?? pod.securityContext?.runAsGroup ?? imageGid
  const groups = [...(pod.securityContext?.supplementalGroups ?? [])]
  if (pod.securityContext?.fsGroup !== undefined) groups.push(pod.securityContext.fsGroup)
  const unique = [...new Set([gid, ...groups])].sort((a, b) => a - b)
  return { uid, gid, additional_gids: unique }
}

function parseImageUser(container: PodContainer, user: string): [number, number] {
  if (user === '' || user === 'root') return [0, 0]
  const found = /^(\d{1,9})(?::(\d{1,9}))?$/.exec(user)
  if (found !== null) return [Number(found[1]), Number(found[2] ?? 0)]
  if (container.securityContext?.runAsUser !== undefined) return [0, 0]
  throw podInvalid(
    `${container.name}.securityContext.runAsUser`,
    `The image names its user ${quote(user)}, and which number that is only the image knows.`,
    'Set runAsUser and runAsGroup.',
  )
}

/** What the CRI plugin grants when nothing is said (the OCI runtime defaults of containerd). */
const DEFAULT_CAPABILITIES = [
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'NET_RAW',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
]

function makeCapabilities(container: PodContainer): string[] {
  const { add = [], drop = [] } = container.securityContext?.capabilities ?? {}
  const bare = (name: string) => name.toUpperCase().replace(/^CAP_/, '')
  if (add.some((name) => bare(name) === 'ALL'))
    throw podInvalid(
      `${container.name}.securityContext.capabilities.add`,
      'All capabilities reach the whole guest.',
      'Name the capabilities that the container needs.',
    )
  const dropped = new Set(drop.map(bare))
  const kept = dropped.has('ALL') ? [] : DEFAULT_CAPABILITIES.filter((name) => !dropped.has(name))
  return [...new Set([...kept, ...add.map(bare)])].sort().map((name) => `CAP_${name}`)
}

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount'
const FILE_VOLUMES = ['configMap', 'secret', 'projected', 'downwardAPI']

function makeMounts(pod: Pod, container: PodContainer): JsonObject[] {
  const volumes = new Map((pod.volumes ?? []).map((volume) => [volume.name, volume]))
  const mounts = (container.volumeMounts ?? []).map((mount) => {
    const volume = volumes.get(mount.name)
    const path = `${container.name}.volumeMounts.${mount.name.slice(0, 64)}`
    if (volume === undefined) throw podInvalid(path, 'There is no volume of that name.')
    const keys = Object.keys(volume)
    if (keys.includes('emptyDir'))
      return {
        destination: mount.mountPath,
        kind: 'scratch',
        volume: mount.name,
        read_only: mount.readOnly === true,
      }
    if (FILE_VOLUMES.some((kind) => keys.includes(kind)))
      return { destination: mount.mountPath, kind: 'files', read_only: true }
    throw podInvalid(
      path,
      'The volume comes from the host unchecked.',
      'Use an emptyDir, or fetch the data in the container and check it there.',
    )
  })
  if (pod.automountServiceAccountToken !== false)
    mounts.push({ destination: SERVICE_ACCOUNT, kind: 'files', read_only: true })
  return mounts
}

/** The medium decides whether Kata has the guest make the volume or brings a disk, which the rules refuse. */
function reportMedia(pod: Pod, container: PodContainer, path: string): readonly Finding[] {
  const mounted = new Set((container.volumeMounts ?? []).map((mount) => mount.name))
  return (pod.volumes ?? []).flatMap((volume) => {
    if (volume.emptyDir === undefined || !mounted.has(volume.name)) return []
    if (volume.emptyDir?.medium === 'Memory') return []
    return [
      makeFinding(
        'warn',
        'SCRATCH_MEDIUM',
        `${path}.volumeMounts.${volume.name.slice(0, 64)}`,
        `The emptyDir ${quote(volume.name)} does not say medium: Memory, so the guest takes it only where Kata's emptydir_mode is "shared-fs".`,
      ),
    ]
  })
}

function reportAssumptions(pod: Pod, container: PodContainer, path: string): readonly Finding[] {
  const assumed = [
    ...(container.workingDir === undefined ? ['working directory /'] : []),
    ...((container.securityContext?.runAsUser ?? pod.securityContext?.runAsUser) === undefined
      ? ['user 0']
      : []),
    'no variables of its own',
  ]
  return [
    makeFinding(
      'warn',
      'IMAGE_CONFIG_ASSUMED',
      path,
      `The image's configuration was not given; assumed are ${assumed.join(', ')}. If that is wrong, the guest refuses the container.`,
    ),
  ]
}
