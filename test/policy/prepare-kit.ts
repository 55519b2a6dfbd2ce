/** A small pod manifest that `release prepare` takes as it is: each test changes one thing. */

import { stringify } from 'yaml'
import { type PrepareInput, prepareRelease } from '../../policy/prepare.ts'
import { splitPolicy } from '../../policy/rego.ts'
import { APP_DIGEST } from './agent-requests.ts'
import { APP_ID } from './samples.ts'

export const FILES = {
  'aa.toml': '[token_configs]\n',
  'cdh.toml': 'socket = "unix:///run/confidential-containers/cdh.sock"\n',
  'eigenx.toml': `version = 1\napp_id = "${APP_ID}"\n`,
}

export type Manifest = { [key: string]: unknown }

export function container(changes: Manifest = {}): Manifest {
  return {
    name: 'app',
    image: `ghcr.io/acme/app@${APP_DIGEST}`,
    command: ['/usr/bin/app'],
    args: ['--serve'],
    workingDir: '/srv',
    env: [{ name: 'MODE', value: 'production' }],
    securityContext: {
      runAsUser: 1000,
      runAsGroup: 1000,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'], add: ['CHOWN', 'NET_BIND_SERVICE', 'SETGID', 'SETUID'] },
    },
    ...changes,
  }
}

export function podYaml(spec: Manifest = {}, containers: Manifest[] = [container()]): string {
  return stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'demo' },
    spec: { automountServiceAccountToken: false, containers, ...spec },
  })
}

export function prepare(changes: Partial<PrepareInput> = {}) {
  return prepareRelease({ podYaml: podYaml(), files: FILES, ...changes })
}

export function dataOf(rego: string) {
  const data = splitPolicy(rego)?.data
  if (data?.ok !== true) throw new Error('the policy does not split')
  return data.value
}
