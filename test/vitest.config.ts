import { defineConfig } from 'vitest/config'
import { CountReporter } from './kit/count-reporter.ts'

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    typecheck: { enabled: false },
    reporters: ['default', new CountReporter()],
  },
})
