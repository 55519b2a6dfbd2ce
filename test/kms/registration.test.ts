/** Registration of operators of both curves, with real transactions on a real node. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Abi, decodeFunctionData, encodeFunctionData, type Hex, hexToBytes } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  type Devnet,
  deployDevnet,
  devKey,
  registerOperators,
  send,
} from '../../helper/sim/contracts.ts'
import { decisionSettings } from '../../kms/authorize/settings.ts'
import { operatorRegistryArtifact } from '../../kms/contracts/artifacts/operator-registry.ts'
import { loadKmsConfig } from '../../kms/load-config.ts'
import { deregister, register } from '../../kms/registration-actions.ts'
import { readOperatorKeys } from '../../kms/signer.ts'
import { setRegistrationAbi } from '../../sdk/chain/abi/operator-registration.ts'
import { readOperatorSet } from '../../sdk/chain/operators.ts'
import { createChainReader } from '../../sdk/chain/reader.ts'
import { ristrettoPublicKey } from '../../sdk/protocol/ristretto.ts'
import { encodeEncryptionKey, encryptionKeyStatement } from '../../sdk/protocol/terms.ts'
import { type Anvil, callNode, finalise, startAnvil } from '../kit/anvil.ts'
import { startWeb3Signer } from '../kit/web3signer.ts'

const OPTIONS = { dryRun: false, force: false, metadataUri: '', allocationDelay: '0' }

let anvil: Anvil
let folder: string
let count = 0
const servers: Server[] = []
beforeAll(async () => {
  anvil = await startAnvil()
  folder = await mkdtemp(join(tmpdir(), 'eigenx-register-'))
})
afterAll(async () => {
  await anvil.stop()
  await rm(folder, { recursive: true, force: true })
})
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

type Curve = 'ecdsa' | 'bn254'
type Setup = {
  config: string
  address: string
  url: string
  lines: string[]
  print: (t: string) => void
}

/** An operator with a folder and a process that answers with its encryption key, as the real one does. */
async function prepare(devnet: Devnet, account: Hex, curve: Curve = devnet.curve): Promise<Setup> {
  const home = join(folder, `operator-${count++}`)
  await mkdir(home)
  const signingKey = curve === 'ecdsa' ? account.slice(2) : account.slice(2).replace(/^../, '01')
  await writeFile(join(home, 'signing.key'), signingKey, { mode: 0o600 })
  await writeFile(join(home, 'account.key'), account.slice(2), { mode: 0o600 })
  let record: Uint8Array = new Uint8Array()
  const server = createServer((request, response) =>
    request.url === '/v2/peer/encryption-key'
      ? response.end(record)
      : response.writeHead(404).end(),
  )
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const address = privateKeyToAccount(account).address.toLowerCase()
  const config = join(home, 'operator.toml')
  await writeFile(config, toml(devnet, { address, url, curve }))
  const loaded = await loadKmsConfig(config)
  const { signer } = await readOperatorKeys(loaded.operator)
  const unsigned = {
    operator: signer.operator,
    encryptionKey: ristrettoPublicKey(9n),
    sequence: 1,
  }
  const { domain } = decisionSettings(loaded)
  const signature = await signer.sign(encryptionKeyStatement(domain, unsigned))
  record = encodeEncryptionKey({ ...unsigned, signature })
  const lines: string[] = []
  return { config, address, url, lines, print: (text) => void lines.push(text) }
}

const toml = (devnet: Devnet, input: { address: string; url: string; curve: Curve }) => `
[operator]
address = "${input.address}"
signing_key_file = "signing.key"
signing_curve = "${input.curve}"
transaction_key_file = "account.key"
[listen]
public_url = "${input.url}/"
[chain]
chain_id = ${devnet.chainId}
rpc_urls = ["${devnet.rpcUrl}"]
[contracts]
allocation_manager = "${devnet.allocationManager}"
key_registrar = "${devnet.keyRegistrar}"
app_controller = "${devnet.appController}"
epoch_log = "${devnet.epochLog}"
avs = "${devnet.avs}"
operator_set_id = ${devnet.operatorSetId}
[store]
path = "operator.db"
key_file = "store.key"
`

async function membersOf(devnet: Devnet) {
  const reader = createChainReader({ rpcUrls: [devnet.rpcUrl], quorum: 1, chainId: devnet.chainId })
  try {
    return (await readOperatorSet(reader, devnet, await reader.latestBlock())).operators
  } finally {
    reader.close()
  }
}

