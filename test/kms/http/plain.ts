import { expect } from 'vitest'

/** A plain-text refusal, as Go's http.Error writes it. */
export async function expectPlain(answer: Response, status: number, text: string): Promise<void> {
  expect(await answer.text()).toBe(`${text}\n`)
  expect(answer.status).toBe(status)
  expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8')
  expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
}
