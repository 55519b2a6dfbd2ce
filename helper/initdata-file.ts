/**
 * Finds the pod's initdata in the guest and takes `eigenx.toml` out of it.
 *
 * Peer pods keep the annotation's text in /run/peerpod/initdata, bare-metal Kata the decoded document. The
 * file is host-provided: it is read up to its limit and parsed by the strict parser, and whatever it
 * says is in the attestation report.
 * @module
 */
import { MAX_INITDATA_ENCODED, parseInitdata } from '../policy/initdata.ts'
import type { Initdata } from '../policy/types.ts'
import { EigenxError, isEigenxError } from '../sdk/errors.ts'
import { readFileBounded } from '../sdk/node/files.ts'
import { type EigenxConfig, parseEigenxToml } from './config.ts'

export const INITDATA_PATHS: readonly string[] = [
  '/run/peerpod/initdata',
  '/run/confidential-containers/initdata/initdata.toml',
]

/** Name of the configuration in the `[data]` table. */
const CONFIG_NAME = 'eigenx.toml'

export type PodConfig = { initdata: Initdata; config: EigenxConfig; path: string }

/**
 * @param paths - The first one that exists is used.
 * @throws EigenxError CONFIG_INVALID, INITDATA_INVALID, INPUT_TOO_LARGE
 */
export async function readPodConfig(paths: readonly string[] = INITDATA_PATHS): Promise<PodConfig> {
  for (const path of paths) {
    const bytes = await readIfThere(path)
    if (bytes === undefined) continue
    const initdata = parseInitdata(bytes)
    const toml = Object.hasOwn(initdata.data, CONFIG_NAME) ? initdata.data[CONFIG_NAME] : undefined
    if (toml === undefined)
      throw missing('the initdata has no "eigenx.toml" entry in its [data] table')
    return { initdata, config: parseEigenxToml(toml), path }
  }
  throw missing(`there is no initdata at ${paths.join(' or ')}`)
}

/** @returns The bytes, or `undefined` when there is no such file. */
async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFileBounded(path, { field: 'initdata', maxBytes: MAX_INITDATA_ENCODED })
  } catch (cause) {
    if (isEigenxError(cause)) throw cause
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined
    throw missing(`${path} cannot be read`, cause)
  }
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
