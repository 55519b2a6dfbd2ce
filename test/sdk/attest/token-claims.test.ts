import { describe, expect, it } from 'vitest'
import { utf8ToBytes } from '../../../sdk/bytes.ts'
import { changed, type Json, signToken } from '../../kit/token-issuer.ts'
import { APP, google, honest, intel, NOW, outcome, PEM } from './token-kit.ts'

type Row = [name: string, path: string, value: Json | undefined, expected: string]

const SHARED: readonly Row[] = [
  ['another issuer', 'iss', 'https://accounts.google.com', 'EVIDENCE_INVALID token.issuer'],
  [
    'an issuer with a slash',
    'iss',
    'https://confidentialcomputing.googleapis.com/',
    'EVIDENCE_INVALID token.issuer',
  ],
  ['no issuer', 'iss', undefined, 'EVIDENCE_INVALID token.issuer'],
  ['another audience', 'aud', 'https://example.com', 'EVIDENCE_INVALID token.audience'],
  [
    'two audiences',
    'aud',
    ['EigenX KMS', 'https://sts.googleapis.com'],
    'EVIDENCE_INVALID token.audience',
  ],
  ['one audience twice', 'aud', ['EigenX KMS', 'EigenX KMS'], 'EVIDENCE_INVALID token.audience'],
  ['an empty audience list', 'aud', [], 'EVIDENCE_INVALID token.audience'],
  ['no audience', 'aud', undefined, 'EVIDENCE_INVALID token.audience'],
  ['an audience that is a number', 'aud', 1, 'EVIDENCE_MALFORMED'],
  ['no expiry', 'exp', undefined, 'EVIDENCE_INVALID token.times'],
  ['no issue time', 'iat', undefined, 'EVIDENCE_INVALID token.times'],
  ['an expiry as text', 'exp', String(NOW + 60), 'EVIDENCE_MALFORMED'],
  ['a negative issue time', 'iat', -1, 'EVIDENCE_MALFORMED'],
  ['a lifetime of years', 'exp', NOW + 100_000_000, 'EVIDENCE_INVALID token.lifetime'],
  ['no id', 'jti', undefined, 'EVIDENCE_INVALID token.id'],
  ['an empty id', 'jti', '', 'EVIDENCE_INVALID token.id'],
  ['an endless id', 'jti', 'x'.repeat(257), 'EVIDENCE_INVALID token.id'],
  ['an id that is a list', 'jti', ['a'], 'EVIDENCE_MALFORMED'],
  ['other software', 'swname', 'GCE', 'EVIDENCE_NOT_ALLOWED token.software-name'],
  ['no software name', 'swname', undefined, 'EVIDENCE_NOT_ALLOWED token.software-name'],
  ['SEV hardware', 'hwmodel', 'GCP_AMD_SEV', 'EVIDENCE_NOT_ALLOWED token.hardware-model'],
  ['a shielded VM', 'hwmodel', 'GCP_SHIELDED_VM', 'EVIDENCE_NOT_ALLOWED token.hardware-model'],
  ['an image before TDX', 'swversion', ['250299'], 'EVIDENCE_NOT_ALLOWED token.software-version'],
  ['no image version', 'swversion', [], 'EVIDENCE_NOT_ALLOWED token.software-version'],
  [
    'two image versions',
    'swversion',
    ['250301', '1'],
    'EVIDENCE_NOT_ALLOWED token.software-version',
  ],
  [
    'a version with words',
    'swversion',
    ['250301 beta'],
    'EVIDENCE_NOT_ALLOWED token.software-version',
  ],
  ['a version as text', 'swversion', '250301', 'EVIDENCE_MALFORMED'],
  ['no secure boot', 'secboot', false, 'EVIDENCE_NOT_ALLOWED token.secure-boot'],
  ['debugging on', 'dbgstat', 'enabled', 'EVIDENCE_NOT_ALLOWED token.debug-state'],
  ['debugging off only now', 'dbgstat', 'disabled', 'EVIDENCE_NOT_ALLOWED token.debug-state'],
  [
    'an unstable image',
    'submods.confidential_space.support_attributes',
    ['USABLE'],
    'EVIDENCE_NOT_ALLOWED token.support-attributes',
  ],
  [
    'a debug image',
    'submods.confidential_space',
    undefined,
    'EVIDENCE_NOT_ALLOWED token.support-attributes',
  ],
  [
    'an attribute that begins alike',
    'submods.confidential_space.support_attributes',
    ['STABLE_BETA'],
    'EVIDENCE_NOT_ALLOWED token.support-attributes',
  ],
  ['another project', 'submods.gce.project_id', 'their-pods', 'EVIDENCE_NOT_ALLOWED token.project'],
  ['no project', 'submods.gce', undefined, 'EVIDENCE_NOT_ALLOWED token.project'],
  ['no submodules', 'submods', undefined, 'EVIDENCE_NOT_ALLOWED token.support-attributes'],
  ['submodules that are a list', 'submods', [], 'EVIDENCE_MALFORMED'],
  ['another nonce', 'eat_nonce', 'ab'.repeat(32), 'REPORT_DATA_MISMATCH token.nonce'],
  ['no nonce', 'eat_nonce', undefined, 'REPORT_DATA_MISMATCH token.nonce'],
  ['a nonce of nothing', 'eat_nonce', '', 'REPORT_DATA_MISMATCH token.nonce'],
  ['an empty nonce list', 'eat_nonce', [], 'REPORT_DATA_MISMATCH token.nonce'],
  ['a nonce that is a number', 'eat_nonce', 7, 'EVIDENCE_MALFORMED'],
  [
    'another app',
    'submods.gce.instance_name',
    `tee-0x${'b1'.repeat(20)}`,
    'APP_ID_MISMATCH token.app',
  ],
  [
    'an app id in capitals',
    'submods.gce.instance_name',
    `tee-0x${'A9'.repeat(20)}`,
    'APP_ID_MISMATCH token.app',
  ],
  ['the app id alone', 'submods.gce.instance_name', APP, 'APP_ID_MISMATCH token.app'],
  [
    'the app id in the middle',
    'submods.gce.instance_name',
    `tee-${APP}-x`,
    'APP_ID_MISMATCH token.app',
  ],
  ['a dash at the end', 'submods.gce.instance_name', `tee-${APP}-`, 'APP_ID_MISMATCH token.app'],
  ['no instance name', 'submods.gce.instance_name', undefined, 'APP_ID_MISMATCH token.app'],
  ['arguments as text', 'submods.container.args', '/usr/bin/app', 'EVIDENCE_MALFORMED'],
  ['variables as a list', 'submods.container.env', ['A=1'], 'EVIDENCE_MALFORMED'],
  ['a variable that is a number', 'submods.container.env', { A: 1 }, 'EVIDENCE_MALFORMED'],
]

