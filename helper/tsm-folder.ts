/**
 * The kernel's folder of attestation reports, /sys/kernel/config/tsm/report: one folder in it is one request, its files are the fields.
 *
 * Source: Linux, Documentation/ABI/testing/configfs-tsm-report. A blob that is written takes effect when its file is closed, and what the
 * kernel then says about it is lost: whoever writes has to look at `generation`.
 * @module
 */
import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { mkdir, open, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { readFileBounded } from '../sdk/node/files.ts'

export const TSM_FOLDER = '/sys/kernel/config/tsm/report'

/** One request; nobody else knows its name. */
export type TsmEntry = {
  /** @returns `undefined` where this kind of hardware has no such field. @throws EigenxError INPUT_TOO_LARGE; Error of the file system */
  read: (field: string, maxBytes: number) => Promise<Uint8Array | undefined>
  /** @throws Error of the file system, ENOENT where there is no such field */
  write: (field: string, value: Uint8Array) => Promise<void>
  remove: () => Promise<void>
}

/** What the source of evidence needs of the kernel. */
export type TsmReports = { create: () => Promise<TsmEntry> }

/** @param disk - Of `node:fs/promises`: in a folder on disk, unlike the kernel's, a test has to bring the fields itself. */
export function createTsmFolder(base = TSM_FOLDER, disk = { mkdir, rmdir }): TsmReports {
  return {
    create: async () => {
      const folder = join(base, `eigenx-${randomUUID()}`)
      await disk.mkdir(folder)
      return {
        read: async (field, maxBytes) => {
          try {
            return await readFileBounded(join(folder, field), { field, maxBytes })
          } catch (error) {
            if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
              return undefined
            throw error
          }
        },
        write: async (field, value) => {
          // Not created, and not opened for reading, which the kernel refuses of a field that is only written.
          const file = await open(join(folder, field), constants.O_WRONLY)
          try {
            await file.write(value)
          } finally {
            await file.close()
          }
        },
        remove: () => disk.rmdir(folder),
      }
    },
  }
}
