/**
 * Compiles the contracts of this folder with solc from npm and writes `artifacts/*.ts`.
 *
 * Run `npx tsx kms/contracts/compile.ts` after a change of a `.sol` file. The artifacts are committed, so that
 * nothing but this script and its test needs a compiler; the test compiles again and compares.
 * @module
 */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as z from 'zod'

const here = dirname(fileURLToPath(import.meta.url))
const require = createRequire(import.meta.url)

/** What is compiled, and the module it becomes. */
export const CONTRACTS = [
  {
    source: 'EpochLog.sol',
    contract: 'EpochLog',
    file: 'epoch-log.ts',
    constant: 'epochLogArtifact',
  },
  {
    source: 'devnet/AppRegistry.sol',
    contract: 'AppRegistry',
    file: 'app-registry.ts',
    constant: 'appRegistryArtifact',
  },
  {
    source: 'devnet/OperatorRegistry.sol',
    contract: 'OperatorRegistry',
    file: 'operator-registry.ts',
    constant: 'operatorRegistryArtifact',
  },
] as const

const SETTINGS = {
  evmVersion: 'cancun',
  optimizer: { enabled: true, runs: 200 },
  // Without it the bytecode ends in a hash of comments and white space.
  metadata: { appendCBOR: false, bytecodeHash: 'none' },
} as const

const compilerOutput = z.object({
  errors: z.array(z.object({ severity: z.string(), formattedMessage: z.string() })).optional(),
  // Absent when nothing compiles.
  contracts: z
    .record(
      z.string(),
      z.record(
        z.string(),
        z.object({
          abi: z.array(z.unknown()),
          evm: z.object({ bytecode: z.object({ object: z.string().regex(/^([0-9a-f]{2})+$/) }) }),
        }),
      ),
    )
    .default({}),
})

export type Artifact = {
  contract: string
  source: string
  solc: string
  settings: typeof SETTINGS
  abi: unknown[]
  bytecode: `0x${string}`
}

type Solc = { version(): string; compile(input: string): string }

/** @throws Error with the compiler's own text on any error or warning. */
export function compileContracts(): Artifact[] {
  const solc: Solc = require('solc')
  const sources = Object.fromEntries(
    CONTRACTS.map(({ source }) => [source, { content: readFileSync(join(here, source), 'utf8') }]),
  )
  const input = {
    language: 'Solidity',
    sources,
    settings: { ...SETTINGS, outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object'] } } },
  }
  const output = compilerOutput.parse(JSON.parse(solc.compile(JSON.stringify(input))))
  if (output.errors !== undefined && output.errors.length > 0)
    throw new Error(output.errors.map((error) => error.formattedMessage).join('\n'))
  return CONTRACTS.map(({ source, contract }) => {
    const compiled = output.contracts[source]?.[contract]
    if (compiled === undefined) throw new Error(`solc returned no ${contract}`)
    return {
      contract,
      source,
      solc: solc.version(),
      settings: SETTINGS,
      abi: compiled.abi,
      bytecode: `0x${compiled.evm.bytecode.object}`,
    }
  })
}

function writeArtifacts(): void {
  const files = compileContracts().map((artifact, index) => {
    const target = CONTRACTS[index]
    if (target === undefined) throw new Error('more artifacts than contracts')
    const path = join(here, 'artifacts', target.file)
    const header = `/**\n * Compiled from ${artifact.source} by kms/contracts/compile.ts; do not edit.\n * @module\n */\n`
    writeFileSync(
      path,
      `${header}export const ${target.constant} = ${JSON.stringify(artifact, null, 2)} as const\n`,
    )
    return path
  })
  const biome = require.resolve('@biomejs/biome/bin/biome')
  const format = ['format', '--write', '--config-path=test/lint.json', ...files]
  const run = spawnSync(process.execPath, [biome, ...format], { cwd: join(here, '../..') })
  if (run.status !== 0) throw new Error(`biome could not format the artifacts: ${run.stderr}`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeArtifacts()
