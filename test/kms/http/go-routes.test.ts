import { getAddress } from 'viem'
import { describe, expect, it } from 'vitest'
import type { KeyVersion } from '../../../kms/keys.ts'
import { toBase64, utf8ToBytes } from '../../../sdk/bytes.ts'
import { g2Msm, operatorX, parseG2, partialSign, serializeG2 } from '../../../sdk/crypto/bls.ts'
import { lagrangeAtZero } from '../../../sdk/crypto/shamir.ts'
import { EigenxError } from '../../../sdk/errors.ts'
import {
  APP,
  COMMAND,
  KEY_VERSION,
  keyServiceOf,
  keyVersionOf,
  makeBody,
  makeRelease,
  makeSharing,
  openPartial,
  TEST_TIME,
} from '../kit.ts'
import { honestChain, makeWorld, PROBLEM, post, WIDE_LIMITS } from '../world.ts'
import { expectPlain } from './plain.ts'

describe('GET /pubkey', () => {
  it('answers with sorted keys, Go’s fields among them, and a line feed', async () => {
    const world = await makeWorld()
    const answer = await world.app.request('/pubkey')
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toBe('application/json')
    const text = await answer.text()
    expect(text.endsWith('}\n')).toBe(true)
    const { operators, publicShares, masterPublicKey, threshold } = world.sharing
    const point = (bytes: Uint8Array) => ({ CompressedBytes: toBase64(bytes) })
    const own = publicShares.get(world.operator) ?? new Uint8Array()
    const [lambda = 0n] = lagrangeAtZero(operators.map(operatorX))
    const expected = {
      commitments: [point(serializeG2(g2Msm([parseG2(own)], [lambda])))],
      epoch: 1,
      isActive: true,
      masterPublicKey: point(masterPublicKey),
      operatorAddress: getAddress(world.operator),
      outputHash: `0x${'0d'.repeat(32)}`,
      participants: operators,
      publicShares: [...publicShares.values()].map(point),
      threshold,
      version: KEY_VERSION,
    }
    expect(text).toBe(`${JSON.stringify(expected)}\n`)
  })

  it('gives commitments whose sum over all operators is the master public key', async () => {
    const sharing = makeSharing(4)
    const terms = await Promise.all(
      sharing.operators.map(async (operator) => {
        const version = keyVersionOf(sharing, operator)
        const world = await makeWorld({ keys: keyServiceOf(version) })
        const { pubkeyHandler } = await import('../../../kms/http/pubkey.ts')
        expect(world.operator).toBeTypeOf('string')
        const handler = pubkeyHandler({ operator, keys: keyServiceOf(version) })
        const context = { get: () => 'request-1' }
        const answer = await handler(context as never, {} as never)
        const body: { commitments: { CompressedBytes: string }[] } = await answer.json()
        return parseG2(Buffer.from(body.commitments[0]?.CompressedBytes ?? '', 'base64'))
      }),
    )
    const sum = serializeG2(
      g2Msm(
        terms,
        terms.map(() => 1n),
      ),
    )
    expect(sum).toEqual(sharing.masterPublicKey)
  })

  it('answers 503 before the first key', async () => {
    const world = await makeWorld({ keys: keyServiceOf() })
    await expectPlain(await world.app.request('/pubkey'), 503, 'No active key version')
  })

  it.each(['POST', 'PUT', 'DELETE', 'HEAD'])('answers 405 to %s', async (method) => {
    const world = await makeWorld()
    const answer = await world.app.request('/pubkey', { method })
    expect(answer.status).toBe(405)
    if (method !== 'HEAD') await expectPlain(answer, 405, 'Method not allowed')
  })
})

describe('unknown paths', () => {
  it.each(['/', '/healthz', '/secrets/', '/dkg/share', '/v2/unknown'])(
    '%s is Go’s 404',
    async (path) => {
      const world = await makeWorld()
      await expectPlain(await world.app.request(path), 404, '404 page not found')
    },
  )
})

