/**
 * The lowest TCB of one AMD product line, as text: `Milan=bl4.tee0.snp24.uc219`, in the form in which verdicts name TCBs.
 *
 * Components that are left out demand nothing; `fmc` is there on Turin only.
 * @module
 */

/** Each component 0..255; one that is absent demands nothing. */
export type TcbFloor = {
  product: (typeof PRODUCTS)[number]
  fmc?: number
  bootloader?: number
  tee?: number
  snp?: number
  microcode?: number
}

const PRODUCTS = ['Milan', 'Genoa', 'Turin'] as const
/** In the order in which they are written. */
const COMPONENTS = [
  ['fmc', 'fmc'],
  ['bl', 'bootloader'],
  ['tee', 'tee'],
  ['snp', 'snp'],
  ['uc', 'microcode'],
] as const
const LEVEL = /^(fmc|bl|tee|snp|uc)(0|[1-9][0-9]{0,2})$/

/** @returns `undefined` for any other text. */
export function parseTcbFloor(text: string): TcbFloor | undefined {
  const [line, levels = '', ...more] = text.split('=')
  const product = PRODUCTS.find((known) => known === line)
  if (product === undefined || more.length > 0) return undefined
  const floor: TcbFloor = { product }
  let next = 0
  for (const part of levels.split('.')) {
    const [, short, digits] = LEVEL.exec(part) ?? []
    const at = COMPONENTS.findIndex(([known]) => known === short)
    const [, name] = COMPONENTS[at] ?? []
    // Out of order, twice, or none at all.
    if (name === undefined || at < next) return undefined
    if (Number(digits) > 255 || (name === 'fmc' && product !== 'Turin')) return undefined
    floor[name] = Number(digits)
    next = at + 1
  }
  return floor
}
