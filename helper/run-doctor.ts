/** `helper doctor` with the real files, agent and chain. @module */
import { randomBytes } from '@noble/hashes/utils.js'
import { createQuorumViewer } from './chain-view.ts'
import { diagnose, isHealthy } from './doctor.ts'
import type { DoctorFinding } from './doctor-finding.ts'
import { INITDATA_PATHS, readPodConfig } from './initdata-file.ts'
import { printable } from './printable.ts'
import { createEvidenceSource } from './source.ts'

export async function runDoctor(options: {
  initdata?: readonly string[]
  json: boolean
}): Promise<{ text: string; healthy: boolean }> {
  const findings = await diagnose({
    readPod: () => readPodConfig(options.initdata ?? INITDATA_PATHS),
    connect: ({ config }) => ({
      evidence: createEvidenceSource(config.attestation),
      viewQuorum: createQuorumViewer(config),
    }),
    rng: randomBytes,
    now: () => Date.now(),
  })
  const healthy = isHealthy(findings)
  return {
    text: options.json
      ? JSON.stringify({ healthy, findings }, null, 2)
      : findings.flatMap(formatFinding).join('\n'),
    healthy,
  }
}

/** File names and errors may quote what the host wrote: no control characters reach a terminal. */
function formatFinding({ subject, state, text, hint }: DoctorFinding): string[] {
  const line = `${state.padEnd(4)}  ${subject.padEnd(9)}  ${printable(text)}`
  return hint === undefined ? [line] : [line, `${' '.repeat(17)}${printable(hint)}`]
}
