import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import { encodeCertificatePem, parseCertificatePem } from '../../../sdk/attest/pem.ts'
import { encodeWireSnpEvidence, parseWireSnpEvidence } from '../../../sdk/attest/wire-snp.ts'
import { concatBytes, toBase64, toBase64Url, utf8ToBytes } from '../../../sdk/bytes.ts'
import { refusalOf } from '../../kit/errors.ts'

const report = Uint8Array.from({ length: 1184 }, (_, at) => at & 0xff)
const der = Uint8Array.from({ length: 1351 }, (_, at) => (at * 7) & 0xff)
const evidence = { report, certificates: [der] }
const honest = JSON.stringify({ attestation_report: toBase64(report), cert_chain: [toBase64(der)] })
const nopad = (text: string) => text.replace(/=+$/, '')

describe('the wire form', () => {
  it.each([
    ['raw JSON', honest],
    ['JSON after white space', `\n ${honest}\n`],
    ['base64', toBase64(utf8ToBytes(honest))],
    ['base64 without padding', nopad(toBase64(utf8ToBytes(honest)))],
    ['base64url', toBase64Url(utf8ToBytes(`${honest} `))],
    [
      'a PEM certificate',
      honest.replace(toBase64(der), encodeCertificatePem(der).replaceAll('\n', '\\n')),
    ],
    [
      'PEM with CRLF',
      honest.replace(toBase64(der), encodeCertificatePem(der).replaceAll('\n', '\\r\\n')),
    ],
    ['a report in base64url', honest.replace(toBase64(report), toBase64Url(report))],
    ['unknown fields beside it', honest.replace('{', '{"kind":"x",')],
  ])('is read as %s', (_, text) => {
    expect(parseWireSnpEvidence(utf8ToBytes(text))).toEqual(evidence)
  })

  it('is what our helper writes', () => {
    expect(parseWireSnpEvidence(encodeWireSnpEvidence(evidence))).toEqual(evidence)
    const written: unknown = JSON.parse(new TextDecoder().decode(encodeWireSnpEvidence(evidence)))
    expect(written).toEqual({
      attestation_report: toBase64(report),
      cert_chain: [expect.stringMatching(/^-----BEGIN CERTIFICATE-----\n/)],
    })
  })

  it.each(['"cert_chain":null', '"cert_chain":[]', '"x":1'])('may have no chain: %s', (member) => {
    const text = `{"attestation_report":"${toBase64(report)}",${member}}`
    expect(parseWireSnpEvidence(utf8ToBytes(text)).certificates).toEqual([])
  })

  const pem = encodeCertificatePem(der).replaceAll('\n', '\\n')
  it.each([
    ['nothing', '', 'attestation'],
    ['JSON in JSON', `"${toBase64(utf8ToBytes(honest))}"`, 'attestation'],
    ['base64 of something else', toBase64(utf8ToBytes('[]')), 'attestation'],
    ['a mixed alphabet', `${nopad(toBase64(utf8ToBytes(honest)))}-_+/`, 'attestation'],
    ['no report', '{}', 'attestation_report'],
    ['a report that is a number', '{"attestation_report":1}', 'attestation_report'],
    [
      'a longer report',
      honest.replace(toBase64(report), toBase64(concatBytes(report, report))),
      'attestation_report',
    ],
    [
      'a shorter report',
      honest.replace(toBase64(report), toBase64(report.slice(1))),
      'attestation_report',
    ],
    [
      'the report twice',
      honest.replace('{', `{"attestation_report":"${toBase64(report)}",`),
      'attestation',
    ],
    ['a chain that is text', honest.replace(`["${toBase64(der)}"]`, '"x"'), 'cert_chain'],
    [
      'a certificate that is an object',
      honest.replace(`"${toBase64(der)}"`, '{}'),
      'cert_chain[0]',
    ],
    ['two PEM blocks in one entry', honest.replace(toBase64(der), pem + pem), 'cert_chain[0]'],
    ['text before the PEM', honest.replace(toBase64(der), `x\\n${pem}`), 'cert_chain[0]'],
    [
      'a PEM of a key',
      honest.replace(toBase64(der), pem.replaceAll('CERTIFICATE', 'PUBLIC KEY')),
      'cert_chain[0]',
    ],
    ['a PEM without an end', honest.replace(toBase64(der), pem.slice(0, 60)), 'cert_chain[0]'],
  ])('is refused as %s', (_, text, field) => {
    expect(refusalOf(() => parseWireSnpEvidence(utf8ToBytes(text)))).toEqual({
      code: 'EVIDENCE_MALFORMED',
      details: { field, offset: -1 },
    })
  })

  it.each([
    ['129 KiB', ' '.repeat(129 * 1024), 'attestation', 128 * 1024],
    [
      'eleven certificates',
      JSON.stringify({
        attestation_report: toBase64(report),
        cert_chain: Array.from({ length: 11 }, () => ''),
      }),
      'cert_chain',
      10,
    ],
    [
      'a certificate of 9000 characters',
      honest.replace(toBase64(der), 'A'.repeat(9000)),
      'cert_chain[0]',
      8192,
    ],
  ])('is refused with %s', (_, text, field, limit) => {
    expect(refusalOf(() => parseWireSnpEvidence(utf8ToBytes(text)))).toEqual({
      code: 'INPUT_TOO_LARGE',
      details: { field, limit },
    })
  })

  test.prop([fc.uint8Array({ maxLength: 300 })])('of garbage gets a typed refusal', (garbage) => {
    expect(refusalOf(() => parseWireSnpEvidence(garbage))).toMatchObject({
      code: 'EVIDENCE_MALFORMED',
    })
  })

  test.prop([fc.json()])('of other JSON gets a typed refusal', (json) => {
    expect(refusalOf(() => parseWireSnpEvidence(utf8ToBytes(json)))).toMatchObject({
      code: 'EVIDENCE_MALFORMED',
    })
  })

  test.prop([
    fc.uint8Array({ minLength: 1184, maxLength: 1184 }),
    fc.array(fc.uint8Array({ minLength: 1, maxLength: 4096 }), { maxLength: 10 }),
  ])('survives the way there and back', (bytes, certificates) => {
    const sent = { report: bytes, certificates }
    expect(parseWireSnpEvidence(encodeWireSnpEvidence(sent))).toEqual(sent)
  })
})

test.prop([fc.string()])('PEM of garbage is nothing', (text) => {
  expect(parseCertificatePem(text)).toBeUndefined()
})
