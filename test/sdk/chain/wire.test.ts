import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import { parseCallResult, parseHeader, parseLogs } from '../../../sdk/chain/wire.ts'

const header = { number: '0x10', hash: `0x${'AB'.repeat(32)}`, timestamp: '0x65', extra: 'ignored' }
const log = {
  address: `0x${'AA'.repeat(20)}`,
  topics: [`0x${'11'.repeat(32)}`],
  data: '0xBEEF',
  blockNumber: '0x10',
  blockHash: `0x${'22'.repeat(32)}`,
  transactionHash: `0x${'33'.repeat(32)}`,
  transactionIndex: '0x0',
  logIndex: '0x1',
  removed: false,
}

describe('what a provider answers', () => {
  it('is read into numbers and lower-case hex', () => {
    expect(parseHeader(header)).toEqual({
      number: 16n,
      hash: `0x${'ab'.repeat(32)}`,
      timestamp: 101,
    })
    expect(parseLogs([log], 1)).toMatchObject([
      { address: `0x${'aa'.repeat(20)}`, data: '0xbeef', blockNumber: 16n, logIndex: 1 },
    ])
    expect(parseCallResult('0xAB')).toBe('0xab')
  })

  const badHeaders = [
    null,
    [],
    'block',
    { ...header, number: 16 },
    { ...header, number: '16' },
    { ...header, number: '0x' },
    { ...header, number: '0xffffffffffffffff' },
    { ...header, hash: `0x${'ab'.repeat(31)}` },
    { ...header, timestamp: undefined },
  ]
  it.each(badHeaders.map((value) => [value]))('as header is refused: %j', (value) => {
    expect(parseHeader(value)).toBeUndefined()
  })

  const badLogs = [
    { ...log, removed: true },
    { ...log, address: `0x${'aa'.repeat(21)}` },
    { ...log, topics: Array.from({ length: 5 }, () => log.topics[0]) },
    { ...log, data: '0xabc' },
    { ...log, blockHash: null },
    { ...log, logIndex: '0x1ffffffffffffff0000' },
  ]
  it.each(badLogs.map((value) => [value]))('as log is refused: %j', (value) => {
    expect(parseLogs([value], 10)).toBeUndefined()
  })

  it('as list of logs is sorted, without repeats and bounded', () => {
    const second = { ...log, logIndex: '0x2' }
    const later = { ...log, blockNumber: '0x11', logIndex: '0x0' }
    const sorted = parseLogs([later, second, log], 3)
    expect(sorted?.map(({ blockNumber, logIndex }) => [blockNumber, logIndex])).toEqual([
      [16n, 1],
      [16n, 2],
      [17n, 0],
    ])
    expect(parseLogs([log, log], 3)).toBeUndefined()
    expect(parseLogs([log, second], 1)).toBeUndefined()
    expect(parseLogs({ 0: log, length: 1 }, 1)).toBeUndefined()
  })

  test.prop([fc.anything()])(
    'of any shape is a value or undefined, never an exception',
    (value) => {
      parseHeader(value)
      parseCallResult(value)
      parseLogs(value, 5)
      parseLogs([value], 5)
    },
  )
})
