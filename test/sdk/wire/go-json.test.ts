import { fc, test as prop } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { utf8ToBytes } from '../../../sdk/bytes.ts'
import { decodeGoBase64 } from '../../../sdk/wire/go-base64.ts'
import {
  encodeGoJson,
  GO_BOOL,
  GO_BYTES,
  GO_INT64,
  GO_STRING,
  type GoStruct,
  marshalGo,
  parseGoJson,
} from '../../../sdk/wire/go-json.ts'
import { readVectors } from '../crypto/vectors.ts'

/** The struct that the known answers were made with. */
const POINT = { name: 'G1Point', fields: { CompressedBytes: GO_BYTES } } as const satisfies GoStruct
const T = {
  name: 'T',
  fields: {
    AppID: GO_STRING,
    T: GO_INT64,
    Q: { kind: 'pointer', of: POINT },
    E: GO_BYTES,
  },
} as const satisfies GoStruct
const gnark = readVectors<Record<string, string>>('protocol/vectors_gnark.json')
const outcome = (name: string): string => {
  const value = gnark[name]
  if (value === undefined) throw new Error(`no vector ${name}`)
  return value
}

/** As the vectors print a decoded T and the error, zero value where decoding failed. */
function print(json: string): string {
  try {
    const { AppID, T: t, Q, E } = parseGoJson(json, T)
    return `{AppID:${AppID} T:${t} Q:${Q === undefined ? '<nil>' : '?'} E:[${E.join(' ')}]}|<nil>`
  } catch (error) {
    return `{AppID: T:0 Q:<nil> E:[]}|${error instanceof Error ? error.message : ''}`
  }
}

const message = (json: string | Uint8Array, struct: GoStruct = T): string => {
  try {
    parseGoJson(json, struct)
    return 'accepted'
  } catch (error) {
    expect(error).toMatchObject({ code: 'REQUEST_INVALID' })
    return error instanceof Error ? error.message : ''
  }
}

describe('what Go decodes', () => {
  test.each([
    ['dec.caseInsensitive', '{"appid":"x","t":3}'],
    ['dec.mixed', '{"AppID":"x","appid":"y","unknown":[{"a":1}]} trailing'],
    ['dec.null', '{"AppID":null,"T":null,"Q":null,"E":null}'],
    ['dec.bytesArray', '{"E":[1,2,3]}'],
    ['dec.bytesNewline', '{"E":"AQ\\nID\\r\\n"}'],
    ['dec.bytesBadB64', '{"E":"AQI"}'],
    ['dec.bytesUrlB64', '{"E":"-_8="}'],
    ['dec.floatInt', '{"T":1.0}'],
    ['dec.exp', '{"T":1e3}'],
    ['dec.strInt', '{"T":"5"}'],
  ])('%s', (name, json) => {
    expect(print(json)).toBe(outcome(name))
  })

  test.each([
    ['dec.hashShort', '{"H":[1,2,3]}'],
    ['dec.hashLong', '{"H":[0,1,2,3,4,"not even looked at"]}'],
  ])('%s', (name, json) => {
    const struct = { name: 'T', fields: { H: { kind: 'array', length: 4 } } } as const
    expect(`[${parseGoJson(json, struct).H.join(' ')}] <nil>`).toBe(outcome(name))
  })

  test('the last duplicate wins in document order, whatever its case', () => {
    const last = (json: string) => parseGoJson(json, T).AppID
    expect(last('{"AppID":"1","APPID":"2","AppID":"3"}')).toBe('3')
    expect(last('{"AppID":"1","AppID":"2","appId":"3"}')).toBe('3')
    expect(last('{"AppID":"1","AppID":null}')).toBe('1')
  })

  test('the two letters that Unicode folds onto ASCII match too, no others', () => {
    const struct = { name: 'T', fields: { task: GO_STRING } } as const
    expect(parseGoJson('{"ta\u017f\u212a":"x"}', struct).task).toBe('x')
    expect(parseGoJson('{"t\u00e4sk":"x"}', struct).task).toBe('')
  })

  test('names of JavaScript objects are ordinary keys', () => {
    const struct = { name: 'T', fields: { a: GO_STRING } } as const
    const value = parseGoJson('{"__proto__":{"a":"x"},"constructor":1,"a":"y"}', struct)
    expect(value.a).toBe('y')
    expect(Object.keys(value)).toEqual(['a'])
  })

  test('int64 takes its whole range and nothing beyond', () => {
    const t = (literal: string) => parseGoJson(`{"T":${literal}}`, T).T
    expect(t('9223372036854775807')).toBe(2n ** 63n - 1n)
    expect(t('-9223372036854775808')).toBe(-(2n ** 63n))
    expect(t('-0')).toBe(0n)
    for (const literal of ['9223372036854775808', '-9223372036854775809', '1E2', '0.5'])
      expect(message(`{"T":${literal}}`)).toBe(
        `json: cannot unmarshal number ${literal} into Go struct field T.T of type int64`,
      )
  })

  test.each([
    ['{"AppID":5}', 'json: cannot unmarshal number into Go struct field T.AppID of type string'],
    ['{"AppID":{}}', 'json: cannot unmarshal object into Go struct field T.AppID of type string'],
    ['{"AppID":true}', 'json: cannot unmarshal bool into Go struct field T.AppID of type string'],
    ['{"E":5}', 'json: cannot unmarshal number into Go struct field T.E of type []uint8'],
    ['{"E":[256]}', 'json: cannot unmarshal number 256 into Go struct field T.E of type uint8'],
    ['{"E":[-1]}', 'json: cannot unmarshal number -1 into Go struct field T.E of type uint8'],
    [
      '{"Q":{"CompressedBytes":1}}',
      'json: cannot unmarshal number into Go struct field G1Point.Q.CompressedBytes of type []uint8',
    ],
    ['[]', 'json: cannot unmarshal array into Go value of type T'],
    ['"x"', 'json: cannot unmarshal string into Go value of type T'],
  ])('%s is refused', (json, text) => {
    expect(message(json)).toBe(text)
  })

  test('a null document is the zero value', () => {
    expect(print('null')).toBe('{AppID: T:0 Q:<nil> E:[]}|<nil>')
  })
})

