/**
 * Whatever arrives, what a verifier remembers stays within its lists: more machines than they hold, genuine under throw-away roots, each with
 * a VCEK or a PCK of its own, and forgeries without end. Entries are counted, not bytes: the heap of a process is never the same twice.
 */
import {
  constants,
  createPrivateKey,
  generateKeyPairSync,
  KeyObject,
  sign,
  X509Certificate,
} from 'node:crypto'
import { expect, it } from 'vitest'
import { signReport } from '../../../helper/sim/evidence.ts'
import { SIM_PCK } from '../../../helper/sim/tdx-evidence.ts'
import type { SnpTrustAnchors } from '../../../sdk/attest/anchors.ts'
import { countRememberedCollateral } from '../../../sdk/attest/collateral-verify.ts'
import { createCrlMemory } from '../../../sdk/attest/crl-memory.ts'
import { encodeCertificatePem } from '../../../sdk/attest/pem.ts'
import { countRememberedLeaves } from '../../../sdk/attest/snp-chain.ts'
import { type SnpEvidence, verifySnp } from '../../../sdk/attest/snp-verify.ts'
import { countRememberedChains } from '../../../sdk/attest/tdx-chain.ts'
import { parseTdxQuote } from '../../../sdk/attest/tdx-quote.ts'
import { type TdxEvidence, verifyTdx } from '../../../sdk/attest/tdx-verify.ts'
import { parseAnyBase64, utf8ToBytes } from '../../../sdk/bytes.ts'
import { refusalOf } from '../../kit/errors.ts'
import { authorityOf, NOW } from '../../kit/snp-authority.ts'
import { tdxAuthority } from './tdx/kit.ts'

const EVIDENCES = 10_000
/** More machines than either list holds; the rest is forged. */
const CHIPS = 520
const PLATFORMS = 520

/** Where these bytes are. */
function indexOf(bytes: Uint8Array, part: Uint8Array): number {
  const at = Buffer.from(bytes).indexOf(part)
  if (at < 0) throw new Error('the bytes are not there')
  return at
}

/** A certificate with other bytes in it, signed again. Nothing changes its length. */
function resign(
  der: Uint8Array,
  changes: readonly (readonly [was: Uint8Array, is: Uint8Array])[],
  signTbs: (tbs: Uint8Array) => Uint8Array,
): Uint8Array {
  const out = Uint8Array.from(der)
  for (const [was, is] of changes) out.set(is, indexOf(out, was))
  // SEQUENCE { tbs SEQUENCE, algorithm SEQUENCE, BIT STRING }
  const tbsEnd = 8 + 256 * (out[6] ?? 0) + (out[7] ?? 0)
  const bits = tbsEnd + 2 + (out[tbsEnd + 1] ?? 0)
  const at = bits + ((out[bits + 1] ?? 0) < 0x80 ? 3 : 5)
  for (;;) {
    const signature = signTbs(out.subarray(4, tbsEnd))
    // An ECDSA signature in DER has one of several lengths.
    if (signature.length !== out.length - at) continue
    out.set(signature, at)
    return out
  }
}

/** Bytes that no other number gives. */
function counted(number: number, length: number): Uint8Array {
  const out = new Uint8Array(length).fill(0xee)
  new DataView(out.buffer).setUint32(0, number)
  return out
}

/** One TD on as many platforms as wanted. */
async function tdxPlatforms(): Promise<(number: number) => TdxEvidence> {
  const authority = await tdxAuthority()
  const { quote, collateral } = await authority.issue()
  const [leaf = new Uint8Array()] = parseTdxQuote(quote).certificates
  const platformCa = KeyObject.from(authority.keys.platformCa.privateKey)
  const at = indexOf(quote, utf8ToBytes(encodeCertificatePem(leaf)))
  return (number) => {
    const ppid = [SIM_PCK.ppid, counted(number, 16)] as const
    const der = resign(leaf, [ppid], (tbs) => sign('sha256', tbs, platformCa))
    const changed = Uint8Array.from(quote)
    changed.set(utf8ToBytes(encodeCertificatePem(der)), at)
    return { quote: changed, collateral }
  }
}

