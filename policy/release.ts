/**
 * What a release demands of the pod, read from what is on chain.
 *
 * The contract knows one image digest, a ContainerPolicy and `publicEnv`, a map of strings that the developer signs
 * and everybody can read. Pins live in `publicEnv`, so no contract change is needed:
 *
 * | key | value |
 * |---|---|
 * | EIGENX_TEE_INITDATA_SHA384 | comma-separated SHA-384 of allowed decoded initdata, 96 hex digits each |
 * | EIGENX_TEE_IMAGES | comma-separated digests of further containers, `sha256:<64 hex>`, each optionally followed by `=<64 hex>`, the SHA-256 of its command as a JSON list |
 * | EIGENX_TEE_LAYER_ROOTS | comma-separated `sha256:<64 hex>=<root>:<root>…`, dm-verity roots of an image's layers in order |
 * | EIGENX_TEE_MIN_BINDING | `launch` or `report_data` |
 * | EIGENX_TEE_ALLOW_LOGS | `true` or `false` |
 * | EIGENX_TEE_METHODS | comma-separated attestation methods; others get no key |
 * | EIGENX_TEE_MEASUREMENTS | comma-separated launch measurements (MEASUREMENT, MRTD), 96 hex digits each |
 * | EIGENX_TEE_TDX_STATUSES | comma-separated TCB statuses by Intel's names |
 * | EIGENX_TEE_MINIMUM_SNP_TCB | comma-separated product lines with their lowest TCB, `Milan=bl4.snp24.uc219`; other lines get no key |
 * | EIGENX_TEE_REFUSE_MARKS | comma-separated marks that no grant may carry |
 *
 * A malformed value refuses the release, and so does an unknown key under the prefix: a pin with a typing error must
 * not become no pin.
 * @module
 */

import { EigenxError } from '../sdk/errors.ts'
import { isSha256Digest } from './image.ts'
import { parseTcbFloor, type TcbFloor } from './tcb-floor.ts'
import { GRANT_MARKS, type ReleaseAppraisal, type ReleaseDemand } from './types.ts'

/** The part of an on-chain release that is read here. */
export type ReleaseFacts = {
  app: string
  imageDigest: string
  publicEnv: Readonly<Record<string, string>>
  containerPolicy: ReleaseDemand['containerPolicy']
}

const PREFIX = 'EIGENX_TEE_'
export const PIN_KEYS = {
  initdata: 'EIGENX_TEE_INITDATA_SHA384',
  images: 'EIGENX_TEE_IMAGES',
  layerRoots: 'EIGENX_TEE_LAYER_ROOTS',
  minBinding: 'EIGENX_TEE_MIN_BINDING',
  allowLogs: 'EIGENX_TEE_ALLOW_LOGS',
  methods: 'EIGENX_TEE_METHODS',
  measurements: 'EIGENX_TEE_MEASUREMENTS',
  tdxStatuses: 'EIGENX_TEE_TDX_STATUSES',
  minimumSnpTcb: 'EIGENX_TEE_MINIMUM_SNP_TCB',
  refusedMarks: 'EIGENX_TEE_REFUSE_MARKS',
} as const

const MAX_ITEMS = 64

/** @throws EigenxError RELEASE_INVALID */
export function releaseDemand(release: ReleaseFacts): ReleaseDemand {
  if (!isSha256Digest(release.imageDigest))
    throw invalid(release.app, 'the image digest is not sha256: and 64 lower-case hex digits')
  const env = new Map(Object.entries(release.publicEnv))
  for (const key of env.keys()) checkKey(release.app, key)
  const images = parseItems(release.app, env, PIN_KEYS.images, parseImagePin)
  return {
    imageDigest: release.imageDigest,
    additionalImages: [...new Set(images.map((pin) => pin.digest))],
    additionalArgs: groupArgs(images),
    layerRoots: groupRoots(
      release.app,
      parseItems(release.app, env, PIN_KEYS.layerRoots, parseRoots),
    ),
    initdataSha384: parseItems(release.app, env, PIN_KEYS.initdata, parseDigest48),
    minBinding: parseChoice(release.app, env, PIN_KEYS.minBinding, ['launch', 'report_data']),
    allowLogs: parseChoice(release.app, env, PIN_KEYS.allowLogs, ['true', 'false']) === 'true',
    containerPolicy: release.containerPolicy,
    appraisal: appraisalOf(release.app, env),
  }
}

