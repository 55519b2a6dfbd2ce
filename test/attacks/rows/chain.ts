/** Attacks through what is on chain: apps in every state and releases of every defect. */
import type { ErrorCode } from '../../../sdk/errors.ts'
import { annotated, container, makeInitdata, makePolicy } from '../../kms/kit.ts'
import type { Attack } from '../table.ts'
import { type AppName, OTHER_IMAGE } from '../world.ts'

const state = (name: string, app: AppName, status: number, code: ErrorCode): Attack => ({
  name: `app: ${name}`,
  send: (world) => world.body({ appId: world.apps[app] }),
  status,
  code,
})

const appId = (name: string, change: (app: string) => string): Attack => ({
  name: `app id: ${name}`,
  // The pod believes it too, so the evidence is right and only the id is wrong.
  send: (world) => world.body({ appId: change(world.apps.running) }),
  status: 404,
  code: 'APP_ID_INVALID',
})

const otherImage = annotated(
  makeInitdata(makePolicy({ containers: [container({ digest: OTHER_IMAGE })] })),
)

export const chainAttacks: readonly Attack[] = [
  {
    name: 'app: unknown to the chain',
    send: (world) => world.body({ appId: `0x${'99'.repeat(20)}` }),
    status: 404,
    code: 'APP_UNKNOWN',
  },
  state('created, nothing released', 'created', 403, 'APP_NOT_RUNNING'),
  state('started, nothing released', 'startedEmpty', 404, 'RELEASE_NOT_FOUND'),
  state('stopped', 'stopped', 403, 'APP_NOT_RUNNING'),
  state('suspended', 'suspended', 403, 'APP_NOT_RUNNING'),
  state('terminated', 'terminated', 403, 'APP_NOT_RUNNING'),
  state('terminated a block ago, not final yet', 'revoked', 403, 'APP_NOT_RUNNING'),
  state('a newer release confirmed, not final yet', 'unsettled', 404, 'RELEASE_AMBIGUOUS'),
  state('released without command or initdata pin', 'digestOnly', 403, 'POLICY_TOO_PERMISSIVE'),
  state('released for another initdata', 'pinned', 403, 'RELEASE_MISMATCH'),
  state('released with a malformed pin', 'malformedPin', 404, 'RELEASE_INVALID'),
  state('released with a misspelt pin', 'unknownPin', 404, 'RELEASE_INVALID'),
  state(
    'released with a restart policy that nothing can enforce',
    'restartPolicy',
    403,
    'POLICY_TOO_PERMISSIVE',
  ),
  {
    name: 'release: an image that is published and not confirmed',
    send: (world) => world.body({ appId: world.apps.pending, initdata: otherImage }),
    status: 403,
    code: 'RELEASE_MISMATCH',
  },
  {
    name: 'release: an image published behind the confirmed one in the same block',
    send: (world) => world.body({ appId: world.apps.sameBlock, initdata: otherImage }),
    status: 403,
    code: 'RELEASE_MISMATCH',
  },
  appId('no prefix', (app) => app.slice(2)),
  appId('a capital X', (app) => `0X${app.slice(2)}`),
  appId('one digit less', (app) => app.slice(0, -1)),
  appId('one digit more', (app) => `${app}0`),
  appId('white space behind', (app) => `${app} `),
  appId('a line feed behind', (app) => `${app}\n`),
  appId('a zero byte behind', (app) => `${app}\0`),
  appId('longer, with the address at its end', (app) => `0x00${app.slice(2)}`),
  appId('a digit that is none', (app) => `${app.slice(0, -1)}g`),
  appId('full-width digits', (app) => `${app.slice(0, -1)}\uff10`),
  appId('a name', () => 'my-app'),
  {
    name: 'app id: not on the list of an operator with one',
    at: 'fixedApps',
    send: (world) => world.body(),
    status: 403,
    code: 'METHOD_DISABLED',
  },
]
