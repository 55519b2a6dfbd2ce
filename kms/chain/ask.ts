/**
 * One question to all chain providers, answered as soon as it can be: one that hangs holds nothing up.
 * @module
 */
import type { Answer, Provider } from '../../sdk/chain/provider.ts'

/** Answers by provider; `undefined` is one that may still come. */
export type Answers = readonly (Answer<unknown> | undefined)[]

export type Rule = {
  /** Whether no further answer is needed. */
  isEnough(answers: Answers): boolean
  /** How long the others are waited for then, milliseconds. */
  graceMs: number
  /** Whether requests that are not waited for are cut off. */
  cutsOff: boolean
}

/** What is said of a provider that was not waited for. */
const TOO_LATE: Answer<never> = { kind: 'fault', fault: 'timeout' }

/** Never rejects. */
export async function askAll(
  { providers, signal }: { providers: readonly Provider[]; signal: AbortSignal },
  method: string,
  params: readonly unknown[],
  rule: Rule,
): Promise<readonly Answer<unknown>[]> {
  const cut = new AbortController()
  const answers: (Answer<unknown> | undefined)[] = providers.map(() => undefined)
  let timer: ReturnType<typeof setTimeout> | undefined
  await new Promise<void>((resolve) => {
    providers.forEach((provider, i) => {
      void provider.request(method, params, [signal, cut.signal]).then((answer) => {
        answers[i] = answer
        if (!answers.includes(undefined)) resolve()
        else if (timer === undefined && rule.isEnough(answers))
          timer = setTimeout(resolve, rule.graceMs)
      })
    })
  })
  clearTimeout(timer)
  const given = answers.map((answer) => answer ?? TOO_LATE)
  if (rule.cutsOff) cut.abort()
  return given
}

/** Whether so many answers are of the most frequent kind, or no kind can be so frequent any more. `undefined` is of none. */
export function isDecided(
  answers: Answers,
  quorum: number,
  kindOf: (answer: Answer<unknown>) => string | undefined,
): boolean {
  const counts = new Map<string, number>()
  for (const answer of answers) {
    const kind = answer && kindOf(answer)
    if (kind !== undefined) counts.set(kind, (counts.get(kind) ?? 0) + 1)
  }
  const most = Math.max(0, ...counts.values())
  const open = answers.filter((answer) => answer === undefined).length
  return most >= quorum || most + open < quorum
}
