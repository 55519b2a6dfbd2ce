/** Flags of the scripts beside the tests. Whoever mistypes one reads a line, not a stack trace. */
import { type ParseArgsConfig, parseArgs } from 'node:util'

/** Writes the line and ends the process with exit code 2: nothing was run. */
export function misuse(line: string): never {
  process.stderr.write(`${line}\n`)
  process.exit(2)
}

/** The flags of this process; ends it where one is unknown or lacks its value. */
export function readFlags<const T extends NonNullable<ParseArgsConfig['options']>>(
  options: T,
): ReturnType<typeof parseArgs<{ options: T }>>['values'] {
  try {
    return parseArgs({ options }).values
  } catch (error) {
    return misuse(error instanceof Error ? error.message : 'unknown flags')
  }
}

/** The whole number that a flag gives; ends the process where it is none, or less. */
export function wholeNumber(name: string, text: string, least: number): number {
  const value = text.trim() === '' ? Number.NaN : Number(text)
  return Number.isSafeInteger(value) && value >= least
    ? value
    : misuse(`--${name} is a whole number, ${least} or more`)
}
