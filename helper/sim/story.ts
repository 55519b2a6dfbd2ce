/** How the demonstration speaks: numbered chapters, facts in columns, and expectations that are counted. @module */

import { layoutColumns } from '../../kms/terminal.ts'
import type { Io } from '../cli/io.ts'
import { createPaint, type Paint } from '../cli/terminal.ts'

export type Story = {
  paint: Paint
  chapter: (title: string) => void
  facts: (rows: readonly (readonly string[])[]) => void
  say: (text: string) => void
  /** Prints the sentence with its outcome; a false one makes the demonstration fail. */
  expect: (holds: boolean, sentence: string) => void
  failures: () => number
}

export function createStory(io: Io): Story {
  const paint = createPaint(io.color)
  let chapters = 0
  let failures = 0
  return {
    paint,
    chapter: (title) => {
      chapters++
      io.out(`\n${paint('bold', `${chapters}  ${title}`)}`)
    },
    facts: (rows) => {
      for (const line of layoutColumns(rows)) io.out(`   ${line}`)
    },
    say: (text) => io.out(`   ${text}`),
    expect: (holds, sentence) => {
      if (!holds) failures++
      io.out(`   ${holds ? paint('green', '✓') : paint('red', '✗ NOT SO:')} ${sentence}`)
    },
    failures: () => failures,
  }
}

/** Ctrl-C as a signal for what can be cancelled and a promise for what is raced. */
export function interruptSignal(io: Io): { signal: AbortSignal; happened: Promise<void> } {
  const controller = new AbortController()
  const happened = io.interrupted().then(() => controller.abort())
  return { signal: controller.signal, happened }
}
