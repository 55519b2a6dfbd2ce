/** Attacks on the evidence: forged, downgraded, of the wrong guest, malformed. */

import { healthyReport } from '../../../helper/sim/evidence-report.ts'
import { toBase64, utf8ToBytes } from '../../../sdk/bytes.ts'
import type { PodOptions } from '../../kms/kit.ts'
import { flipBit, makeBody, type SecretsBody } from '../../kms/kit.ts'
import type { Attack } from '../table.ts'

const pod =
  (changes: Partial<PodOptions>): Attack['send'] =>
  (world) =>
    world.body(changes)

/** Changes the JSON form of genuine evidence. */
const wire =
  (
    change: (evidence: { attestation_report: string; cert_chain: string[] }) => unknown,
  ): Attack['send'] =>
  async (world) => {
    const body = await world.body()
    const text = Buffer.from(String(body.attestation), 'base64').toString()
    const changed = change(JSON.parse(text))
    const raw = typeof changed === 'string' ? changed : JSON.stringify(changed)
    return { ...body, attestation: toBase64(utf8ToBytes(raw)) }
  }

const report = (change: (bytes: Uint8Array) => Uint8Array) =>
  wire((evidence) => ({
    ...evidence,
    attestation_report: toBase64(
      change(new Uint8Array(Buffer.from(evidence.attestation_report, 'base64'))),
    ),
  }))

const healthy = healthyReport('Milan', 'VCEK')
const older = { ...healthy.reportedTcb, snp: 23 }
const newer = { ...healthy.reportedTcb, snp: 25 }
const DAY = 24 * 3600
const NOW = 1_780_272_000

const forged: Attack[] = [
  {
    name: 'a chain with the right names by another authority',
    send: (world) =>
      makeBody(world.lookAlike, {
        rsa: world.rsa,
        appId: world.apps.running,
        domain: world.domain,
        freshnessBlock: world.fresh,
      }),
    status: 401,
    code: 'EVIDENCE_INVALID',
  },
  {
    name: 'the certificate of another chip',
    send: pod({ issue: { leaf: { hwid: new Uint8Array(64).fill(7) } } }),
    status: 401,
    code: 'EVIDENCE_INVALID',
  },
  {
    name: 'a certificate that names no chip',
    send: pod({ issue: { leaf: { hwid: undefined } } }),
    status: 401,
    code: 'EVIDENCE_MALFORMED',
  },
  {
    name: 'a certificate for an older TCB',
    send: pod({ issue: { leaf: { tcb: older } } }),
    status: 401,
    code: 'EVIDENCE_INVALID',
  },
  {
    name: 'a certificate for a newer TCB',
    send: pod({ issue: { leaf: { tcb: newer } } }),
    status: 401,
    code: 'EVIDENCE_INVALID',
  },
  {
    name: 'a leaf signed by the wrong intermediate',
    send: pod({ issue: { leaf: { signedBy: 'asvk' } } }),
    status: 401,
    code: 'EVIDENCE_INVALID',
  },
  {
    name: 'a leaf signed by the root',
    send: pod({ issue: { leaf: { signedBy: 'ark' } } }),
    status: 401,
    code: 'EVIDENCE_INVALID',
  },
  {
    name: 'a leaf with another issuer name',
    send: pod({ issue: { leaf: { issuer: 'SEV-Genoa' } } }),
    status: 401,
    code: 'EVIDENCE_INVALID',
  },
  {
    name: 'an expired leaf',
    send: pod({ issue: { leaf: { notAfter: NOW } } }),
    status: 401,
    code: 'EVIDENCE_INVALID',
  },
  {
    name: 'a leaf of tomorrow',
    send: pod({ issue: { leaf: { notBefore: NOW + DAY } } }),
    status: 401,
    code: 'EVIDENCE_INVALID',
  },
  {
    name: 'a leaf over P-256',
    send: pod({ issue: { leaf: { curve: 'P-256' } } }),
    status: 401,
    code: 'EVIDENCE_MALFORMED',
  },
  {
    name: 'a report signed by no key',
    send: pod({ report: { signingKey: 7 } }),
    status: 401,
    code: 'EVIDENCE_INVALID',
  },
  {
    name: 'a report that says VLEK under a VCEK',
    send: pod({ report: { signingKey: 1 } }),
    status: 401,
    code: 'EVIDENCE_INVALID',
  },
  {
    name: 'an unknown signature algorithm',
    send: pod({ report: { signatureAlgorithm: 2 } }),
    status: 401,
    code: 'EVIDENCE_MALFORMED',
  },
  {
    name: 'another processor in the report',
    send: pod({ report: { cpuid: { family: 0x19, model: 0x11, stepping: 1 } } }),
    status: 401,
    code: 'EVIDENCE_INVALID',
  },
  {
    name: 'a bit of the report flipped',
    send: report((bytes) => flipBit(bytes, 0x90)),
    status: 401,
    code: 'EVIDENCE_INVALID',
  },
  {
    name: 'REPORT_DATA rewritten after signing',
    send: report((bytes) => flipBit(bytes, 0x50)),
    status: 401,
    code: 'EVIDENCE_INVALID',
  },
  {
    name: 'HOST_DATA rewritten after signing',
    send: report((bytes) => flipBit(bytes, 0xc0)),
    status: 401,
    code: 'EVIDENCE_INVALID',
  },
  {
    name: 'a bit of r flipped',
    send: report((bytes) => flipBit(bytes, 0x2a0)),
    status: 401,
    code: 'EVIDENCE_INVALID',
  },
  {
    name: 'a bit of s flipped',
    send: report((bytes) => flipBit(bytes, 0x2e8)),
    status: 401,
    code: 'EVIDENCE_INVALID',
  },
  {
    name: 'a zero signature',
    send: report((bytes) => {
      const out = Uint8Array.from(bytes)
      out.fill(0, 0x2a0, 0x330)
      return out
    }),
    status: 401,
    code: 'EVIDENCE_INVALID',
  },
  {
    name: 'no certificate',
    send: wire((evidence) => ({ ...evidence, cert_chain: [] })),
    status: 401,
    code: 'EVIDENCE_INVALID',
  },
]

