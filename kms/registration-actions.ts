/** What `kms register` and `kms deregister` do. Loaded only when one of them runs. @module */
import { privateKeyToAccount } from 'viem/accounts'
import { toHex } from '../sdk/bytes.ts'
import { parseSocket } from '../sdk/chain/operators.ts'
import { createPoster, type PosterConfig } from './chain/poster.ts'
import type { KmsConfig } from './config.ts'
import { usage } from './errors.ts'
import { readKeyFile } from './key-file.ts'
import { loadKmsConfig } from './load-config.ts'
import {
  planDeregistration,
  planRegistration,
  type RegistrationStep,
  readMembers,
} from './registration.ts'
import { demandDealtOut, demandEnoughSharesToJoin, demandRunning } from './registration-order.ts'
import { type OperatorKeys, readOperatorKeys } from './signer.ts'
import { withChain } from './with-chain.ts'

type Common = { config: string; dryRun: boolean; force: boolean; keyFile?: string }
export type RegisterOptions = Common & { metadataUri: string; allocationDelay: string }
export type DeregisterOptions = Common

/** @returns What is so now. @throws EigenxError as planning and sending do */
export async function register(options: RegisterOptions, print: Print): Promise<string> {
  const config = await loadKmsConfig(options.config)
  const keys = await readKeys(config, options)
  const allocationDelay = Number(options.allocationDelay)
  if (!Number.isInteger(allocationDelay) || allocationDelay < 0 || allocationDelay > 0xffff_ffff)
    throw usage('--allocation-delay takes a number of blocks.')
  const socket = parseSocket(config.listen.publicUrl ?? '')
  if (socket === undefined)
    throw usage('The configuration names no listen.public_url to register.', 'listen.public_url')
  return withChain(config, async (deps) => {
    const plan = () =>
      planRegistration(deps, keys, { socket, allocationDelay, metadataUri: options.metadataUri })
    const steps = await plan()
    if (!options.force && steps.some(isOpen)) await demandRunning(deps, keys, socket)
    if (!options.force && steps.some((step) => isOpen(step) && step.name === 'membership'))
      await demandEnoughSharesToJoin(deps, await readMembers(deps, await deps.reader.latestBlock()))
    await carryOut({ config, keys, steps, replan: plan, options, print })
    return options.dryRun
      ? 'Nothing was sent.'
      : 'Registered. The others deal this operator in with their next epoch: `eigenx-tee kms join` tells when.'
  })
}

/** @returns What is so now. @throws EigenxError as planning and sending do */
export async function deregister(options: DeregisterOptions, print: Print): Promise<string> {
  const config = await loadKmsConfig(options.config)
  const keys = await readKeys(config, options)
  return withChain(config, async (deps) => {
    const plan = async () => [await planDeregistration(deps, keys.signer.operator)]
    const steps = await plan()
    if (steps.some(isOpen) && !options.force) {
      const epoch = await demandDealtOut(deps, keys)
      print(`Epoch ${epoch} is in force without this operator.`)
    }
    await carryOut({ config, keys, steps, replan: plan, options, print })
    return options.dryRun ? 'Nothing was sent.' : 'Deregistered. The operator can be stopped.'
  })
}

type Print = (text: string) => void

type Work = {
  config: KmsConfig
  keys: OperatorKeys
  steps: readonly RegistrationStep[]
  replan: () => Promise<readonly RegistrationStep[]>
  options: Common
  print: Print
}

/** One transaction after the other: each needs the one before in a block. */
async function carryOut({ config, keys, steps, replan, options, print }: Work): Promise<void> {
  const poster = createPoster(posterConfig(config, keys))
  try {
    for (const { name, text, transaction } of steps) {
      if (transaction === undefined) {
        print(`done  ${text}`)
      } else if (options.dryRun) {
        const { to, data, call } = transaction
        print(
          `todo  ${text}\n      ${call}\n      from ${keys.account.address}\n      to   ${to}\n      data ${data}`,
        )
      } else {
        try {
          await poster.send(transaction, transaction.call)
        } catch (error) {
          // Somebody else, or an earlier try whose receipt was not seen, may have done it.
          const isOpenStill = (await replan()).some((step) => step.name === name && isOpen(step))
          if (isOpenStill) throw error
        }
        print(`sent  ${text}`)
      }
    }
  } finally {
    poster.close()
  }
}

function isOpen(step: RegistrationStep): boolean {
  return step.transaction !== undefined
}

/** The account that sends: of the key file on the command line, else the one that pays for the operator's posts. */
async function readKeys(config: KmsConfig, { keyFile }: Common): Promise<OperatorKeys> {
  const keys = await readOperatorKeys(config.operator)
  if (keyFile === undefined) return keys
  const key = await readKeyFile(keyFile, { what: 'the key that sends', field: '--key-file' })
  return { ...keys, account: privateKeyToAccount(toHex(key)) }
}

function posterConfig(config: KmsConfig, { account }: OperatorKeys): PosterConfig {
  const { rpcUrls, quorum, chainId, timeoutMs } = config.chain
  return { rpcUrls, quorum, chainId, timeoutMs, account }
}
