/** Commands that the documents name exist, with the options that they give them. */
import { readdirSync, readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import type { Io } from '../helper/cli/io.ts'
import { createProgram } from '../helper/cli/program.ts'

const ROOT = new URL('../', import.meta.url).pathname
const documents = ['README.md', ...readdirSync(`${ROOT}docs`).map((name) => `docs/${name}`)]

/** Nothing is run here, so there is no world to reach. */
const program = createProgram({} as Io, () => async () => undefined)

/** What a shell or a sentence in backquotes would run, without the program's name, which `kms` commands may leave out. */
function commandsIn(text: string): string[] {
  const fenced = [...text.matchAll(/```(?:sh)?\n([\s\S]*?)```/g)].flatMap(([, block = '']) =>
    block.split('\n').flatMap((line) => line.split(/&&|\||#/)),
  )
  const prose = text.replace(/```[\s\S]*?```/g, '')
  const inline = [...prose.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code)
  return [...fenced, ...inline].flatMap(
    (line) =>
      /^\s*(?:\$ )?(?:npx )?(?:eigenx-tee (?=[a-z])|(?=kms [a-z]))(.*)$/s.exec(line)?.[1] ?? [],
  )
}

/** What is wrong with one; `undefined` when it could be run, or names no more than a command. */
function fault(text: string): string | undefined {
  const words = text.trim().split(/\s+/)
  let command: Command = program
  for (const word of words) {
    if (!/^[a-z]+$/.test(word)) break
    const next = command.commands.find((one) => one.name() === word)
    if (next === undefined) {
      if (command.commands.length !== 0) return `${text}: no command ${word}`
      break
    }
    command = next
  }
  const known = command.options.map(({ long }) => long)
  const unknown = words.filter((word) => word.startsWith('--') && !known.includes(word))
  return unknown.length === 0 ? undefined : `${text}: no option ${unknown.join(' ')}`
}

describe('commands in the documents', () => {
  it('would be found if they were wrong', () => {
    expect(commandsIn('```sh\nx | eigenx-tee kms leave --hour 3 # x\n```\n`kms fly`')).toEqual([
      'kms leave --hour 3 ',
      'kms fly',
    ])
    expect(fault('kms leave --hour 3')).toMatch(/no option --hour/)
    expect(fault('kms collateral guess')).toMatch(/no command guess/)
    expect(fault('kms import export.json --config operator.toml')).toBeUndefined()
  })

  it('are there, with their options', () => {
    const commands = documents.flatMap((name) => commandsIn(readFileSync(ROOT + name, 'utf8')))
    expect(commands.length).toBeGreaterThan(25)
    expect(commands.flatMap((text) => fault(text) ?? [])).toEqual([])
  })
})
