/**
 * One container against the release: command and environment. See `judge.ts` for what the fields mean.
 * @module
 */

import { createHash } from 'node:crypto'
import { utf8ToBytes } from '../sdk/bytes.ts'
import { makeFinding, quote, quoteList } from './findings.ts'
import { PIN_KEYS } from './release.ts'
import type { Finding, PolicyContainer, ReleaseDemand } from './types.ts'

type ContainerPolicy = ReleaseDemand['containerPolicy']

/** What EIGENX_TEE_IMAGES carries behind `=`: SHA-256 of the command as a JSON list without white space. */
export function hashArgs(args: readonly string[]): string {
  return createHash('sha256')
    .update(utf8ToBytes(JSON.stringify(args)))
    .digest('hex')
}

/** @param containers Those that run the release's image. */
export function judgeContainerPolicy(
  containers: readonly PolicyContainer[],
  policy: ContainerPolicy,
): readonly Finding[] {
  const listed = (['env', 'envOverride'] as const).map((field) => ({
    field,
    variables: Object.entries(policy[field]).map(([name, value]) => ({
      name,
      item: `${name}=${value}`,
    })),
  }))
  return containers.flatMap((container) => [
    ...judgeArgs(container, policy),
    ...judgeListedEnv(container, listed),
  ])
}

function judgeArgs(container: PolicyContainer, policy: ContainerPolicy): readonly Finding[] {
  const path = `${container.path}#args`
  if (policy.args.length === 0 && policy.cmdOverride.length === 0) return []
  const findings: Finding[] = []
  if (!container.argsExact)
    findings.push(
      makeFinding('refuse', 'ARGS_NOT_EXACT', path, 'A macro lets the host choose an argument.'),
    )
  const whole = policy.args.length > 0 ? policy.args : policy.cmdOverride
  if (!equalLists(container.args, whole))
    findings.push(
      makeFinding(
        'refuse',
        'ARGS_DIFFER',
        path,
        `The command is ${quoteList(container.args)}, the release's ContainerPolicy says ${quoteList(whole)}.`,
      ),
    )
  const tail = policy.cmdOverride
  if (policy.args.length > 0 && !equalLists(policy.args.slice(-tail.length || Infinity), tail))
    findings.push(
      makeFinding(
        'refuse',
        'CMD_OVERRIDE_DIFFERS',
        'release.containerPolicy.cmdOverride',
        'cmdOverride is not the end of args, so no command satisfies both.',
      ),
    )
  return findings
}

type ListedEnv = {
  field: 'env' | 'envOverride'
  variables: readonly { name: string; item: string }[]
}

function judgeListedEnv(
  container: PolicyContainer,
  listed: readonly ListedEnv[],
): readonly Finding[] {
  const present = new Set(container.env)
  return listed.flatMap(({ field, variables }) => {
    const absent = variables.filter(({ item }) => !present.has(item))
    if (absent.length === 0) return []
    const names = quote(absent.map(({ name }) => name).join(', '))
    return [
      makeFinding(
        'refuse',
        'ENV_DIFFERS',
        `${container.path}#env`,
        `These variables of the release's ContainerPolicy.${field} are missing or have another value: ${names}.`,
      ),
    ]
  })
}

/**
 * Variables that make a loader or interpreter run other code, so that a pinned command is none. The list cannot be
 * complete: a release that lists its environment does not depend on it, it is the net where an operator allows less.
 */
const CODE_VARIABLES =
  /^(?:LD_|DYLD_|GCONV_PATH$|GLIBC_TUNABLES$|BASH_|ENV$|HOME$|XDG_|ZDOTDIR$|SHELLOPTS$|PROMPT_COMMAND$|IFS$|NODE_OPTIONS$|NODE_PATH$|NODE_EXTRA_CA_CERTS$|NPM_|npm_|YARN_(?!VERSION$)|COREPACK_|DENO_|BUN_|PYTHON|VIRTUAL_ENV$|PIP_|UV_|GUNICORN_|UWSGI_|FLASK_|DJANGO_|PERL|RUBY(?:OPT|LIB|SHELL)$|GEM_|BUNDLE_|JAVA_(?!VERSION$)|_JAVA_|JDK_JAVA_|CATALINA_|CLASSPATH$|DOTNET_|CORECLR_|COMPlus_|PHPRC$|PHP_INI_SCAN_DIR$|LUA_|ERL_|GODEBUG$|MALLOC_|OPENSSL_|SSL_CERT_|GIT_|HTTPS?_PROXY$|https?_proxy$|ALL_PROXY$|all_proxy$|EIGENX_|[A-Z0-9_]+_(?:OPTS|OPTIONS|ARGS)$)/

