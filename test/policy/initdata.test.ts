import { createHash } from 'node:crypto'
import { deflateRawSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  encodeInitdata,
  MAX_INITDATA_DECODED,
  MAX_INITDATA_ENCODED,
  parseInitdata,
} from '../../policy/initdata.ts'
import { stringifyInitdata } from '../../policy/prepare.ts'
import { isEigenxError } from '../../sdk/errors.ts'

const utf8 = new TextEncoder()
const TOML = `version = "0.1.0"
algorithm = "sha384"
[data]
"policy.rego" = "package agent_policy"
`

function codeOf(received: Uint8Array | string): string {
  try {
    parseInitdata(typeof received === 'string' ? utf8.encode(received) : received)
    return 'accepted'
  } catch (error) {
    return isEigenxError(error) ? error.code : `leaked ${String(error)}`
  }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}

describe('encodings', () => {
  it('reads raw TOML and both base64 alphabets, padded, unpadded or padded badly, as one document', () => {
    const text = encodeInitdata(utf8.encode(TOML))
    const digits = text.replace(/=+$/, '')
    const forms = [
      TOML,
      text,
      digits,
      `${digits}=`,
      `${digits}==`,
      `${digits}===`,
      `${text}\n`,
      text.replace(/(.{60})/g, '$1\r\n'),
      digits.replaceAll('+', '-').replaceAll('/', '_'),
    ]
    for (const form of forms)
      expect(Buffer.from(parseInitdata(utf8.encode(form)).toml).toString()).toBe(TOML)
  })

  it('hashes the decoded document, whatever way it came', () => {
    const sha384 = createHash('sha384').update(TOML).digest('hex')
    for (const form of [TOML, encodeInitdata(utf8.encode(TOML))]) {
      const parsed = parseInitdata(utf8.encode(form))
      expect(Buffer.from(parsed.sha384).toString('hex')).toBe(sha384)
      expect(Buffer.from(parsed.received).toString()).toBe(form)
    }
  })

  it('keeps its own copy of the bytes', () => {
    const bytes = utf8.encode(TOML)
    const parsed = parseInitdata(bytes)
    bytes.fill(0)
    expect(Buffer.from(parsed.toml).toString()).toBe(TOML)
  })

  it.each([
    ['sha-256', 'sha256', 32],
    ['SHA384', 'sha384', 48],
    ['SHA_512', 'sha512', 64],
  ])('reads the algorithm %s', (spelling, algorithm, length) => {
    const parsed = parseInitdata(utf8.encode(TOML.replace('sha384', spelling)))
    expect(parsed.algorithm).toBe(algorithm)
    expect(parsed.digest).toHaveLength(length)
  })

  it('reads other version strings', () => {
    expect(parseInitdata(utf8.encode(TOML.replace('0.1.0', '0.1.1'))).version).toBe('0.1.1')
  })

  it('writes what it reads, for any text', () => {
    const file = fc.tuple(fc.stringMatching(/^[a-z.]{1,12}$/), fc.string({ unit: 'grapheme' }))
    fc.assert(
      fc.property(fc.array(file, { maxLength: 6 }), (files) => {
        const data = Object.fromEntries(
          files.map(([name, text]) => [name, text.replaceAll('\0', '')]),
        )
        const toml = utf8.encode(stringifyInitdata({ algorithm: 'sha384', data }))
        const back = parseInitdata(utf8.encode(encodeInitdata(toml)))
        expect({ ...back.data }).toEqual(data)
      }),
      { numRuns: 200 },
    )
  })
})

