import { copyFile, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { tokenUsesPath } from '../../../kms/tokens/start.ts'
import { openTokenUses, type TokenUses } from '../../../kms/tokens/uses.ts'
import { isEigenxError } from '../../../sdk/errors.ts'

const NOW = 1_760_000_000
let folder: string
let path: string
const open: TokenUses[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'uses-'))
  path = join(folder, 'operator.tokens.db')
})
afterEach(async () => {
  for (const uses of open.splice(0)) uses.close()
  await rm(folder, { recursive: true })
})

const openUses = (limit?: number, at = path) => {
  const uses = openTokenUses({ path: at, ...(limit === undefined ? {} : { limit }) })
  open.push(uses)
  return uses
}
const use = (jti: string, method = 'gcp', expiresAt = NOW + 3600) => ({ jti, method, expiresAt })
const outcome = (work: () => unknown): string => {
  try {
    work()
    return 'fine'
  } catch (error) {
    if (isEigenxError(error)) return error.code
    throw error
  }
}

describe('used tokens', () => {
  it('serve once', () => {
    const uses = openUses()
    uses.reserve(use('a'), NOW).commit()
    expect(outcome(() => uses.reserve(use('a'), NOW))).toBe('EVIDENCE_REPLAYED')
    expect(uses.count()).toBe(1)
  })

  it('cannot be held by two decisions at once', () => {
    const uses = openUses()
    const held = uses.reserve(use('a'), NOW)
    expect(outcome(() => uses.reserve(use('a'), NOW))).toBe('EVIDENCE_REPLAYED')
    held.release()
    uses.reserve(use('a'), NOW).commit()
    expect(outcome(() => uses.reserve(use('a'), NOW))).toBe('EVIDENCE_REPLAYED')
  })

  it('stay used when a decision gives back what it has committed', () => {
    const uses = openUses()
    const held = uses.reserve(use('a'), NOW)
    held.commit()
    held.release()
    held.commit()
    expect(outcome(() => uses.reserve(use('a'), NOW))).toBe('EVIDENCE_REPLAYED')
    expect(uses.count()).toBe(1)
  })

  it('have names of their own under each method', () => {
    const uses = openUses()
    uses.reserve(use('a', 'gcp'), NOW).commit()
    uses.reserve(use('a', 'intel'), NOW).commit()
    expect(outcome(() => uses.reserve(use('pa', 'gc'), NOW).commit())).toBe('fine')
    expect(uses.count()).toBe(3)
  })

  it('are known after a restart; what was only reserved is free', () => {
    const before = openUses()
    before.reserve(use('committed'), NOW).commit()
    before.reserve(use('reserved'), NOW)
    before.close()
    open.length = 0
    const after = openUses()
    expect(after.count()).toBe(1)
    expect(outcome(() => after.reserve(use('committed'), NOW))).toBe('EVIDENCE_REPLAYED')
    expect(outcome(() => after.reserve(use('reserved'), NOW))).toBe('fine')
  })

  it('are known from what lies on disk at the moment of a crash', async () => {
    const uses = openUses()
    uses.reserve(use('a'), NOW).commit()
    uses.reserve(use('b'), NOW)
    const crashed = join(folder, 'crashed')
    for (const file of await readdir(folder))
      await copyFile(join(folder, file), file.replace('operator.tokens.db', crashed))
    const after = openUses(undefined, crashed)
    expect(outcome(() => after.reserve(use('a'), NOW))).toBe('EVIDENCE_REPLAYED')
    expect(outcome(() => after.reserve(use('b'), NOW))).toBe('fine')
  })

  it('are forgotten some time after they have expired, and not before', () => {
    const uses = openUses()
    uses.reserve(use('a', 'gcp', NOW + 60), NOW).commit()
    expect(outcome(() => uses.reserve(use('a'), NOW + 60))).toBe('EVIDENCE_REPLAYED')
    // A clock that is set back finds it on record still.
    expect(outcome(() => uses.reserve(use('a'), NOW + 600))).toBe('EVIDENCE_REPLAYED')
    expect(outcome(() => uses.reserve(use('a'), NOW))).toBe('EVIDENCE_REPLAYED')
    uses.reserve(use('b'), NOW + 661).release()
    expect(uses.count()).toBe(0)
  })

  it('are bounded: new tokens wait until there is room', () => {
    const uses = openUses(3)
    uses.reserve(use('a', 'gcp', NOW + 60), NOW).commit()
    uses.reserve(use('b'), NOW).commit()
    const held = uses.reserve(use('c'), NOW)
    expect(outcome(() => uses.reserve(use('d'), NOW))).toBe('OVERLOADED')
    held.release()
    uses.reserve(use('d'), NOW).commit()
    expect(outcome(() => uses.reserve(use('e'), NOW + 30))).toBe('OVERLOADED')
    expect(outcome(() => uses.reserve(use('e'), NOW + 700))).toBe('fine')
  })

  it('take ids of any text', () => {
    const uses = openUses()
    for (const jti of ['\0', "'; DROP TABLE uses; --", '💥', 'x'.repeat(256)]) {
      uses.reserve(use(jti), NOW).commit()
      expect(outcome(() => uses.reserve(use(jti), NOW))).toBe('EVIDENCE_REPLAYED')
    }
  })

  it('lie beside the operator’s store', () => {
    expect(tokenUsesPath('/var/lib/x/operator.db')).toBe('/var/lib/x/operator.tokens.db')
    expect(tokenUsesPath('/var/lib/x/store')).toBe('/var/lib/x/store.tokens.db')
  })

  it('refuse to start over a damaged record or a missing folder', async () => {
    await writeFile(path, 'not a database, but long enough to have a header '.repeat(40))
    expect(outcome(() => openUses())).toBe('STORE_CORRUPT')
    expect(outcome(() => openUses(undefined, join(folder, 'missing', 'x.db')))).toBe(
      'STORE_UNAVAILABLE',
    )
  })
})