/** One guest on as many chips as wanted. */
async function snpChips(): Promise<(number: number) => SnpEvidence> {
  const authority = await authorityOf()
  const { report, certificates } = await authority.issue()
  const [leaf = new Uint8Array()] = certificates
  const chipId = report.subarray(0x1a0, 0x1e0)
  const saved: { keys: { ask: { private: string } } } = JSON.parse(
    await authority.exportAuthority(),
  )
  const ask = createPrivateKey({
    key: Buffer.from(parseAnyBase64(saved.keys.ask.private) ?? []),
    format: 'der',
    type: 'pkcs8',
  })
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-384' })
  const point = (key: KeyObject) =>
    Uint8Array.from(key.export({ format: 'der', type: 'spki' }).subarray(-97))
  const padding = constants.RSA_PKCS1_PSS_PADDING
  return (number) => {
    const other = counted(number, 64)
    const changes = [
      [chipId, other],
      [point(new X509Certificate(leaf).publicKey), point(pair.publicKey)],
    ] as const
    const der = resign(leaf, changes, (tbs) =>
      sign('sha384', tbs, { key: ask, padding, saltLength: 48 }),
    )
    const changed = Uint8Array.from(report)
    changed.set(other, 0x1a0)
    signReport(changed, pair.privateKey)
    return { report: changed, certificates: [der] }
  }
}

/** One evidence whose certificate AMD did not sign, in as many forms as wanted. */
async function forgeries(): Promise<(number: number) => SnpEvidence> {
  const { report, certificates } = await (await authorityOf()).issue()
  const [leaf = new Uint8Array()] = certificates
  return (number) => {
    const forged = Uint8Array.from(leaf)
    forged.set(counted(number, 16), forged.length - 16)
    return { report, certificates: [forged] }
  }
}

it('ten thousand distinct evidences leave no more behind than the lists hold', async () => {
  const snp: SnpTrustAnchors = new Map((await authorityOf()).anchors)
  const tdx = { ...(await tdxAuthority()).anchors }
  const sources = { crls: createCrlMemory() }
  const [onPlatform, onChip, forge] = [await tdxPlatforms(), await snpChips(), await forgeries()]
  const counts = () => [
    countRememberedLeaves(snp),
    ...countRememberedChains(tdx),
    countRememberedCollateral(tdx),
  ]
  const genuine = new Set<string>()
  const refusals = new Map<string, number>()
  for (let number = 0; number < EVIDENCES; number++) {
    if (number < CHIPS) genuine.add(verifySnp(onChip(number), snp, NOW).claims.leaf.sha256)
    else if (number < CHIPS + PLATFORMS)
      genuine.add(verifyTdx(onPlatform(number), tdx, NOW, [], sources).claims.leaf.sha256)
    else {
      const refusal = refusalOf(() => verifySnp(forge(number), snp, NOW))
      const code = typeof refusal === 'string' ? refusal : refusal.code
      refusals.set(code, (refusals.get(code) ?? 0) + 1)
    }
    if (number % 100 === 0)
      for (const { kind, entries, limit } of counts())
        expect(entries, kind).toBeLessThanOrEqual(limit)
  }
  expect(genuine.size).toBe(CHIPS + PLATFORMS)
  expect([...refusals]).toEqual([['EVIDENCE_INVALID', EVIDENCES - CHIPS - PLATFORMS]])
  expect(Object.fromEntries(counts().map(({ kind, entries }) => [kind, entries]))).toEqual({
    'snp-leaf': 512,
    'tdx-pck': 512,
    // Of the quotes and of the collateral.
    'tdx-authority': 2,
    'tdx-root': 4,
    'tdx-signer': 2,
    'tdx-collateral': 1,
  })
}, 120_000)
