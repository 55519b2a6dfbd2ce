import { describeGenuineFlips } from './genuine-flips.ts'

describeGenuineFlips({ part: 2, parts: 5 })
