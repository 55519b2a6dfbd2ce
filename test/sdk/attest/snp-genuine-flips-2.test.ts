import { describeGenuineFlips } from './genuine-flips.ts'

describeGenuineFlips({ part: 1, parts: 5 })
