/** `policy explain`: what a policy admits, container by container, and what speaks against it. @module */
import { analysePolicy } from '../../policy/analyse.ts'
import { explainAnalysis } from '../../policy/explain.ts'
import { parseInitdata } from '../../policy/initdata.ts'
import { MAX_POLICY } from '../../policy/rego.ts'
import type { Finding, PolicyAnalysis } from '../../policy/types.ts'
import { bytesToHex, parseUtf8 } from '../../sdk/bytes.ts'
import { printable } from '../printable.ts'
import { type ExitCode, type Io, readInput, UsageError } from './io.ts'
import { createPaint } from './terminal.ts'

const POLICY = { field: 'a policy or initdata', maxBytes: MAX_POLICY }

type Explained = { initdataSha384?: string; files?: readonly string[]; rego: string | undefined }

export async function explainPolicy(
  io: Io,
  input: { file: string; json: boolean },
): Promise<ExitCode> {
  const document = readDocument(await readInput(io, input.file, POLICY), input.file)
  const analysis = document.rego === undefined ? undefined : analysePolicy(document.rego)
  const findings = analysis?.findings ?? [MISSING_POLICY]
  const refused = findings.some((finding) => finding.severity === 'refuse')
  if (input.json) {
    const { rego, ...facts } = document
    io.out(JSON.stringify({ accepted: !refused, ...facts, ...analysis, findings }, null, 2))
  } else printAnalysis(io, document, analysis, refused)
  return refused ? 1 : 0
}

const MISSING_POLICY: Finding = {
  code: 'POLICY_MISSING',
  severity: 'refuse',
  path: 'initdata.data',
  message: 'There is no policy.rego: the agent in the pod then allows everything.',
}

function readDocument(bytes: Uint8Array, path: string): Explained {
  if (isRego(bytes)) {
    const rego = parseUtf8(bytes)
    if (rego === undefined) throw new UsageError(`${path}: not UTF-8 text`)
    return { rego }
  }
  const initdata = parseInitdata(bytes)
  return {
    initdataSha384: bytesToHex(initdata.sha384),
    files: Object.keys(initdata.data),
    rego: initdata.data['policy.rego'],
  }
}

/** A Rego module begins with its package; an initdata document cannot. */
function isRego(bytes: Uint8Array): boolean {
  const first = (parseUtf8(bytes) ?? '')
    .split('\n')
    .find((line) => line.trim() !== '' && !line.trimStart().startsWith('#'))
  return first !== undefined && /^\s*package\s/.test(first)
}

function printAnalysis(
  io: Io,
  document: Explained,
  analysis: PolicyAnalysis | undefined,
  refused: boolean,
): void {
  const paint = createPaint(io.color)
  if (document.initdataSha384 !== undefined) {
    io.out(`initdata: SHA-384 ${document.initdataSha384}`)
    io.out(`files: ${document.files?.map(printable).join(', ')}`)
  }
  if (analysis === undefined) io.out(MISSING_POLICY.message)
  else for (const line of explainAnalysis(analysis)) io.out(printable(line))
  io.out('')
  io.out(
    refused
      ? paint('red', 'REFUSED for keys, unless the release pins this whole initdata')
      : paint('green', 'ACCEPTABLE: a release with these images can be served'),
  )
}
