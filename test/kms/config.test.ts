import { describe, expect, it } from 'vitest'
import { decisionSettings } from '../../kms/authorize/settings.ts'
import { describeConfig, parseKmsConfig } from '../../kms/config.ts'
import { DEFAULT_SNP_POLICY } from '../../sdk/attest/snp-policy.ts'
import { DEFAULT_TDX_POLICY } from '../../sdk/attest/tdx-policy.ts'
import { isEigenxError } from '../../sdk/errors.ts'
import { isLoopbackHost } from '../../sdk/loopback.ts'

const ADDRESS = `0x${'Ab'.repeat(20)}`

type Sections = Record<string, string>

const MINIMAL: Sections = {
  operator: `address = "${ADDRESS}"\nsigning_key_file = "signing.key"`,
  chain: 'chain_id = 31337\nrpc_urls = ["http://127.0.0.1:8545"]',
  contracts: [
    ...['allocation_manager', 'key_registrar', 'app_controller', 'epoch_log', 'avs'].map(
      (name) => `${name} = "${ADDRESS}"`,
    ),
    'operator_set_id = 0',
  ].join('\n'),
  store: 'path = "operator.db"\nkey_file = "store.key"',
}

/** The smallest valid file, with sections replaced or added. */
function toml(changes: Sections = {}): string {
  return Object.entries({ ...MINIMAL, ...changes })
    .map(([name, text]) => `[${name}]\n${text}\n`)
    .join('\n')
}

function refusal(text: string): { path: string; message: string } {
  try {
    parseKmsConfig(text)
  } catch (error) {
    if (!isEigenxError(error, 'CONFIG_INVALID')) throw error
    return { path: error.details.path, message: error.shortMessage }
  }
  throw new Error('the configuration was accepted')
}

