/**
 * Confidential Space tokens at an operator: what is granted, and what becomes of an honest request when one thing is changed.
 * Issuer keys are the test's own, served over HTTP on loopback; verifier, record of used tokens, policy and share are real.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ChainQuestions } from '../../../kms/authorize/settings.ts'
import { parseKmsConfig } from '../../../kms/config.ts'
import { createLog } from '../../../kms/log.ts'
import { startTokenService, type TokenService } from '../../../kms/tokens/start.ts'
import type { TokenProvider } from '../../../sdk/attest/token-claims.ts'
import { toBase64, utf8ToBytes } from '../../../sdk/bytes.ts'
import type { Release } from '../../../sdk/chain/types.ts'
import { partialSign } from '../../../sdk/crypto/bls.ts'
import { EigenxError, type ErrorCode } from '../../../sdk/errors.ts'
import { type KeyServer, serveText, startKeyServer } from '../../kit/key-server.ts'
import {
  changed,
  type IssuerKey,
  type Json,
  makeClaims,
  makeIssuerKey,
  makeJwks,
  PROJECT,
  signToken,
  TOKEN_IMAGE,
} from '../../kit/token-issuer.ts'
import {
  APP,
  COMMAND,
  FRESH_BLOCK,
  keyServiceOf,
  makeRelease,
  makeRsa,
  openPartial,
  type RsaPair,
  type SecretsBody,
  TEST_TIME,
} from '../kit.ts'
import {
  honestChain,
  makeWorld,
  operatorToml,
  PROBLEM,
  post,
  WIDE_LIMITS,
  type World,
} from '../world.ts'

let issuer: IssuerKey
let intel: IssuerKey
let server: KeyServer
let folder: string
let service: TokenService
let rsa: RsaPair
let nowMs = TEST_TIME * 1000
const services: TokenService[] = []

const toml = (extra = '') => `${WIDE_LIMITS}
[attestation]
methods = ["eigenx-snp", "gcp", "intel"]
[attestation.gcp]
project_id = "${PROJECT}"
jwks_url = "${server.url}"
[attestation.intel]
project_id = "${PROJECT}"
jwks_url = "${server.url}"
${extra}`

async function startService(): Promise<TokenService> {
  const text = operatorToml(undefined, toml()).replace('operator.db', join(folder, 'operator.db'))
  const started = startTokenService({
    config: parseKmsConfig(text),
    log: createLog({ level: 'silent' }),
    now: () => nowMs,
  })
  if (started === undefined) throw new Error('no token method is enabled')
  services.push(started)
  for (const source of started.sources.values()) await source.refresh()
  return started
}

type WorldChanges = {
  chain?: Partial<ChainQuestions>
  release?: Partial<Release>
  toml?: string
  service?: TokenService
  keyless?: boolean
}

function operator(changes: WorldChanges = {}): Promise<World> {
  const { deps } = changes.service ?? service
  return makeWorld({
    anchors: new Map(),
    toml: toml(changes.toml),
    tokens: deps,
    now: () => nowMs,
    chain: {
      ...honestChain(makeRelease({ imageDigest: TOKEN_IMAGE, ...changes.release })),
      ...changes.chain,
    },
    ...(changes.keyless === true ? { keys: keyServiceOf() } : {}),
  })
}

type TokenChanges = {
  provider?: TokenProvider
  claims?: readonly (readonly [string, Json | undefined])[]
  body?: SecretsBody
  key?: IssuerKey
  jti?: string
}

async function makeTokenBody(changes: TokenChanges = {}): Promise<SecretsBody> {
  const provider = changes.provider ?? 'gcp'
  const claims = (changes.claims ?? []).reduce(
    (all, [path, value]) => changed(all, path, value),
    makeClaims({
      provider,
      appId: APP,
      rsaPem: rsa.pem,
      now: Math.floor(nowMs / 1000),
      ...(changes.jti === undefined ? {} : { jti: changes.jti }),
    }),
  )
  const token = await signToken(changes.key ?? (provider === 'gcp' ? issuer : intel), claims)
  return {
    app_id: APP,
    attestation_method: provider,
    attestation: toBase64(token),
    rsa_pubkey_tmp: toBase64(rsa.pem),
    attestation_time: 0,
    ...changes.body,
  }
}

type Answer = {
  status: number
  code?: string
  marks?: string[]
  encrypted_partial_sig?: string
  text: string
}

async function ask(world: World, body: SecretsBody): Promise<Answer> {
  const answer = await post(world, '/secrets', body, PROBLEM)
  const text = await answer.text()
  return { ...JSON.parse(text), status: answer.status, text }
}

async function expectGrant(world: World, body: SecretsBody): Promise<Answer> {
  const answer = await ask(world, body)
  expect(answer.status, answer.text).toBe(200)
  const share = world.sharing.shares.get(world.operator) ?? 0n
  const { encrypted_partial_sig = '' } = answer
  expect(openPartial(rsa, { encrypted_partial_sig })).toEqual(partialSign(share, APP))
  return answer
}

beforeAll(async () => {
  issuer = makeIssuerKey('google')
  intel = makeIssuerKey('google', 'PS384')
  rsa = makeRsa()
  server = await startKeyServer()
  server.answer(serveText(makeJwks(issuer, intel)))
  folder = await mkdtemp(join(tmpdir(), 'tokens-'))
  service = await startService()
})
afterAll(async () => {
  for (const started of services) await started.stop()
  await server.stop()
  await rm(folder, { recursive: true })
})

describe('what is granted', () => {
  it.each(['gcp', 'intel'] as const)(
    'a %s token of the release’s image, marked',
    async (provider) => {
      const answer = await expectGrant(await operator(), await makeTokenBody({ provider }))
      expect(answer.marks).toEqual(['confidential-space'])
      expect(answer).not.toHaveProperty('binding')
    },
  )

  it.each([
    ['no ContainerPolicy, where nothing was replaced', { args: [], cmdOverride: [] }, []],
    [
      'arguments that the release overrides',
      { args: [], cmdOverride: ['--serve'] },
      [['submods.container.cmd_override', ['--serve']]],
    ],
    [
      'variables that the release lists',
      {
        args: COMMAND,
        env: { PATH: '/usr/bin' },
        envOverride: { MODE: 'a=b' },
        restartPolicy: 'Never',
      },
      [['submods.container.env_override', { MODE: 'a=b' }]],
    ],
  ] as const)('a release with %s', async (_name, policy, claims) => {
    const release = {
      containerPolicy: { cmdOverride: [], env: {}, envOverride: {}, restartPolicy: '', ...policy },
    }
    await expectGrant(await operator({ release }), await makeTokenBody({ claims }))
  })

  it('arguments of nobody’s release where the operator serves digests alone, marked', async () => {
    const release = {
      containerPolicy: { args: [], cmdOverride: [], env: {}, envOverride: {}, restartPolicy: '' },
    }
    const claims = [
      ['submods.container.cmd_override', ['sh']],
      ['submods.container.env_override', { A: '1' }],
    ] as const
    const world = await operator({ release, toml: '[policy]\nallow_digest_only = true' })
    const answer = await expectGrant(world, await makeTokenBody({ claims }))
    expect(answer.marks?.toSorted()).toEqual(['confidential-space', 'digest-only'])
  })

  it('a token of Intel where the release demands the status that it shows', async () => {
    const publicEnv = {
      EIGENX_TEE_TDX_STATUSES: 'UpToDate',
      EIGENX_TEE_MINIMUM_SNP_TCB: 'Milan=snp255',
    }
    const world = await operator({ release: { publicEnv } })
    await expectGrant(world, await makeTokenBody({ provider: 'intel' }))
  })

  it('the sealed environment of the release, and none where a stack id is given', async () => {
    const world = await operator({ release: { encryptedEnv: 'abcd' } })
    expect(await expectGrant(world, await makeTokenBody())).toMatchObject({ encrypted_env: 'abcd' })
    const stack = await makeTokenBody({ body: { stack_id: APP } })
    expect(await expectGrant(world, stack)).toMatchObject({ encrypted_env: '' })
  })

  it('a token signed after a rotation, once the background has seen the key', async () => {
    const fresh = makeIssuerKey('next')
    server.answer(serveText(makeJwks(issuer, intel, fresh)))
    const world = await operator()
    const body = await makeTokenBody({ key: fresh })
    nowMs += 61_000
    expect(await ask(world, body)).toMatchObject({ status: 401, code: 'EVIDENCE_INVALID' })
    await service.sources.get('gcp')?.refresh()
    await expectGrant(world, body)
  })
})

type Row = readonly [
  name: string,
  changes: TokenChanges & WorldChanges,
  status: number,
  code: ErrorCode,
]
const policy = (changes: Partial<Release['containerPolicy']>): WorldChanges => ({
  release: {
    containerPolicy: {
      args: COMMAND,
      cmdOverride: [],
      env: {},
      envOverride: {},
      restartPolicy: '',
      ...changes,
    },
  },
})
const claim = (path: string, value: Json | undefined): TokenChanges => ({ claims: [[path, value]] })

const REFUSED: readonly Row[] = [
  [
    'another image',
    claim('submods.container.image_digest', `sha256:${'22'.repeat(32)}`),
    403,
    'RELEASE_MISMATCH',
  ],
  [
    'an image without digest',
    claim('submods.container.image_digest', undefined),
    403,
    'RELEASE_MISMATCH',
  ],
  [
    'a digest in capitals',
    claim('submods.container.image_digest', TOKEN_IMAGE.toUpperCase()),
    403,
    'RELEASE_MISMATCH',
  ],
  ['no container', claim('submods.container', undefined), 403, 'RELEASE_MISMATCH'],
  [
    'other arguments',
    claim('submods.container.args', ['/usr/bin/app', '--serve', '--debug']),
    403,
    'POLICY_TOO_PERMISSIVE',
  ],
  ['no arguments', claim('submods.container.args', []), 403, 'POLICY_TOO_PERMISSIVE'],
  [
    'another override of arguments',
    { ...policy({ cmdOverride: ['--a'] }), ...claim('submods.container.cmd_override', ['--b']) },
    403,
    'POLICY_TOO_PERMISSIVE',
  ],
  [
    'replaced arguments that no release lists',
    { ...policy({ args: [] }), ...claim('submods.container.cmd_override', ['sh', '-c', 'env']) },
    403,
    'POLICY_TOO_PERMISSIVE',
  ],
  [
    'a variable that no release lists',
    claim('submods.container.env_override', { LD_PRELOAD: '/tmp/x' }),
    403,
    'POLICY_TOO_PERMISSIVE',
  ],
  [
    'a listed variable with another value',
    {
      ...policy({ envOverride: { MODE: 'a' } }),
      ...claim('submods.container.env_override', { MODE: 'b' }),
    },
    403,
    'POLICY_TOO_PERMISSIVE',
  ],
  [
    'a variable of the release that is missing',
    policy({ env: { MODE: 'a' } }),
    403,
    'POLICY_TOO_PERMISSIVE',
  ],
  [
    'a variable with a name of prototypes',
    policy({ env: { constructor: 'a' } }),
    403,
    'POLICY_TOO_PERMISSIVE',
  ],
  ['another restart policy', policy({ restartPolicy: 'Always' }), 403, 'POLICY_TOO_PERMISSIVE'],
  [
    'a release that pins its initdata',
    { release: { publicEnv: { EIGENX_TEE_INITDATA_SHA384: 'ab'.repeat(48) } } },
    403,
    'BINDING_TOO_WEAK',
  ],
  [
    'a release that demands a launch binding',
    { release: { publicEnv: { EIGENX_TEE_MIN_BINDING: 'launch' } } },
    403,
    'BINDING_TOO_WEAK',
  ],
  [
    'a release that demands a TCB status, which Google’s token does not show',
    { release: { publicEnv: { EIGENX_TEE_TDX_STATUSES: 'UpToDate' } } },
    403,
    'EVIDENCE_NOT_ALLOWED',
  ],
  [
    'a release that demands another TCB status than Intel’s token shows',
    { provider: 'intel', release: { publicEnv: { EIGENX_TEE_TDX_STATUSES: 'OutOfDate' } } },
    403,
    'EVIDENCE_NOT_ALLOWED',
  ],
  [
    'a release that pins layers',
    { release: { publicEnv: { EIGENX_TEE_LAYER_ROOTS: `${TOKEN_IMAGE}=${'ab'.repeat(32)}` } } },
    403,
    'BINDING_TOO_WEAK',
  ],
  [
    'a release with an unknown pin',
    { release: { publicEnv: { EIGENX_TEE_X: '1' } } },
    409,
    'RELEASE_INVALID',
  ],
  ['another app', { body: { app_id: `0x${'b1'.repeat(20)}` } }, 403, 'APP_ID_MISMATCH'],
  [
    'a stack id of another app',
    { body: { stack_id: `0x${'b1'.repeat(20)}` } },
    403,
    'APP_ID_MISMATCH',
  ],
  [
    'extra data that the nonce does not cover',
    { body: { extra_data: toBase64(utf8ToBytes('x')) } },
    401,
    'REPORT_DATA_MISMATCH',
  ],
  [
    'the second form of report data',
    { body: { report_data_version: 2, freshness_block: FRESH_BLOCK } },
    401,
    'REPORT_DATA_MISMATCH',
  ],
  ['a Google token as Intel’s', { body: { attestation_method: 'intel' } }, 401, 'EVIDENCE_INVALID'],
  [
    'an Intel token as Google’s',
    { provider: 'intel', body: { attestation_method: 'gcp' } },
    401,
    'EVIDENCE_INVALID',
  ],
  [
    'a token as SNP evidence',
    { body: { attestation_method: 'eigenx-snp' } },
    401,
    'EVIDENCE_MALFORMED',
  ],
  ['no token', { body: { attestation: '' } }, 401, 'EVIDENCE_MALFORMED'],
  ['no id', claim('jti', undefined), 401, 'EVIDENCE_INVALID'],
  ['a debug image', claim('dbgstat', 'enabled'), 401, 'EVIDENCE_NOT_ALLOWED'],
]

describe('what is refused', () => {
  it.each(REFUSED)('%s', async (_name, changes, status, code) => {
    const world = await operator(changes)
    const answer = await ask(world, await makeTokenBody(changes))
    const expected = PLAIN_STATUS[code] ?? status
    expect({ status: answer.status, code: answer.code }, answer.text).toEqual({
      status: expected,
      code,
    })
    expect(answer.text).not.toMatch(/encrypted_partial_sig|127\.0\.0\.1|BEGIN PUBLIC KEY/)
    await expectGrant(await operator(), await makeTokenBody())
  })

  it('a thief’s RSA key under a stolen token', async () => {
    const thief = makeRsa()
    const body = { ...(await makeTokenBody()), rsa_pubkey_tmp: toBase64(thief.pem) }
    const world = await operator()
    expect(await ask(world, body)).toMatchObject({ status: 401, code: 'REPORT_DATA_MISMATCH' })
  })

  it('a key to which nothing can be encrypted, once the token is good, which is not spent on it', async () => {
    const pem = utf8ToBytes('no key')
    const claims = makeClaims({
      provider: 'gcp',
      appId: APP,
      rsaPem: pem,
      now: Math.floor(nowMs / 1000),
    })
    const body = async (key: IssuerKey) => ({
      ...(await makeTokenBody()),
      attestation: toBase64(await signToken(key, claims)),
      rsa_pubkey_tmp: toBase64(pem),
    })
    const world = await operator()
    const good = await body(issuer)
    for (let times = 0; times < 2; times++)
      expect(await ask(world, good)).toMatchObject({ status: 500, code: 'RSA_KEY_INVALID' })
    const forged = await ask(world, await body(makeIssuerKey('google')))
    expect(forged).toMatchObject({ status: 401, code: 'EVIDENCE_INVALID' })
  })

  it('the raw evidence of a vTPM by name, and says what is taken instead', async () => {
    const world = await operator()
    const body = { ...(await makeTokenBody()), attestation_method: 'tpm' }
    const answer = await ask(world, body)
    expect(answer).toMatchObject({ status: 401, code: 'METHOD_UNKNOWN' })
    expect(answer.text).toContain('the method tpm is refused')
    expect(answer.text).toContain('sends a token of Google (gcp)')
  })

  it('both methods where they are not enabled', async () => {
    const world = await makeWorld({ anchors: new Map() })
    for (const provider of ['gcp', 'intel'] as const) {
      const answer = await ask(world, await makeTokenBody({ provider }))
      expect(answer).toMatchObject({ status: 401, code: 'METHOD_DISABLED' })
    }
  })

  it('everything until the issuer’s keys are there, as not ready', async () => {
    const world = await operator({
      service: {
        ...service,
        deps: {
          ...service.deps,
          keys: () => {
            throw new EigenxError({
              code: 'METHOD_NOT_READY',
              message: 'the keys of the token issuer are not loaded yet',
              stage: 'evidence',
              details: { method: 'gcp' },
            })
          },
        },
      },
    })
    const body = await makeTokenBody()
    expect(await ask(world, body)).toMatchObject({ status: 503, code: 'METHOD_NOT_READY' })
    await expectGrant(await operator(), body)
  })
})

/** Go’s statuses on this route where they are not those of the code. */
const PLAIN_STATUS: Partial<Record<ErrorCode, number>> = {
  BINDING_TOO_WEAK: 401,
  RELEASE_INVALID: 404,
}

