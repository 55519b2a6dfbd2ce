import { describe, expect, it } from 'vitest'
import { appraiseTcbFloor, judgeTcbFloor, type SnpTcbFloor } from '../../../sdk/attest/snp-floor.ts'
import type { Check, SnpTcb } from '../../../sdk/attest/types.ts'
import { refusalOf } from '../../kit/errors.ts'

const DAY = 86_400
const SINCE = 1_780_000_000
const tcb = (microcode: number, snp = 24): SnpTcb => ({ bootloader: 4, tee: 0, snp, microcode })
const floor: SnpTcbFloor = {
  product: 'Milan',
  tcb: tcb(213),
  since: SINCE,
  graceDays: 30,
  reason: 'AMD-SB-3019',
}
const END = SINCE + 30 * DAY
const judge = (reported: SnpTcb, now: number, floors = [floor]) =>
  judgeTcbFloor({ product: 'Milan', tcb: reported }, floors, now)

describe('a TCB floor', () => {
  it('does not exist before its date', () => {
    expect(judge(tcb(1), SINCE - 1)).toEqual({ status: 'ok' })
  })

  it('is a mark during its days of grace and a refusal after them', () => {
    const shortfall = {
      component: 'microcode',
      required: 213,
      reported: 212,
      until: END,
      reason: 'AMD-SB-3019',
    }
    expect(judge(tcb(212), SINCE)).toEqual({ status: 'grace', ...shortfall })
    expect(judge(tcb(212), END - 1)).toEqual({ status: 'grace', ...shortfall })
    expect(judge(tcb(212), END)).toEqual({ status: 'too-old', ...shortfall })
  })

  it('without grace refuses at once', () => {
    expect(judge(tcb(212), SINCE, [{ ...floor, graceDays: 0 }]).status).toBe('too-old')
  })

  it('counts each component by itself', () => {
    expect(judge(tcb(213), END).status).toBe('ok')
    expect(judge(tcb(255), END).status).toBe('ok')
    expect(judge(tcb(255, 23), END)).toMatchObject({
      status: 'too-old',
      component: 'snp',
      required: 24,
    })
  })

  it('is of its product alone', () => {
    const genoa = judgeTcbFloor({ product: 'Genoa', tcb: tcb(1) }, [floor], END)
    expect(genoa).toEqual({ status: 'ok' })
  })

  it('counts the FMC on Turin', () => {
    const turin: SnpTcbFloor = {
      ...floor,
      product: 'Turin',
      tcb: { ...tcb(0, 0), bootloader: 0, fmc: 2 },
    }
    const platform = (fmc: number) => ({ product: 'Turin' as const, tcb: { ...tcb(9), fmc } })
    expect(judgeTcbFloor(platform(1), [turin], END)).toMatchObject({ component: 'fmc' })
    expect(judgeTcbFloor(platform(2), [turin], END).status).toBe('ok')
  })

  it('is not lifted by a newer one that still has grace', () => {
    const newer = { ...floor, tcb: tcb(220), since: END, graceDays: 30, reason: 'newer' }
    for (const floors of [
      [floor, newer],
      [newer, floor],
    ]) {
      expect(judge(tcb(215), END, floors)).toMatchObject({ status: 'grace', required: 220 })
      expect(judge(tcb(200), END, floors)).toMatchObject({ status: 'too-old', required: 213 })
    }
  })
})

describe('appraising the floor', () => {
  const appraise = (reported: SnpTcb, now: number, trace: Check[] = [], floors = [floor]) =>
    appraiseTcbFloor({ product: 'Milan', tcb: { reported } }, floors, now, trace)

  it('gives the verdict back and records it', () => {
    const trace: Check[] = []
    expect(appraise(tcb(212), SINCE, trace).status).toBe('grace')
    expect(trace).toMatchObject([
      {
        name: 'snp.policy.tcb-floor',
        result: 'passed',
        inputs: { status: 'grace', reason: 'AMD-SB-3019' },
      },
    ])
  })

  it('refuses by component after the grace', () => {
    const trace: Check[] = []
    expect(refusalOf(() => appraise(tcb(212), END, trace))).toEqual({
      code: 'TCB_TOO_OLD',
      details: { component: 'microcode', required: 213, reported: 212 },
    })
    expect(trace).toMatchObject([{ result: 'failed', inputs: { status: 'too-old' } }])
  })

  it('is not applicable without a floor for the product', () => {
    const trace: Check[] = []
    expect(appraise(tcb(1), END, trace, []).status).toBe('ok')
    expect(trace).toMatchObject([{ result: 'not-applicable' }])
  })
})
