/**
 * Every parser of outside input, by name.
 * @module
 */
import type { Target } from './kit.ts'
import { CHAIN_TARGETS } from './targets-chain.ts'
import { CRYPTO_TARGETS } from './targets-crypto.ts'
import { HELPER_TARGETS } from './targets-helper.ts'
import { KEPT_TARGETS } from './targets-kept.ts'
import { POLICY_TARGETS } from './targets-policy.ts'
import { PROTOCOL_TARGETS } from './targets-protocol.ts'
import { SNP_TARGETS } from './targets-snp.ts'
import { TDX_TARGETS } from './targets-tdx.ts'
import { TOKEN_TARGETS } from './targets-token.ts'
import { VTPM_TARGETS } from './targets-vtpm.ts'
import { WIRE_TARGETS } from './targets-wire.ts'

export const TARGETS: readonly Target[] = [
  ...SNP_TARGETS,
  ...TDX_TARGETS,
  ...VTPM_TARGETS,
  ...KEPT_TARGETS,
  ...TOKEN_TARGETS,
  ...PROTOCOL_TARGETS,
  ...CRYPTO_TARGETS,
  ...CHAIN_TARGETS,
  ...POLICY_TARGETS,
  ...WIRE_TARGETS,
  ...HELPER_TARGETS,
]
