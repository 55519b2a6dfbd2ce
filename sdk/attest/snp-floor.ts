/**
 * Lowest TCB with a date: a new floor takes effect for everybody at once only after its days of grace.
 *
 * A host needs a maintenance window and a new certificate for a firmware update. Until the grace ends, a guest below the floor is
 * served and marked; afterwards it is refused. Floors add up: a newer one does not lift what an older one demands.
 * @module
 */
import { EigenxError } from '../errors.ts'
import { type CheckLog, createCheckLog, type Rule } from './checks.ts'
import type { Check, SnpProduct, SnpTcb } from './types.ts'
import { describeTime } from './x509.ts'

const DAY_SECONDS = 86_400
const RULE: Rule = { name: 'snp.policy.tcb-floor', source: 'operator policy' }
export const SNP_TCB_COMPONENTS = ['fmc', 'bootloader', 'tee', 'snp', 'microcode'] as const

export type SnpTcbFloor = {
  product: SnpProduct
  tcb: SnpTcb
  /** Unix seconds from which the floor is known. Before it, the floor does not exist. */
  since: number
  graceDays: number
  /** Why, e.g. `AMD-SB-3019`: for those who read a refusal. */
  reason: string
}

export type FloorVerdict = { status: 'ok' } | ({ status: 'grace' | 'too-old' } & FloorShortfall)

export type FloorShortfall = {
  component: (typeof SNP_TCB_COMPONENTS)[number]
  required: number
  reported: number
  /** Unix seconds at which the grace ends or ended. */
  until: number
  reason: string
}

/**
 * @returns The worst verdict; of several shortfalls in grace, the one that ends first.
 */
export function judgeTcbFloor(
  platform: { product: SnpProduct; tcb: SnpTcb },
  floors: readonly SnpTcbFloor[],
  nowSeconds: number,
): FloorVerdict {
  const shortfalls = floors
    .filter(({ product, since }) => product === platform.product && since <= nowSeconds)
    .map((floor) => findShortfall(platform.tcb, floor))
    .filter((shortfall) => shortfall !== undefined)
    .sort((a, b) => a.until - b.until)
  const [first] = shortfalls
  if (first === undefined) return { status: 'ok' }
  return { status: nowSeconds < first.until ? 'grace' : 'too-old', ...first }
}

/**
 * @returns The verdict, `ok` or `grace`, for the caller to mark.
 * @throws TCB_TOO_OLD once the grace has ended.
 */
export function appraiseTcbFloor(
  claims: { product: SnpProduct; tcb: { reported: SnpTcb } },
  floors: readonly SnpTcbFloor[],
  nowSeconds: number,
  trace: Check[] = [],
): FloorVerdict {
  const log: CheckLog = createCheckLog(trace)
  const { product } = claims
  const verdict = judgeTcbFloor({ product, tcb: claims.tcb.reported }, floors, nowSeconds)
  if (!floors.some((floor) => floor.product === product)) log.skip(RULE, { floor: 'none' })
  else
    log.expect(RULE, verdict.status !== 'too-old', describeVerdict(verdict), () => refuse(verdict))
  return verdict
}

function findShortfall(tcb: SnpTcb, floor: SnpTcbFloor): FloorShortfall | undefined {
  for (const component of SNP_TCB_COMPONENTS) {
    const required = floor.tcb[component] ?? 0
    const reported = tcb[component] ?? 0
    const until = floor.since + floor.graceDays * DAY_SECONDS
    if (reported < required) return { component, required, reported, until, reason: floor.reason }
  }
  return undefined
}

function refuse(verdict: FloorVerdict): EigenxError {
  const { component, required, reported } =
    verdict.status === 'ok' ? { component: '', required: 0, reported: 0 } : verdict
  return new EigenxError({
    code: 'TCB_TOO_OLD',
    message: `the platform's ${component} level ${reported} is below ${required}`,
    stage: 'evidence',
    hint: 'The host needs a firmware update, and a certificate for the new level.',
    details: { component, required, reported },
  })
}

function describeVerdict(verdict: FloorVerdict): Readonly<Record<string, string>> {
  if (verdict.status === 'ok') return { status: 'ok' }
  const { status, component, required, reported, until, reason } = verdict
  return {
    status,
    component,
    required: String(required),
    reported: String(reported),
    until: describeTime(until),
    reason,
  }
}
