/**
 * The storages of genpolicy's policy_data: the layers that make up a container's root file system, and what else may be mounted.
 *
 * The rules compare a request with what stands here, and the agent mounts nothing twice in one place. So a storage that may lie where a
 * layer belongs, a root that is not the overlay of the layers, or one name for two layers would let the host supply the image.
 * @module
 */
import { type FindingSink, makeFinding, quote } from './findings.ts'
import type { JsonObject, JsonValue } from './json.ts'
import { DATA_PATH, malformed, readList, readObject, readString, readStrings } from './shape.ts'
import type { Finding } from './types.ts'

/** A Kubernetes volume's name, as the end of a pattern. */
const VOLUME = '[a-z0-9][a-z0-9-]{0,62}\\$$'
/** Where genpolicy puts an emptyDir; anchored on both ends, since the text is a pattern. */
export const LOCAL_POINT = new RegExp(
  `^\\^\\$\\(cpath\\)/\\$\\(sandbox-id\\)/(?:rootfs/)?local/${VOLUME}`,
)
const MEMORY_POINT = new RegExp(`^\\^/run/kata-containers/sandbox/ephemeral/${VOLUME}`)
const ROOT_POINT = /^\$\(cpath\)\/\$\(bundle-id\)(?:\/rootfs)?$/
const HASH = /^[0-9a-f]{64}$/

const SHM_OPTION = /^(?:noexec|nosuid|nodev|mode=1777|size=[0-9]{1,12})$/

/** Storages of the sandbox: shared memory in its own place, and nothing else. */
export function readSandboxStorages(value: JsonValue | undefined, findings: FindingSink): void {
  const path = `${DATA_PATH}.sandbox.storages`
  readList(value, path, findings).forEach((item, index) => {
    const at = `${path}[${index}]`
    const storage = readObject(item, at, findings)
    if (storage !== undefined && !isSharedMemory(storage, at, findings))
      findings.push(
        makeFinding('refuse', 'SANDBOX_STORAGE', at, 'The host may mount more than shared memory.'),
      )
  })
}

function isSharedMemory(storage: JsonObject, path: string, findings: FindingSink): boolean {
  return (
    storage.driver === 'ephemeral' &&
    storage.source === 'shm' &&
    storage.fstype === 'tmpfs' &&
    storage.mount_point === '/run/kata-containers/sandbox/shm' &&
    isPlain(storage) &&
    readStrings(storage.options ?? [], `${path}.options`, findings).every((option) =>
      SHM_OPTION.test(option),
    )
  )
}

/** Neither options of a driver (another one may hide behind them) nor another group. */
function isPlain({ driver_options, fs_group }: JsonObject): boolean {
  const none = driver_options === undefined || driver_options === null
  return (
    (none || (Array.isArray(driver_options) && driver_options.length === 0)) &&
    (fs_group === undefined || fs_group === null)
  )
}

type Overlay = { ids: readonly string[]; roots: readonly string[]; point: string | undefined }

/**
 * The layers' dm-verity roots of one container: one `blk`/`tar` storage for each, `$(hashN)` mounted at `$(layerN)`, and one `overlayfs`
 * storage that lists ids and roots and is mounted where the container's root is.
 * @param known Ids and roots of all containers so far: layers of one id share a mount. Added to.
 */
export function readLayers(
  input: { storages: JsonValue | undefined; root: JsonValue | undefined; path: string },
  known: Map<string, string>,
  findings: FindingSink,
): readonly string[] {
  const path = `${input.path}.storages`
  const overlays: Overlay[] = []
  const mounted: string[] = []
  readList(input.storages, path, findings).forEach((item, index) => {
    const at = `${path}[${index}]`
    const storage = readObject(item, at, findings)
    if (storage === undefined) return
    const driver = readString(storage.driver, `${at}.driver`, findings)
    const options = readStrings(storage.options, `${at}.options`, findings)
    const layer = indexOfLayer(storage, options)
    if (!isPlain(storage)) findings.push(storageUnknown(at, driver ?? ''))
    else if (driver === 'overlayfs' && storage.fstype === 'fuse3.kata-overlay')
      overlays.push(readOverlay(storage, options, at, findings))
    else if (driver === 'blk' && layer !== undefined) mounted.push(layer)
    else if (!isScratch(storage)) findings.push(storageUnknown(at, driver ?? ''))
  })
  const [overlay, ...more] = overlays
  if (more.length > 0) findings.push(malformed(path, 'storages with one overlay'))
  if (overlay === undefined || more.length > 0) return []
  if (
    mounted.sort().join() !==
    overlay.roots
      .map((_, index) => `${index}`)
      .sort()
      .join()
  )
    findings.push(malformed(path, 'storages with one mount of each layer'))
  reportRoot(input.root, overlay.point, `${input.path}.OCI.Root.Path`, findings)
  overlay.ids.forEach((id, index) => {
    const root = overlay.roots[index] ?? ''
    if ((known.get(id) ?? root) !== root)
      findings.push(malformed(path, 'layers of which each id has one root hash'))
    known.set(id, root)
  })
  return overlay.roots
}

/** N of a layer whose `$(hashN)` is mounted at `$(layerN)`. */
function indexOfLayer(storage: JsonObject, options: readonly string[]): string | undefined {
  const [option = ''] = options
  const index = /^\$\(hash(0|[1-9][0-9]{0,3})\)$/.exec(option)?.[1]
  const fits = options.length === 1 && storage.mount_point === `$(layer${index})`
  return storage.fstype === 'tar' && fits ? index : undefined
}

function isScratch({ driver, fstype, mount_point }: JsonObject): boolean {
  if (typeof mount_point !== 'string') return false
  if (driver === 'local') return fstype === 'local' && LOCAL_POINT.test(mount_point)
  return driver === 'ephemeral' && fstype === 'tmpfs' && MEMORY_POINT.test(mount_point)
}

function readOverlay(
  storage: JsonObject,
  options: readonly string[],
  path: string,
  findings: FindingSink,
): Overlay {
  const ids = (options[0] ?? '').split(':')
  const roots = (options[1] ?? '').split(':')
  const point = readString(storage.mount_point, `${path}.mount_point`, findings)
  const isWhole =
    options.length === 2 &&
    ids.length === roots.length &&
    new Set(ids).size === ids.length &&
    [...ids, ...roots].every((hash) => HASH.test(hash))
  if (isWhole) return { ids, roots, point }
  const expected = 'layer digests, each once, and as many dm-verity root hashes'
  findings.push(malformed(`${path}.options`, expected))
  return { ids: [], roots: [], point }
}

function reportRoot(
  root: JsonValue | undefined,
  point: string | undefined,
  path: string,
  findings: FindingSink,
): void {
  if (root === point && ROOT_POINT.test(point ?? '')) return
  findings.push(
    makeFinding(
      'refuse',
      'ROOT_NOT_OF_LAYERS',
      path,
      'The root file system is not the overlay of the layers, so the host may supply it.',
    ),
  )
}

function storageUnknown(path: string, driver: string): Finding {
  return makeFinding(
    'refuse',
    'STORAGE_UNCHECKED',
    path,
    `The host supplies what a storage of driver ${quote(driver)} holds.`,
  )
}
