/**
 * Child process of the store's kill test: commits numbered pairs (a secret, a blob and the head in one go) as fast as it can and says
 * which one is durable. Arguments: database path, key as hex, first number.
 */
import { writeSync } from 'node:fs'
import { randomBytes } from '@noble/hashes/utils.js'
import { openLibsqlStore } from '../../../kms/store/libsql.ts'
import { parseHex, uintBE } from '../../../sdk/bytes.ts'
import { DOMAIN_OF_TESTS, OPERATOR_OF_TESTS } from './owner.ts'

const [path = '', key = '', first = '0'] = process.argv.slice(2)
const store = await openLibsqlStore({
  path,
  key: parseHex(key, 32) ?? new Uint8Array(),
  operator: OPERATOR_OF_TESTS,
  domain: DOMAIN_OF_TESTS,
  rng: randomBytes,
})
for (let i = Number(first); ; i++) {
  const bytes = uintBE(i, 8)
  await store.commit([
    { type: 'putSecret', name: { kind: 'share', epoch: i, id: 'x' }, value: bytes },
    { type: 'putBlob', bytes },
    { type: 'setHead', head: bytes },
  ])
  writeSync(1, `${i}\n`)
}
