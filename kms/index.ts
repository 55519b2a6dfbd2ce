/**
 * `eigenx-tee/kms`: an operator inside another program, instead of `eigenx-tee kms serve`. Node only.
 * @module
 */
export { type KmsConfig, parseKmsConfig } from './config.ts'
export { loadKmsConfig } from './load-config.ts'
export { createLog, type Log, type LogOptions } from './log.ts'
export { type OperatorOptions, type RunningOperator, startOperator } from './node.ts'
