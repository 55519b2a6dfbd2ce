import type { Address } from '../../../sdk/chain/types.ts'
import type { Domain } from '../../../sdk/protocol/types.ts'

export const OPERATOR_OF_TESTS: Address = '0x00000000000000000000000000000000000000f1'

export const DOMAIN_OF_TESTS: Domain = {
  chainId: 31337,
  epochLog: '0x00000000000000000000000000000000000000e1',
  avs: '0x00000000000000000000000000000000000000a5',
  operatorSetId: 0,
}
