/**
 * The RSA key that the answer is encrypted to. Every method calls this once its evidence is genuine, and before the chain is asked: a key
 * that nothing can be encrypted to is not worth a lookup.
 * @module
 */
import { parseRsaPublicKeyPem, type RsaPublicKey } from '../../sdk/wire/rsa-oaep.ts'
import type { SecretsRequest } from '../../sdk/wire/secrets.ts'
import type { DecisionTrail } from './trail.ts'

/** @throws EigenxError RSA_KEY_INVALID, which answers as Go's failed encryption */
export function demandRsaKey(request: SecretsRequest, trail: DecisionTrail): RsaPublicKey {
  trail.step = 'rsa'
  return parseRsaPublicKeyPem(request.rsaPubkeyTmp)
}
