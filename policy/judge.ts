/**
 * May a pod with this initdata have the keys of this release?
 *
 * Ways to yes, strongest first:
 * - **initdata**: the release pins SHA-384 of the whole decoded document. It is the developer's exact statement, so what the
 *   analysis cannot vouch for is shown and does not block, save a document without a policy or with a line `default X := true` for
 *   what hands the choice to the host (other spellings of such a rule are not looked for, the developer signed them); and a
 *   ContainerPolicy of the same release must not be contradicted.
 * - **container-policy**: the rules are known and pin images, every container is one of the release, and the command and
 *   environment of each are pinned: the app's by ContainerPolicy.args and .env, the command of further ones by their hash in
 *   EIGENX_TEE_IMAGES. Whoever boots the pod wrote policy_data, so what else in it can change the program is refused: scratch
 *   mounts, through which one container could write the code of another, and a working directory other than `/`. User ids,
 *   capabilities, a read-only root, and how many containers run the same command stay that person's choice.
 * - **digest-only**: as before, but commands or variables are not pinned. Only where the operator allows it, and marked.
 *
 * ContainerPolicy speaks of the containers that run the release's image, not of the sandbox and not of further
 * images. `args` is the whole command (entrypoint and arguments), compared exactly; `cmdOverride` alone is satisfied only by a
 * command that consists of it, and beside `args` must be its end; `env` and `envOverride` must be contained in the
 * container's environment. `restartPolicy` exists nowhere in a Kata policy: without an initdata pin it is refused by name.
 * @module
 */

import { bytesToHex } from '../sdk/bytes.ts'
import { analysePolicy } from './analyse.ts'
import { makeFinding } from './findings.ts'
import {
  judgeCodeVariables,
  judgeCommands,
  judgeContainerPolicy,
  judgeEnvironment,
} from './judge-container.ts'
import { PIN_KEYS } from './release.ts'
import { findRuleSet } from './rules.ts'
import type {
  Finding,
  Initdata,
  PolicyAnalysis,
  PolicyContainer,
  PolicyVerdict,
  ReleaseDemand,
} from './types.ts'

export type JudgeInput = {
  initdata: Initdata
  demand: ReleaseDemand
  /** The operator serves releases whose commands nothing pins. */
  allowDigestOnly: boolean
}

const INITDATA_PATH = 'initdata'
const POLICY_FILE = 'policy.rego'

/** @param find As in `analysePolicy`. */
export function judgePolicy(input: JudgeInput, find = findRuleSet): PolicyVerdict {
  const rego = input.initdata.data[POLICY_FILE]
  const analysis = rego === undefined ? undefined : analysePolicy(rego, find)
  const sha384 = bytesToHex(input.initdata.sha384)
  if (input.demand.initdataSha384.includes(sha384)) return judgePinned(input.demand, analysis)
  const findings: Finding[] = [...pinMissed(input.demand, sha384)]
  if (analysis === undefined) return verdict([...findings, policyMissing()], undefined, undefined)
  findings.push(...analysis.findings.map((found) => unfixed(found)))
  // Under rules that nobody knows, or that let the host choose images, the data says nothing about what runs.
  if (analysis.rules === undefined || analysis.rules.pinsImage === false)
    return verdict(findings, undefined, analysis)
  const containers = identifyImages(analysis, input.demand)
  findings.push(...judgeImages(containers, input.demand))
  findings.push(...judgeLogs(analysis, input.demand), ...judgeRestartPolicy(input.demand))
  const own = appContainers(containers, input.demand)
  findings.push(...judgeContainerPolicy(own, input.demand.containerPolicy))
  findings.push(...judgeCodeVariables(containers, input.demand))
  const unpinned = [
    ...judgeCommands(containers, input.demand),
    ...judgeEnvironment(containers, input.demand),
  ]
  if (unpinned.length === 0) return verdict(findings, 'container-policy', analysis)
  if (!input.allowDigestOnly) return verdict([...findings, ...unpinned], undefined, analysis)
  const marks = unpinned.map((found): Finding => ({ ...found, severity: 'warn' }))
  return verdict([...findings, ...marks], 'digest-only', analysis)
}

/** The only place that decides: allowed when nothing refuses. */
function verdict(
  findings: readonly Finding[],
  pinnedBy: PolicyVerdict['pinnedBy'],
  analysis: PolicyAnalysis | undefined,
): PolicyVerdict {
  const allowed = pinnedBy !== undefined && findings.every((found) => found.severity !== 'refuse')
  return { allowed, pinnedBy: allowed ? pinnedBy : undefined, findings, analysis }
}

function judgePinned(demand: ReleaseDemand, analysis: PolicyAnalysis | undefined): PolicyVerdict {
  const observed = analysis?.findings ?? [policyMissing()]
  const contradictions =
    analysis === undefined
      ? []
      : judgeContainerPolicy(appContainers(analysis.containers, demand), demand.containerPolicy)
  return verdict(
    [
      makeFinding('info', 'INITDATA_PINNED', INITDATA_PATH, 'The release pins this very document.'),
      // The developer signed for them; they stay visible, since a pinned loophole is still a loophole.
      ...observed.map((found): Finding => softened(found)),
      ...contradictions,
    ],
    'initdata',
    analysis,
  )
}

/**
 * What no pin excuses: without a policy, or with one whose `default` lines let the host start, enter or replace containers, the
 * pinned document does not decide what runs, so it cannot stand for the release.
 */
