/**
 * Every parser of outside input, by name.
 * @module
 */
import type { Target } from './kit.ts'
import { EVIDENCE_TARGETS } from './targets-evidence.ts'
import { PROTOCOL_TARGETS } from './targets-protocol.ts'
import { TEXT_TARGETS } from './targets-text.ts'

export const TARGETS: readonly Target[] = [
  ...EVIDENCE_TARGETS,
  ...PROTOCOL_TARGETS,
  ...TEXT_TARGETS,
]
