/**
 * Which places of the code an input reaches, by V8's precise block coverage (the inspector's Profiler domain).
 * @module
 */
import { type Profiler, Session } from 'node:inspector/promises'

/** The package and the libraries that it parses with. The tests' own code says nothing about a parser. */
const PARSERS = /^file:.*\/(?:certs|policy|sdk|kms|helper|node_modules)\//

export type Coverage = {
  /** Whether a place was reached since the last call that was not reached before any call. */
  grew: () => Promise<boolean>
  /** As {@link Coverage.grew}, without remembering what was reached. */
  wouldGrow: () => Promise<boolean>
  stop: () => Promise<void>
}

/** @param scripts The URLs of the code that counts. */
export async function startCoverage(scripts: RegExp = PARSERS): Promise<Coverage> {
  const session = new Session()
  session.connect()
  await session.post('Profiler.enable')
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  const reached = new Map<string, Uint8Array>()

  const take = async (remember: boolean): Promise<boolean> => {
    const { result } = await session.post('Profiler.takePreciseCoverage')
    let grew = false
    for (const script of result.filter(({ url }) => scripts.test(url))) {
      const now = placesOf(script)
      const before = reached.get(script.scriptId) ?? new Uint8Array()
      if (!now.some((place, at) => place > (before[at] ?? 0))) continue
      grew = true
      if (remember)
        reached.set(
          script.scriptId,
          now.map((place, at) => Math.max(place, before[at] ?? 0)),
        )
    }
    return grew
  }
  return {
    grew: () => take(true),
    wouldGrow: () => take(false),
    stop: async () => {
      await session.post('Profiler.stopPreciseCoverage')
      session.disconnect()
    },
  }
}

/**
 * @returns For each character of the script 1 where it ran. Ranges are told from the outermost to the innermost, and one with
 * the count of the range around it is not told at all.
 */
function placesOf({ functions }: Profiler.ScriptCoverage): Uint8Array {
  const ranges = functions.flatMap((each) => each.ranges)
  const places = new Uint8Array(Math.max(0, ...ranges.map(({ endOffset }) => endOffset)))
  for (const { startOffset, endOffset, count } of ranges)
    places.fill(count > 0 ? 1 : 0, startOffset, endOffset)
  return places
}
