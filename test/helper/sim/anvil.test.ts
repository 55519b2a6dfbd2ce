import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { startAnvil } from '../../../helper/sim/anvil.ts'
import { isEigenxError } from '../../../sdk/errors.ts'
import { callNode } from '../../kit/anvil.ts'

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

describe('a node', () => {
  it('serves the chain id on loopback and is gone after stop, also when stopped twice', async () => {
    const anvil = await startAnvil({ chainId: 31999 })
    expect(anvil.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    expect(await callNode(anvil.url, 'eth_chainId')).toBe('0x7cff')
    expect(isAlive(anvil.pid)).toBe(true)
    await Promise.all([anvil.stop(), anvil.stop()])
    expect(isAlive(anvil.pid)).toBe(false)
    await anvil.stop()
  })

  it('mines by the clock with fractions of a second, and finality follows two blocks behind', async () => {
    const anvil = await startAnvil({ blockTimeSeconds: 0.1 })
    const numberOf = async (tag: string) => {
      const block = await callNode(anvil.url, 'eth_getBlockByNumber', [tag, false])
      return Number((block as { number: string }).number)
    }
    await expect.poll(() => numberOf('latest'), { timeout: 10_000 }).toBeGreaterThan(4)
    const final = await numberOf('finalized')
    expect((await numberOf('latest')) - final).toBeGreaterThanOrEqual(2)
    expect(final).toBeGreaterThan(0)
    await anvil.stop()
  })

  it.each([
    ['exits', 'process.exit(3)'],
    ['is killed', "process.kill(process.pid, 'SIGKILL')"],
  ])('ends when the process that started it %s', async (_name, end) => {
    const module = fileURLToPath(new URL('../../../helper/sim/anvil.ts', import.meta.url))
    const script = `const { startAnvil } = await import(${JSON.stringify(module)})
      const { pid } = await startAnvil()
      process.stdout.write(String(pid), () => ${end})`
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '-e', script],
      {
        cwd: fileURLToPath(new URL('../../..', import.meta.url)),
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8')
    })
    await new Promise((resolve) => child.once('close', resolve))
    const pid = Number(output)
    expect(pid).toBeGreaterThan(1)
    await expect.poll(() => isAlive(pid), { timeout: 5000 }).toBe(false)
  })

  it('does not keep its process from ending, nor leave its guard behind', async () => {
    const guards = () => process.getActiveResourcesInfo().filter((name) => name === 'ProcessWrap')
    const before = guards().length
    const anvil = await startAnvil()
    await anvil.stop()
    await expect.poll(() => guards().length).toBe(before)
  })
})

describe('a node that cannot start', () => {
  it('says what to install when there is no binary', async () => {
    const failure = await startAnvil({ binary: '/nowhere/anvil' }).catch((error: unknown) => error)
    if (!isEigenxError(failure, 'CONFIG_INVALID')) throw failure
    expect(failure.hint).toMatch(/@foundry-rs\/anvil-/)
  })

  it('tells what a failing binary printed', async () => {
    await expect(startAnvil({ binary: process.execPath })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/ended at once/),
    })
  })

  it('is not waited for without end, and not left behind', async () => {
    await expect(startAnvil({ startTimeoutMs: 1 })).rejects.toMatchObject({ code: 'TIMEOUT' })
  })
})