const notAllowed: Attack[] = [
  {
    name: 'a guest that the host can debug',
    send: pod({ report: { policy: 0xb0000n } }),
    status: 401,
    code: 'EVIDENCE_NOT_ALLOWED',
  },
  {
    name: 'a guest with a migration agent',
    send: pod({ report: { policy: 0x70000n } }),
    status: 401,
    code: 'EVIDENCE_NOT_ALLOWED',
  },
  {
    name: 'the report id of a migration agent',
    send: pod({ report: { reportIdMa: new Uint8Array(32).fill(1) } }),
    status: 401,
    code: 'EVIDENCE_NOT_ALLOWED',
  },
  {
    name: 'a guest with CXL memory',
    send: pod({ report: { policy: 0x230000n } }),
    status: 401,
    code: 'EVIDENCE_NOT_ALLOWED',
  },
  { name: 'VMPL 1', send: pod({ report: { vmpl: 1 } }), status: 401, code: 'EVIDENCE_NOT_ALLOWED' },
  { name: 'VMPL 3', send: pod({ report: { vmpl: 3 } }), status: 401, code: 'EVIDENCE_NOT_ALLOWED' },
  {
    name: 'a report that the host asked for',
    send: pod({ report: { vmpl: 0xffffffff } }),
    status: 401,
    code: 'EVIDENCE_NOT_ALLOWED',
  },
  {
    name: 'a report of version 2',
    send: pod({ report: { version: 2 } }),
    status: 401,
    code: 'EVIDENCE_NOT_ALLOWED',
  },
  {
    name: 'a TCB below the operator’s floor',
    send: pod({
      report: { reportedTcb: older, committedTcb: older, currentTcb: older, launchTcb: older },
    }),
    status: 401,
    code: 'TCB_TOO_OLD',
  },
  {
    name: 'microcode below the floor, all else above',
    send: pod({
      report: {
        reportedTcb: { bootloader: 9, tee: 0, snp: 40, microcode: 218 },
        committedTcb: { bootloader: 9, tee: 0, snp: 40, microcode: 218 },
        currentTcb: { bootloader: 9, tee: 0, snp: 40, microcode: 218 },
        launchTcb: { bootloader: 9, tee: 0, snp: 40, microcode: 218 },
      },
    }),
    status: 401,
    code: 'TCB_TOO_OLD',
  },
  {
    name: 'a reported TCB above the committed one',
    send: pod({ report: { committedTcb: older } }),
    status: 401,
    code: 'EVIDENCE_INVALID',
  },
  {
    name: 'a launch measurement that is not listed',
    at: 'guarded',
    send: pod({ report: { measurement: new Uint8Array(48).fill(0x66) } }),
    status: 401,
    code: 'EVIDENCE_NOT_ALLOWED',
  },
]

const text =
  (value: string) =>
  async (world: Parameters<Attack['send']>[0]): Promise<SecretsBody> => ({
    ...(await world.body()),
    attestation: toBase64(utf8ToBytes(value)),
  })

const malformed: Attack[] = [
  ['nothing', field('')],
  ['a number', text('7')],
  ['a list', text('[]')],
  ['an empty object', text('{}')],
  ['deep nesting', text(`${'['.repeat(5000)}${']'.repeat(5000)}`)],
  ['half a document', text('{"attestation_report":"AA')],
  ['bytes that are no text', field(toBase64(new Uint8Array(2000).fill(0xff)))],
  ['a report one byte short', report((bytes) => bytes.slice(0, -1))],
  ['a report one byte long', report((bytes) => Uint8Array.from([...bytes, 0]))],
  ['an empty report', report(() => new Uint8Array())],
  ['a report of version 1', report((bytes) => Uint8Array.from([1, ...bytes.slice(1)]))],
  ['a report of version 6', report((bytes) => Uint8Array.from([6, ...bytes.slice(1)]))],
  ['a report that is a number', wire((evidence) => ({ ...evidence, attestation_report: 7 }))],
  ['certificates that are no list', wire((evidence) => ({ ...evidence, cert_chain: 'x' }))],
  ['a certificate that is garbage', wire((evidence) => ({ ...evidence, cert_chain: ['AAAA'] }))],
].map(([name, send]) => ({
  name: `evidence: ${String(name)}`,
  send: send as Attack['send'],
  status: 401,
  code: 'EVIDENCE_MALFORMED' as const,
}))

function field(attestation: string): Attack['send'] {
  return async (world) => ({ ...(await world.body()), attestation })
}

const tooMuch: Attack = {
  name: 'evidence: eleven certificates',
  send: wire((evidence) => ({
    ...evidence,
    cert_chain: Array(11).fill(evidence.cert_chain[0]),
  })),
  status: 401,
  code: 'INPUT_TOO_LARGE',
}

export const evidenceAttacks: readonly Attack[] = [...forged, ...notAllowed, ...malformed, tooMuch]
