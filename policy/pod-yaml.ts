/**
 * YAML of a pod's author as JavaScript values, within limits that stand before the library's recursive part: nesting beyond the stack can end
 * the process there, and thousands of broken tokens cost milliseconds each hundred.
 * @module
 */
import { Composer, CST, type Document, isScalar, Lexer, Parser, visit } from 'yaml'
import { EigenxError } from '../sdk/errors.ts'

/** Characters. The largest manifests that people write have some ten thousand. */
const MAX_YAML = 256 * 1024
/** What the scanner finds: indicators, scalars, white space, line ends. A line `key: value` has five. */
const MAX_TOKENS = 16_384
/** Collections inside each other; a pod with all fields in use has 12. */
const MAX_DEPTH = 64
const MAX_ALIASES = 100

/** Why a text is not taken, for people. */
export type YamlRefusal = 'malformed' | 'nested' | 'anchors'

/**
 * @param refuse - Makes the error of the caller.
 * @returns One value for each document in the text.
 * @throws INPUT_TOO_LARGE, and what `refuse` made
 */
export function readYaml(text: string, refuse: (why: YamlRefusal) => Error): unknown[] {
  if (text.length > MAX_YAML) throw tooLarge('characters', MAX_YAML)
  const composer = new Composer({
    // The library compares every key with every other: see hasDoubleKey.
    uniqueKeys: false,
    strict: true,
    // One broken line can have thousands of errors, and each would look for its place in the file again.
    prettyErrors: false,
    logLevel: 'error', // a warning would quote the file on stderr
  })
  // The first error is answer enough: gathering thousands takes longer than reading the text.
  Object.assign(composer, {
    onError: (_source: unknown, _code: string, _message: string, isWarning = false) => {
      if (!isWarning) throw refuse('malformed')
    },
  })
  const values: unknown[] = []
  for (const document of composer.compose(parseTokens(text, refuse))) {
    if (document.errors.length > 0 || hasDoubleKey(document)) throw refuse('malformed')
    values.push(toValue(document, refuse))
  }
  return values
}

function* parseTokens(text: string, refuse: (why: YamlRefusal) => Error) {
  const parser = new Parser()
  let count = 0
  for (const lexeme of new Lexer().lex(text)) {
    if (lexeme !== CST.SCALAR && ++count > MAX_TOKENS) throw tooLarge('tokens', MAX_TOKENS)
    for (const token of parser.next(lexeme)) {
      if (token.type === 'error') throw refuse('malformed')
      yield token
    }
    if (parser.stack.length > MAX_DEPTH) throw refuse('nested')
  }
  yield* parser.end()
}

/** Which of two a reader takes is its own choice; the number 1 and the text "1" become one key, too. */
function hasDoubleKey(document: Document.Parsed): boolean {
  let found = false
  visit(document, {
    Map: (_, map) => {
      const keys = map.items.map(({ key }) => (isScalar(key) ? String(key.value) : key))
      if (new Set(keys).size === keys.length) return
      found = true
      return visit.BREAK
    },
  })
  return found
}

function toValue(document: Document.Parsed, refuse: (why: YamlRefusal) => Error): unknown {
  try {
    const value: unknown = document.toJS({ maxAliasCount: MAX_ALIASES })
    return value
  } catch {
    throw refuse('anchors')
  }
}

function tooLarge(unit: string, limit: number): EigenxError<'INPUT_TOO_LARGE'> {
  return new EigenxError({
    code: 'INPUT_TOO_LARGE',
    message: `The pod manifest has more than ${limit} ${unit}.`,
    stage: 'config',
    details: { field: 'pod.yaml', limit },
  })
}
