/**
 * Verdicts and analyses as lines for a terminal. Texts quoted from documents are cut and free of control
 * characters before they get here.
 * @module
 */

import { quote, quoteList } from './findings.ts'
import type { Finding, PolicyAnalysis, PolicyContainer, PolicyVerdict, Severity } from './types.ts'

const MARKS: Readonly<Record<Severity, string>> = { refuse: '✗', warn: '!', info: '·' }
const ORDER: readonly Severity[] = ['refuse', 'warn', 'info']

const PINNED_BY: Readonly<Record<string, string>> = {
  initdata: 'the release pins the whole initdata',
  'container-policy': 'the release pins images, commands and environments',
  'digest-only':
    'image digests are pinned, commands or environments are not (the operator allows it)',
}

export function explainVerdict(verdict: PolicyVerdict): string[] {
  const head = verdict.allowed
    ? `allowed: ${PINNED_BY[verdict.pinnedBy ?? ''] ?? 'pinned'}`
    : `refused: ${verdict.findings.filter((found) => found.severity === 'refuse').length} reason(s)`
  return [
    head,
    ...explainFindings(verdict.findings),
    ...(verdict.analysis === undefined ? [] : explainContainers(verdict.analysis)),
  ]
}

export function explainAnalysis(analysis: PolicyAnalysis): string[] {
  return [
    explainRules(analysis),
    ...explainFindings(analysis.findings),
    ...explainContainers(analysis),
  ]
}

function explainRules(analysis: PolicyAnalysis): string {
  const { rules, rulesSha256 } = analysis
  if (rules !== undefined) {
    const image =
      rules.pinsImage === false ? 'does not pin images' : `pins images (${rules.pinsImage})`
    return `rules: ${rules.name} ${rules.version}, ${image}`
  }
  return rulesSha256 === undefined
    ? 'rules: hand-written'
    : `rules: unknown (sha256 ${rulesSha256})`
}

function explainFindings(findings: readonly Finding[]): string[] {
  return ORDER.flatMap((severity) =>
    findings
      .filter((found) => found.severity === severity)
      .flatMap((found) => [
        `  ${MARKS[severity]} ${found.code}  ${found.message}`,
        `      at ${found.path}`,
      ]),
  )
}

function explainContainers(analysis: PolicyAnalysis): string[] {
  return analysis.containers.flatMap((container) => [
    `  container ${container.path}`,
    ...explainContainer(container).map((line) => `      ${line}`),
  ])
}

function explainContainer(container: PolicyContainer): string[] {
  if (container.isSandbox) return ['sandbox (pause)']
  const image = container.image === undefined ? 'not named' : quote(container.image.reference)
  return [
    `image   ${image}`,
    ...(container.layerRoots.length === 0
      ? []
      : [`layers  ${container.layerRoots.length} dm-verity roots`]),
    `command ${quoteList(container.args)}`,
    `env     ${container.env.length} variable(s)`,
    ...(container.execCommands.length === 0
      ? []
      : [`exec    ${container.execCommands.length} command(s)`]),
  ]
}