describe('syntax', () => {
  test.each([
    ['', 'EOF'],
    [' \n', 'EOF'],
    ['{', 'unexpected EOF'],
    ['{"a"', 'unexpected EOF'],
    ['{"a":"', 'unexpected EOF'],
    ['{"a":"\\u12', 'unexpected EOF'],
    ['tru', 'unexpected EOF'],
    ['x', "invalid character 'x' looking for beginning of value"],
    ['\ufeff{}', "invalid character '\\ufeff' looking for beginning of value"],
    ['{a:1}', "invalid character 'a' looking for beginning of object key string"],
    ['{"a" 1}', "invalid character '1' after object key"],
    ['{"a":1 "b":2}', "invalid character '\"' after object key:value pair"],
    ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
    ['[1 2]', "invalid character '2' after array element"],
    ['[1,]', "invalid character ']' looking for beginning of value"],
    ['{"a":"\n"}', "invalid character '\\u000a' in string literal"],
    ['{"a":"\\x"}', "invalid character 'x' in string escape code"],
    ['{"a":"\\u12g4"}', "invalid character 'g' in \\u hexadecimal character escape"],
    ['{"a":nul1}', "invalid character '1' in literal null (expecting 'l')"],
    ['{"a":01}', "invalid character '1' after object key:value pair"],
  ])('%j is refused', (json, text) => {
    expect(message(json)).toBe(text)
  })

  test.each(['-', '1.', '1.e1', '1e', '.5', '+1'])('the number %s is refused', (literal) => {
    expect(message(`{"T":${literal}}`)).toMatch(/^invalid character/)
  })

  test('invalid UTF-8 and lone surrogates become the replacement character', () => {
    const bytes = Uint8Array.of(...utf8ToBytes('{"AppID":"a'), 0xff, ...utf8ToBytes('b"}'))
    expect(parseGoJson(bytes, T).AppID).toBe('a\ufffdb')
    expect(parseGoJson('{"AppID":"\\ud800\\u0041\\ud83d\\ude00"}', T).AppID).toBe('\ufffdA😀')
  })

  test('depth and size are bounded, also inside what is ignored', () => {
    const deep = (n: number) => `{"x":${'['.repeat(n)}${']'.repeat(n)}}`
    expect(message(deep(32))).toBe('accepted')
    expect(message(deep(33))).toBe('exceeded max depth')
    expect(message('['.repeat(1_000_000))).toBe('exceeded max depth')
    expect(() => parseGoJson('{"AppID":"12345"}', T, { maxBytes: 16 })).toThrow(
      expect.objectContaining({
        code: 'INPUT_TOO_LARGE',
        details: { field: 'body', limit: 16 },
      }),
    )
    expect(parseGoJson('{"AppID":"1234"}', T, { maxBytes: 16 }).AppID).toBe('1234')
  })

  test.each([
    ['numbers', `{"E":[${'0,'.repeat(1_000_000)}0]}`],
    ['unknown arrays', `{"x":[${'[],'.repeat(600_000)}0]}`],
    ['repeated keys', `{${'"a":0,'.repeat(300_000)}"a":0}`],
    ['escapes', `{"AppID":"${'\\n'.repeat(1_000_000)}"}`],
  ])('refuses two megabytes of %s without reading them all', (_, text) => {
    expect(() => parseGoJson(text, T)).toThrow(
      expect.objectContaining({
        code: 'INPUT_TOO_LARGE',
        details: { field: 'body', limit: 32_768 },
      }),
    )
  })

  test('reads a megabyte of base64 whose slashes are escaped', () => {
    const bytes = new Uint8Array(1024 * 1024).map((_, i) => (i * 2_654_435_761) >>> 13)
    const base64 = Buffer.from(bytes).toString('base64').replaceAll('/', '\\/')
    expect(parseGoJson(`{"E":"${base64}"}`, T).E).toEqual(bytes)
  })

  prop.prop([fc.json()], { numRuns: 300 })(
    'whatever JSON.parse reads is read, or refused for its types',
    (json) => {
      expect(message(json)).not.toMatch(/invalid character|EOF/)
    },
  )

  prop.prop([fc.string({ unit: 'binary', maxLength: 60 })], { numRuns: 500 })(
    'garbage gives a typed refusal or a value, never another error',
    (text) => {
      message(text)
      message(`{"E":${text}`)
    },
  )

  test('two megabytes of base64 take no more than linear work', () => {
    const json = JSON.stringify({ E: 'AAAA'.repeat(500_000) })
    const start = performance.now()
    expect(parseGoJson(json, T).E.length).toBe(1_500_000)
    expect(performance.now() - start).toBeLessThan(20_000)
  })
})