/** Present keys only: an absent one demands nothing, an empty one is malformed. */
function appraisalOf(app: string, env: ReadonlyMap<string, string>): ReleaseAppraisal {
  const list = <T>(key: string, parse: (item: string) => T | undefined) =>
    env.has(key) ? parseItems(app, env, key, parse) : undefined
  const methods = list(PIN_KEYS.methods, parseName)
  const measurements = list(PIN_KEYS.measurements, parseDigest48)
  const tdxStatuses = list(PIN_KEYS.tdxStatuses, parseStatus)
  const floors = list(PIN_KEYS.minimumSnpTcb, parseTcbFloor)
  const refusedMarks = list(PIN_KEYS.refusedMarks, (item) =>
    GRANT_MARKS.find((mark) => mark === item),
  )
  return {
    ...(methods === undefined ? {} : { methods }),
    ...(measurements === undefined ? {} : { measurements }),
    ...(tdxStatuses === undefined ? {} : { tdxStatuses }),
    ...(floors === undefined ? {} : { minimumSnpTcb: groupFloors(app, floors) }),
    ...(refusedMarks === undefined ? {} : { refusedMarks }),
  }
}

/** A method that no operator has refuses all: a typing error must not become no demand. */
const parseName = (item: string) => (/^[a-z][a-z0-9-]{0,31}$/.test(item) ? item : undefined)
const parseStatus = (item: string) => (/^[A-Za-z]{1,64}$/.test(item) ? item : undefined)

/** Case and white space are typing errors too: `eigenx_tee_images` was meant as a pin. */
function checkKey(app: string, key: string): void {
  const upper = key.trim().toUpperCase()
  if (!upper.startsWith(PREFIX)) return
  if (!Object.values(PIN_KEYS).some((known) => known === key))
    throw invalid(app, `publicEnv has an unknown key ${JSON.stringify(key.slice(0, 64))}`)
}

function parseItems<T>(
  app: string,
  env: ReadonlyMap<string, string>,
  key: string,
  parse: (item: string) => T | undefined,
): T[] {
  const text = env.get(key)
  if (text === undefined) return []
  const items = text.split(',').map((item) => item.trim())
  if (items.length > MAX_ITEMS) throw invalid(app, `${key} has more than ${MAX_ITEMS} items`)
  return items.map((item, index) => {
    const parsed = parse(item)
    if (parsed === undefined) throw invalid(app, `item ${index + 1} of ${key} is malformed`)
    return parsed
  })
}

function parseChoice<T extends string>(
  app: string,
  env: ReadonlyMap<string, string>,
  key: string,
  choices: readonly T[],
): T | undefined {
  const text = env.get(key)
  if (text === undefined) return undefined
  const choice = choices.find((known) => known === text)
  if (choice === undefined) throw invalid(app, `${key} is none of ${choices.join(', ')}`)
  return choice
}

/** Hex of either case and with or without 0x names the same digest; the comparison uses one form. */
function parseDigest48(item: string): string | undefined {
  const digits = item.replace(/^0x/, '').toLowerCase()
  return /^[0-9a-f]{96}$/.test(digits) ? digits : undefined
}

type ImagePin = { digest: string; argsSha256: string | undefined }

function parseImagePin(item: string): ImagePin | undefined {
  const [digest = '', argsSha256, ...more] = item.split('=')
  if (more.length > 0 || !isSha256Digest(digest)) return undefined
  if (argsSha256 !== undefined && !/^[0-9a-f]{64}$/.test(argsSha256)) return undefined
  return { digest, argsSha256 }
}

function groupArgs(pins: readonly ImagePin[]): Readonly<Record<string, readonly string[]>> {
  const out: Record<string, string[]> = {}
  for (const { digest, argsSha256 } of pins)
    if (argsSha256 !== undefined) out[digest] = [...(out[digest] ?? []), argsSha256]
  return out
}

type RootsPin = { digest: string; roots: readonly string[] }

function parseRoots(item: string): RootsPin | undefined {
  const [digest = '', list, ...more] = item.split('=')
  if (more.length > 0 || list === undefined || !isSha256Digest(digest)) return undefined
  const roots = list.split(':')
  return roots.every((root) => /^[0-9a-f]{64}$/.test(root)) ? { digest, roots } : undefined
}

function groupRoots(
  app: string,
  pins: readonly RootsPin[],
): Readonly<Record<string, readonly string[]>> {
  const out: Record<string, readonly string[]> = {}
  for (const { digest, roots } of pins) {
    if (out[digest] !== undefined)
      throw invalid(app, `${PIN_KEYS.layerRoots} names one image twice`)
    out[digest] = roots
  }
  return out
}

function groupFloors(app: string, floors: readonly TcbFloor[]): ReadonlyMap<string, TcbFloor> {
  const out = new Map(floors.map((floor) => [floor.product, floor]))
  if (out.size !== floors.length)
    throw invalid(app, `${PIN_KEYS.minimumSnpTcb} names one product line twice`)
  return out
}

function invalid(appId: string, reason: string): EigenxError<'RELEASE_INVALID'> {
  return new EigenxError({
    code: 'RELEASE_INVALID',
    message: `The release on chain cannot be used: ${reason}.`,
    stage: 'release',
    details: { appId, reason },
    hint: 'Publish a release with a corrected publicEnv; `eigenx-tee release prepare` prints the values.',
  })
}
