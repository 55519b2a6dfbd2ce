import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { CountReporter } from './kit/count-reporter.ts'

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Many tests wait for blocks and processes: on two cores one worker would leave a core idle.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    typecheck: { enabled: false },
    reporters: ['default', new CountReporter()],
  },
})
