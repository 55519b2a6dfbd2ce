/** The last chapter of the demonstration: what a host or a stranger tries, and why each operator says no. @module */
import { stringify as stringifyToml } from 'smol-toml'
import { parseInitdata } from '../../policy/initdata.ts'
import type { Initdata } from '../../policy/types.ts'
import { utf8ToBytes } from '../../sdk/bytes.ts'
import { createClient } from '../../sdk/client/client.ts'
import { requestBytes } from '../../sdk/client/node-http.ts'
import { isEigenxError, type OperatorRefusal } from '../../sdk/errors.ts'
import { createAaClient } from '../aa.ts'
import { createQuorumViewer } from '../chain-view.ts'
import { parseEigenxToml } from '../config.ts'
import { obtainAppKey } from '../identity.ts'
import { createRequestKey } from '../request-key.ts'
import { changeApp } from './contracts.ts'
import type { Devnet } from './devnet.ts'
import type { LaunchOptions } from './machine.ts'
import type { Story } from './story.ts'

type Attack = {
  title: string
  launch: LaunchOptions
  /** Codes that say it was refused for the right reason. */
  refusedWith: readonly string[]
  /** The pod's own helper sees it too and asks nobody; the operators then hear from a helper of the host's making. */
  helperRefuses?: true
  before?: () => Promise<void>
}

export async function runAttacks(story: Story, devnet: Devnet): Promise<void> {
  for (const attack of listAttacks(devnet)) {
    story.chapter(`Attack: ${attack.title}`)
    await attack.before?.()
    const refusals =
      attack.helperRefuses === true
        ? await sendRefused(story, devnet, attack)
        : await bootRefused(devnet, attack.launch)
    if (refusals === undefined) {
      story.expect(false, 'no key is handed out')
      continue
    }
    story.facts(
      devnet.operators.map((operator) => {
        const refusal = refusals.find((entry) => isOperator(entry, operator.address))
        return [
          `operator ${operator.index + 1}`,
          refusal?.code ?? 'did not answer',
          refusal?.message ?? '',
        ]
      }),
    )
    const refused = refusals.filter((refusal) => attack.refusedWith.includes(refusal.code))
    story.expect(
      refused.length === devnet.operators.length,
      `every operator refused, for the right reason`,
    )
  }
}

function listAttacks({ app, contracts }: Devnet): Attack[] {
  const released = app.initdata
  const permissive = withFile(released, 'policy.rego', ALLOW_ALL)
  return [
    {
      title: 'the host boots the pod with a policy that allows everything',
      launch: { initdata: permissive },
      refusedWith: ['RELEASE_MISMATCH', 'POLICY_TOO_PERMISSIVE'],
    },
    {
      title: 'the host launches its own document and shows the operators the released one',
      launch: { initdata: released, launchedWith: permissive },
      refusedWith: ['INITDATA_MISMATCH'],
      helperRefuses: true,
    },
    {
      title: 'the host boots the released pod in debug mode, to read its memory',
      launch: { initdata: released, debug: true },
      refusedWith: ['EVIDENCE_NOT_ALLOWED'],
    },
    {
      title: 'the developer has stopped the app on chain, the host boots it all the same',
      launch: { initdata: released },
      before: () => changeApp(contracts, app.appId, 'stopApp'),
      refusedWith: ['APP_NOT_RUNNING'],
    },
  ]
}

/** What an agent image without a policy of its own falls back to. */
const ALLOW_ALL = `package agent_policy

default CreateContainerRequest := true
default CreateSandboxRequest := true
default ExecProcessRequest := true
default ReadStreamRequest := true
default SetPolicyRequest := true
`

/** The document with one file exchanged: a host can write any document it likes. */
function withFile(initdata: Initdata, name: string, content: string): Initdata {
  const toml = stringifyToml({
    version: initdata.version,
    algorithm: initdata.algorithm,
    data: { ...initdata.data, [name]: content },
  })
  return parseInitdata(utf8ToBytes(toml))
}

/** @returns What the operators said, or `undefined` when a key was handed out. */
async function bootRefused(
  devnet: Devnet,
  launch: LaunchOptions,
): Promise<readonly OperatorRefusal[] | undefined> {
  const pod = await devnet.machine.boot(launch)
  try {
    await createClient({ endpoint: pod.socketPath }).getMnemonic()
    return undefined
  } catch (error) {
    if (isEigenxError(error, 'QUORUM_NOT_REACHED')) return error.details.refusals
    throw error
  } finally {
    await pod.stop()
  }
}

/** What the host gets when it runs its own helper beside the agent, without the checks of ours. */
async function sendRefused(
  story: Story,
  devnet: Devnet,
  { launch, refusedWith }: Attack,
): Promise<readonly OperatorRefusal[] | undefined> {
  const pod = await devnet.machine.boot(launch)
  const error = await createClient({ endpoint: pod.socketPath })
    .getMnemonic()
    .catch((reason: unknown) => reason)
    .finally(() => pod.stop())
  const stopped = isEigenxError(error) && refusedWith.includes(error.code)
  story.expect(stopped, 'the pod’s helper refuses the document itself and asks nobody')
  story.say('the host runs a helper of its own making instead:')
  const { initdata } = launch
  const config = parseEigenxToml(initdata.data['eigenx.toml'] ?? '')
  try {
    await obtainAppKey(
      {
        exchange: requestBytes,
        evidence: createAaClient({ exchange: requestBytes }, { url: devnet.machine.agent.url }),
        viewQuorum: createQuorumViewer(config),
        createKey: createRequestKey,
      },
      { config, initdata },
    )
    return undefined
  } catch (reason) {
    if (isEigenxError(reason, 'QUORUM_NOT_REACHED')) return reason.details.refusals
    throw reason
  }
}

function isOperator(refusal: OperatorRefusal, address: string): boolean {
  return refusal.operator.toLowerCase() === address
}