const transactionsOf = async (address: string) =>
  Number(await callNode(anvil.url, 'eth_getTransactionCount', [address, 'latest']))

describe.each<Curve>(['ecdsa', 'bn254'])('an operator with a key on %s', (curve) => {
  let devnet: Devnet
  let setup: Setup
  beforeEach(async () => {
    devnet = await deployDevnet({ rpcUrl: anvil.url, curve })
    setup = await prepare(devnet, devKey(curve === 'ecdsa' ? 3 : 4))
  })

  it('registers once, moves its socket, deregisters and comes back with the same key', async () => {
    const { config, address, url, lines, print } = setup
    const before = await transactionsOf(address)
    const options = { ...OPTIONS, config }
    expect(await register({ ...options, dryRun: true }, print)).toMatch(/Nothing was sent/)
    const dry = lines.splice(0).join('\n')
    for (const call of ['registerKey', 'registerAsOperator', 'registerForOperatorSets'])
      expect(dry).toContain(call)
    const [, data] = dry.match(/registerForOperatorSets[\s\S]*?data (0x[0-9a-f]+)/) ?? []
    expect(decodeFunctionData({ abi: setRegistrationAbi, data: data as Hex }).args?.[0]).toMatch(
      new RegExp(address, 'i'),
    )
    expect(await transactionsOf(address)).toBe(before)

    await register(options, print)
    expect(lines.splice(0).map((line) => line.slice(0, 4))).toEqual(['sent', 'sent', 'sent'])
    const { signingKey } = await readOperatorKeys((await loadKmsConfig(config)).operator)
    expect(await membersOf(devnet)).toEqual([{ address, socket: url, signingKey }])

    await register(options, print)
    expect(lines.splice(0).map((line) => line.slice(0, 4))).toEqual(['done', 'done', 'done'])
    expect(await transactionsOf(address)).toBe(before + 3)

    const moved = url.replace('127.0.0.1', 'localhost')
    await writeFile(config, toml(devnet, { address, url: moved, curve }))
    await register(options, print)
    expect((await membersOf(devnet))[0]?.socket).toBe(moved)
    expect(await transactionsOf(address)).toBe(before + 4)

    await finalise(anvil.url)
    await expect(deregister(options, print)).rejects.toThrow(/may not deregister yet/)
    await deregister({ ...options, force: true }, print)
    await expect(membersOf(devnet)).rejects.toThrow(/no members/)
    lines.splice(0)
    await deregister(options, print)
    await finalise(anvil.url)
    await register(options, print)
    expect(lines.map((line) => line.slice(0, 4))).toEqual(['done', 'done', 'done', 'sent'])
    expect(await membersOf(devnet)).toMatchObject([{ address, signingKey }])
  })

  it('is not let in by the registrar with a signature of another key', async () => {
    const other = await prepare(devnet, devKey(5))
    await register({ ...OPTIONS, config: setup.config, dryRun: true }, setup.print)
    const [, data] = setup.lines.join('\n').match(/registerKey[\s\S]*?data (0x[0-9a-f]+)/) ?? []
    // One nibble of the signature.
    const at = (data?.length ?? 0) - (curve === 'ecdsa' ? 190 : 20)
    const forged = `${data?.slice(0, at)}${data?.[at] === '1' ? '2' : '1'}${data?.slice(at + 1)}`
    const call = { to: devnet.keyRegistrar, from: setup.address }
    await expect(callNode(anvil.url, 'eth_call', [{ ...call, data }, 'latest'])).resolves.toBe('0x')
    await expect(
      callNode(anvil.url, 'eth_call', [{ ...call, data: forged }, 'latest']),
    ).rejects.toThrow()
    // Its own account, but for another operator.
    await expect(
      callNode(anvil.url, 'eth_call', [{ ...call, from: other.address, data }, 'latest']),
    ).rejects.toThrow()
  })
})

it('registers an operator whose key, for signing and for paying, is in a Web3Signer', async () => {
  const devnet = await deployDevnet({ rpcUrl: anvil.url })
  const account = devKey(9)
  const service = await startWeb3Signer(hexToBytes(account))
  const setup = await prepare(devnet, account)
  const remote = toml(devnet, { ...setup, curve: 'ecdsa' })
    .replace(/transaction_key_file.*/, `web3signer_public_key = "${service.publicKey}"`)
    .replace(/signing_key_file.*/, `web3signer_url = "${service.url}"`)
  await writeFile(setup.config, remote)
  await register({ ...OPTIONS, config: setup.config }, setup.print)
  expect(await membersOf(devnet)).toMatchObject([{ address: setup.address }])
  // One proof of the key, three transactions.
  expect(service.signed.map((data) => data[0])).toEqual([0x19, 2, 2, 2])
  await service.close()
})