describe('operator.toml', () => {
  it('needs four sections; everything else has safe defaults', () => {
    const config = parseKmsConfig(toml())
    expect(config.operator.address).toBe(ADDRESS.toLowerCase())
    expect(config.listen).toMatchObject({ host: '127.0.0.1', port: 8000, trustedProxies: [] })
    expect(config.chain).toMatchObject({ quorum: 1, finality: 'finalized' })
    expect(config.attestation).toMatchObject({
      methods: ['eigenx-snp'],
      allowSelfAssertedInitdata: false,
      selfAssertedNeedsOptIn: true,
      freshnessSeconds: 600,
    })
    expect(config.policy).toMatchObject({ allowDigestOnly: false, serveStoppedApps: false })
    expect(config.routes).toEqual({ appSign: false, ecdsaLegacy: false })
    expect(config.development).toEqual({})
  })

  it('is frozen all the way down', () => {
    const config = parseKmsConfig(toml())
    expect(Object.isFrozen(config)).toBe(true)
    expect(Object.isFrozen(config.attestation.methods)).toBe(true)
    expect(Object.isFrozen(config.limits.secrets)).toBe(true)
  })

  it.each<[string, Sections, string]>([
    ['an unknown key', { store: `${MINIMAL.store}\nbackup = "x"` }, 'store.backup'],
    ['an unknown section', { extras: 'a = 1' }, 'extras'],
    ['a misspelt deep key', { limits: 'secrets = { burts = 3 }' }, 'limits.secrets.burts'],
    [
      'a short address',
      { operator: 'address = "0x12"\nsigning_key_file = "k"' },
      'operator.address',
    ],
    ['a missing key file', { store: 'path = "a"' }, 'store.key_file'],
    ['a port out of range', { listen: 'port = 70000' }, 'listen.port'],
    ['a fractional limit', { limits: 'connections = 10.5' }, 'limits.connections'],
    ['an unknown method', { attestation: 'methods = ["tpm"]' }, 'attestation.methods.0'],
    ['no method', { attestation: 'methods = []' }, 'attestation.methods'],
    [
      'a measurement of the wrong length',
      { attestation: 'measurements = [{ value = "ab" }]' },
      'attestation.measurements.0.value',
    ],
    [
      'a TCB component above 255',
      { attestation: 'minimum_tcb = { Milan = { snp = 256 } }' },
      'attestation.minimum_tcb.Milan.snp',
    ],
    [
      'an unknown product',
      { attestation: 'minimum_tcb = { Rome = {} }' },
      'attestation.minimum_tcb.Rome',
    ],
    ['no product', { attestation: 'products = []' }, 'attestation.products'],
    ['a product of old', { attestation: 'products = ["Naples"]' }, 'attestation.products.0'],
    [
      'mitigations as a number',
      { attestation: 'required_mitigations = { Turin = 3 }' },
      'attestation.required_mitigations.Turin',
    ],
    [
      'mitigations of more than 64 bits',
      { attestation: `required_mitigations = { Turin = "0x1${'0'.repeat(16)}" }` },
      'attestation.required_mitigations.Turin',
    ],
    [
      'half a chip id',
      { attestation: `chip_ids = ["${'c1'.repeat(32)}"]` },
      'attestation.chip_ids.0',
    ],
    ['a websocket RPC', { chain: 'chain_id = 1\nrpc_urls = ["ws://x"]' }, 'chain.rpc_urls.0'],
    ['no RPC', { chain: 'chain_id = 1\nrpc_urls = []' }, 'chain.rpc_urls'],
    ['more quorum than providers', { chain: `${MINIMAL.chain}\nquorum = 2` }, 'chain.quorum'],
    [
      'a quorum that two disjoint halves could reach',
      { chain: 'chain_id = 1\nrpc_urls = ["http://a", "http://b"]\nquorum = 1' },
      'chain.quorum',
    ],
    [
      'the legacy message without its method',
      { routes: 'ecdsa_legacy = true' },
      'routes.ecdsa_legacy',
    ],
  ])('refuses %s and names the field', (_name, changes, path) => {
    expect(refusal(toml(changes)).path).toBe(path)
  })

  it('narrows the processors that are served, and no further than it says', () => {
    const { snp: open } = decisionSettings(parseKmsConfig(toml()))
    expect(open).toEqual(DEFAULT_SNP_POLICY)
    const attestation = [
      'products = ["Turin"]',
      'minimum_launch_tcb = { Turin = { fmc = 1, snp = 4 } }',
      'required_mitigations = { Turin = "0xffffffffffffffff" }',
      'csp_ids = ["Amazon"]',
      `chip_ids = ["${'c1'.repeat(64)}"]`,
    ].join('\n')
    expect(decisionSettings(parseKmsConfig(toml({ attestation }))).snp).toEqual({
      ...DEFAULT_SNP_POLICY,
      products: ['Turin'],
      minimumLaunchTcb: { Turin: { fmc: 1, bootloader: 0, tee: 0, snp: 4, microcode: 0 } },
      requiredMitigations: { Turin: 0xffff_ffff_ffff_ffffn },
      cspIds: ['Amazon'],
      chipIds: [new Uint8Array(64).fill(0xc1)],
    })
  })

  it('takes the majority as the default quorum', () => {
    const urls = '["http://a", "http://b", "http://c"]'
    expect(parseKmsConfig(toml({ chain: `chain_id = 1\nrpc_urls = ${urls}` })).chain.quorum).toBe(2)
  })

  it('asks of every chain but a devnet for blocks of the last quarter of an hour', () => {
    const lagOf = (chain: string) =>
      parseKmsConfig(toml({ chain: `${chain}\nrpc_urls = ["https://a"]` })).chain.maxLagSeconds
    expect(lagOf('chain_id = 1')).toBe(900)
    expect(lagOf('chain_id = 1\nmax_lag_seconds = 0')).toBe(0)
    expect(lagOf('chain_id = 31337')).toBe(0)
    expect(lagOf('chain_id = 31337\nmax_lag_seconds = 60')).toBe(60)
  })

  it('derives the pace of the epoch protocol from how often the chain is read', () => {
    expect(parseKmsConfig(toml({ epoch: 'poll_ms = 100' })).epoch).toMatchObject({
      postSeconds: 2,
      slotMs: 2000,
      patienceMs: 5000,
      sessionMs: 20_000,
    })
    expect(parseKmsConfig(toml()).epoch).toMatchObject({ postSeconds: 120, sessionMs: 60_000 })
    expect(parseKmsConfig(toml({ epoch: 'post_seconds = 7' })).epoch.postSeconds).toBe(7)
  })

  it('names every wrong field at once and quotes no value', () => {
    const { message } = refusal(
      toml({ operator: 'address = "hunter2"\nsigning_key_file = 7', listen: 'port = "secret"' }),
    )
    for (const path of ['operator.address', 'operator.signing_key_file', 'listen.port'])
      expect(message).toContain(path)
    expect(message).not.toMatch(/hunter2|secret/)
  })

  it.each([
    ['text that is no TOML', 'a = = 1'],
    ['a key given twice', `${toml()}\n[store]\npath = "other"`],
    ['a prototype key', `${toml()}\n[__proto__]\nx = 1`],
    ['a huge file', `# ${'x'.repeat(300_000)}`],
    ['nothing', ''],
  ])('refuses %s', (_name, text) => {
    expect(refusal(text).message).toMatch(/^operator\.toml: /)
  })

  it('shows RPC hosts only when printed', () => {
    const url = 'https://user:pass@rpc.example:8443/v3/api-key-123?token=abc'
    const printed = JSON.stringify(
      describeConfig(parseKmsConfig(toml({ chain: `chain_id = 1\nrpc_urls = ["${url}"]` }))),
    )
    expect(printed).toContain('https://rpc.example/…')
    expect(printed).not.toMatch(/api-key-123|pass|token/)
  })
})

