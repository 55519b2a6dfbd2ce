/**
 * Finds the pod's initdata in the guest and takes `eigenx.toml` out of it.
 *
 * Peer pods keep the annotation's text in the file /run/peerpod/initdata; bare-metal Kata the decoded document, among what its agent took out of
 * it, in the folder /run/confidential-containers/initdata. Either is host-provided: it is read up to its limit and parsed by the strict
 * parser, and whatever it says is in the attestation report.
 * @module
 */
import { join } from 'node:path'
import {
  encodeInitdata,
  MAX_INITDATA_DECODED,
  MAX_INITDATA_ENCODED,
  parseInitdata,
} from '../policy/initdata.ts'
import type { Initdata } from '../policy/types.ts'
import { equalBytes, utf8ToBytes } from '../sdk/bytes.ts'
import { EigenxError, isEigenxError } from '../sdk/errors.ts'
import { readFileBounded } from '../sdk/node/files.ts'
import { type EigenxConfig, parseEigenxToml } from './config.ts'

/** A document, or a folder with one in `initdata.toml`. */
export const INITDATA_PATHS: readonly string[] = [
  '/run/peerpod/initdata',
  '/run/confidential-containers/initdata',
]

/** Name of the configuration in the `[data]` table. */
const CONFIG_NAME = 'eigenx.toml'
const DOCUMENT_NAME = 'initdata.toml'

export type PodConfig = {
  initdata: Initdata
  config: EigenxConfig
  /** Where the document was found. */
  path: string
  /** Where the same document was found besides. */
  copies: readonly string[]
}

type Found = { path: string; initdata: Initdata }

/**
 * @param paths - The first one that exists is used; a later one may hold the same document, and no other.
 * @throws EigenxError CONFIG_INVALID, INITDATA_INVALID, INPUT_TOO_LARGE
 */
export async function readPodConfig(paths: readonly string[] = INITDATA_PATHS): Promise<PodConfig> {
  const documents: Found[] = []
  for (const place of paths) {
    const found = await readIfThere(place)
    if (found !== undefined) documents.push({ ...found, initdata: parseFound(found.bytes) })
  }
  const [first, ...rest] = documents
  if (first === undefined) throw missing(`there is no initdata at ${paths.join(' or ')}`)
  const { path, initdata } = first
  // The guest's agents were started from one of them, and nothing here tells from which.
  const other = rest.find((found) => !equalBytes(found.initdata.toml, initdata.toml))
  if (other !== undefined) throw missing(`${path} and ${other.path} are different documents`)
  const toml = Object.hasOwn(initdata.data, CONFIG_NAME) ? initdata.data[CONFIG_NAME] : undefined
  if (toml === undefined)
    throw missing(`the initdata at ${path} has no "${CONFIG_NAME}" entry in its [data] table`)
  const copies = rest.map((found) => found.path)
  return { initdata, config: parseEigenxToml(toml), path, copies }
}

/** A decoded document may be larger than anything that goes over the wire: then it is packed, as the annotation was. */
function parseFound(bytes: Uint8Array): Initdata {
  return parseInitdata(
    bytes.length <= MAX_INITDATA_ENCODED ? bytes : utf8ToBytes(encodeInitdata(bytes)),
  )
}

/** @returns The bytes, and where in `place` they are; `undefined` when there is neither a document nor a folder with one. */
async function readIfThere(
  place: string,
): Promise<{ path: string; bytes: Uint8Array } | undefined> {
  for (const path of [place, join(place, DOCUMENT_NAME)]) {
    try {
      const limit = { field: 'initdata', maxBytes: MAX_INITDATA_DECODED }
      return { path, bytes: await readFileBounded(path, limit) }
    } catch (cause) {
      if (isEigenxError(cause)) throw cause
      const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
      if (code === 'ENOENT') return undefined
      if (code !== 'EISDIR' || path !== place) throw missing(`${path} cannot be read`, cause)
    }
  }
  return undefined
}

function missing(problem: string, cause?: unknown): EigenxError<'CONFIG_INVALID'> {
  return new EigenxError({
    code: 'CONFIG_INVALID',
    message: problem,
    stage: 'config',
    details: { path: 'initdata' },
    hint: 'The pod annotation io.katacontainers.config.hypervisor.cc_init_data carries it; "eigenx-tee release prepare" writes one.',
    ...(cause === undefined ? {} : { cause }),
  })
}
