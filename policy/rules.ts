/**
 * The rule sets that are known, by the SHA-256 of their text, with what each one enforces.
 *
 * A rule set is code: what its data means is known only to who has read it. So an unknown hash is never
 * accepted on its own (the release can still pin the whole initdata), and neither is one that is listed by its name alone. How a row is
 * reviewed, and added with `eigenx-tee policy rules`:
 * 1. hash `rules.rego` of the tagged source, byte for byte, without a trailing newline of the joiner;
 * 2. find what decides the bytes of a container's root file system: the driver and source of its storages
 *    and the mounts over it. `pinsImage` is 'dm-verity' when every layer's root hash comes from policy_data,
 *    'digest' when the reference that the agent pulls does, and false when the host can choose either;
 * 3. `pinsCommand`: Process.Args is compared element by element; `pinsEnv`: every variable is either
 *    in policy_data or matches a pattern listed there;
 * 4. look for what the data half can loosen (patterns, macros, request defaults) and see that
 *    `kata-data.ts` or `eigenx-data.ts` reports each of it.
 *
 * Kata's released sets accept any `image_guest_pull` storage: before 3.19 storages are not compared at all,
 * since then the driver is let through without a look at its source. All of them are listed, to name them in a
 * report, and none pins the image. Neither does any reviewed set of Microsoft's fork (AKS), although it compares the layers' root hashes:
 * the answers are in `policy/reviews`, and docs/app-developers.md says what is open in which release.
 * @module
 */

import { EIGENX_RULES_SHA256 } from './eigenx/rules.ts'
import { RULE_SETS } from './rules-table.ts'
import type { KnownRuleSet } from './types.ts'

/** Every known rule set, ours first. */
export const KNOWN_RULE_SETS: readonly KnownRuleSet[] = [
  {
    sha256: EIGENX_RULES_SHA256,
    name: 'eigenx-tee',
    version: '1',
    pinsImage: 'digest',
    pinsCommand: true,
    pinsEnv: true,
    shape: 'eigenx',
    reviewed: true,
  },
  ...RULE_SETS,
]

const BY_HASH = new Map(KNOWN_RULE_SETS.map((row) => [row.sha256, row]))

export function findRuleSet(sha256: string): KnownRuleSet | undefined {
  return BY_HASH.get(sha256)
}