describe('development shortcuts', () => {
  const FILES = ['snp_roots_file', 'tdx_roots_file'] as const
  const development = (file: string) => ({ development: `${file} = "roots"` })

  it('are allowed on a loopback devnet', () => {
    const [snp, tdx] = FILES.map((file) => parseKmsConfig(toml(development(file))).development)
    expect(snp).toEqual({ snpRootsFile: 'roots' })
    expect(tdx).toEqual({ tdxRootsFile: 'roots' })
  })

  it.each<[string, Sections]>([
    ['another chain id', { chain: 'chain_id = 1\nrpc_urls = ["http://127.0.0.1:8545"]' }],
    ['a remote RPC', { chain: 'chain_id = 31337\nrpc_urls = ["http://10.0.0.1:8545"]' }],
    [
      'one remote RPC among local ones',
      {
        chain:
          'chain_id = 31337\nrpc_urls = ["http://127.0.0.1:8545", "http://localhost:1", "https://rpc.example"]',
      },
    ],
    [
      'a host that only looks local',
      { chain: 'chain_id = 31337\nrpc_urls = ["http://127.0.0.1.example.com"]' },
    ],
    [
      'a user name that looks local',
      { chain: 'chain_id = 31337\nrpc_urls = ["http://127.0.0.1@rpc.example"]' },
    ],
    ['a public listener', { listen: 'host = "0.0.0.0"' }],
    ['an IPv6 wildcard', { listen: 'host = "::"' }],
  ])('are refused with %s', (_name, changes) => {
    for (const file of FILES)
      expect(refusal(toml({ ...development(file), ...changes })).path).toBe(`development.${file}`)
  })

  it.each([
    ['127.0.0.1', true],
    ['127.255.0.9', true],
    ['localhost', true],
    ['[::1]', true],
    ['::1', true],
    ['localhost.example', false],
    ['127.0.0', false],
    ['127.0.0.999', false],
    ['128.0.0.1', false],
    ['0.0.0.0', false],
    ['', false],
  ])('%s is loopback: %s', (host, expected) => {
    expect(isLoopbackHost(host)).toBe(expected)
  })
})

