/**
 * One document of a vendor over HTTP: bounded in size and time, without redirects or credentials. What went wrong is told without a word of the answer.
 * @module
 */
import { isEigenxError } from '../../sdk/errors.ts'
import { readBody } from '../http/limits.ts'

export type DownloadOptions = {
  timeoutMs: number
  /** Ends downloads under way. */
  signal?: AbortSignal
  /** Default: the global fetch. */
  fetch?: typeof fetch
}

export type Downloaded = { body: Uint8Array; headers: Headers }

/** `reason` is for people: `timeout`, `status 404`, `too large`, `unreachable`. */
export class DownloadError extends Error {
  override readonly name = 'DownloadError'
  readonly reason: string
  constructor(reason: string) {
    super(reason)
    this.reason = reason
  }
}

/** @throws DownloadError */
export async function download(
  url: string,
  maxBytes: number,
  options: DownloadOptions,
): Promise<Downloaded> {
  const deadline = AbortSignal.timeout(options.timeoutMs)
  // Ends the download in any case, so that no half-read answer keeps its connection.
  const done = new AbortController()
  const signals = [deadline, done.signal, ...(options.signal === undefined ? [] : [options.signal])]
  try {
    const answer = await (options.fetch ?? fetch)(url, {
      redirect: 'error',
      credentials: 'omit',
      signal: AbortSignal.any(signals),
    })
    if (answer.status !== 200) throw new DownloadError(`status ${answer.status}`)
    return { body: await readBody(answer, maxBytes), headers: answer.headers }
  } catch (thrown) {
    if (thrown instanceof DownloadError) throw thrown
    if (isEigenxError(thrown, 'INPUT_TOO_LARGE')) throw new DownloadError('too large')
    throw new DownloadError(deadline.aborted ? 'timeout' : 'unreachable')
  } finally {
    done.abort()
  }
}
