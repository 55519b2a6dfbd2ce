import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { parseEigenxToml } from '../../helper/config.ts'
import { isEigenxError } from '../../sdk/errors.ts'

const APP = '0x1111111111111111111111111111111111111111'
const MPK = 'ab'.repeat(96)

type Table = Record<string, Record<string, unknown> | string | number>

/** The agreed form of the file. */
function fullDocument(): {
  top: Record<string, unknown>
  chain: Record<string, unknown>
  operators: Record<string, unknown>
  attestation: Record<string, unknown>
} {
  return {
    top: { version: 1, app_id: APP },
    chain: { chain_id: 31337, rpc_urls: ['http://127.0.0.1:8545'], quorum: 1 },
    operators: {
      avs_address: '0x2222222222222222222222222222222222222222',
      operator_set_id: 3,
      allocation_manager: '0x3333333333333333333333333333333333333333',
      key_registrar: '0x4444444444444444444444444444444444444444',
      epoch_log: '0x5555555555555555555555555555555555555555',
    },
    attestation: { method: 'eigenx-snp', report_data: 'v2', aa_url: 'http://127.0.0.1:8006' },
  }
}

function lines(table: Record<string, unknown>): string {
  return Object.entries(table)
    .map(([key, value]) => `${key} = ${JSON.stringify(value)}`)
    .join('\n')
}

function toml(document: ReturnType<typeof fullDocument>): string {
  const { top, ...tables } = document
  return [
    lines(top),
    ...Object.entries(tables)
      .filter(([, table]) => Object.keys(table).length > 0)
      .map(([name, table]) => `[${name}]\n${lines(table)}`),
  ].join('\n')
}

function changed(change: (document: ReturnType<typeof fullDocument>) => void): string {
  const document = fullDocument()
  change(document)
  return toml(document)
}

function pathOfRefusal(text: string): string {
  try {
    parseEigenxToml(text)
  } catch (error) {
    if (isEigenxError(error, 'CONFIG_INVALID')) return error.details.path
    throw error
  }
  return 'accepted'
}

describe('the agreed form', () => {
  test('is read whole', () => {
    expect(parseEigenxToml(toml(fullDocument()))).toEqual({
      appId: APP,
      isStack: false,
      chain: { chainId: 31337, rpcUrls: ['http://127.0.0.1:8545'], quorum: 1 },
      operators: {
        avs: '0x2222222222222222222222222222222222222222',
        operatorSetId: 3,
        allocationManager: '0x3333333333333333333333333333333333333333',
        keyRegistrar: '0x4444444444444444444444444444444444444444',
        epochLog: '0x5555555555555555555555555555555555555555',
        masterPublicKey: undefined,
        single: undefined,
      },
      attestation: {
        method: 'eigenx-snp',
        reportData: 'v2',
        source: 'agent',
        aaUrl: 'http://127.0.0.1:8006',
      },
      warnings: [],
    })
  })

  test('keeps the spelling of the app id, because the key belongs to it', () => {
    const mixed = '0xAbCdEf0000000000000000000000000000000001'
    const text = changed(({ top }) => {
      top.app_id = mixed
    })
    expect(parseEigenxToml(text).appId).toBe(mixed)
  })

  test('steps down to report data v1 by itself only where the file does not name a version', () => {
    const text = changed(({ attestation }) => {
      delete attestation.report_data
    })
    expect(parseEigenxToml(text).attestation.reportData).toBe('auto')
  })
})

test.each(['unix:///run/agent.sock', undefined])('an agent is reached at %s', (written) => {
  const text = changed(({ attestation }) => {
    if (written === undefined) delete attestation.aa_url
    else attestation.aa_url = written
  })
  expect(parseEigenxToml(text).attestation.aaUrl).toBe(written)
})

test('a guest without an agent has its kernel make the evidence', () => {
  const text = changed(({ attestation }) => {
    delete attestation.aa_url
    attestation.source = 'configfs-tsm'
  })
  expect(parseEigenxToml(text).attestation.source).toBe('configfs-tsm')
})

test.each([
  [undefined, 'auto'],
  ['auto', 'auto'],
  ['eigenx-snp', 'eigenx-snp'],
  ['eigenx-tdx', 'eigenx-tdx'],
])('the method %s is read as %s', (written, read) => {
  const text = changed(({ attestation }) => {
    if (written === undefined) delete attestation.method
    else attestation.method = written
  })
  expect(parseEigenxToml(text).attestation.method).toBe(read)
})

test('without a stated quorum a majority of the providers must agree', () => {
  const quorumOf = (count: number) =>
    parseEigenxToml(
      changed(({ chain }) => {
        delete chain.quorum
        chain.rpc_urls = Array.from({ length: count }, (_, i) => `https://eth${i}.example`)
      }),
    ).chain?.quorum
  expect([1, 2, 3, 4, 5].map(quorumOf)).toEqual([1, 2, 2, 3, 3])
})

