/**
 * `GET /metrics`, on an address of its own: what an operator counts is for whoever runs it, not for those who ask it for keys.
 * @module
 */
import { Hono } from 'hono'
import type { Metrics, MetricsSources } from '../metrics.ts'
import { type Env, plain } from './answers.ts'
import { requestId } from './guard.ts'

export function createMetricsApp(metrics: Metrics, sources: MetricsSources): Hono<Env> {
  const app = new Hono<Env>()
  app.use(requestId)
  app.get('/metrics', async () => {
    const text = await metrics.render(sources)
    return new Response(text, {
      headers: { 'content-type': metrics.contentType, 'cache-control': 'no-store' },
    })
  })
  app.notFound((c) => plain(c, 404, '404 page not found'))
  app.onError((_thrown, c) => plain(c, 500, 'Internal error'))
  return app
}
