import { readFileSync } from 'node:fs'
import { toEventSelector, toFunctionSelector, toFunctionSignature } from 'viem'
import { describe, expect, it } from 'vitest'
import { appRegistryArtifact } from '../../../kms/contracts/artifacts/app-registry.ts'
import { epochLogArtifact } from '../../../kms/contracts/artifacts/epoch-log.ts'
import { operatorRegistryArtifact } from '../../../kms/contracts/artifacts/operator-registry.ts'
import {
  APP_CREATED_TOPIC,
  APP_UPGRADED_V14_TOPIC,
  APP_UPGRADED_V15_TOPIC,
  appControllerAbi,
  appUpgradedV14,
  appUpgradedV15,
  UPGRADE_CONFIRMED_TOPIC,
} from '../../../sdk/chain/abi/app-controller.ts'
import {
  COMPLAINT_POSTED_TOPIC,
  complaintPosted,
  ENTRY_POSTED_TOPIC,
  entryPosted,
  epochLogAbi,
} from '../../../sdk/chain/abi/epoch-log.ts'
import {
  allocationManagerAbi,
  keyRegistrarAbi,
  registrarAbi,
} from '../../../sdk/chain/abi/operator-set.ts'

const vectors = new URL('../../vectors/chain/', import.meta.url)
const selectors: Record<string, Record<string, string>> = JSON.parse(
  readFileSync(new URL('selectors.json', vectors), 'utf8'),
)
const deployed = { ...selectors['eigenx-l1'] }

describe('the ABIs that are read', () => {
  const functions = [
    ...appControllerAbi,
    ...allocationManagerAbi,
    ...keyRegistrarAbi,
    ...registrarAbi,
  ]
  it.each(functions.map((item) => [toFunctionSignature(item), toFunctionSelector(item)]))(
    '%s has the selector of the deployed contracts',
    (signature, selector) => {
      expect(deployed[signature]).toBe(selector)
    },
  )

  it('name the events by the topics of the deployed contracts', () => {
    expect(toEventSelector(appUpgradedV15)).toBe(APP_UPGRADED_V15_TOPIC)
    expect(toEventSelector(appUpgradedV14)).toBe(APP_UPGRADED_V14_TOPIC)
    const topics = Object.values(deployed)
    const older = Object.values(selectors['app-controller-v1_4'] ?? {})
    expect(topics).toContain(APP_UPGRADED_V15_TOPIC)
    expect(older).toContain(APP_UPGRADED_V14_TOPIC)
    expect(deployed['event AppCreated(address,address,uint32)']).toBe(APP_CREATED_TOPIC)
    expect(deployed['event UpgradeConfirmed(address,uint32)']).toBe(UPGRADE_CONFIRMED_TOPIC)
  })

  it('of the epoch log are those of the compiled contract', () => {
    expect(toEventSelector(entryPosted)).toBe(ENTRY_POSTED_TOPIC)
    expect(toEventSelector(complaintPosted)).toBe(COMPLAINT_POSTED_TOPIC)
    const compiled = epochLogArtifact.abi.flatMap((item) =>
      item.type === 'function' ? [toFunctionSignature(item)] : [],
    )
    for (const item of epochLogAbi) expect(compiled).toContain(toFunctionSignature(item))
    const events = epochLogArtifact.abi.flatMap((item) =>
      item.type === 'event' ? [toEventSelector(item)] : [],
    )
    expect(events.sort()).toEqual([COMPLAINT_POSTED_TOPIC, ENTRY_POSTED_TOPIC].sort())
  })
})

describe('the devnet contracts', () => {
  const devnet = [...appRegistryArtifact.abi, ...operatorRegistryArtifact.abi].flatMap((item) =>
    item.type === 'function' ? [toFunctionSelector(item)] : [],
  )
  const read = [...appControllerAbi, ...allocationManagerAbi, ...keyRegistrarAbi, ...registrarAbi]
  it.each(read.map((item) => [item.name, toFunctionSelector(item)]))(
    'answer %s',
    (_name, selector) => {
      expect(devnet).toContain(selector)
    },
  )

  it('emit the deployed events', () => {
    const topics = appRegistryArtifact.abi.flatMap((item) =>
      item.type === 'event' ? [toEventSelector(item)] : [],
    )
    for (const topic of topics) expect(Object.values(deployed)).toContain(topic)
  })
})
