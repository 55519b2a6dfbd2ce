/**
 * One attempt from evidence to app key with the real network: the composition root that `serve` and
 * `unseal` share.
 * @module
 */
import { requestBytes } from '../sdk/client/node-http.ts'
import { createAaClient } from './aa.ts'
import { createQuorumViewer } from './chain-view.ts'
import { type AppIdentity, obtainAppKey } from './identity.ts'
import type { PodConfig } from './initdata-file.ts'
import { createRequestKey } from './request-key.ts'

/** @throws EigenxError of the agent, the chain or the quorum */
export async function obtainIdentity(pod: PodConfig, signal?: AbortSignal): Promise<AppIdentity> {
  const { config, initdata } = pod
  return await obtainAppKey(
    {
      exchange: requestBytes,
      evidence: createAaClient({ exchange: requestBytes }, { url: config.attestation.aaUrl }),
      viewQuorum: createQuorumViewer(config, signal),
      createKey: createRequestKey,
    },
    { config, initdata, ...(signal === undefined ? {} : { signal }) },
  )
}
