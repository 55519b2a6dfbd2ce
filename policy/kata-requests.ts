/**
 * `request_defaults` of genpolicy's policy_data: powers that the data half hands to the host, whatever the
 * `default X := false` lines of the rules say.
 * @module
 */

import { type FindingSink, makeFinding, quote } from './findings.ts'
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from './json.ts'
import { DATA_PATH, malformed, readObject, readStrings } from './shape.ts'

const PATH = `${DATA_PATH}.request_defaults`

/** Requests that reach into the pod, and the sentence that says how. */
const POWERS: Readonly<Record<string, string>> = {
  SetPolicyRequest: 'The host may replace the policy.',
  WriteStreamRequest: "The host may write to the containers' standard input.",
  UpdateEphemeralMountsRequest: 'The host may remount the ephemeral volumes.',
  AddSwapRequest: 'The host may add swap, which it can read.',
  CreateContainerRequest: 'The host may create containers of its own choice.',
  ExecProcessRequest: 'The host may run commands of its own choice.',
  CopyFileRequest: 'The host may write any file of the guest.',
}

const HARMLESS = ['CloseStdinRequest', 'TtyWinResizeRequest', 'StatsContainerRequest']
/** Restrictions rather than powers: what they list is forbidden. */
const NETWORK = ['UpdateRoutesRequest', 'UpdateInterfaceRequest', 'AddARPNeighborsRequest']

/** @returns Whether the host may read the containers' output. */
export function readRequestDefaults(value: JsonValue | undefined, findings: FindingSink): boolean {
  const requests = readObject(value, PATH, findings)
  if (requests === undefined) return true
  for (const [name, setting] of Object.entries(requests)) readRequest(name, setting, findings)
  // Rules differ on an absent key; only an explicit false denies in all of them.
  return requests.ReadStreamRequest !== false
}

function readRequest(name: string, setting: JsonValue, findings: FindingSink): void {
  const path = `${PATH}.${/^\w{1,64}$/.test(name) ? name : JSON.stringify(name.slice(0, 64))}`
  if (setting === false) return
  if (name === 'ReadStreamRequest' && setting === true) return
  if (NETWORK.includes(name) && isJsonObject(setting)) return
  if (setting === true && HARMLESS.includes(name)) return
  if (name === 'CreateContainerRequest' && isJsonObject(setting)) {
    readEnvPatterns(setting, path, findings)
    return
  }
  if (name === 'ExecProcessRequest' && isJsonObject(setting)) {
    readExec(setting, path, findings)
    return
  }
  if (name === 'CopyFileRequest' && isJsonArray(setting)) {
    readCopy(setting, path, findings)
    return
  }
  const message = POWERS[name]
  if (setting === true && message !== undefined)
    findings.push(makeFinding('refuse', 'HOST_POWER', path, message))
  else
    findings.push(
      makeFinding(
        'refuse',
        'POLICY_KEY_UNKNOWN',
        path,
        'What this request default allows is unknown.',
      ),
    )
}

/** `commands` until 2025, `allowed_commands` since; both may stand side by side. */
function readExec(setting: JsonObject, path: string, findings: FindingSink): void {
  for (const [key, list] of Object.entries(setting)) {
    const at = `${path}.${key.slice(0, 64)}`
    if (!['commands', 'allowed_commands', 'regex'].includes(key)) {
      findings.push(makeFinding('refuse', 'POLICY_KEY_UNKNOWN', at, 'The rules have no such key.'))
      continue
    }
    if (!isJsonArray(list)) findings.push(malformed(at, 'a list'))
    else if (list.length > 0)
      findings.push(
        makeFinding(
          'refuse',
          'EXEC_ALLOWED',
          at,
          `The host may run commands in the containers, the first ${quote(JSON.stringify(list[0]))}.`,
        ),
      )
  }
}

/**
 * The prefix of hosts, resolv.conf and mounted files, as genpolicy ships it. What it shipped before 2024, `^$(cpath)/`, covers the
 * containers' root file systems too.
 */
const COPY_PATTERN = '$(sfprefix)'

function readCopy(setting: readonly JsonValue[], path: string, findings: FindingSink): void {
  for (const pattern of readStrings(setting, path, findings))
    findings.push(
      pattern === COPY_PATTERN
        ? makeFinding('info', 'COPY_FILES', path, 'The host may write the files that it mounts.')
        : makeFinding(
            'refuse',
            'COPY_FILES_ANYWHERE',
            path,
            `The host may write files that match ${quote(pattern)}.`,
          ),
    )
}

/** As shipped: names that Kubernetes and the AKS webhooks inject. */
const KNOWN_ENV_PATTERNS =
  /^\^(?:HOSTNAME=\$\(dns_label\)|\$\((?:svc_name|svc_name_downward_env)\)_(?:PORT(?:_\$\(ip_p\)_TCP(?:_PROTO|_PORT|_ADDR)?)?|SERVICE_HOST|SERVICE_PORT(?:_\$\(dns_label\))?)=(?:tcp|tcp:\/\/\$\(ipv4_a\):\$\(ip_p\)|\$\(ip_p\)|\$\(ipv4_a\))|JOB_COMPLETION_INDEX=\[0-9\]\*?\+?|AZURE_(?:CLIENT|TENANT)_ID=\[A-Fa-f0-9-\]\*|AZURE_FEDERATED_TOKEN_FILE=\/var\/run\/secrets\/azure\/tokens\/azure-identity-token|AZURE_AUTHORITY_HOST=https:\/\/login\\\.microsoftonline\\\.com\/|TERM=xterm)\$$/

function readEnvPatterns(setting: JsonObject, path: string, findings: FindingSink): void {
  for (const key of Object.keys(setting))
    if (key !== 'allow_env_regex' && key !== 'allow_env_regex_map')
      findings.push(
        makeFinding(
          'refuse',
          'POLICY_KEY_UNKNOWN',
          `${path}.${key.slice(0, 64)}`,
          'The rules have no such key.',
        ),
      )
  const at = `${path}.allow_env_regex`
  const patterns = readStrings(setting.allow_env_regex ?? [], at, findings)
  for (const pattern of patterns)
    if (!KNOWN_ENV_PATTERNS.test(pattern))
      findings.push(
        makeFinding(
          'refuse',
          'ENV_PATTERN_OPEN',
          at,
          `The host may add any variable that matches ${quote(pattern)}.`,
        ),
      )
  if (patterns.length > 0)
    findings.push(
      makeFinding(
        'info',
        'ENV_PATTERN',
        at,
        `The control plane may add environment variables of ${patterns.length} listed kinds.`,
      ),
    )
}
