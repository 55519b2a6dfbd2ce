/**
 * Was the container of a Confidential Space token started as the release says?
 *
 * The image's digest fixes entrypoint, arguments and environment of the image. Whoever starts the VM can replace arguments and set
 * variables, as far as the image's own launch policy lets him; the token lists both. So the command is pinned by ContainerPolicy, or by
 * the image where nothing was replaced, and a variable that was set must be one of the release. ContainerPolicy is compared as Go operators do: `args` and `cmdOverride` exactly, `env` and
 * `envOverride` as subsets, `restartPolicy` exactly; an empty field demands nothing.
 * @module
 */
import { makeFinding, quote, quoteList } from '../../policy/findings.ts'
import { equalLists } from '../../policy/judge-container.ts'
import type { Finding, ReleaseDemand } from '../../policy/types.ts'
import type { TokenContainer } from '../../sdk/attest/token-claims.ts'
import type { ReleaseVerdict } from './release.ts'

const PATH = 'token.submods.container'

export function judgeTokenContainer(
  container: TokenContainer,
  demand: ReleaseDemand,
  allowDigestOnly: boolean,
): ReleaseVerdict {
  const { containerPolicy } = demand
  const facts: readonly Finding[] = [
    ...judgeImage(container, demand),
    ...judgeCommand(container, containerPolicy),
    ...judgeListedEnv(container, containerPolicy),
    ...judgeRestart(container, containerPolicy),
  ]
  const choices = foreignChoices(container, containerPolicy)
  const findings = [
    ...facts,
    ...choices.map((found): Finding => (allowDigestOnly ? { ...found, severity: 'warn' } : found)),
  ]
  const allowed = findings.every((found) => found.severity !== 'refuse')
  if (!allowed) return { allowed, pinnedBy: undefined, findings }
  const listed = containerPolicy.args.length > 0 || containerPolicy.cmdOverride.length > 0
  const pinnedBy = choices.length > 0 ? 'digest-only' : listed ? 'container-policy' : 'image'
  return { allowed, pinnedBy, findings }
}

/** What whoever started the VM chose, and nothing in the release allows. */
function foreignChoices(
  container: TokenContainer,
  policy: ReleaseDemand['containerPolicy'],
): readonly Finding[] {
  const findings: Finding[] = []
  const pinned = policy.args.length > 0 || policy.cmdOverride.length > 0
  if (!pinned && container.cmdOverride.length > 0)
    findings.push(
      makeFinding(
        'refuse',
        'COMMAND_NOT_PINNED',
        `${PATH}.cmd_override`,
        `Whoever started the VM chose the arguments ${quoteList(container.cmdOverride)}: allow them in ContainerPolicy.args or cmdOverride.`,
      ),
    )
  const listed = new Map([...Object.entries(policy.env), ...Object.entries(policy.envOverride)])
  const open = [...container.envOverride].filter(([name, value]) => listed.get(name) !== value)
  if (open.length > 0)
    findings.push(
      makeFinding(
        'refuse',
        'ENV_NOT_IN_RELEASE',
        `${PATH}.env_override`,
        `Whoever started the VM chose these variables: ${quote(open.map(([name]) => name).join(', '))}; allow them in ContainerPolicy.envOverride.`,
      ),
    )
  return findings
}

function judgeImage(container: TokenContainer, demand: ReleaseDemand): readonly Finding[] {
  if (container.imageDigest === demand.imageDigest) return []
  return [
    makeFinding(
      'refuse',
      'IMAGE_NOT_IN_RELEASE',
      `${PATH}.image_digest`,
      `The container runs ${quote(container.imageDigest)}, which is not the release's image.`,
    ),
  ]
}

function judgeCommand(
  container: TokenContainer,
  policy: ReleaseDemand['containerPolicy'],
): readonly Finding[] {
  const fields = [
    ['ARGS_DIFFER', 'args', container.args, policy.args],
    ['CMD_OVERRIDE_DIFFERS', 'cmd_override', container.cmdOverride, policy.cmdOverride],
  ] as const
  return fields.flatMap(([code, field, actual, expected]) =>
    expected.length === 0 || equalLists(actual, expected)
      ? []
      : [
          makeFinding(
            'refuse',
            code,
            `${PATH}.${field}`,
            `It is ${quoteList(actual)}, the release's ContainerPolicy says ${quoteList(expected)}.`,
          ),
        ],
  )
}

function judgeListedEnv(
  container: TokenContainer,
  policy: ReleaseDemand['containerPolicy'],
): readonly Finding[] {
  const fields = [
    ['env', container.env, policy.env],
    ['env_override', container.envOverride, policy.envOverride],
  ] as const
  return fields.flatMap(([field, actual, expected]) =>
    Object.entries(expected).flatMap(([name, value]) =>
      actual.get(name) === value
        ? []
        : [
            makeFinding(
              'refuse',
              'ENV_DIFFERS',
              `${PATH}.${field}`,
              `The variable ${quote(name)} of the release's ContainerPolicy is missing or has another value.`,
            ),
          ],
    ),
  )
}

function judgeRestart(
  container: TokenContainer,
  { restartPolicy }: ReleaseDemand['containerPolicy'],
): readonly Finding[] {
  if (restartPolicy === '' || restartPolicy === container.restartPolicy) return []
  return [
    makeFinding(
      'refuse',
      'RESTART_POLICY_DIFFERS',
      `${PATH}.restart_policy`,
      `It is ${quote(container.restartPolicy)}, the release's ContainerPolicy says ${quote(restartPolicy)}.`,
    ),
  ]
}
