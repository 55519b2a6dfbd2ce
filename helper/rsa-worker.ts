/**
 * The thread in which one RSA key is searched; `rsa-thread.ts` starts it, and it ends with its answer.
 * @module
 */
import { parentPort, workerData } from 'node:worker_threads'
import { rsaKeyPair } from '../sdk/crypto/rsa.ts'
import type { RsaJob } from './rsa-thread.ts'

const { seed, bits }: RsaJob = workerData
parentPort?.postMessage(rsaKeyPair(seed, bits))
seed.fill(0)
