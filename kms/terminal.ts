/** What the commands show a person. @module */

/** A result: to standard output, with a line break. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** Rows as columns, two spaces apart. Widths count UTF-16 units: the project prints none that are wider or narrower than one place. */
export function layoutColumns(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = []
  for (const row of rows)
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, cell.length)
    })
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}
