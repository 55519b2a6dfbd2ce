/** `GET /health`: 200 when this operator can serve keys, 503 with the reasons when it cannot. @module */
import type { StatusReport } from '../status.ts'
import { json } from './answers.ts'
import type { RouteHandler } from './guard.ts'

export function healthHandler(deps: { status: () => StatusReport }): RouteHandler {
  return async (c) => {
    const report = deps.status()
    return json(c, JSON.stringify(report), report.status === 'ready' ? 200 : 503)
  }
}
