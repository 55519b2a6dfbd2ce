/**
 * One attempt from evidence to app key with the real network: the composition root that `serve` and
 * `unseal` share.
 * @module
 */
import { requestBytes } from '../sdk/client/node-http.ts'
import { anchoredEvidence } from './anchor.ts'
import { createQuorumViewer, type LogMemory } from './chain-view.ts'
import { type AppIdentity, obtainAppKey } from './identity.ts'
import type { PodConfig } from './initdata-file.ts'
import { createRequestKey, type RequestKey } from './request-key.ts'
import { createEvidenceSource } from './source.ts'

export type ObtainOptions = {
  signal?: AbortSignal
  /** One that is being made already, for this attempt alone. @default a new one */
  key?: Promise<RequestKey>
  /** What earlier attempts of this process read of the log. */
  log?: LogMemory
}

/** @throws EigenxError of the agent, the chain or the quorum; INITDATA_MISMATCH when the launch anchored another document */
export async function obtainIdentity(
  pod: PodConfig,
  { signal, key, log }: ObtainOptions = {},
): Promise<AppIdentity> {
  const { config, initdata } = pod
  return await obtainAppKey(
    {
      exchange: requestBytes,
      evidence: anchoredEvidence(createEvidenceSource(config.attestation), initdata),
      viewQuorum: createQuorumViewer(config, signal, log),
      createKey: () => key ?? createRequestKey(),
    },
    { config, initdata, ...(signal === undefined ? {} : { signal }) },
  )
}
