/**
 * `eigenx-tee/pkcs12`: an RSA key of `getKey` with its certificates as one file, as Java and others take it. Node only.
 * @module
 */
export { type Pkcs12Input, toPkcs12 } from './crypto/rsa.ts'
