import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readOperatorKeys } from '../../kms/signer.ts'
import { concatBytes } from '../../sdk/bytes.ts'
import { isSignedBy } from '../../sdk/protocol/digest.ts'

const ADDRESS = '0x00000000000000000000000000000000000000aa'
const statement = concatBytes(Uint8Array.of(0x19, 0x01), new Uint8Array(64).fill(7))

describe('the keys of an operator', () => {
  let folder: string
  const file = (name: string) => join(folder, name)

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'eigenx-signer-'))
    await writeFile(file('small'), `${'11'.repeat(32)}\n`, { mode: 0o600 })
    await writeFile(file('large'), `${'f1'.repeat(32)}\n`, { mode: 0o600 })
  })
  afterAll(() => rm(folder, { recursive: true }))

  it.each(['ecdsa', 'bn254'] as const)(
    'sign on the curve %s what its registered key verifies',
    async (signingCurve) => {
      const keys = await readOperatorKeys({
        address: ADDRESS,
        signingKeyFile: file('small'),
        signingCurve,
        transactionKeyFile: file('large'),
      })
      const signature = await keys.signer.sign(statement)
      const info = { address: ADDRESS, socket: '', signingKey: keys.signingKey } as const
      expect(isSignedBy(info, statement, signature)).toBe(true)
      expect(keys.signer.operator).toBe(ADDRESS)
    },
  )

  it('pay with the signing key where there is no other', async () => {
    const keys = await readOperatorKeys({
      address: ADDRESS,
      signingKeyFile: file('small'),
      signingCurve: 'ecdsa',
    })
    expect(keys.signingKey).toEqual({ curve: 'ecdsa', address: keys.account.address.toLowerCase() })
  })

  it.each(['signing', 'transaction'] as const)(
    'name the %s key when its file is bad',
    async (kind) => {
      const files = { signingKeyFile: file('small'), transactionKeyFile: file('large') }
      const bad = readOperatorKeys({
        address: ADDRESS,
        signingCurve: 'ecdsa',
        ...files,
        [`${kind}KeyFile`]: file('none'),
      })
      await expect(bad).rejects.toMatchObject({
        message: expect.stringContaining(`the ${kind} key`),
        details: { path: `operator.${kind}_key_file` },
        cause: { code: 'ENOENT' },
      })
    },
  )

  it('are refused when the file holds no key of the curve', async () => {
    const wrong = {
      address: ADDRESS,
      signingKeyFile: file('large'),
      signingCurve: 'bn254',
    } as const
    await expect(
      readOperatorKeys({ ...wrong, transactionKeyFile: file('small') }),
    ).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })
})