/** As containerd sets it when the image has none. */
const DEFAULT_PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
/** The pod's name; genpolicy writes a macro for it. */
const HOSTNAME = /^HOSTNAME=(?:[A-Za-z0-9_.-]{0,253}|\$\(host-name\))$/

/**
 * Variables that the release does not fix, so whoever boots the pod chose them. An environment decides what a pinned
 * command does as much as its arguments do: which file it loads, where it sends what it knows.
 */
function unlistedNames(
  container: PolicyContainer,
  demand: ReleaseDemand,
  listed: ReadonlySet<string>,
): readonly string[] {
  const isApp = container.image?.digest === demand.imageDigest
  return container.env
    .filter((item) => !(isApp && listed.has(item)))
    .filter((item) => item !== DEFAULT_PATH && !HOSTNAME.test(item))
    .map((item) => item.slice(0, Math.max(0, item.indexOf('='))))
}

/** What the release fixes in the environment of the app, as `NAME=value`. */
function listedItems({ env, envOverride }: ContainerPolicy): ReadonlySet<string> {
  const own = [...Object.entries(env), ...Object.entries(envOverride)]
  return new Set(own.map(([name, value]) => `${name}=${value}`))
}

/** Unlisted variables that no operator can allow. */
export function judgeCodeVariables(
  containers: readonly PolicyContainer[],
  demand: ReleaseDemand,
): readonly Finding[] {
  const listed = listedItems(demand.containerPolicy)
  return containers.flatMap((container) => {
    if (isPause(container)) return []
    const open = unlistedNames(container, demand, listed)
    const code = open.filter((name) => runsCode(container, name))
    if (code.length === 0) return []
    return [
      makeFinding(
        'refuse',
        'ENV_RUNS_CODE',
        `${container.path}#env`,
        `These variables can change what runs, and the release does not list them: ${quote(code.join(', '))}.`,
      ),
    ]
  })
}

/** A relative command is looked up on PATH: then PATH is part of the command. */
function runsCode(container: PolicyContainer, name: string): boolean {
  const looksUp = !(container.args[0] ?? '').startsWith('/')
  return CODE_VARIABLES.test(name) || (name === 'PATH' && looksUp)
}

/** All other unlisted variables; empty when the release fixes the whole environment of each container. */
export function judgeEnvironment(
  containers: readonly PolicyContainer[],
  demand: ReleaseDemand,
): readonly Finding[] {
  const listed = listedItems(demand.containerPolicy)
  return containers.flatMap((container) => {
    if (isPause(container)) return []
    const names = unlistedNames(container, demand, listed)
    const open = names.filter((name) => !runsCode(container, name))
    if (open.length === 0) return []
    const isApp = container.image?.digest === demand.imageDigest
    const remedy = isApp
      ? `list them in ContainerPolicy.env or set ${PIN_KEYS.initdata}`
      : `set ${PIN_KEYS.initdata}`
    return [
      makeFinding(
        'refuse',
        'ENV_NOT_IN_RELEASE',
        `${container.path}#env`,
        `Whoever boots the pod chose these variables: ${quote(open.join(', '))}. To fix them, ${remedy}.`,
      ),
    ]
  })
}

/**
 * The sandbox, as long as it only pauses. Where its layers are listed whoever boots the pod chose them, so an approved image could
 * be called the sandbox; then what it runs counts as it does anywhere.
 */
export function isPause(container: PolicyContainer): boolean {
  const { isSandbox, layerRoots, args } = container
  return isSandbox && (layerRoots.length === 0 || equalLists(args, ['/pause']))
}

/** Containers whose command nothing in the release pins; empty when every one is pinned. */
export function judgeCommands(
  containers: readonly PolicyContainer[],
  demand: ReleaseDemand,
): readonly Finding[] {
  const { args, cmdOverride } = demand.containerPolicy
  return containers.flatMap((container) => {
    if (isPause(container)) return []
    const digest = container.image?.digest
    if (digest === demand.imageDigest && !container.isSandbox) {
      if (args.length > 0 || cmdOverride.length > 0) return []
      return [commandUnpinned(container, `set ContainerPolicy.args or ${PIN_KEYS.initdata}`)]
    }
    const pins = digest === undefined ? undefined : demand.additionalArgs?.[digest]
    if (container.argsExact && pins?.includes(hashArgs(container.args)) === true) return []
    const item = `${digest ?? 'sha256:…'}=${hashArgs(container.args)}`
    return [commandUnpinned(container, `list it as ${item} in ${PIN_KEYS.images}`)]
  })
}

function commandUnpinned(container: PolicyContainer, remedy: string): Finding {
  return makeFinding(
    'refuse',
    'COMMAND_NOT_PINNED',
    `${container.path}#args`,
    `Nothing in the release pins the command of this container, so an approved image could run anything: ${remedy}.`,
  )
}

export function equalLists(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index])
}