describe('POST /app/sign', () => {
  const ENABLED = `${WIDE_LIMITS}\n[routes]\napp_sign = true`

  it('is off unless enabled', async () => {
    const world = await makeWorld()
    await expectPlain(await post(world, '/app/sign', { AppID: APP }), 403, 'app sign disabled')
  })

  it('returns the partial key as Go writes it, with the version behind', async () => {
    const world = await makeWorld({ toml: ENABLED })
    const answer = await post(world, '/app/sign', { appID: 'any-app', AttestationTime: 0 })
    const share = world.sharing.shares.get(world.operator) ?? 0n
    const partial = toBase64(partialSign(share, 'any-app'))
    expect(await answer.text()).toBe(
      `{"OperatorAddress":"${getAddress(world.operator)}","PartialSignature":{"CompressedBytes":"${partial}"},"version":${KEY_VERSION}}\n`,
    )
    expect(answer.status).toBe(200)
  })

  it.each<[string, BodyInit, number, string]>([
    ['no JSON', 'nonsense', 400, 'Failed to parse request'],
    ['nothing', '', 400, 'Failed to parse request'],
    ['a wrong type', '{"AppID":7}', 400, 'Failed to parse request'],
    ['a float time', '{"AppID":"a","AttestationTime":1.0}', 400, 'Failed to parse request'],
    ['no app id', '{}', 400, 'app_id is required'],
    ['16 KiB and more', `{"AppID":"${'a'.repeat(16 * 1024)}"}`, 400, 'Failed to parse request'],
  ])('refuses %s', async (_name, body, status, text) => {
    const world = await makeWorld({ toml: ENABLED })
    await expectPlain(await post(world, '/app/sign', body), status, text)
  })

  it('answers 500 without a key, as Go does', async () => {
    const world = await makeWorld({ toml: ENABLED, keys: keyServiceOf() })
    await expectPlain(await post(world, '/app/sign', { AppID: APP }), 500, 'Internal error')
  })

  it('serves listed apps only, where there is a list', async () => {
    const world = await makeWorld({ toml: `${ENABLED}\n[policy]\nallowed_apps = ["x"]` })
    await expectPlain(await post(world, '/app/sign', { AppID: APP }), 403, 'app not allowed')
    expect((await post(world, '/app/sign', { AppID: 'x' })).status).toBe(200)
  })
})