describe('gzip', () => {
  const packed = new Uint8Array(gzipSync(TOML))
  const wrap = (bytes: Uint8Array) => base64(bytes)

  function edited(edit: (bytes: Uint8Array) => void): Uint8Array {
    const copy = packed.slice()
    edit(copy)
    return copy
  }

  it('reads optional header fields', () => {
    const raw = packed.subarray(10)
    const named = Buffer.concat([
      Uint8Array.of(0x1f, 0x8b, 8, 0x0c, 0, 0, 0, 0, 0, 3),
      Uint8Array.of(2, 0, 0xaa, 0xbb),
      utf8.encode('initdata.toml\0'),
      raw,
    ])
    expect(codeOf(wrap(named))).toBe('accepted')
  })

  it.each([
    ['a second member', Buffer.concat([packed, packed])],
    ['a second, empty member', Buffer.concat([packed, gzipSync('')])],
    ['one byte behind the member', Buffer.concat([packed, Uint8Array.of(0)])],
    ['a byte less', packed.subarray(0, -1)],
    [
      'a wrong checksum',
      edited((bytes) => {
        bytes[bytes.length - 8] = (bytes.at(-8) ?? 0) ^ 1
      }),
    ],
    [
      'a wrong size',
      edited((bytes) => {
        bytes[bytes.length - 4] = (bytes.at(-4) ?? 0) ^ 1
      }),
    ],
    [
      'another method',
      edited((bytes) => {
        bytes[2] = 7
      }),
    ],
    [
      'reserved flags',
      edited((bytes) => {
        bytes[3] = 0x80
      }),
    ],
    [
      'an endless name',
      Buffer.concat([
        Uint8Array.of(0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3),
        utf8.encode('x'.repeat(40)),
      ]),
    ],
    [
      'a header checksum that does not match',
      Buffer.concat([Uint8Array.of(0x1f, 0x8b, 8, 2, 0, 0, 0, 0, 0, 3, 1, 2), packed.subarray(10)]),
    ],
    [
      'no deflate stream',
      edited((bytes) => {
        bytes.fill(0xff, 10, 40)
      }),
    ],
  ])('refuses %s', (_, bytes) => {
    expect(codeOf(wrap(bytes))).toBe('INITDATA_INVALID')
  })

  it('stops inflating a bomb at the cap', () => {
    const bomb = gzipSync(new Uint8Array(256 * 1024 * 1024))
    expect(bomb.length).toBeLessThan(MAX_INITDATA_ENCODED / 2)
    const before = process.memoryUsage().rss
    expect(codeOf(wrap(bomb))).toBe('INPUT_TOO_LARGE')
    expect(process.memoryUsage().rss - before).toBeLessThan(128 * 1024 * 1024)
  })

  it('takes a document of exactly the decoded cap, and not one byte more', () => {
    const pad = (length: number) => utf8.encode(`${TOML}#${'x'.repeat(length - TOML.length - 1)}`)
    expect(codeOf(encodeInitdata(pad(MAX_INITDATA_DECODED)))).toBe('accepted')
    expect(codeOf(wrap(gzipSync(pad(MAX_INITDATA_DECODED + 1))))).toBe('INPUT_TOO_LARGE')
    expect(() => encodeInitdata(pad(MAX_INITDATA_DECODED + 1))).toThrow(/larger/)
  })

  it('takes a raw document of exactly the encoded cap, and not one byte more', () => {
    const pad = (length: number) => `${TOML}#${'x'.repeat(length - TOML.length - 1)}`
    expect(codeOf(pad(MAX_INITDATA_ENCODED))).toBe('accepted')
    expect(codeOf(pad(MAX_INITDATA_ENCODED + 1))).toBe('INPUT_TOO_LARGE')
  })

  it('does not take raw deflate or bare gzip bytes', () => {
    expect(codeOf(base64(deflateRawSync(TOML)))).toBe('INITDATA_INVALID')
    expect(codeOf(packed)).toBe('INITDATA_INVALID')
  })
})

