/**
 * Rotation of guest images: entries of the operator's lists that count on some days only.
 *
 * An empty list means any image, so a list that has entries, none of which counts today, becomes a list with an entry that nothing fits.
 * @module
 */
import type { DecisionSettings } from './settings.ts'

/** Unix seconds of the first moment of the first and of the last day, in UTC. */
export type Window = { from?: number | undefined; until?: number | undefined }
/** By the entry itself. */
export type Windows = ReadonlyMap<object, Window>

const DAY_SECONDS = 86_400
/** No digest has no bytes. */
const NOTHING = new Uint8Array(0)
const TRUSTS = { coversImage: false, bindsInitdata: false }

/** Notes the days of an entry. */
export function during<T extends object>(
  { from, until }: Window,
  entry: T,
  windows: Map<object, Window>,
): T {
  if (from !== undefined || until !== undefined) windows.set(entry, { from, until })
  return entry
}

/** The settings with what counts at that time. */
export function settingsAt<T extends DecisionSettings>(settings: T, nowSeconds: number): T {
  const { windows, snp, tdx, azure } = settings
  if (windows.size === 0) return settings
  const current = <E extends object>(list: readonly E[], never: E): readonly E[] => {
    const open = list.filter((entry) => isOpen(windows.get(entry), nowSeconds))
    return open.length === 0 && list.length > 0 ? [never] : open
  }
  const none = { ...TRUSTS, value: NOTHING }
  const noTd = {
    ...TRUSTS,
    mrTd: NOTHING,
    rtmrs: [undefined, undefined, undefined, undefined],
  } as const
  const noVm = { ...TRUSTS, pcrs: new Map([[0, NOTHING]]) }
  return {
    ...settings,
    snp: { ...snp, measurements: current(snp.measurements, none) },
    tdx: { ...tdx, measurements: current(tdx.measurements, noTd) },
    azure: { ...azure, vm: { ...azure.vm, images: current(azure.vm.images, noVm) } },
  }
}

function isOpen(window: Window | undefined, nowSeconds: number): boolean {
  const { from = Number.NEGATIVE_INFINITY, until = Number.POSITIVE_INFINITY } = window ?? {}
  return nowSeconds >= from && nowSeconds < until + DAY_SECONDS
}
