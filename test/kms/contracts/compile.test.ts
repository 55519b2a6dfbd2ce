import { describe, expect, it } from 'vitest'
import { appRegistryArtifact } from '../../../kms/contracts/artifacts/app-registry.ts'
import { epochLogArtifact } from '../../../kms/contracts/artifacts/epoch-log.ts'
import { operatorRegistryArtifact } from '../../../kms/contracts/artifacts/operator-registry.ts'
import { compileContracts } from '../../../kms/contracts/compile.ts'

describe('the committed artifacts', () => {
  it('are what the committed sources compile to, without a warning', () => {
    const compiled = compileContracts()
    const committed = [epochLogArtifact, appRegistryArtifact, operatorRegistryArtifact]
    expect(compiled.map(({ contract }) => contract)).toEqual(
      committed.map(({ contract }) => contract),
    )
    compiled.forEach((artifact, index) => {
      expect(artifact).toEqual(committed[index])
    })
  })
})