describe('POST /secrets', () => {
  it('grants: Go’s fields first, ours behind, and the partial key opens', async () => {
    const world = await makeWorld({
      chain: honestChain(makeRelease({ publicEnv: { B: '<x>', A: '1' }, encryptedEnv: 'abcd' })),
    })
    const body = await makeBody(world.authority, { rsa: world.rsa })
    const answer = await post(world, '/secrets', body)
    const text = await answer.text()
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toBe('application/json')
    expect(text).toMatch(
      /^\{"encrypted_env":"abcd","public_env":"\{\\"A\\":\\"1\\",\\"B\\":\\"\\\\u003cx\\\\u003e\\"\}","encrypted_partial_sig":"[A-Za-z0-9+/=]+","version":1700000000,"operator":"0x[0-9a-f]{40}","binding":"host_data"\}\n$/,
    )
    const share = world.sharing.shares.get(world.operator) ?? 0n
    expect(openPartial(world.rsa, JSON.parse(text))).toEqual(partialSign(share, APP))
  })

  it('serves a Go client: report data v1, empty env, extra data echoed, marked', async () => {
    const world = await makeWorld()
    const extraData = utf8ToBytes('more')
    const body = await makeBody(world.authority, {
      rsa: world.rsa,
      reportDataVersion: 1,
      extraData,
    })
    const answer = await post(world, '/secrets', body)
    const grant: Record<string, unknown> = await answer.json()
    expect(grant).toMatchObject({
      encrypted_env: '',
      public_env: '',
      extra_data: toBase64(extraData),
      marks: ['report-data-v1'],
    })
    expect(Object.keys(grant).slice(0, 4)).toEqual([
      'encrypted_env',
      'public_env',
      'encrypted_partial_sig',
      'extra_data',
    ])
  })

  it('leaves the env empty for stack_id requests, as Go does', async () => {
    const world = await makeWorld({ chain: honestChain(makeRelease({ publicEnv: { A: '1' } })) })
    const body = await makeBody(world.authority, { rsa: world.rsa })
    const answer = await post(world, '/secrets', { ...body, stack_id: APP })
    expect(await answer.json()).toMatchObject({ encrypted_env: '', public_env: '' })
  })

  it.each<
    [string, (body: Record<string, unknown>) => BodyInit | Record<string, unknown>, number, string]
  >([
    ['nothing', () => '', 400, 'Failed to parse request: EOF'],
    ['an empty object', () => '{}', 400, 'app_id is required'],
    ['no key', (b) => ({ ...b, rsa_pubkey_tmp: '' }), 400, 'rsa_pubkey_tmp is required'],
    [
      'a large key',
      (b) => ({ ...b, rsa_pubkey_tmp: toBase64(new Uint8Array(8193)) }),
      400,
      'rsa_pubkey_tmp too large',
    ],
    [
      'large extra data',
      (b) => ({ ...b, extra_data: toBase64(new Uint8Array(1_048_577)) }),
      400,
      'extra_data exceeds 1MB limit (1048577 bytes)',
    ],
    [
      'large initdata',
      (b) => ({ ...b, cc_init_data: toBase64(new Uint8Array(1_048_577)) }),
      400,
      'cc_init_data exceeds 1MB limit (1048577 bytes)',
    ],
    [
      'large evidence',
      (b) => ({ ...b, attestation: toBase64(new Uint8Array(262_145)) }),
      400,
      'attestation exceeds 262144 byte limit (262145 bytes)',
    ],
    ['no method', (b) => ({ ...b, attestation_method: '' }), 400, 'Attestation method is required'],
    [
      'a huge body',
      () => `{"app_id":"${'a'.repeat(2 * 1024 * 1024)}"}`,
      400,
      'Failed to parse request: http: request body too large',
    ],
    [
      'an unknown method',
      (b) => ({ ...b, attestation_method: 'tpm' }),
      401,
      "Invalid attestation: verification failed with method 'tpm': the attestation method is not registered",
    ],
    [
      'an endless method',
      (b) => ({ ...b, attestation_method: 'x'.repeat(10_000) }),
      401,
      `Invalid attestation: verification failed with method '${'x'.repeat(64)}': the attestation method is not registered`,
    ],
    [
      'another stack id',
      (b) => ({ ...b, stack_id: 'other' }),
      403,
      'App ID mismatch - unauthorized app',
    ],
    [
      'ecdsa with a stack id',
      (b) => ({ ...b, attestation_method: 'ecdsa', stack_id: APP }),
      403,
      'ecdsa attestation is not permitted for stack_id requests',
    ],
    [
      'an RSA key that is none',
      (b) => ({ ...b, rsa_pubkey_tmp: toBase64(utf8ToBytes('x')) }),
      500,
      'Encryption failed',
    ],
  ])('refuses %s with Go’s words', async (_name, change, status, text) => {
    const world = await makeWorld()
    const body = await makeBody(world.authority, { rsa: world.rsa })
    await expectPlain(await post(world, '/secrets', change(body)), status, text)
  })

  it.each<[string, EigenxError, number, string]>([
    [
      'a missing release',
      new EigenxError({
        code: 'RELEASE_NOT_FOUND',
        message: 'm',
        stage: 'release',
        details: { appId: APP, released: false },
      }),
      404,
      'Release not found',
    ],
    [
      'a chain that is down',
      new EigenxError({
        code: 'CHAIN_UNAVAILABLE',
        message: 'm',
        stage: 'chain',
        details: { needed: 1, got: 0 },
      }),
      404,
      'Release not found',
    ],
    [
      'a stopped app',
      new EigenxError({
        code: 'APP_NOT_RUNNING',
        message: 'm',
        stage: 'chain',
        details: { appId: APP, status: 'STOPPED' },
      }),
      403,
      'App is not running',
    ],
  ])('answers %s as a release lookup that failed', async (_name, error, status, text) => {
    const world = await makeWorld({ chain: { decideApp: () => Promise.reject(error) } })
    const body = await makeBody(world.authority, { rsa: world.rsa })
    await expectPlain(await post(world, '/secrets', body), status, text)
  })

  it('tells digest, registry and policy apart', async () => {
    const refusals: [Parameters<typeof makeRelease>[0], string][] = [
      [{ imageDigest: `sha256:${'22'.repeat(32)}` }, 'Image digest mismatch - unauthorized image'],
      [{ registry: 'ghcr.io/other/app' }, 'Registry mismatch - unauthorized image source'],
      [
        {
          containerPolicy: {
            args: [...COMMAND, '--debug'],
            cmdOverride: [],
            env: {},
            envOverride: {},
            restartPolicy: '',
          },
        },
        'Container policy mismatch',
      ],
    ]
    for (const [release, text] of refusals) {
      const world = await makeWorld({ chain: honestChain(makeRelease(release)) })
      const body = await makeBody(world.authority, { rsa: world.rsa })
      await expectPlain(await post(world, '/secrets', body), 403, text)
    }
  })

  it('answers 503 without a share', async () => {
    const world = await makeWorld({ keys: keyServiceOf() })
    const body = await makeBody(world.authority, { rsa: world.rsa })
    await expectPlain(await post(world, '/secrets', body), 503, 'No valid key share')
  })

  it('never brings a later key version forward for a client from the future', async () => {
    const sharing = makeSharing()
    const now = TEST_TIME
    const operator = sharing.operators[0] ?? APP
    const old = keyVersionOf(sharing, operator)
    const pending: KeyVersion = {
      ...old,
      hash: `0x${'0e'.repeat(32)}`,
      output: { ...old.output, epoch: 2, activateAt: now + 1000 },
    }
    const world = await makeWorld({ keys: keyServiceOf(old, pending) })
    const body = await makeBody(world.authority, { rsa: world.rsa })
    const answer = await post(world, '/secrets', { ...body, attestation_time: now + 5000 })
    expect(await answer.json()).toMatchObject({ version: old.version })
  })

  it('sends the same refusal as problem JSON to clients that name the type', async () => {
    const world = await makeWorld({
      chain: honestChain(makeRelease({ registry: 'ghcr.io/other/app' })),
    })
    const body = await makeBody(world.authority, { rsa: world.rsa })
    const headers = { ...PROBLEM, 'x-request-id': 'my-request-0001' }
    const answer = await post(world, '/secrets', body, headers)
    expect(answer.status).toBe(403)
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
    const problem: { checks: { name: string; result: string }[] } = await answer.json()
    expect(problem).toMatchObject({
      type: 'urn:eigenx-tee:error:RELEASE_MISMATCH',
      status: 403,
      code: 'RELEASE_MISMATCH',
      stage: 'release',
      requestId: 'my-request-0001',
      details: { expected: 'ghcr.io/other/app', actual: 'ghcr.io/example/app' },
    })
    expect(problem.checks.at(-1)).toMatchObject({ name: 'release.registry', result: 'failed' })
    expect(problem.checks.filter((check) => check.result === 'failed')).toHaveLength(1)
  })

  it.each(['*/*', 'application/*', 'application/json', 'text/html'])(
    'keeps plain text for Accept: %s',
    async (accept) => {
      const world = await makeWorld()
      await expectPlain(await post(world, '/secrets', '{}', { accept }), 400, 'app_id is required')
    },
  )
})
