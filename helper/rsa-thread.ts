/**
 * Starts a thread that searches one RSA key. It is told the seed of that key and nothing else: neither the app key nor the environment.
 *
 * The thread's file lies beside this one in the package and in the bundled program. In a source checkout there is none that Node can load
 * as it is, so it is bundled in memory, once.
 * @module
 */
import { Worker } from 'node:worker_threads'
import type { RsaBits, RsaKeyPair } from '../sdk/crypto/rsa-seed.ts'
import { EigenxError } from '../sdk/errors.ts'

export type RsaJob = { seed: Uint8Array; bits: RsaBits }

export type RsaThread = {
  /** Rejects with EigenxError INTERNAL when the thread fails or is stopped. */
  pair: Promise<RsaKeyPair>
  stop(): Promise<void>
}

/** Of the thread's JavaScript heap; a search of 4096 bits needs a few. */
const MAX_HEAP_MIB = 128

export async function startRsaThread(job: RsaJob): Promise<RsaThread> {
  const options = {
    workerData: job,
    env: {},
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MIB },
  }
  const worker = import.meta.url.endsWith('.ts')
    ? new Worker(await bundledSource(), { ...options, eval: true })
    : new Worker(new URL('./rsa-worker.js', import.meta.url), options)
  const pair = new Promise<RsaKeyPair>((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', (cause) => reject(failed(cause)))
    // After a message this changes nothing any more.
    worker.once('exit', () => reject(failed(undefined)))
  })
  // Whoever waits for the pair hears of it; a thread that is stopped may have nobody left who waits.
  pair.catch(() => undefined)
  return { pair, stop: async () => void (await worker.terminate()) }
}

let source: Promise<string> | undefined

function bundledSource(): Promise<string> {
  source ??= bundle()
  return source
}

async function bundle(): Promise<string> {
  // A development dependency: only a source checkout comes here.
  const { build } = await import('esbuild')
  const { fileURLToPath } = await import('node:url')
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('./rsa-worker.ts', import.meta.url))],
    bundle: true,
    write: false,
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    logLevel: 'error',
  })
  return outputFiles[0]?.text ?? ''
}

function failed(cause: unknown): EigenxError<'INTERNAL'> {
  return new EigenxError({
    code: 'INTERNAL',
    message: 'the search for the RSA key ended without one',
    stage: 'key',
    details: {},
    ...(cause === undefined ? {} : { cause }),
  })
}
