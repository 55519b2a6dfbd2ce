/** Sizes on the wire that more than one part must agree on. @module */

/** Of the field `attestation` of POST /secrets, in bytes. eigenx-kms-go 0.4.3 has the same cap. */
export const MAX_ATTESTATION_BYTES = 256 * 1024
