/** What an operator reads beside requests: kept evidence of any kind, and what vendors' services answer. */
import { encodeAzureSnpJson, encodeAzureTdxJson } from '../../helper/sim/azure-evidence.ts'
import { splitSignedResponse } from '../../sdk/attest/collateral-bundle.ts'
import { recogniseEvidence } from '../../sdk/attest/evidence-kind.ts'
import {
  parseWireAzureSnpEvidence,
  parseWireAzureTdxEvidence,
} from '../../sdk/attest/wire-azure.ts'
import { bytesToHex, toBase64, utf8ToBytes } from '../../sdk/bytes.ts'
import { azureSnp, azureTdx, snp, tdx } from './issued.ts'
import { JSON_TOKENS, ofText, type Target, total } from './kit.ts'

const MEMBERS = ['"quote"', '"td_quote"', '"vcek"', '"attestation_report"', '"cc_eventlog"']

export const KEPT_TARGETS: readonly Target[] = [
  {
    name: 'kept-evidence',
    seeds: async () => [
      ...(await snp()).flatMap(({ aaJson, wire }) => [utf8ToBytes(aaJson()), wire()]),
      ...(await tdx()).flatMap(({ aaJson, wire }) => [utf8ToBytes(aaJson()), wire()]),
      utf8ToBytes(encodeAzureSnpJson(await (await azureSnp()).issue())),
    ],
    dictionary: [...JSON_TOKENS, ...MEMBERS],
    prepare: () => total(recogniseEvidence),
    cost: 20,
  },
  {
    name: 'azure-snp-wire',
    seeds: async () => {
      const json = utf8ToBytes(encodeAzureSnpJson(await (await azureSnp()).issue()))
      return [json, utf8ToBytes(toBase64(json))]
    },
    dictionary: [...JSON_TOKENS, ...MEMBERS],
    prepare: () => total(parseWireAzureSnpEvidence),
    cost: 10,
  },
  {
    name: 'azure-tdx-wire',
    seeds: async () => [utf8ToBytes(encodeAzureTdxJson(await (await azureTdx()).issue()))],
    dictionary: [...JSON_TOKENS, ...MEMBERS, '"collateral"', '"tcb_info"'],
    prepare: () => total(parseWireAzureTdxEvidence),
    cost: 10,
  },
  {
    name: 'tcb-info-response',
    seeds: async () =>
      (await tdx()).map(({ collateral: { tcbInfo } }) =>
        utf8ToBytes(`{"tcbInfo":${tcbInfo.text},"signature":"${bytesToHex(tcbInfo.signature)}"}`),
      ),
    dictionary: [...JSON_TOKENS, '"tcbInfo"', '"signature"'],
    prepare: () => total(ofText((text) => splitSignedResponse(text, 'tcbInfo'))),
    cost: 2,
  },
]
