/**
 * `eigenx-tee/policy`: what an initdata document and its policy.rego really allow, and how to write one that an
 * operator accepts. No I/O.
 * @module
 */
export { analysePolicy } from './analyse.ts'
export { explainAnalysis, explainVerdict } from './explain.ts'
export { encodeInitdata, INITDATA_ANNOTATION, parseInitdata } from './initdata.ts'
export { type JudgeInput, judgePolicy } from './judge.ts'
export {
  describeInitdata,
  type InitdataDescription,
  type PreparedRelease,
  type PrepareInput,
  prepareRelease,
} from './prepare.ts'
export type { ImageConfig } from './prepare-container.ts'
export { PIN_KEYS, type ReleaseFacts, releaseDemand } from './release.ts'
export type {
  Finding,
  Initdata,
  PolicyAnalysis,
  PolicyContainer,
  PolicyVerdict,
  ReleaseDemand,
  RuleSet,
} from './types.ts'
