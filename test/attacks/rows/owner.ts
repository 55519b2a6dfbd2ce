/** Attacks on the owner's method: other signers, stolen and stale signatures, malformed fields. */
import { secp256k1 } from '@noble/curves/secp256k1.js'
import {
  concatBytes,
  fromUintBE,
  parseHex,
  toBase64,
  uintBE,
  utf8ToBytes,
} from '../../../sdk/bytes.ts'
import type { ErrorCode } from '../../../sdk/errors.ts'
import { type SecretsBody, signedByOwner, TEST_TIME } from '../../kms/kit.ts'
import type { Attack } from '../table.ts'
import type { AppName, AttackWorld } from '../world.ts'

type OwnerOptions = {
  app?: AppName
  appId?: string
  privateKey?: Uint8Array
  version?: 'legacy' | 'v2'
  issuedAt?: number
  challenge?: string
}

/** What the app's creator sends. */
export function ownerBody(world: AttackWorld, options: OwnerOptions = {}): SecretsBody {
  const privateKey = options.privateKey ?? parseHex(world.creatorKey, 32) ?? new Uint8Array()
  const challenge = options.challenge ?? `${options.issuedAt ?? TEST_TIME}-${'n'.repeat(64)}`
  const appId = options.appId ?? world.apps[options.app ?? 'running']
  const { version } = options
  return signedByOwner({
    privateKey,
    appId,
    rsaPem: world.rsa.pem,
    challenge,
    ...(version && { version }),
  })
}

const owner = (
  name: string,
  options: OwnerOptions | ((body: SecretsBody, world: AttackWorld) => SecretsBody),
  status: number,
  code: ErrorCode,
  at: Attack['at'] = 'owner',
): Attack => ({
  name: `owner: ${name}`,
  at,
  send: async (world) =>
    typeof options === 'function' ? options(ownerBody(world), world) : ownerBody(world, options),
  status,
  code,
})

const stranger = new Uint8Array(32).fill(3)
const bytesOf = (value: unknown) => new Uint8Array(Buffer.from(String(value), 'base64'))

export const ownerAttacks: readonly Attack[] = [
  owner('switched off', {}, 401, 'METHOD_DISABLED', 'strict'),
  owner('a stranger', { privateKey: stranger }, 403, 'NOT_APP_CREATOR'),
  owner(
    'the creator’s public key, a stranger’s signature',
    (body, world) => ({
      ...ownerBody(world, { privateKey: stranger }),
      public_key: body.public_key,
    }),
    401,
    'EVIDENCE_INVALID',
  ),
  owner(
    'a stolen request with the thief’s RSA key',
    (body, world) => ({
      ...body,
      rsa_pubkey_tmp: toBase64(world.thief.pem),
    }),
    401,
    'EVIDENCE_INVALID',
  ),
  owner(
    'extra data added to a stolen request',
    (body) => ({
      ...body,
      extra_data: toBase64(utf8ToBytes('x')),
    }),
    401,
    'EVIDENCE_INVALID',
  ),
  owner(
    'a signature for another app',
    (body, world) => ({ ...body, app_id: world.apps.optIn }),
    401,
    'EVIDENCE_INVALID',
  ),
  owner('the older message where it is not taken', { version: 'legacy' }, 401, 'EVIDENCE_INVALID'),
  owner('a signature of six minutes ago', { issuedAt: TEST_TIME - 301 }, 401, 'EVIDENCE_INVALID'),
  owner('a signature from the future', { issuedAt: TEST_TIME + 60 }, 401, 'EVIDENCE_INVALID'),
  owner(
    'the older message of six minutes ago',
    { version: 'legacy', issuedAt: TEST_TIME - 301 },
    401,
    'EVIDENCE_INVALID',
    'ownerLegacy',
  ),
  owner('a challenge without nonce', { challenge: `${TEST_TIME}-` }, 401, 'EVIDENCE_MALFORMED'),
  owner(
    'a challenge with more behind',
    { challenge: `${TEST_TIME}-${'n'.repeat(64)} x` },
    401,
    'EVIDENCE_MALFORMED',
  ),
  owner(
    'a challenge that is no number',
    { challenge: `now-${'n'.repeat(64)}` },
    401,
    'EVIDENCE_MALFORMED',
  ),
  owner('no challenge', (body) => ({ ...body, challenge: '' }), 401, 'EVIDENCE_MALFORMED'),
  owner('no public key', (body) => ({ ...body, public_key: '' }), 401, 'EVIDENCE_MALFORMED'),
  owner(
    'a compressed public key',
    (body) => ({
      ...body,
      public_key: toBase64(Uint8Array.of(2, ...bytesOf(body.public_key).slice(1, 33))),
    }),
    401,
    'EVIDENCE_MALFORMED',
  ),
  owner(
    'a public key off the curve',
    (body) => ({
      ...body,
      public_key: toBase64(Uint8Array.of(4, ...new Uint8Array(64).fill(1))),
    }),
    401,
    'EVIDENCE_INVALID',
  ),
  owner(
    'a short signature',
    (body) => ({
      ...body,
      attestation: toBase64(bytesOf(body.attestation).slice(0, 64)),
    }),
    401,
    'EVIDENCE_MALFORMED',
  ),
  owner(
    'a zero signature',
    (body) => ({ ...body, attestation: toBase64(new Uint8Array(65)) }),
    401,
    'EVIDENCE_INVALID',
  ),
  owner(
    'the same signature with the other s',
    (body) => {
      const signature = bytesOf(body.attestation)
      const s = secp256k1.Point.Fn.ORDER - fromUintBE(signature.slice(32, 64))
      return {
        ...body,
        attestation: toBase64(
          concatBytes(signature.slice(0, 32), uintBE(s, 32), Uint8Array.of(28)),
        ),
      }
    },
    401,
    'EVIDENCE_INVALID',
  ),
  owner(
    'an app id without prefix',
    (_body, world) => ownerBody(world, { appId: world.apps.running.slice(2) }),
    400,
    'APP_ID_INVALID',
  ),
  owner('an app that does not exist', { appId: `0x${'98'.repeat(20)}` }, 403, 'APP_UNKNOWN'),
  owner('a terminated app', { app: 'terminated' }, 403, 'APP_NOT_RUNNING'),
  owner('a suspended app', { app: 'suspended' }, 403, 'APP_NOT_RUNNING'),
  owner('an app terminated a block ago', { app: 'revoked' }, 403, 'APP_NOT_RUNNING'),
  owner('with a stack id', (body) => ({ ...body, stack_id: body.app_id }), 403, 'METHOD_DISABLED'),
]
