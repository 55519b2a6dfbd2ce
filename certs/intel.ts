/**
 * Intel's root for SGX and TDX attestation, embedded: verification needs no network.
 *
 * Only the root. The PCK Platform CA and the TCB signing certificate come with the evidence or the collateral and are verified
 * up to it. Intel renews the TCB signing certificate under one serial and key, so neither identifies it.
 * Fingerprints are SHA-256 over the DER.
 * @module
 */

export type IntelCertificate = {
  /** Exactly one PEM block. */
  pem: string
  /** SHA-256 of the DER, lower-case hex. */
  sha256: string
  /** ISO 8601, UTC. */
  notBefore: string
  notAfter: string
  /** Where Intel publishes it. */
  source: string
}

/** The same text as intel/sgx-root-ca.pem; a test compares them. */
const SGX_ROOT_CA_PEM = `-----BEGIN CERTIFICATE-----
MIICjzCCAjSgAwIBAgIUImUM1lqdNInzg7SVUr9QGzknBqwwCgYIKoZIzj0EAwIw
aDEaMBgGA1UEAwwRSW50ZWwgU0dYIFJvb3QgQ0ExGjAYBgNVBAoMEUludGVsIENv
cnBvcmF0aW9uMRQwEgYDVQQHDAtTYW50YSBDbGFyYTELMAkGA1UECAwCQ0ExCzAJ
BgNVBAYTAlVTMB4XDTE4MDUyMTEwNDUxMFoXDTQ5MTIzMTIzNTk1OVowaDEaMBgG
A1UEAwwRSW50ZWwgU0dYIFJvb3QgQ0ExGjAYBgNVBAoMEUludGVsIENvcnBvcmF0
aW9uMRQwEgYDVQQHDAtTYW50YSBDbGFyYTELMAkGA1UECAwCQ0ExCzAJBgNVBAYT
AlVTMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEC6nEwMDIYZOj/iPWsCzaEKi7
1OiOSLRFhWGjbnBVJfVnkY4u3IjkDYYL0MxO4mqsyYjlBalTVYxFP2sJBK5zlKOB
uzCBuDAfBgNVHSMEGDAWgBQiZQzWWp00ifODtJVSv1AbOScGrDBSBgNVHR8ESzBJ
MEegRaBDhkFodHRwczovL2NlcnRpZmljYXRlcy50cnVzdGVkc2VydmljZXMuaW50
ZWwuY29tL0ludGVsU0dYUm9vdENBLmRlcjAdBgNVHQ4EFgQUImUM1lqdNInzg7SV
Ur9QGzknBqwwDgYDVR0PAQH/BAQDAgEGMBIGA1UdEwEB/wQIMAYBAf8CAQEwCgYI
KoZIzj0EAwIDSQAwRgIhAOW/5QkR+S9CiSDcNoowLuPRLsWGf/Yi7GSX94BgwTwg
AiEA4J0lrHoMs+Xo5o/sX6O9QWxHRAvZUGOdRQ7cvqRXaqI=
-----END CERTIFICATE-----
`

export const INTEL_ROOTS: readonly IntelCertificate[] = [
  {
    pem: SGX_ROOT_CA_PEM,
    sha256: '44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3',
    notBefore: '2018-05-21T10:45:10Z',
    notAfter: '2049-12-31T23:59:59Z',
    source:
      'https://certificates.trustedservices.intel.com/Intel_SGX_Provisioning_Certification_RootCA.cer',
  },
]
