/** Reads operator.toml from disk; paths in it count from its own folder. @module */
import { dirname, resolve } from 'node:path'
import { EigenxError, isEigenxError } from '../sdk/errors.ts'
import { readTextFileBounded } from '../sdk/node/files.ts'
import { type KmsConfig, MAX_CONFIG_BYTES, parseKmsConfig } from './config.ts'

const CONFIG = { field: 'operator.toml', maxBytes: MAX_CONFIG_BYTES }

/** @throws EigenxError CONFIG_INVALID when the file cannot be read. */
export async function readConfigText(file: string): Promise<string> {
  try {
    return await readTextFileBounded(file, CONFIG)
  } catch (cause) {
    throw new EigenxError({
      code: 'CONFIG_INVALID',
      message: isEigenxError(cause)
        ? `${file} is larger than ${CONFIG.maxBytes} bytes.`
        : `Cannot read ${file}.`,
      stage: 'config',
      details: { path: '' },
      hint: '`eigenx-tee kms init` writes a first one.',
      cause,
    })
  }
}

/** @throws EigenxError CONFIG_INVALID */
export async function loadKmsConfig(file: string): Promise<KmsConfig> {
  const config = parseKmsConfig(await readConfigText(file))
  const at = (path: string) => resolve(dirname(file), path)
  const { snpRootsFile, tdxRootsFile } = config.development
  const { signingKeyFile, transactionKeyFile } = config.operator
  const { gcp, intel, tdx, crlDir } = config.attestation
  const { collateralDir } = tdx
  return {
    ...config,
    operator: {
      ...config.operator,
      ...(signingKeyFile === undefined ? {} : { signingKeyFile: at(signingKeyFile) }),
      ...(transactionKeyFile === undefined ? {} : { transactionKeyFile: at(transactionKeyFile) }),
    },
    attestation: {
      ...config.attestation,
      ...(crlDir === undefined ? {} : { crlDir: at(crlDir) }),
      tdx: collateralDir === undefined ? tdx : { ...tdx, collateralDir: at(collateralDir) },
      ...(gcp === undefined ? {} : { gcp: withKeySetAt(gcp, at) }),
      ...(intel === undefined ? {} : { intel: withKeySetAt(intel, at) }),
    },
    store: { path: at(config.store.path), keyFile: at(config.store.keyFile) },
    development: {
      ...(snpRootsFile === undefined ? {} : { snpRootsFile: at(snpRootsFile) }),
      ...(tdxRootsFile === undefined ? {} : { tdxRootsFile: at(tdxRootsFile) }),
    },
  }
}

type TokenSection = NonNullable<KmsConfig['attestation']['gcp']>

function withKeySetAt(section: TokenSection, at: (path: string) => string): TokenSection {
  return 'file' in section.jwks ? { ...section, jwks: { file: at(section.jwks.file) } } : section
}