describe('documents that two readers could understand differently', () => {
  it.each([
    ['nothing', ''],
    ['a key twice', TOML.replace('version', 'version = "0.1.0"\nversion')],
    ['a file twice', `${TOML}"policy.rego" = "other"\n`],
    ['[data] twice', `${TOML}[data]\n"x" = "y"\n`],
    ['[data] again in another case', `${TOML}[Data]\n"policy.rego" = "other"\n`],
    ['another top-level key', TOML.replace('version', 'extra = 1\nversion')],
    ['a byte order mark', `\ufeff${TOML}`],
    ['NUL', TOML.replace('package', 'package\0')],
    ['a file that is a table', `${TOML}[data.more]\nx = "y"\n`],
    ['a file that is a number', `${TOML}x = 1\n`],
    ['a file that is a list', `${TOML}x = ["y"]\n`],
    ['an empty file name', `${TOML}"" = "y"\n`],
    ['no [data]', 'version = "0.1.0"\nalgorithm = "sha384"\n'],
    ['[data] as a list of tables', 'version = "0.1.0"\nalgorithm = "sha384"\n[[data]]\nx = "y"\n'],
    ['[data] as a date', 'version = "0.1.0"\nalgorithm = "sha384"\ndata = 2026-01-01\n'],
    ['no version', TOML.replace(/^version.*\n/, '')],
    ['a version that is no string', TOML.replace('"0.1.0"', '1')],
    ['an unknown algorithm', TOML.replace('sha384', 'sha1')],
    ['an algorithm that only begins well', TOML.replace('sha384', 'sha384x')],
    ['JSON', '{"version":"0.1.0"}'],
    ['base64 of TOML', base64(utf8.encode(TOML))],
    ['base64 with a blank inside', encodeInitdata(utf8.encode(TOML)).replace(/^(.{20})/, '$1 ')],
    ['a mixture of the alphabets', 'H4sIAAAAAAAAA-+/'],
    ['base64 cut to an impossible length', 'H4sIAAAAA'],
  ])('refuses %s', (_, text) => {
    expect(codeOf(text)).toBe('INITDATA_INVALID')
  })

  it('refuses bytes that are not UTF-8', () => {
    expect(codeOf(Uint8Array.of(...utf8.encode(TOML), 0xff))).toBe('INITDATA_INVALID')
    expect(codeOf(base64(gzipSync(Uint8Array.of(...utf8.encode(TOML), 0xc0, 0x80))))).toBe(
      'INITDATA_INVALID',
    )
  })

  it('refuses too many files and deep nesting', () => {
    const many = Array.from({ length: 65 }, (_, index) => `f${index} = ""`).join('\n')
    expect(codeOf(`${TOML}${many}`)).toBe('INITDATA_INVALID')
    expect(codeOf(`${TOML}x = ${'['.repeat(50_000)}`)).toBe('INITDATA_INVALID')
  })

  it.each<[string, string]>([
    ['a key of four million parts', `[data]\n${'a.'.repeat(4_000_000)}a = ""\n`],
    ['a million tables', '[t]\n'.repeat(1_000_000)],
    ['a list of four million numbers', `x = [${'0,'.repeat(4_000_000)}0]\n`],
    ['eight million lines before a mistake', `${'\n'.repeat(8_000_000)}[data`],
    ['lines of a string before a mistake', `x = '''${'\n'.repeat(8_000_000)}'''\n[data`],
    [
      'keys behind strings of every kind',
      `a = "\\""\nb = '"\\'\nc = """ \\""" """\nd = ''' " '''\n# "\n${'e.'.repeat(9000)}f = 1`,
    ],
  ])('refuses %s before it is parsed', (_, rest) => {
    const text = `version = "0.1.0"\nalgorithm = "sha256"\n${rest}`
    expect(() => parseInitdata(utf8.encode(base64(gzipSync(utf8.encode(text)))))).toThrow(
      expect.objectContaining({ details: { reason: 'too many lines or keys' } }),
    )
  })

  it('takes files as large and as long as they come', () => {
    const rego = `x.y = { "a": [1, 2], 'b': "c" } # d\n`.repeat(100_000)
    for (const quotes of ["'''", '"""']) {
      const text = `${TOML}"other" = ${quotes}\n${rego}${quotes}\n`
      expect(codeOf(base64(gzipSync(utf8.encode(text))))).toBe('accepted')
    }
  })

  it('finds nothing under names that every object has', () => {
    const parsed = parseInitdata(utf8.encode(`${TOML}"__proto__" = "x"\n`))
    expect(parsed.data.constructor).toBeUndefined()
    expect(Object.keys(parsed.data)).toEqual(['policy.rego', '__proto__'])
  })

  it('never quotes the document in its messages', () => {
    const secret = 'hunter2-very-secret'
    try {
      parseInitdata(utf8.encode(`${TOML}"x" = "${secret}`))
      expect.unreachable()
    } catch (error) {
      expect(JSON.stringify(error)).not.toContain(secret)
    }
  })

  it('answers garbage with its own errors and nothing else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(codeOf(bytes)).toMatch(/^(?:INITDATA_INVALID|accepted)$/)
        expect(codeOf(`H4sI${base64(bytes)}`)).toBe('INITDATA_INVALID')
      }),
      { numRuns: 500 },
    )
  })
})
