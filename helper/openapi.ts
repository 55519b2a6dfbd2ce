/**
 * `/openapi.json`, generated from the schemas that the routes use.
 * @module
 */
import { z } from 'zod'
import { answers, type Endpoint, healthAnswer, requests, summaries } from './schemas.ts'

type Json = Readonly<Record<string, unknown>>

const PROBLEM: Json = {
  type: 'object',
  required: ['type', 'title', 'status', 'code', 'message', 'stage', 'details'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string' },
    message: { type: 'string' },
    stage: { type: 'string' },
    details: { type: 'object' },
    hint: { type: 'string' },
    requestId: { type: 'string' },
  },
}

export function createOpenApi(version: string): Json {
  const names = Object.keys(requests).filter(isEndpoint)
  return {
    openapi: '3.1.0',
    info: {
      title: 'eigenx-tee helper',
      version,
      description:
        'Answers on a Unix socket inside the attested pod. POST with JSON, or GET with the same fields as a query.',
    },
    paths: {
      ...Object.fromEntries(names.map((name) => [`/${name}`, describe(name)])),
      '/health': { get: describeHealth() },
    },
  }
}

function isEndpoint(name: string): name is Endpoint {
  return name in requests
}

function describeHealth(): Json {
  const content = { 'application/json': { schema: z.toJSONSchema(healthAnswer) } }
  return {
    operationId: 'health',
    summary: 'Whether the keys are there, and what keeps them away.',
    responses: {
      '200': { description: 'The keys are there', content },
      '503': { description: 'Not yet', content },
    },
  }
}

function describe(name: Endpoint): Json {
  const request = z.toJSONSchema(requests[name], { io: 'input' })
  const properties = request.properties ?? {}
  const required = new Set(request.required ?? [])
  const responses = {
    '200': {
      description: 'OK',
      content: { 'application/json': { schema: z.toJSONSchema(answers[name]) } },
    },
    default: {
      description: 'Refused: RFC 9457 problem details',
      content: { 'application/problem+json': { schema: PROBLEM } },
    },
  }
  return {
    post: {
      operationId: name,
      summary: summaries[name],
      requestBody: { content: { 'application/json': { schema: request } } },
      responses,
    },
    get: {
      operationId: `${name}ByQuery`,
      summary: summaries[name],
      parameters: Object.entries(properties).map(([field, schema]) => ({
        name: field,
        in: 'query',
        required: required.has(field),
        schema,
      })),
      responses,
    },
  }
}
