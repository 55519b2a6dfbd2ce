/** The methods whose evidence is raw hardware evidence of a pod, by name: who judges a request, and who looks at the evidence alone. No I/O. @module */
import type { SecretsRequest } from '../../sdk/wire/secrets.ts'
import {
  AZURE_SNP_METHOD,
  AZURE_TDX_METHOD,
  judgeAzureSnp,
  judgeAzureTdx,
  openAzureSnp,
  openAzureTdx,
} from './azure.ts'
import type { PodJudgement } from './guest.ts'
import type { EvidenceDeps } from './settings.ts'
import { judgeSnp, openSnp, SNP_METHOD } from './snp.ts'
import { judgeTdx, openTdx, TDX_METHOD } from './tdx.ts'
import type { DecisionTrail } from './trail.ts'

type Work<Input, Output> = (
  deps: EvidenceDeps,
  input: Input,
  trail: DecisionTrail,
  nowSeconds: number,
) => Output

export type PodMethod = {
  judge: Work<SecretsRequest, PodJudgement>
  /** Genuine, and of a platform and guest that the operator serves: the first half of `judge`. */
  open: Work<Uint8Array, unknown>
}

export const POD_METHODS: ReadonlyMap<string, PodMethod> = new Map([
  [SNP_METHOD, { judge: judgeSnp, open: openSnp }],
  [TDX_METHOD, { judge: judgeTdx, open: openTdx }],
  [AZURE_SNP_METHOD, { judge: judgeAzureSnp, open: openAzureSnp }],
  [AZURE_TDX_METHOD, { judge: judgeAzureTdx, open: openAzureTdx }],
])