const UNPINNABLE: ReadonlySet<string> = new Set(['POLICY_MISSING', 'HOST_POWER'])

function softened(found: Finding): Finding {
  if (found.severity !== 'refuse' || UNPINNABLE.has(found.code)) return found
  return { ...found, severity: 'warn' }
}

/** Harmless in a document of the developer; from whoever boots the pod they make other files the program of a pinned command. */
const ONLY_IF_PINNED: ReadonlySet<string> = new Set(['SCRATCH_MOUNT', 'WORKING_DIRECTORY'])

function unfixed(found: Finding): Finding {
  if (found.severity === 'refuse' || !ONLY_IF_PINNED.has(found.code)) return found
  const message = `${found.message} Nothing in the release fixes that, and it can change what the command runs: set ${PIN_KEYS.initdata}.`
  return { ...found, severity: 'refuse', message }
}

/** A release that pins documents means those: another one is refused, however good its policy is. */
function pinMissed(demand: ReleaseDemand, sha384: string): readonly Finding[] {
  if (demand.initdataSha384.length === 0) return []
  return [
    makeFinding(
      'refuse',
      'INITDATA_NOT_PINNED',
      INITDATA_PATH,
      `The release pins ${demand.initdataSha384.length} initdata document(s), and ${sha384.slice(0, 16)}… is none of them.`,
    ),
  ]
}

function policyMissing(): Finding {
  return makeFinding(
    'refuse',
    'POLICY_MISSING',
    `${INITDATA_PATH}#data`,
    'There is no policy.rego, and without one a guest allows every request of the host.',
  )
}

/**
 * What identifies a container's image under these rules. Under dm-verity the name is text beside the layers' root
 * hashes, and only those decide: the image is the one of the release that has them, or none.
 */
function identifyImages(
  analysis: PolicyAnalysis,
  demand: ReleaseDemand,
): readonly PolicyContainer[] {
  if (analysis.rules?.pinsImage !== 'dm-verity') return analysis.containers
  const byRoots = new Map(
    Object.entries(demand.layerRoots ?? {}).map(([digest, roots]) => [roots.join(':'), digest]),
  )
  return analysis.containers.map((container) => {
    const digest = byRoots.get(container.layerRoots.join(':'))
    const { image, ...rest } = container
    const reference = image?.reference ?? ''
    return digest === undefined ? rest : { ...rest, image: { reference, digest } }
  })
}

/** Containers that run the release's image. */
function appContainers(
  containers: readonly PolicyContainer[],
  demand: ReleaseDemand,
): readonly PolicyContainer[] {
  return containers.filter(
    (container) => !container.isSandbox && container.image?.digest === demand.imageDigest,
  )
}

function judgeImages(
  containers: readonly PolicyContainer[],
  demand: ReleaseDemand,
): readonly Finding[] {
  const findings = containers.flatMap((container) => judgeImage(container, demand))
  if (appContainers(containers, demand).length > 0) return findings
  const message = `No container runs the release's image ${demand.imageDigest}.`
  return [...findings, makeFinding('refuse', 'RELEASE_IMAGE_ABSENT', POLICY_FILE, message)]
}

function judgeImage(container: PolicyContainer, demand: ReleaseDemand): readonly Finding[] {
  const digest = container.image?.digest
  // In guest pull the agent unpacks a sandbox of its own; where layers are listed, the host brings it.
  if (container.isSandbox && container.layerRoots.length === 0) return []
  if (digest === demand.imageDigest || demand.additionalImages.includes(digest ?? '')) return []
  if (digest !== undefined)
    return [
      makeFinding(
        'refuse',
        'IMAGE_NOT_IN_RELEASE',
        container.path,
        `The image ${digest} is not in the release; further containers belong into ${PIN_KEYS.images}.`,
      ),
    ]
  if (container.layerRoots.length > 0)
    return [
      makeFinding(
        'refuse',
        'LAYERS_NOT_IN_RELEASE',
        `${container.path}.storages`,
        `The dm-verity roots of the layers are not in the release; it lists them in ${PIN_KEYS.layerRoots}.`,
      ),
    ]
  return [
    makeFinding(
      'refuse',
      'IMAGE_WITHOUT_DIGEST',
      container.path,
      'The image is named without a digest, so any image may run.',
    ),
  ]
}

function judgeLogs(analysis: PolicyAnalysis, demand: ReleaseDemand): readonly Finding[] {
  if (!analysis.logsReadable) return []
  const allowed = demand.allowLogs === true
  return [
    makeFinding(
      allowed ? 'info' : 'refuse',
      'LOGS_READABLE',
      `${POLICY_FILE}#policy_data.request_defaults.ReadStreamRequest`,
      allowed
        ? 'The host may read the output of the containers; the release allows it.'
        : `The host may read the output of the containers; a release allows that by ${PIN_KEYS.allowLogs}=true.`,
    ),
  ]
}

function judgeRestartPolicy(demand: ReleaseDemand): readonly Finding[] {
  if (demand.containerPolicy.restartPolicy === '') return []
  return [
    makeFinding(
      'refuse',
      'CONTAINER_POLICY_INEXPRESSIBLE',
      'release.containerPolicy.restartPolicy',
      `A Kata policy cannot fix the restart policy; pin the initdata in ${PIN_KEYS.initdata} or leave the field empty.`,
    ),
  ]
}
