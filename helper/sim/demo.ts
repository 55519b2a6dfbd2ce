/**
 * `npm run demo`: the whole system at work, told step by step, with every claim checked on the way.
 *
 * What is printed about operators comes from their own audit logs, what is printed about keys from
 * the SDK inside the pod. A claim that does not hold makes the exit code 1.
 * @module
 */

import { bytesToHex } from '../../sdk/bytes.ts'
import { createClient } from '../../sdk/client/client.ts'
import type { ExitCode, Io } from '../cli/io.ts'
import { shorten } from '../cli/terminal.ts'
import type { Tee } from '../evidence.ts'
import { DEMO_SECRET } from './app.ts'
import { runAttacks } from './attacks.ts'
import { type AuditEntry, countDecisions, waitForDecisions } from './audit.ts'
import { type Devnet, type DevnetProgress, startDevnet } from './devnet.ts'
import { waitForGenesis } from './genesis.ts'
import type { LaunchOptions, Pod } from './machine.ts'
import type { Operator } from './operators.ts'
import { createStory, interruptSignal, type Story } from './story.ts'

const DECISION_TIMEOUT_MS = 10_000

export async function runDemo(io: Io, options: { operators: number; tee: Tee }): Promise<ExitCode> {
  const startedAt = io.now().getTime()
  const story = createStory(io)
  io.out(
    story.paint(
      'bold',
      'eigenx-tee: keys that survive restarts, for pods that prove what they run',
    ),
  )
  io.out('Everything below runs on this machine, on loopback, with throw-away keys.')
  const interruption = interruptSignal(io)
  const starting = startDevnet({
    ...options,
    signal: interruption.signal,
    onProgress: (progress) => tellProgress(story, progress),
  })
  try {
    const devnet = await starting
    await Promise.race([tellStory(story, devnet), interruption.happened])
  } catch (error) {
    if (!interruption.signal.aborted) throw error
  } finally {
    await starting.then(
      (devnet) => devnet.stop(),
      () => {},
    )
  }
  if (interruption.signal.aborted) {
    io.err('interrupted')
    return 1
  }
  const seconds = ((io.now().getTime() - startedAt) / 1000).toFixed(1)
  const failures = story.failures()
  io.out('')
  if (failures > 0) {
    io.out(story.paint('red', `${failures} of the claims above did not hold.`))
    return 1
  }
  io.out(
    story.paint(
      'green',
      `Every claim above was checked and held; took ${seconds} s, nothing is left running.`,
    ),
  )
  io.out('Develop against the same devnet: npm run sim')
  return 0
}

/** Chapters 1 to 3: what a devnet consists of, told while it comes up. */
export function tellProgress(story: Story, progress: DevnetProgress): void {
  const { paint } = story
  switch (progress.step) {
    case 'chain':
      story.chapter('A chain, the registries and the operators')
      story.facts([['EVM node', `anvil, ${progress.url}, process ${progress.pid}`]])
      return
    case 'contracts': {
      const { appController, keyRegistrar, epochLog } = progress.contracts
      story.facts([
        ['app registry', appController],
        ['operator registry', keyRegistrar],
        ['epoch log', epochLog],
      ])
      return
    }
    case 'operators':
      story.facts(
        progress.operators.map((operator) => [
          `operator ${operator.index + 1}`,
          operator.address,
          operator.url,
          `process ${operator.program().pid}`,
        ]),
      )
      return
    case 'posted':
      return
    case 'genesis': {
      const { genesis } = progress
      story.chapter('Genesis: the operators make one key that none of them holds')
      story.facts([
        [
          'dealt by',
          `${genesis.dealers.length} of ${genesis.members.length}: ${genesis.dealers.map((address) => shorten(address, 6)).join(', ')}`,
        ],
        [
          'signed by',
          `${genesis.signers.length}: ${genesis.signers.map((address) => shorten(address, 6)).join(', ')}`,
        ],
        [
          'threshold',
          `any ${genesis.threshold} of ${genesis.members.length} operators can serve, fewer learn nothing`,
        ],
        ['master public key', shorten(bytesToHex(genesis.masterPublicKey), 20)],
        [
          'epoch',
          `${genesis.epoch}, active since ${new Date(genesis.activateAt * 1000).toISOString()}`,
        ],
      ])
      return
    }
    case 'app': {
      const { app } = progress
      story.chapter('A developer releases an app on chain')
      story.facts([
        ['app id', app.appId],
        ['image', app.imageDigest],
        ...Object.entries(app.prepared.pins).map(([name, value]) => [name, shorten(value, 24)]),
        ['pod document', `initdata with ${Object.keys(app.initdata.data).join(', ')}`],
        ['sealed secret', `${DEMO_SECRET.name}, encrypted to the app, in the release`],
      ])
      story.say(
        paint(
          'dim',
          'policy.rego pins image, command and environment; exec, logs and policy changes are denied',
        ),
      )
    }
  }
}