describe('a token serves once', () => {
  it('is refused the second time, in Go’s words, also after a restart', async () => {
    const body = await makeTokenBody()
    const world = await operator()
    await expectGrant(world, body)
    expect(await ask(world, body)).toMatchObject({ status: 401, code: 'EVIDENCE_REPLAYED' })
    const plain = await post(world, '/secrets', body)
    expect(await plain.text()).toBe('attestation token already used\n')
    const later = await startService()
    expect(await ask(await operator({ service: later }), body)).toMatchObject({
      status: 401,
      code: 'EVIDENCE_REPLAYED',
    })
  })

  it('counts by its id: another token of the same id is a replay, and the same id of the other issuer is not', async () => {
    const world = await operator()
    await expectGrant(world, await makeTokenBody({ jti: 'same' }))
    const again = await makeTokenBody({ jti: 'same', claims: [['nbf', TEST_TIME - 9]] })
    expect(await ask(world, again)).toMatchObject({ code: 'EVIDENCE_REPLAYED' })
    await expectGrant(world, await makeTokenBody({ jti: 'same', provider: 'intel' }))
  })

  it('only one of many at once', async () => {
    const body = await makeTokenBody()
    const world = await operator()
    const answers = await Promise.all(Array.from({ length: 8 }, () => ask(world, body)))
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, ...Array(7).fill(401)])
  })

  const down = (code: 'CHAIN_UNAVAILABLE' | 'RELEASE_NOT_FOUND' | 'INTERNAL'): WorldChanges => ({
    chain: {
      decideApp: async () => {
        if (code === 'INTERNAL') throw new TypeError('a bug')
        throw code === 'CHAIN_UNAVAILABLE'
          ? new EigenxError({
              code,
              message: 'Too few providers answered.',
              stage: 'chain',
              details: { needed: 2, got: 1 },
            })
          : new EigenxError({
              code,
              message: 'No release.',
              stage: 'chain',
              details: { appId: APP, released: false },
            })
      },
    },
  })

  it.each([
    ['the chain cannot be read', down('CHAIN_UNAVAILABLE')],
    ['the release is not there yet', down('RELEASE_NOT_FOUND')],
    ['a bug', down('INTERNAL')],
    ['there is no key yet', { keyless: true }],
  ] satisfies [string, WorldChanges][])('and is not spent when %s', async (_name, changes) => {
    const body = await makeTokenBody()
    const broken = await operator(changes)
    for (let i = 0; i < 3; i++) expect((await ask(broken, body)).status).toBeGreaterThanOrEqual(404)
    await expectGrant(await operator(), body)
    expect(await ask(await operator(), body)).toMatchObject({ code: 'EVIDENCE_REPLAYED' })
  })

  it('and is not spent by a decision that comes too late for its caller', async () => {
    const body = await makeTokenBody()
    const before = nowMs
    const slow = await operator({
      chain: {
        decideApp: async (app) => {
          nowMs += 60_001
          return honestChain(makeRelease({ imageDigest: TOKEN_IMAGE })).decideApp(app)
        },
      },
    })
    expect(await ask(slow, body)).toMatchObject({ status: 503, code: 'TIMEOUT' })
    nowMs = before
    await expectGrant(await operator(), body)
  })

  it('but is spent by a verdict on the pod', async () => {
    const body = await makeTokenBody()
    const world = await operator({ release: { imageDigest: `sha256:${'22'.repeat(32)}` } })
    expect(await ask(world, body)).toMatchObject({ code: 'RELEASE_MISMATCH' })
    expect(await ask(await operator(), body)).toMatchObject({ code: 'EVIDENCE_REPLAYED' })
  })

  it('and a refusal of the token itself does not take its id', async () => {
    const jti = 'kept'
    const world = await operator()
    const lie = await makeTokenBody({ jti, claims: [['dbgstat', 'enabled']] })
    expect(await ask(world, lie)).toMatchObject({ code: 'EVIDENCE_NOT_ALLOWED' })
    await expectGrant(world, await makeTokenBody({ jti }))
  })
})

describe('the audit log', () => {
  it('has every check of a token, and no key', async () => {
    const world = await operator()
    await expectGrant(world, await makeTokenBody())
    expect(world.log()).toContain('token.first-use')
    expect(world.log()).toContain('"pinnedBy":"container-policy"')
    expect(world.log()).not.toContain('BEGIN PUBLIC KEY')
  })
})
