import { describeGenuineFlips } from './genuine-flips.ts'

describeGenuineFlips({ part: 3, parts: 5 })
