import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { CountReporter } from './kit/count-reporter.ts'
import { twinsInVitest } from './twin/swap.ts'

const TWIN = 'test/**/*.twin.test.ts'

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Many tests wait for blocks and processes: on two cores one worker would leave a core idle.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    typecheck: { enabled: false },
    reporters: ['default', new CountReporter()],
    projects: [
      {
        extends: true,
        test: {
          name: 'real',
          include: ['test/**/*.test.ts'],
          exclude: [TWIN],
          // A worker loads the modules once for all its files: a fifth of the run's time. No module keeps state that a test could feel,
          // and none is mocked; the twins, which exchange modules, have a project of their own.
          isolate: false,
        },
      },
      { extends: true, plugins: [twinsInVitest()], test: { name: 'twin', include: [TWIN] } },
    ],
  },
})
