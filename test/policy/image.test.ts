import { expect, it } from 'vitest'
import { parseImageReference } from '../../policy/image.ts'

const HEX = 'ab'.repeat(32)
const DIGEST = `sha256:${HEX}`

it.each([
  ['busybox', { path: 'busybox' }],
  ['library/busybox:1.36', { path: 'library/busybox', tag: '1.36' }],
  ['localhost/app', { domain: 'localhost', path: 'app' }],
  ['localhost:5000/app:v1', { domain: 'localhost:5000', path: 'app', tag: 'v1' }],
  ['ghcr.io/acme/app', { domain: 'ghcr.io', path: 'acme/app' }],
  [`ghcr.io/acme/app@${DIGEST}`, { domain: 'ghcr.io', path: 'acme/app', digest: DIGEST }],
  [
    `registry.k8s.io/pause:3.6@${DIGEST}`,
    { domain: 'registry.k8s.io', path: 'pause', tag: '3.6', digest: DIGEST },
  ],
  [
    `10.0.0.1:443/a/b__c--d.e:T_1@${DIGEST}`,
    { domain: '10.0.0.1:443', path: 'a/b__c--d.e', tag: 'T_1', digest: DIGEST },
  ],
  [
    `[2001:db8::1]:5000/app@${DIGEST}`,
    { domain: '[2001:db8::1]:5000', path: 'app', digest: DIGEST },
  ],
  [`app@sha512:${'ab'.repeat(64)}`, { path: 'app', digest: `sha512:${'ab'.repeat(64)}` }],
])('reads %s', (text, parts) => {
  expect(parseImageReference(text)).toEqual(parts)
})

it.each([
  ['nothing', ''],
  ['a digest alone', `@${DIGEST}`],
  ['two digests', `app@${DIGEST}@${DIGEST}`],
  ['a short digest', `app@sha256:${HEX.slice(1)}`],
  ['a long digest', `app@sha256:${HEX}0`],
  ['an upper-case digest', `app@sha256:${HEX.toUpperCase()}`],
  ['another algorithm', `app@md5:${HEX.slice(32)}`],
  ['a digest with text behind', `app@${DIGEST} `],
  ['a line feed', `app@${DIGEST}\n`],
  ['upper case in the path', 'ghcr.io/Acme/app'],
  ['an empty component', 'ghcr.io//app'],
  ['a leading slash', '/app'],
  ['a trailing slash', 'app/'],
  ['an empty tag', 'app:'],
  ['a tag with a slash', 'app:a/b:c'],
  ['three dots', 'a...b'],
  ['a bad port', 'ghcr.io:x/app'],
  ['white space', 'my app'],
  ['too long a name', `ghcr.io/${'a'.repeat(300)}`],
  ['too much', 'a'.repeat(100_000)],
  ['a scheme', 'https://ghcr.io/app'],
])('refuses %s', (_, text) => {
  expect(parseImageReference(text)).toBeUndefined()
})

it('answers a hostile name quickly', () => {
  const start = performance.now()
  parseImageReference(`${'a-'.repeat(120)}!`)
  parseImageReference(`${'a.'.repeat(500)}/x`)
  expect(performance.now() - start).toBeLessThan(50)
})