type Addresses = { evm: string; solana: string }

async function tellStory(story: Story, devnet: Devnet): Promise<void> {
  const { app, operators, genesis } = devnet
  const launch: LaunchOptions = { initdata: app.initdata }

  story.chapter('A pod boots, proves what it is, and gets its keys')
  const first = await bootAndAsk(devnet, launch, operators)
  tellEvidence(story, devnet)
  tellDecisions(story, first.decisions)
  story.facts([
    ['EVM address', story.paint('cyan', first.addresses.evm)],
    ['Solana address', story.paint('cyan', first.addresses.solana)],
  ])
  story.expect(
    first.granted >= genesis.threshold,
    `at least ${genesis.threshold} operators granted, each after its own checks`,
  )
  story.expect(
    first.secret === DEMO_SECRET.value,
    `the sealed secret ${DEMO_SECRET.name} opens inside the pod`,
  )
  await first.pod.stop()

  story.chapter('The pod restarts: nothing was stored')
  const second = await bootAndAsk(devnet, launch, operators)
  await second.pod.stop()
  story.expect(isSame(first.addresses, second.addresses), 'same EVM and Solana addresses')

  const [victim, ...others] = [...operators].reverse()
  if (victim === undefined) throw new RangeError('a devnet has operators')
  story.chapter(`Operator ${victim.index + 1} is killed (process ${victim.program().pid}, SIGKILL)`)
  await victim.crash()
  const canServe = others.length >= genesis.threshold
  if (canServe) {
    const third = await bootAndAsk(devnet, launch, others)
    await third.pod.stop()
    story.expect(
      isSame(first.addresses, third.addresses),
      `same addresses from the other ${others.length}`,
    )
  } else
    story.say(`only ${others.length} left, ${genesis.threshold} are needed: the pod has to wait`)
  await victim.restart()
  await waitForGenesis([victim], DECISION_TIMEOUT_MS)
  story.say(`operator ${victim.index + 1} is back: it read the log and found its sealed share`)

  await runAttacks(story, devnet)
}

type Booted = {
  pod: Pod
  addresses: Addresses
  secret: string
  decisions: readonly { operator: Operator; entry: AuditEntry | undefined }[]
  granted: number
}

async function bootAndAsk(
  devnet: Devnet,
  launch: LaunchOptions,
  operators: readonly Operator[],
): Promise<Booted> {
  const before = countDecisions(operators)
  const pod = await devnet.machine.boot(launch)
  const client = createClient({ endpoint: pod.socketPath })
  const { evm, solana } = await client.getAddresses({ count: 1 })
  const secret = await client.getSecret(DEMO_SECRET.name)
  const decisions = await waitForDecisions(operators, before, DECISION_TIMEOUT_MS)
  const addresses = { evm: evm[0]?.address ?? 'none', solana: solana[0]?.address ?? 'none' }
  const granted = decisions.filter(({ entry }) => entry?.decision === 'granted').length
  return { pod, addresses, secret, decisions, granted }
}

function tellEvidence(story: Story, { app, vendor }: Devnet): void {
  const anchor = vendor.tee === 'snp' ? 'HOST_DATA' : 'MRCONFIGID'
  story.facts([
    [
      'hardware report',
      `${vendor.processor}, signed by a throw-away vendor that only this devnet trusts`,
    ],
    [
      'REPORT_DATA',
      'names the pod’s one-time RSA key, the app, the chain, the operators and a fresh block',
    ],
    [
      anchor,
      `digest of the initdata, put there at launch: ${shorten(bytesToHex(app.initdata.digest.subarray(0, 32)), 20)}`,
    ],
  ])
}

/** Every operator made the same checks on its own: names once, then who came to which verdict. */
function tellDecisions(story: Story, decisions: Booted['decisions']): void {
  const first = decisions.find(({ entry }) => entry?.decision === 'granted')?.entry
  const passed = (first?.checks ?? [])
    .filter((check) => check.result === 'passed')
    .map((check) => check.name)
  story.say(`each operator checked for itself (${passed.length} checks passed):`)
  const names = [...new Set(passed)]
  const width = Math.max(...names.map((name) => name.length)) + 2
  for (let i = 0; i < names.length; i += 3)
    story.say(
      story.paint(
        'dim',
        `  ${names
          .slice(i, i + 3)
          .map((name) => name.padEnd(width))
          .join('')}`.trimEnd(),
      ),
    )
  story.facts(
    decisions.map(({ operator, entry }) => [
      `operator ${operator.index + 1}`,
      entry === undefined ? 'has not decided' : entry.decision,
      entry === undefined
        ? ''
        : `initdata anchored by ${entry.binding ?? 'nothing'}, ${Math.round(entry.durationMs)} ms`,
    ]),
  )
}

function isSame(a: Addresses, b: Addresses): boolean {
  return a.evm === b.evm && a.solana === b.solana && a.evm.startsWith('0x')
}