describe('the method eigenx-tdx in operator.toml', () => {
  const DIGEST = '7d'.repeat(48)
  const tdx = (section: string) => ({
    attestation: `methods = ["eigenx-tdx"]\n[attestation.tdx]\n${section}`,
  })
  const entry = (text: string) => tdx(`measurements = [{ ${text} }]`)

  it('has strict defaults, whether or not the section is there', () => {
    const strict = {
      measurements: [],
      statuses: ['UpToDate'],
      graceDays: 0,
      deniedAdvisories: [],
      minimumEvaluationNumber: 0,
      minimumTeeTcbSvn: [],
      mrSeams: [],
      rtmr0: [],
      rtmr1: [],
      rtmr2: [],
      rtmr3: [],
      mrOwners: [],
      mrOwnerConfigs: [],
      xfam: '0x6dbe7',
      allowPks: true,
      allowKeyLocker: true,
      ppids: [],
      fmspcs: [],
      collateralRefreshSeconds: 300,
    }
    expect(parseKmsConfig(toml()).attestation.tdx).toEqual(strict)
    const config = parseKmsConfig(toml(tdx('collateral_dir = "intel"')))
    expect(config.attestation.tdx).toEqual({ ...strict, collateralDir: 'intel' })
    expect(decisionSettings(config).tdx).toEqual(DEFAULT_TDX_POLICY)
    expect(decisionSettings(config).tdx).toMatchObject({
      allowDebug: false,
      allowMigration: false,
      requireSeptVeDisable: true,
    })
  })

  it('reads registers into their places', () => {
    const text = `mrtd = "${DIGEST}", rtmr1 = "${'a1'.repeat(48)}", rtmr2 = "${'a2'.repeat(48)}", covers_image = true`
    expect(decisionSettings(parseKmsConfig(toml(entry(text)))).tdx.measurements).toEqual([
      {
        mrTd: new Uint8Array(48).fill(0x7d),
        rtmrs: [undefined, new Uint8Array(48).fill(0xa1), new Uint8Array(48).fill(0xa2), undefined],
        coversImage: true,
        bindsInitdata: false,
      },
    ])
  })

  it.each<[string, Sections, string]>([
    ['a short MRTD', entry('mrtd = "7d"'), 'measurements.0.mrtd'],
    ['no MRTD', entry(`rtmr1 = "${DIGEST}"`), 'measurements.0.mrtd'],
    [
      'firmware alone as the whole image',
      entry(`mrtd = "${DIGEST}", covers_image = true`),
      'measurements.0.covers_image',
    ],
    [
      'firmware and kernel alone as the whole image',
      entry(`mrtd = "${DIGEST}", rtmr1 = "${DIGEST}", covers_image = true`),
      'measurements.0.covers_image',
    ],
    ['a fifth register', entry(`mrtd = "${DIGEST}", rtmr4 = "${DIGEST}"`), 'measurements.0.rtmr4'],
    ['a feature that the verifier does not know', tdx('xfam = "0x100007"'), 'xfam'],
    ['features that are no bits', tdx('xfam = "all"'), 'xfam'],
    ['features without those that every TD has', tdx('xfam = "0xe4"'), 'xfam'],
    ['a short PPID', tdx('ppids = ["99"]'), 'ppids.0'],
    ['a short owner', tdx('mr_owners = ["99"]'), 'mr_owners.0'],
    ['revoked platforms', tdx('statuses = ["Revoked"]'), 'statuses.0'],
    ['unsupported platforms', tdx('statuses = ["NotSupported"]'), 'statuses.0'],
    ['no status', tdx('statuses = []'), 'statuses'],
    ['debuggable TDs', tdx('allow_debug = true'), 'allow_debug'],
    ['endless grace', tdx('grace_days = 366'), 'grace_days'],
    ['an upper-case FMSPC', tdx('fmspcs = ["00806F050000"]'), 'fmspcs.0'],
    [
      'seventeen components',
      tdx(`minimum_tee_tcb_svn = [${'1, '.repeat(17)}]`),
      'minimum_tee_tcb_svn',
    ],
    ['a restless folder', tdx('collateral_refresh_seconds = 0'), 'collateral_refresh_seconds'],
  ])('refuses %s', (_name, changes, path) => {
    expect(refusal(toml(changes)).path).toBe(`attestation.tdx.${path}`)
  })
})

