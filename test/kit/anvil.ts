/**
 * A real EVM node for a test: start in `beforeAll`, stop in `afterAll`.
 * @module
 */
export { type Anvil, type AnvilOptions, startAnvil } from '../../helper/sim/anvil.ts'