describe('base64', () => {
  test.each([
    ['', ''],
    ['AQ==', '1'],
    // The four stray bits of the last digit are dropped.
    ['AR==', '1'],
    ['AQJ=', '1 2'],
    ['AQ\r\n==', '1'],
    ['\nAQID\n', '1 2 3'],
  ])('%j is read', (text, bytes) => {
    const decoded = decodeGoBase64(text)
    expect(typeof decoded === 'number' ? decoded : decoded.join(' ')).toBe(bytes)
  })

  test.each([
    ['A', 0],
    ['AQ', 0],
    ['AQIDA', 4],
    ['AQ=', 3],
    ['A===', 1],
    ['=', 0],
    ['AQ==A', 4],
    ['AQI=A', 4],
    ['AQ=A', 2],
    ['AQ*=', 2],
    ['-_8=', 0],
    ['AQ ==', 2],
  ])('%j is refused at byte %i', (text, offset) => {
    expect(decodeGoBase64(text)).toBe(offset)
  })

  prop.prop([fc.uint8Array({ maxLength: 40 })])('reads what it writes', (bytes) => {
    const { E } = parseGoJson(marshalGo({ E: bytes }), T)
    expect(E).toEqual(bytes)
  })
})

describe('what Go encodes', () => {
  test('a struct with a null pointer and a null slice', () => {
    const json = marshalGo({ AppID: 'a<b>&c', T: 7, Q: null, E: null })
    expect(json).toBe(outcome('json.untagged+null'))
  })

  test('a point and a message', () => {
    const point = Uint8Array.from(Buffer.from(outcome('hashToG1.my-app-id.compressed'), 'hex'))
    expect(marshalGo({ CompressedBytes: point })).toBe(outcome('json.G1Point'))
    const hash: number[] = JSON.parse(outcome('json.authmsg')).hash
    const signature = Uint8Array.of(1, 2, 3)
    expect(marshalGo({ payload: utf8ToBytes('x'), hash, signature })).toBe(outcome('json.authmsg'))
  })

  test('escapes, sorted maps, omitted fields, the closing line break', () => {
    expect(marshalGo('"\\\b\f\n\r\t\u0001\u007f\u2028\u2029<>&é\ud800')).toBe(
      '"\\"\\\\\\b\\f\\n\\r\\t\\u0001\u007f\\u2028\\u2029\\u003c\\u003e\\u0026é\ufffd"',
    )
    const map = new Map([
      ['b', 1],
      ['\u{1f600}', 2],
      ['\uffff', 3],
      ['a', 4],
      ['', 5],
      ['ab', 6],
    ])
    expect(marshalGo(map)).toBe('{"":5,"a":4,"ab":6,"b":1,"\uffff":3,"\u{1f600}":2}')
    expect(encodeGoJson({ a: undefined, b: [true, 5n, -1] })).toBe('{"b":[true,5,-1]}\n')
    expect(() => marshalGo(0.5)).toThrow(RangeError)
    expect(() => marshalGo(2 ** 53)).toThrow(RangeError)
  })

  test('a bool field decodes', () => {
    const struct = { name: 'T', fields: { b: GO_BOOL } } as const
    expect(parseGoJson('{"b":true}', struct).b).toBe(true)
    expect(parseGoJson('{"b":true,"b":null}', struct).b).toBe(true)
    expect(message('{"b":"true"}', struct)).toBe(
      'json: cannot unmarshal string into Go struct field T.b of type bool',
    )
  })
})
