/** The package's version, as `--version` prints it; a test holds it equal to package.json. @module */
export const VERSION = '0.1.0'