describe('what registration refuses', () => {
  let devnet: Devnet
  beforeAll(async () => {
    devnet = await deployDevnet({ rpcUrl: anvil.url })
  })

  it('a set of another curve, and a set that is none', async () => {
    const setup = await prepare(devnet, devKey(6), 'bn254')
    const run = (config: string) => register({ ...OPTIONS, config }, setup.print)
    await expect(run(setup.config)).rejects.toThrow(/on the curve ecdsa/)
    const { address, url } = setup
    await writeFile(
      setup.config,
      toml({ ...devnet, operatorSetId: 7 }, { address, url, curve: 'bn254' }),
    )
    await expect(run(setup.config)).rejects.toThrow(/no curve of keys/)
  })

  it('an operator whose process is not there, or is another one', async () => {
    const setup = await prepare(devnet, devKey(7))
    const other = await prepare(devnet, devKey(8))
    const run = async (url: string, force: boolean) => {
      await writeFile(setup.config, toml(devnet, { ...setup, url, curve: 'ecdsa' }))
      return register({ ...OPTIONS, config: setup.config, dryRun: true, force }, setup.print)
    }
    for (const url of ['http://127.0.0.1:1', other.url])
      await expect(run(url, false)).rejects.toThrow(/does not answer at/)
    expect(await run(other.url, true)).toMatch(/Nothing/)
    const without = toml(devnet, { ...setup, curve: 'ecdsa' }).replace(/public_url.*\n/, '')
    await writeFile(setup.config, without)
    await expect(register({ ...OPTIONS, config: setup.config }, setup.print)).rejects.toThrow(
      /public_url/,
    )
  })

  it('another key than the one that is registered, and an account that is not the operator', async () => {
    const setup = await prepare(devnet, devKey(2))
    await writeFile(join(setup.config, '../foreign.key'), devKey(9).slice(2), { mode: 0o600 })
    const keyFile = join(setup.config, '../foreign.key')
    await expect(
      register({ ...OPTIONS, config: setup.config, keyFile }, setup.print),
    ).rejects.toThrow(/only the key of/)
    const operator = { address: setup.address as Hex, socket: setup.url }
    const signingKey = { curve: 'ecdsa', address: `0x${'ee'.repeat(20)}` } as const
    await registerOperators(devnet, [{ ...operator, signingKey }])
    await expect(register({ ...OPTIONS, config: setup.config }, setup.print)).rejects.toThrow(
      /holds another key/,
    )
  })

  it('an operator that is not on the list of its AVS, until it is', async () => {
    const restricted = await deployDevnet({ rpcUrl: anvil.url })
    const setup = await prepare(restricted, devKey(5))
    const set = { avs: restricted.avs, id: restricted.operatorSetId }
    const asOwner = (
      functionName: 'restrictOperatorSet' | 'addOperatorToAllowlist',
      ...rest: Hex[]
    ) => {
      const abi: Abi = operatorRegistryArtifact.abi
      const data = encodeFunctionData({ abi, functionName, args: [set, ...rest] })
      return send(restricted.rpcUrl, restricted.deployerKey, [
        { to: restricted.keyRegistrar, data },
      ])
    }
    await asOwner('restrictOperatorSet')
    const before = await transactionsOf(setup.address)
    const run = () => register({ ...OPTIONS, config: setup.config }, setup.print)
    await expect(run()).rejects.toThrow(/admits only operators on its list/)
    expect(await transactionsOf(setup.address)).toBe(before)
    await asOwner('addOperatorToAllowlist', setup.address as Hex)
    await run()
    expect(await membersOf(restricted)).toMatchObject([{ address: setup.address }])
  })

  it('an account without money, by name', async () => {
    const poor: Hex = `0x${'3c'.repeat(32)}`
    const setup = await prepare(devnet, poor)
    await expect(register({ ...OPTIONS, config: setup.config }, setup.print)).rejects.toMatchObject(
      { code: 'CHAIN_WRITE_FAILED' },
    )
    const to = privateKeyToAccount(poor).address
    await callNode(anvil.url, 'anvil_setBalance', [to, '0xde0b6b3a7640000'])
    await register({ ...OPTIONS, config: setup.config }, setup.print)
    expect(setup.lines.filter((line) => line.startsWith('sent'))).toHaveLength(3)
  })
})
