/**
 * TCB info and QE identity of the simulated platform: the JSON that Intel would sign. Plain objects, so that tests can change any part.
 * @module
 */
import type { PckExtension } from '../../sdk/attest/tdx-pck.ts'
import { bytesToHex } from '../../sdk/bytes.ts'
import { SIM_QE_SIGNER, SIM_TEE_TCB_SVN } from './tdx-quote.ts'

export type Json = { [name: string]: unknown }

/** Unix seconds. */
type Period = { issueDate: number; nextUpdate: number }

const iso = (seconds: number) => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
const ZERO_48 = '00'.repeat(48)
const components = (svns: readonly number[]) => svns.map((svn) => ({ svn }))

/** One level that the healthy platform reaches exactly, and an older one. */
export function healthyTcbInfo(
  input: Period & { fmspc: string; sgx: Pick<PckExtension, 'components' | 'pceSvn'> },
): Json {
  const { sgx } = input
  const svn = [...SIM_TEE_TCB_SVN]
  const level = (lower: number, tcbDate: string, rest: Json) => ({
    tcb: {
      sgxtcbcomponents: components(sgx.components.map((value) => Math.max(0, value - lower))),
      pcesvn: sgx.pceSvn,
      tdxtcbcomponents: components(
        svn.map((value, index) => (index === 1 ? 0 : Math.max(0, value - lower))),
      ),
    },
    tcbDate,
    ...rest,
  })
  const module = { mrsigner: ZERO_48, attributes: '00'.repeat(8), attributesMask: 'FF'.repeat(8) }
  return {
    id: 'TDX',
    version: 3,
    issueDate: iso(input.issueDate),
    nextUpdate: iso(input.nextUpdate),
    fmspc: input.fmspc.toUpperCase(),
    pceId: '0000',
    tcbType: 0,
    tcbEvaluationDataNumber: 19,
    tdxModule: module,
    tdxModuleIdentities: [
      {
        id: 'TDX_01',
        ...module,
        tcbLevels: [
          { tcb: { isvsvn: 5 }, tcbDate: '2025-05-14T00:00:00Z', tcbStatus: 'UpToDate' },
          {
            tcb: { isvsvn: 2 },
            tcbDate: '2023-08-09T00:00:00Z',
            tcbStatus: 'OutOfDate',
            advisoryIDs: ['INTEL-SA-01036'],
          },
        ],
      },
    ],
    tcbLevels: [
      level(0, '2025-05-14T00:00:00Z', { tcbStatus: 'UpToDate' }),
      level(1, '2024-03-13T00:00:00Z', {
        tcbStatus: 'OutOfDate',
        advisoryIDs: ['INTEL-SA-01079', 'INTEL-SA-01099'],
      }),
    ],
  }
}

export function healthyQeIdentity(input: Period): Json {
  return {
    id: 'TD_QE',
    version: 2,
    issueDate: iso(input.issueDate),
    nextUpdate: iso(input.nextUpdate),
    tcbEvaluationDataNumber: 19,
    miscselect: '00000000',
    miscselectMask: 'FFFFFFFF',
    attributes: '11000000000000000000000000000000',
    attributesMask: 'FBFFFFFFFFFFFFFF0000000000000000',
    mrsigner: bytesToHex(SIM_QE_SIGNER).toUpperCase(),
    isvprodid: 2,
    tcbLevels: [
      { tcb: { isvsvn: 6 }, tcbDate: '2025-05-14T00:00:00Z', tcbStatus: 'UpToDate' },
      { tcb: { isvsvn: 4 }, tcbDate: '2023-08-09T00:00:00Z', tcbStatus: 'OutOfDate' },
    ],
  }
}
