/**
 * The rule sets that are known, by the SHA-256 of their text, with what each one enforces.
 *
 * A rule set is code: what its data means is known only to who has read it. So an unknown hash is never
 * accepted on its own (the release can still pin the whole initdata). How a row is reviewed:
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
 * report, and none pins the image. Microsoft's fork (AKS) pins dm-verity roots of the layers.
 * @module
 */

import { EIGENX_RULES_SHA256 } from './eigenx/rules.ts'
import type { RuleSet } from './types.ts'

/** A row, and how its data half is written. */
export type KnownRuleSet = RuleSet & {
  shape: 'kata' | 'eigenx'
  /**
   * SHA-256 of `policy_data.common` as canonical JSON, as the tool ships it. The rules build their patterns from
   * these values, so other values would be other rules.
   */
  commonSha256?: string
}

function kata(sha256: string, version: string): KnownRuleSet {
  return {
    sha256,
    name: 'kata-containers genpolicy',
    version,
    pinsImage: false,
    pinsCommand: true,
    pinsEnv: true,
    shape: 'kata',
  }
}

function microsoft(sha256: string, version: string, commonSha256: string): KnownRuleSet {
  return {
    sha256,
    name: 'microsoft/kata-containers genpolicy',
    version,
    pinsImage: 'dm-verity',
    pinsCommand: true,
    pinsEnv: true,
    shape: 'kata',
    commonSha256,
  }
}

const ROWS: readonly KnownRuleSet[] = [
  {
    sha256: EIGENX_RULES_SHA256,
    name: 'eigenx-tee',
    version: '1',
    pinsImage: 'digest',
    pinsCommand: true,
    pinsEnv: true,
    shape: 'eigenx',
  },
  kata('05c0b7b95f45871fa18757087bd03f17d00f0811be1bd841aac2384ba9f3ee13', '3.3.0'),
  kata('35b4d003f1c918cfc84d96e4409c7f3eaa3edb89be4c58371bed9051f4e78e34', '3.4.0'),
  kata('de79f33eb1f31196a5422ad34717ff86f2a852ab359620337235f77f9aee8e42', '3.5.0'),
  kata('77d678b8a233ca660428796de329e7078b626fceccaa8add0c5d9dd2cb9a2d4f', '3.6.0'),
  kata('7720081e6f39994e5f44680132fc7664eaa9873455c9a31ec98a196ddba37e2f', '3.7.0'),
  kata('9bab6b16b4903179d50a6d459866451daf8da6592a8ac41e23e0a87238f1fe73', '3.8.0'),
  kata('b2f7a068701374ef7add419b91f9a73e62e3515ad6820d62e002faa85a317af8', '3.9.0'),
  kata('5b9b4502bf3761ad6702d26782bf1aaba398cc5826f24babb2157472065cbc6a', '3.10.0 to 3.10.1'),
  kata('16f9073f31fea19693186f58c34120fc2955e2c77a0c53db34ebc3ab3472b6a0', '3.11.0'),
  kata('0d99b596f2862711e398a0941fe3fb7eb7dc48ad7f9526951629255f1ad920c8', '3.12.0 to 3.13.0'),
  kata('7536b942e80bd9aad24d2a860899830e0d8d02a57fd93de96330838972dee83a', '3.14.0'),
  kata('180286f5876b91149fffadd422b0251dba84a899986f48884268d259150b8a9d', '3.15.0'),
  kata('3b6cc32f4f330fe568403dfca6e1a52eae17544a080c85f2812e2369245c52e1', '3.16.0'),
  kata('cd2ec193aa4aa8d6be33291e8c803e50c06585c56cf945a17873d9d7bb1dc0d5', '3.17.0'),
  kata('6ff0e945abb95f47823d0dd2d7d6d43e2ec163319fc42f8ac4b1a008f93dcb77', '3.18.0'),
  kata('0a38443a1003faf87d1a4fe8429b6073926ec58ff78e76f3f660e95b47befcc2', '3.19.0 to 3.19.1'),
  kata('8ee2b44328db0714a1e550883aafcd175f8fb7b820b14e1eb8d1e2d2f1f4de9f', '3.20.0'),
  kata('817a48c82befe030f242b599bde49271c118278add32d486a0cd3330f6373237', '3.21.0'),
  kata('ea8387e5321ee233e7a89ba581c08d25d58d6d3b4deeb9b8cf15791def09dd60', '3.22.0'),
  kata('aa569c60d0d097320bdf3f740113ed08b5684c62bf66c1f0647b2a5903ccb74e', '3.23.0'),
  kata('42f477c41d772b40bcdfab83ae753750aa517b8ccf8e0f6c4837ec3964f9292b', '3.24.0 to 3.26.0'),
  kata('1f05abddb7795bfc3d74481c5b348c052364ba19a12f60a2158d7b4f7faf29fc', '3.27.0'),
  kata('5c003271f14596e42a1834ff70b414bac245d811034de8b16ce880b741134806', '3.28.0'),
  kata('289a152247f4ce3ac253c04d15f0e70d61a911c944fee49a49e7606950ca1f11', '3.29.0 to 3.30.0'),
  kata('1a755a5cf6cc6433ee79093a9cb48aff74a03dcf6e907da0157ea2860e32754d', '3.31.0 to 3.32.0'),
  kata('a1ad4280a7d1db83649de18640fb30f08cc160fadd7f4360d1dde09977b090b7', 'main@7c6ba40c54ea'),
  microsoft(
    '2ca6c0e9617f97a922724112bd738fd73881d35b9ae5d31d573f0871d1ecf897',
    '2025-12 (samples)',
    '51f4b5cffef9e9a4d4a50f4386900fa18c4a44c256d1efaa3bd279c14f050972',
  ),
  microsoft(
    'c420d49e5788486b4ef4b3a16dff4ff56342ef44435d4d48a19a644232f8f7d8',
    '2025-12 (genpolicy samples)',
    'cb923088ccea0cbde10b6c5e0d5360d704897fba518397509947bc6c12ed9420',
  ),
]

const BY_HASH = new Map(ROWS.map((row) => [row.sha256, row]))

/** Every known rule set, ours first. */
export const KNOWN_RULE_SETS: readonly KnownRuleSet[] = ROWS

export function findRuleSet(sha256: string): KnownRuleSet | undefined {
  return BY_HASH.get(sha256)
}
