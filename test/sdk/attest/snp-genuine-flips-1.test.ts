import { describeGenuineFlips } from './genuine-flips.ts'

describeGenuineFlips({ part: 0, parts: 5 })
