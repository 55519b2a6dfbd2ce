import { describeGenuineFlips } from './genuine-flips.ts'

describeGenuineFlips({ part: 4, parts: 5 })
