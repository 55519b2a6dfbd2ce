import { createAzureSnpMachine, createAzureTdxMachine } from '../../helper/sim/azure-evidence.ts'
import {
  createTdxAuthority,
  type IssuedTdxEvidence,
  type TdxAuthority,
} from '../../helper/sim/tdx-evidence.ts'
import { authorityOf, NOW } from '../kit/snp-authority.ts'

let authority: Promise<TdxAuthority> | undefined
export const tdxAuthority = () => {
  authority ??= createTdxAuthority({ now: NOW })
  return authority
}
const PCK_CRL = { pckCrl: () => ({ revoked: ['01', '02'] }) }
let issued: Promise<IssuedTdxEvidence[]> | undefined
export const tdx = () => {
  issued ??= tdxAuthority().then(({ issue }) =>
    Promise.all([
      issue({ version: 5, ...PCK_CRL }),
      issue({ version: 4, tdVersion: '1.0' }),
      issue({ version: 5, tdVersion: '1.0' }),
    ]),
  )
  return issued
}
export const snp = async () => {
  const vcek = await authorityOf()
  const vlek = await authorityOf('Genoa', 'VLEK')
  return Promise.all([
    vcek.issue({ version: 5 }),
    vcek.issue({ version: 2 }),
    vlek.issue({ version: 3 }),
  ])
}
export const azureSnp = async () => createAzureSnpMachine(await authorityOf())
export const azureTdx = async () => createAzureTdxMachine(await tdxAuthority())
export const u16 = (value: number) => Uint8Array.of(value & 0xff, value >> 8)
export const u32 = (value: number) => Uint8Array.of(value, value >> 8, value >> 16, value >>> 24)
