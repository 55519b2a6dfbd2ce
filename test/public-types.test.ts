/** What an entry's functions take and return has a name that the same entry exports. */
import ts from 'typescript'
import { expect, test } from 'vitest'

const ROOT = new URL('../', import.meta.url).pathname
const ENTRIES = [
  ...['index', 'browser', 'verify', 'pkcs12', 'viem', 'solana', 'testing'].map(
    (name) => `sdk/${name}.ts`,
  ),
  'policy/index.ts',
]
/** Of the root entry, where whoever calls an adapter gets it from. */
const ELSEWHERE = ['Client']

/** Our own files alone: no library has to be read to follow our names. */
function createProgram(files: readonly string[]): ts.Program {
  const options: ts.CompilerOptions = { noLib: true, types: [], allowImportingTsExtensions: true }
  const host = ts.createCompilerHost(options)
  host.resolveModuleNameLiterals = (literals, importer) =>
    literals.map(({ text }) => ({
      resolvedModule: text.startsWith('.')
        ? {
            resolvedFileName: ts.sys.resolvePath(`${importer}/../${text}`),
            extension: ts.Extension.Ts,
          }
        : undefined,
    }))
  return ts.createProgram({ rootNames: files, options, host })
}

function typesMissing(program: ts.Program, entry: string): string[] {
  const checker = program.getTypeChecker()
  const source = program.getSourceFile(entry)
  const module = source && checker.getSymbolAtLocation(source)
  if (module === undefined) throw new Error(`no module ${entry}`)
  const meaning = (symbol: ts.Symbol): ts.Symbol =>
    symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
  const exported = new Set(checker.getExportsOfModule(module).map(meaning))
  const named = (node: ts.Node): ts.Symbol[] => {
    const symbol = ts.isTypeReferenceNode(node)
      ? checker.getSymbolAtLocation(node.typeName)
      : undefined
    const nested: ts.Symbol[] = []
    ts.forEachChild(node, (child) => void nested.push(...named(child)))
    return symbol === undefined ? nested : [meaning(symbol), ...nested]
  }
  const isOurType = (symbol: ts.Symbol) =>
    symbol.declarations?.some(ts.isTypeAliasDeclaration) === true && !exported.has(symbol)
  return [...exported]
    .flatMap((symbol) => symbol.declarations ?? [])
    .filter(ts.isFunctionDeclaration)
    .flatMap(({ parameters, type }) => [...parameters.map((parameter) => parameter.type), type])
    .flatMap((type) => (type === undefined ? [] : named(type)))
    .filter(isOurType)
    .map(({ name }) => name)
    .filter((name) => !ELSEWHERE.includes(name))
}

test('every type of a public signature is exported beside it', () => {
  const files = ENTRIES.map((entry) => `${ROOT}${entry}`)
  const program = createProgram(files)
  expect(files.flatMap((file) => typesMissing(program, file))).toEqual([])
})
