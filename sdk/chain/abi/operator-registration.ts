/**
 * The writes that bring an operator into an EigenLayer operator set and out of it, and the reads that tell which of them are done. Of the
 * deployed KeyRegistrar, DelegationManager, AllocationManager and AVS registrar.
 * @module
 */
import { parseAbi } from 'viem'

export const keyRegistrationAbi = parseAbi([
  'struct OperatorSet { address avs; uint32 id; }',
  'function getECDSAKeyRegistrationMessageHash(address operator, OperatorSet operatorSet, address keyAddress) view returns (bytes32)',
  'function getBN254KeyRegistrationMessageHash(address operator, OperatorSet operatorSet, bytes keyData) view returns (bytes32)',
  'function registerKey(address operator, OperatorSet operatorSet, bytes pubkey, bytes signature)',
])

export const delegationAbi = parseAbi([
  'function isOperator(address operator) view returns (bool)',
  'function registerAsOperator(address initDelegationApprover, uint32 allocationDelay, string metadataURI)',
])

export const setRegistrationAbi = parseAbi([
  'struct RegisterParams { address avs; uint32[] operatorSetIds; bytes data; }',
  'struct DeregisterParams { address operator; address avs; uint32[] operatorSetIds; }',
  'function delegation() view returns (address)',
  'function registerForOperatorSets(address operator, RegisterParams params)',
  'function deregisterFromOperatorSets(DeregisterParams params)',
])

export const avsRegistrarAbi = parseAbi([
  'struct OperatorSet { address avs; uint32 id; }',
  'function isOperatorAllowed(OperatorSet operatorSet, address operator) view returns (bool)',
  'function updateSocket(address operator, string socket)',
])
