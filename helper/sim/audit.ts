/** Reads what operators decided from their own logs: the audit line is the operator's word, not the helper's. @module */
import * as z from 'zod'
import type { Operator } from './operators.ts'

const AuditLine = z.object({
  event: z.literal('audit'),
  requestId: z.string(),
  appId: z.string(),
  decision: z.enum(['granted', 'refused']),
  code: z.string().optional(),
  binding: z.string().optional(),
  marks: z.array(z.string()),
  checks: z.array(z.object({ name: z.string(), result: z.string() })),
  durationMs: z.number(),
})

export type AuditEntry = z.infer<typeof AuditLine>

function readAudit(operator: Operator): AuditEntry[] {
  return operator
    .program()
    .lines()
    .flatMap((line) => {
      const entry = AuditLine.safeParse(parseJson(line))
      return entry.success ? [entry.data] : []
    })
}

const POLL_MS = 25

/** The next decision of each operator: a client stops listening at the t-th answer, the rest comes a little later. */
export async function waitForDecisions(
  operators: readonly Operator[],
  seenBefore: ReadonlyMap<Operator, number>,
  timeoutMs: number,
): Promise<{ operator: Operator; entry: AuditEntry | undefined }[]> {
  const deadline = Date.now() + timeoutMs
  const newest = (operator: Operator) => readAudit(operator)[seenBefore.get(operator) ?? 0]
  while (Date.now() < deadline && operators.some((operator) => newest(operator) === undefined))
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  return operators.map((operator) => ({ operator, entry: newest(operator) }))
}

export function countDecisions(operators: readonly Operator[]): Map<Operator, number> {
  return new Map(operators.map((operator) => [operator, readAudit(operator).length]))
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
