/**
 * Throw-away SNP authorities for tests. Their RSA-4096 keys take seconds, so every checkout makes them once and keeps them in
 * node_modules/.cache; deleting that folder only costs the time again.
 * @module
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import {
  createSnpAuthority,
  importAuthority,
  type SnpAuthority,
} from '../../helper/sim/evidence.ts'
import type { SnpProduct } from '../../sdk/attest/types.ts'

/** 2026-06-01T00:00:00Z: the authorities' certificates begin a day earlier. */
export const NOW = 1_780_272_000

const CACHE = new URL('../../node_modules/.cache/eigenx-tee-test/', import.meta.url)
const authorities = new Map<string, Promise<SnpAuthority>>()

/** @param keySet - Another name gives an authority with the same certificate names and other keys. */
export function authorityOf(
  product: SnpProduct = 'Milan',
  kind: 'VCEK' | 'VLEK' = 'VCEK',
  keySet: 'default' | 'look-alike' = 'default',
): Promise<SnpAuthority> {
  const name = `${product}-${kind}-${keySet}`
  const making = authorities.get(name) ?? loadOrCreate(product, kind, keySet)
  authorities.set(name, making)
  return making
}

async function loadOrCreate(
  product: SnpProduct,
  kind: 'VCEK' | 'VLEK',
  keySet: string,
): Promise<SnpAuthority> {
  const file = new URL(`snp2-${product}-${kind}-${keySet}-${NOW}.json`, CACHE)
  try {
    return await importAuthority(readFileSync(file, 'utf8'))
  } catch {
    const authority = await createSnpAuthority({ product, kind, now: NOW, keySet })
    mkdirSync(CACHE, { recursive: true })
    // Another test process may write the same file: a rename leaves a whole one in either case.
    const draft = new URL(`${file.href}.${process.pid}`)
    writeFileSync(draft, await authority.exportAuthority(), { mode: 0o600 })
    renameSync(draft, file)
    return authority
  }
}