it('the method tpm is refused with its reason', () => {
  expect(refusal(toml({ attestation: 'methods = ["tpm"]' })).message).toContain('cannot be checked')
})

describe('token methods in operator.toml', () => {
  const gcp = (section: string, methods = '"gcp"') => ({
    attestation: `methods = [${methods}]\n[attestation.gcp]\n${section}`,
  })
  const PROJECT = 'project_id = "pods"'

  it('need a project; the rest has defaults', () => {
    const { attestation } = parseKmsConfig(toml(gcp(PROJECT)))
    expect(attestation.gcp).toEqual({
      projectId: 'pods',
      audiences: ['https://sts.googleapis.com', 'EigenX KMS'],
      minimumSwversion: 250_300,
      refreshSeconds: 3600,
      maxAgeSeconds: 86_400,
      jwks: { url: expect.stringMatching(/^https:\/\/www\.googleapis\.com\//) },
    })
    expect(attestation.intel).toBeUndefined()
  })

  it('take a file, a loopback address or any https address', () => {
    for (const line of ['jwks_file = "keys.json"', 'jwks_url = "https://a.example/certs"'])
      expect(parseKmsConfig(toml(gcp(`${PROJECT}\n${line}`))).attestation.gcp).toBeDefined()
    const local = `${PROJECT}\njwks_url = "http://127.0.0.1:9/certs"`
    expect(parseKmsConfig(toml(gcp(local))).attestation.gcp?.jwks).toEqual({
      url: 'http://127.0.0.1:9/certs',
    })
  })

  it.each<[string, Sections, string]>([
    ['no section', { attestation: 'methods = ["intel"]' }, 'attestation.intel'],
    ['the other section', gcp(PROJECT, '"intel"'), 'attestation.intel'],
    ['no project', gcp(''), 'attestation.gcp.project_id'],
    ['an unknown key', gcp(`${PROJECT}\ndebug = true`), 'attestation.gcp.debug'],
    ['no audience', gcp(`${PROJECT}\naudiences = []`), 'attestation.gcp.audiences'],
    [
      'an image before TDX',
      gcp(`${PROJECT}\nminimum_swversion = 250299`),
      'attestation.gcp.minimum_swversion',
    ],
    [
      'keys over plain http',
      gcp(`${PROJECT}\njwks_url = "http://a.example/"`),
      'attestation.gcp.jwks_url',
    ],
    [
      'a name that begins like loopback',
      gcp(`${PROJECT}\njwks_url = "http://127.0.0.1.a.example/"`),
      'attestation.gcp.jwks_url',
    ],
    [
      'credentials in the address',
      gcp(`${PROJECT}\njwks_url = "https://u:p@a.example/"`),
      'attestation.gcp.jwks_url',
    ],
    [
      'another scheme',
      gcp(`${PROJECT}\njwks_url = "file:///etc/passwd"`),
      'attestation.gcp.jwks_url',
    ],
    [
      'two places for keys',
      gcp(`${PROJECT}\njwks_url = "https://a.example/"\njwks_file = "k"`),
      'attestation.gcp',
    ],
    [
      'keys that never age',
      gcp(`${PROJECT}\nmax_age_seconds = 0`),
      'attestation.gcp.max_age_seconds',
    ],
  ])('refuse %s', (_name, changes, path) => {
    expect(refusal(toml(changes)).path).toBe(path)
  })

  it('leave metrics off unless a section asks for them', () => {
    expect(parseKmsConfig(toml()).metrics).toBeUndefined()
    expect(parseKmsConfig(toml({ metrics: 'port = 0' })).metrics).toEqual({
      host: '127.0.0.1',
      port: 0,
    })
  })
})
