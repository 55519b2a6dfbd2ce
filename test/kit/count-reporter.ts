/**
 * A vitest reporter that ends a run with one plain line, "N passed, N failed", for machines.
 *
 * A file that fails outside its tests (an import, a hook) counts as one failure: otherwise a run
 * could end with "0 failed" and exit code 1.
 * @module
 */
import type { Reporter, TestModule } from 'vitest/node'

export class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[] = []): void {
    process.stdout.write(`\n${countLine(modules, unhandledErrors.length)}\n`)
  }
}

function countLine(modules: readonly TestModule[], unhandled: number): string {
  let passed = 0
  let failed = unhandled
  for (const module of modules) {
    const tests = [...module.children.allTests()]
    for (const test of tests) {
      const { state } = test.result()
      if (state === 'passed') passed++
      if (state === 'failed') failed++
    }
    const suites = [...module.children.allSuites()]
    failed += module.errors().length + suites.filter((suite) => suite.errors().length > 0).length
  }
  return `${passed} passed, ${failed} failed`
}