describe('one broken claim', () => {
  it.each(SHARED)('gcp: %s', async (_name, path, value, expected) => {
    expect(await outcome(await signToken(google, changed(honest(), path, value)))).toBe(expected)
  })

  it.each([
    ['no attester', 'attester_tcb', undefined, 'EVIDENCE_NOT_ALLOWED token.attester-tcb'],
    ['two attesters', 'attester_tcb', ['INTEL', 'AMD'], 'EVIDENCE_NOT_ALLOWED token.attester-tcb'],
    ['a virtual TPM', 'attester_tcb', ['GCP'], 'EVIDENCE_NOT_ALLOWED token.attester-tcb'],
    ['Intel’s hardware name', 'hwmodel', 'INTEL_TDX', 'EVIDENCE_NOT_ALLOWED token.hardware-model'],
    [
      'Intel as issuer',
      'iss',
      'https://portal.trustauthority.intel.com',
      'EVIDENCE_INVALID token.issuer',
    ],
  ] satisfies readonly Row[])('gcp alone: %s', async (_name, path, value, expected) => {
    expect(await outcome(await signToken(google, changed(honest(), path, value)))).toBe(expected)
  })

  it.each([
    [
      'a platform out of date',
      'tdx.gcp_attester_tcb_status',
      'OutOfDate',
      'EVIDENCE_NOT_ALLOWED token.tcb-status',
    ],
    ['no platform status', 'tdx', undefined, 'EVIDENCE_NOT_ALLOWED token.tcb-status'],
    [
      'a status in small letters',
      'tdx.gcp_attester_tcb_status',
      'uptodate',
      'EVIDENCE_NOT_ALLOWED token.tcb-status',
    ],
    [
      'Google’s hardware name',
      'hwmodel',
      'GCP_INTEL_TDX',
      'EVIDENCE_NOT_ALLOWED token.hardware-model',
    ],
    [
      'Google as issuer',
      'iss',
      'https://confidentialcomputing.googleapis.com',
      'EVIDENCE_INVALID token.issuer',
    ],
  ] satisfies readonly Row[])('intel alone: %s', async (_name, path, value, expected) => {
    const token = await signToken(intel, changed(honest('intel'), path, value))
    expect(await outcome(token, { provider: 'intel' })).toBe(expected)
  })

  it('two nonces, of which one is right', async () => {
    const claims = honest()
    const token = await signToken(
      google,
      changed(claims, 'eat_nonce', [String(claims.eat_nonce), 'x']),
    )
    expect(await outcome(token)).toBe('REPORT_DATA_MISMATCH token.nonce')
  })

  it('the key’s own bytes count, not the key', async () => {
    const rsaPem = utf8ToBytes(`${new TextDecoder().decode(PEM)}\n`)
    expect(await outcome(await signToken(google, honest()), { rsaPem })).toBe(
      'REPORT_DATA_MISMATCH token.nonce',
    )
  })
})