describe('the flat form of the Go helper', () => {
  const flat: Table = {
    stack_id: APP,
    avs_address: '0x2222222222222222222222222222222222222222',
    operator_set_id: 0,
    rpc_url: 'https://eth.example',
    allocation_manager: '0x3333333333333333333333333333333333333333',
    key_registrar: '0x4444444444444444444444444444444444444444',
    master_public_key: MPK,
  }

  test('is read with its aliases, on Ethereum mainnet and with report data v1', () => {
    const config = parseEigenxToml(lines(flat))
    expect(config.appId).toBe(APP)
    expect(config.isStack).toBe(true)
    expect(config.chain).toEqual({ chainId: 1, rpcUrls: ['https://eth.example'], quorum: 1 })
    expect(config.attestation.reportData).toBe('v1')
    expect(config.operators.masterPublicKey).toBe(MPK)
  })

  test('ignores the bearer secret of the platform, and says so without quoting it', () => {
    const config = parseEigenxToml(lines({ ...flat, platform_internal_api_key: 'hunter2' }))
    expect(config.warnings).toHaveLength(1)
    expect(JSON.stringify(config)).not.toContain('hunter2')
  })

  test('takes one server at a fixed place only together with a pinned master public key', () => {
    const single = {
      app_id: APP,
      avs_address: flat.avs_address,
      kms_url: 'http://kms.example:8000',
    }
    expect(pathOfRefusal(lines(single))).toBe('kms_url')
    const config = parseEigenxToml(lines({ ...single, master_public_key: MPK }))
    expect(config.operators.single).toEqual({
      url: 'http://kms.example:8000',
      address: '0x0000000000000000000000000000000000000001',
    })
    expect(config.chain).toBeUndefined()
  })
})

describe('what would let somebody else choose the key is refused', () => {
  test.each<[string, (d: ReturnType<typeof fullDocument>) => void, string]>([
    ['no pin and no log', (d) => delete d.operators.epoch_log, 'operators.epoch_log'],
    [
      'an unencrypted provider elsewhere and no pin',
      (d) => (d.chain.rpc_urls = ['http://eth.example']),
      'chain.rpc_urls',
    ],
    [
      'an unencrypted provider whose name only looks like loopback',
      (d) => (d.chain.rpc_urls = ['http://127.0.0.1.evil.example']),
      'chain.rpc_urls',
    ],
    [
      'a method that helpers do not have',
      (d) => (d.attestation.method = 'gcp'),
      'attestation.method',
    ],
    [
      'report data of version 1 for a vTPM',
      (d) => Object.assign(d.attestation, { method: 'az-tdx-vtpm', report_data: 'v1' }),
      'attestation.report_data',
    ],
    [
      'a socket without a path',
      (d) => (d.attestation.aa_url = 'unix://agent.sock'),
      'attestation.aa_url',
    ],
    [
      'a socket whose name is too long',
      (d) => (d.attestation.aa_url = `unix:///${'a'.repeat(107)}`),
      'attestation.aa_url',
    ],
    [
      'an agent beside the kernel',
      (d) => (d.attestation.source = 'configfs-tsm'),
      'attestation.aa_url',
    ],
    [
      'an attestation agent elsewhere',
      (d) => (d.attestation.aa_url = 'http://169.254.169.254'),
      'attestation.aa_url',
    ],
    ['another scheme', (d) => (d.chain.rpc_urls = ['file:///etc/passwd']), 'chain.rpc_urls.0'],
    ['a quorum of more than there are', (d) => (d.chain.quorum = 2), 'chain.quorum'],
    [
      'a quorum that two halves could both have',
      (d) => {
        d.chain.rpc_urls = ['https://a.example', 'https://b.example']
      },
      'chain.quorum',
    ],
    [
      'one provider counted twice',
      (d) => {
        d.chain.rpc_urls = ['https://a.example', 'https://a.example']
        d.chain.quorum = 2
      },
      'chain.rpc_urls',
    ],
    ['an unknown key', (d) => (d.operators.kms_override = 'x'), 'operators'],
    ['an unknown table', (d) => (d.top.debug = true), 'eigenx.toml'],
    ['another version of the file', (d) => (d.top.version = 2), 'version'],
    ['an app id that is no address', (d) => (d.top.app_id = 'my-app'), 'app_id'],
    ['no app id', (d) => delete d.top.app_id, 'app_id'],
    ['two app ids', (d) => (d.top.stack_id = APP), 'stack_id'],
    ['two AVS addresses', (d) => (d.top.avs_address = d.operators.avs_address), 'avs_address'],
    ['no chain', (d) => (d.chain = {}), 'chain.rpc_urls'],
    [
      'no allocation manager',
      (d) => delete d.operators.allocation_manager,
      'operators.allocation_manager',
    ],
    ['a short pin', (d) => (d.operators.master_public_key = 'ab'), 'operators.master_public_key'],
  ])('%s', (_, change, path) => {
    expect(pathOfRefusal(changed(change))).toBe(path)
  })

  test('a pin makes an unencrypted provider bearable: it can refuse, not lie', () => {
    const text = changed(({ chain, operators }) => {
      chain.rpc_urls = ['http://eth.example']
      operators.master_public_key = MPK
    })
    expect(parseEigenxToml(text).chain?.rpcUrls).toEqual(['http://eth.example'])
  })

  test('a single provider without a pin, unless it is in the pod or the chain a devnet', () => {
    const single = (chain: object, pin?: string) =>
      pathOfRefusal(
        changed((d) => {
          Object.assign(d.chain, { chain_id: 1, rpc_urls: ['https://a.example'] }, chain)
          if (pin !== undefined) d.operators.master_public_key = pin
        }),
      )
    expect(single({})).toBe('chain.rpc_urls')
    expect(single({}, MPK)).toBe('accepted')
    expect(single({ rpc_urls: ['http://127.0.0.1:8545'] })).toBe('accepted')
    expect(single({ chain_id: 31337 })).toBe('accepted')
    expect(single({ rpc_urls: ['https://a.example', 'https://b.example'], quorum: 2 })).toBe(
      'accepted',
    )
  })

  test('keys twice in one table, and files that are too large', () => {
    expect(pathOfRefusal(`app_id = "${APP}"\napp_id = "${APP}"`)).toBe('eigenx.toml')
    expect(pathOfRefusal(`# ${'x'.repeat(70_000)}`)).toBe('eigenx.toml')
  })
})

property.prop([fc.string({ maxLength: 400 })])('any text is read or refused', (text) => {
  expect(pathOfRefusal(text)).not.toBe('accepted')
})
