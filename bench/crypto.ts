/** Threshold and identity-based encryption: what one grant costs an operator and a pod. */
import type { Address } from '../sdk/chain/types.ts'
import {
  operatorX,
  partialSign,
  publicShareOf,
  randomScalar,
  thresholdOf,
} from '../sdk/crypto/bls.ts'
import { decryptWithAppKey, encryptForApp } from '../sdk/crypto/ibe.ts'
import { recombine } from '../sdk/crypto/recombine.ts'
import { evaluatePolynomial, randomPolynomial } from '../sdk/crypto/shamir.ts'
import { measureMs, type Row } from './row.ts'

const APP_ID = '0x144c00000000000000000000000000000000099c'
const PAYLOAD_BYTES = 1024

export async function cryptoRows(): Promise<Row[]> {
  return [...partialRows(), ...[4, 10, 30].flatMap(recombineRows), ...ibeRows()]
}

function partialRows(): Row[] {
  const share = randomScalar()
  let app = 0
  return [
    {
      name: 'partial key, app seen for the first time',
      value: measureMs(() => partialSign(share, `app-${app++}`), { runs: 40, warmups: 20 }),
      unit: 'ms',
      budget: 6,
      note: 'hash to G1, multiplication by the share',
    },
    {
      name: 'partial key, app seen before',
      value: measureMs(() => partialSign(share, APP_ID), { runs: 40 }),
      unit: 'ms',
      budget: 6,
    },
  ]
}

function recombineRows(n: number): Row[] {
  const threshold = thresholdOf(n)
  const secret = randomScalar()
  const polynomial = randomPolynomial(secret, threshold - 1)
  const holders = Array.from({ length: n }, (_, i) => {
    const operator: Address = `0x${(i + 1).toString(16).padStart(40, 'c')}`
    const share = evaluatePolynomial(polynomial, operatorX(operator))
    return { operator, publicShare: publicShareOf(share), partial: partialSign(share, APP_ID) }
  })
  const input = {
    appId: APP_ID,
    masterPublicKey: publicShareOf(secret),
    threshold,
    publicShares: new Map(holders.map(({ operator, publicShare }) => [operator, publicShare])),
  }
  const partials = holders.map(({ operator, partial }) => ({ operator, partial }))
  const lie = partialSign(randomScalar(), APP_ID)
  const bad = n - threshold
  const spoilt = partials.map((entry, i) => (i < bad ? { ...entry, partial: lie } : entry))
  const good = partials.slice(0, threshold)
  return [
    {
      name: `recombination, n=${n}, ${threshold} good`,
      value: measureMs(() => recombine({ ...input, partials: good })),
      unit: 'ms',
      ...(n === 4 ? { budget: 25 } : {}),
      note: 'master public key parsed before',
    },
    {
      name: `recombination, n=${n}, ${bad} of ${n} bad`,
      value: measureMs(() => recombine({ ...input, partials: spoilt }), { runs: 5, warmups: 1 }),
      unit: 'ms',
      ...(n === 30 ? { budget: 1000 } : {}),
      note: `names all ${bad}; public shares parsed before`,
    },
  ]
}

function ibeRows(): Row[] {
  const secret = randomScalar()
  const masterPublicKey = publicShareOf(secret)
  const appKey = partialSign(secret, APP_ID)
  const plaintext = new Uint8Array(PAYLOAD_BYTES)
  const ciphertext = encryptForApp({ masterPublicKey, appId: APP_ID, plaintext })
  return [
    {
      name: 'IBE encrypt, 1 KiB',
      value: measureMs(() => encryptForApp({ masterPublicKey, appId: APP_ID, plaintext })),
      unit: 'ms',
    },
    {
      name: 'IBE decrypt, 1 KiB',
      value: measureMs(() => decryptWithAppKey({ appKey, appId: APP_ID, ciphertext })),
      unit: 'ms',
    },
  ]
}
