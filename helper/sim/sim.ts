/** `eigenx-tee sim`: the devnet of the demonstration with its pod running, until Ctrl-C. @module */
import { resolve } from 'node:path'
import type { ExitCode, Io } from '../cli/io.ts'
import type { Tee } from '../evidence.ts'
import { tellProgress } from './demo.ts'
import { startDevnet } from './devnet.ts'
import { createStory, interruptSignal } from './story.ts'

export async function runSim(
  io: Io,
  options: { operators: number; tee: Tee; socketPath?: string },
): Promise<ExitCode> {
  const story = createStory(io)
  const interruption = interruptSignal(io)
  const devnet = await startDevnet({
    operators: options.operators,
    tee: options.tee,
    signal: interruption.signal,
    onProgress: (progress) => tellProgress(story, progress),
  }).catch((error) => {
    if (interruption.signal.aborted) return undefined
    throw error
  })
  if (devnet === undefined) return 0
  try {
    const pod = await devnet.machine.boot({
      initdata: devnet.app.initdata,
      ...(options.socketPath === undefined ? {} : { socketPath: resolve(options.socketPath) }),
    })
    for (const line of describeUse(pod.socketPath)) io.out(line)
    await interruption.happened
    io.err('stopping')
  } finally {
    await devnet.stop()
  }
  return 0
}

function describeUse(socketPath: string): string[] {
  return [
    '',
    'The pod is up. Its socket:',
    `  ${socketPath}`,
    '',
    'From a shell:',
    `  curl --unix-socket ${socketPath} http://eigenx/GetAddresses`,
    '',
    'From your app:',
    `  export EIGENX_SIMULATOR_ENDPOINT=${socketPath}`,
    '',
    "  import { createClient } from 'eigenx-tee'",
    '  const eigenx = createClient()',
    '  const mnemonic = await eigenx.getMnemonic()',
    '  const { evm } = await eigenx.getAddresses({ count: 1 })',
    '  console.log(evm[0]?.address)',
    '',
    'Ctrl-C stops everything.',
  ]
}
