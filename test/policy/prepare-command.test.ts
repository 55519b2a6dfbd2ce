import { describe, expect, it } from 'vitest'
import { APP_DIGEST } from './agent-requests.ts'
import { container, dataOf, podYaml, prepare } from './prepare-kit.ts'

describe('command and variables of a prepared container', () => {
  it('takes entrypoint, variables, directory and user from the image configuration', () => {
    const bare = { name: 'app', image: `ghcr.io/acme/app@${APP_DIGEST}`, args: ['--x'] }
    const imageConfigs = {
      [bare.image]: {
        entrypoint: ['/entry'],
        cmd: ['--y'],
        env: ['PATH=/bin', 'A=1'],
        workingDir: '/w',
        user: '7:8',
      },
    }
    const made = prepare({ podYaml: podYaml({}, [bare]), imageConfigs })
    expect(dataOf(made.policyRego)).toMatchObject({
      containers: [
        {
          args: ['/entry', '--x'],
          env: ['PATH=/bin', 'A=1'],
          cwd: '/w',
          user: { uid: 7, gid: 8, additional_gids: [8] },
        },
      ],
    })
    expect(made.findings.map((found) => found.code)).not.toContain('IMAGE_CONFIG_ASSUMED')
  })

  it("drops the image's arguments where the manifest gives a command", () => {
    const image = `ghcr.io/acme/app@${APP_DIGEST}`
    const made = prepare({
      podYaml: podYaml({}, [container({ args: undefined })]),
      imageConfigs: { [image]: { entrypoint: ['/entry'], cmd: ['--y'] } },
    })
    expect(made.args).toEqual(['/usr/bin/app'])
  })

  it('expands references to variables as kubelet does', () => {
    const env = [
      { name: 'A', value: '1' },
      { name: 'B', value: '$(A)2' },
    ]
    const args = ['$(B)', '$$(B)', '$(NONE)', '$x', 'a$$b']
    expect(prepare({ podYaml: podYaml({}, [container({ env, args })]) }).args).toEqual([
      '/usr/bin/app',
      '12',
      '$(B)',
      '$(NONE)',
      '$x',
      'a$b',
    ])
  })

  // Inputs and answers of Kubernetes' third_party/forked/golang/expansion/expand_test.go.
  it.each([
    ['$(A)-$(A)', '1-1'],
    ['$$(A)_$(A)', '$(A)_1'],
    ['$$$$$$$(A)', '$$$1'],
    ['foo\\$(A)bar', 'foo\\1bar'],
    ['$(B$(A))', '$(B$(A))'],
    ['$(B$(A)', '$(B$(A)'],
    ['$(foo$$var)', '$(foo$$var)'],
    ['$(REF)', '$(A)'],
    ['foo$(EMPTY)bar', 'foobar'],
    ['foo$(Awhoops!', 'foo$(Awhoops!'],
    ['$?_boo_$!', '$?_boo_$!'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: what a shell would expand
    ['${A}', '${A}'],
    ['--$($($($($--', '--$($($($($--'],
    ['$(A)foobarzab$', '1foobarzab$'],
  ])('expands %s to %s', (written, expanded) => {
    const env = [{ name: 'A', value: '1' }, { name: 'REF', value: '$$(A)' }, { name: 'EMPTY' }]
    const made = prepare({ podYaml: podYaml({}, [container({ env, args: [written] })]) })
    expect(made.args).toEqual(['/usr/bin/app', expanded])
  })

  it("leaves the image's words as they are, and its variables out of the manifest's", () => {
    const image = `ghcr.io/acme/app@${APP_DIGEST}`
    const imageConfigs = {
      [image]: {
        entrypoint: ['sh', '-c'],
        cmd: ['echo $$ $(HOME) $(A)'],
        env: ['PATH=/usr/bin', 'HOME=/root', 'RAW=$(A)$$'],
      },
    }
    const env = [
      { name: 'A', value: '1' },
      { name: 'PATH', value: '/x:$(PATH)' },
      { name: 'LATER', value: '$(AFTER)' },
      { name: 'AFTER', value: '$(A)' },
    ]
    const manifest = { name: 'app', image, env }
    const made = prepare({ podYaml: podYaml({}, [manifest]), imageConfigs })
    expect(made.args).toEqual(['sh', '-c', 'echo $$ $(HOME) $(A)'])
    expect(made.env).toEqual({
      A: '1',
      AFTER: '1',
      HOME: '/root',
      LATER: '$(AFTER)',
      PATH: '/x:$(PATH)',
      RAW: '$(A)$$',
    })
    const own = { ...manifest, args: ['$(HOME)', '$(A)'] }
    expect(prepare({ podYaml: podYaml({}, [own]), imageConfigs }).args).toEqual([
      'sh',
      '-c',
      '$(HOME)',
      '1',
    ])
  })

  it("takes the image's arguments where the manifest's are an empty list", () => {
    const image = `ghcr.io/acme/app@${APP_DIGEST}`
    const made = prepare({
      podYaml: podYaml({}, [{ name: 'app', image, command: [], args: [] }]),
      imageConfigs: { [image]: { entrypoint: ['/entry'], cmd: ['--y'] } },
    })
    expect(made.args).toEqual(['/entry', '--y'])
  })
})
