import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { GatewayLog } from '../ports.ts';
import { createBodyBudget } from './body-budget.ts';
import { writeHttpAnswer } from './http-answer.ts';
import { decoded, readHttpInference } from './http-request.ts';
import { MAX_BODY_BYTES } from './message.ts';
import { InferenceProblem } from './problem.ts';
import { newRequestId, wordOf, type Surface } from './surface.ts';

/** Of all bodies that are being read or answered. */
const MAX_BODIES_BYTES = 256 * 1024 * 1024;
const MAX_CONNECTIONS = 10_000;
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
const IDLE_TIMEOUT_MS = 75_000;
const RETRY_AFTER_S = 1;

interface Place {
  Params: { name: string; version?: string };
}

/** Open Inference Protocol v2 over HTTP: JSON, and the binary tensor data extension. */
export function createInferenceServer(deps: { readonly surface: Surface; readonly log: GatewayLog }): FastifyInstance {
  const { surface } = deps;
  const app = fastify({
    bodyLimit: MAX_BODY_BYTES,
    logger: false,
    // Slow loris: a request that is not there whole after this time is given up.
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: IDLE_TIMEOUT_MS,
    keepAliveTimeout: IDLE_TIMEOUT_MS,
    forceCloseConnections: 'idle',
    exposeHeadRoutes: true,
    routerOptions: { ignoreTrailingSlash: true },
  });

  app.server.maxConnections = MAX_CONNECTIONS;
  app.server.headersTimeout = HEADERS_TIMEOUT_MS;

  const budget = createBodyBudget(MAX_BODIES_BYTES);
  app.addHook('onRequest', (request, reply, done) => {
    // Without a length it may grow as large as any.
    const length = request.headers['content-length'];
    const size =
      request.method === 'POST' ? Math.min(MAX_BODY_BYTES, length === undefined ? MAX_BODY_BYTES : Number(length)) : 0;
    if (!budget.take(size)) {
      // Its body is not read any more, so no other request can come on this connection.
      void reply.header('connection', 'close');
      const reason = 'Too many bodies are being read.';
      done(new InferenceProblem('overloaded', reason, { retryAfter: RETRY_AFTER_S }));
      return;
    }
    // Also where the connection ends in the middle of the body.
    reply.raw.once('close', () => budget.give(size));
    done();
  });

  // Some clients send no Content-Type with JSON, others a wrong one: the bytes decide.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

  app.get('/v2', () => surface.server);
  app.get('/v2/health/live', () => ({ live: true }));
  app.get('/v2/health/ready', async (_request, reply) => {
    const ready = surface.ready();
    return await reply.status(ready ? 200 : 503).send({ live: true, ready });
  });
  app.post('/v2/repository/index', () => surface.index());
  for (const verb of ['load', 'unload'])
    app.post(`/v2/repository/models/:name/${verb}`, () => {
      throw new InferenceProblem('not-allowed', 'models are taken by a signed order only: lazaret deploy');
    });

  for (const base of ['/v2/models/:name', '/v2/models/:name/versions/:version']) {
    app.get<Place>(base, ({ params }) => surface.metadata(params.name, params.version));
    app.get<Place>(`${base}/ready`, async ({ params }, reply) => {
      const ready = surface.modelReady(params.name, params.version);
      return await reply.status(ready ? 200 : 503).send({ name: params.name, ready });
    });
    app.post<Place>(`${base}/infer`, infer);
  }

  async function infer(request: FastifyRequest<Place>, reply: FastifyReply): Promise<unknown> {
    const { headers, params } = request;
    const answered = await surface.infer(params.name, async () =>
      readHttpInference({
        body: await decoded(bodyOf(request), headers['content-encoding'], MAX_BODY_BYTES),
        headerLength: wordOf(headers['inference-header-content-length']) ?? undefined,
        client: wordOf(headers['x-client-id']) ?? request.ip,
        address: request.ip,
        version: params.version ?? null,
        newId: () => wordOf(headers['x-request-id']) ?? newRequestId(),
      }),
    );
    const { body, contentType, headerLength } = writeHttpAnswer(answered.answer, answered.request);
    if (headerLength !== null) void reply.header('inference-header-content-length', headerLength);
    return await reply.type(contentType).send(await compressed(body, headers['accept-encoding'], reply));
  }

  app.setNotFoundHandler(() => {
    throw new InferenceProblem('not-found', 'there is no such resource; see GET /v2');
  });
  app.setErrorHandler(async (error: unknown, _request, reply) => {
    const problem = error instanceof InferenceProblem ? error : problemOf(error);
    if (problem.status === 500) deps.log.error({ err: problem.cause ?? error }, 'a request failed');
    if (problem.retryAfter !== null) void reply.header('retry-after', String(problem.retryAfter));
    return await reply.status(problem.status).type('application/problem+json').send(problem.document());
  });
  return app;
}

/** Smaller ones travel in one packet as they are. */
const LEAST_COMPRESSED_BYTES = 1400;
const gzipped = promisify(gzip);

async function compressed(body: Buffer, accepted: string | undefined, reply: FastifyReply): Promise<Buffer> {
  if (body.length < LEAST_COMPRESSED_BYTES || !/\bgzip\b(?!\s*;\s*q=0(?:\.0*)?(?:,|$))/.test(accepted ?? ''))
    return body;
  void reply.header('content-encoding', 'gzip').header('vary', 'accept-encoding');
  return await gzipped(body);
}

function bodyOf({ body }: FastifyRequest): Buffer {
  return Buffer.isBuffer(body) ? body : Buffer.alloc(0);
}

/** Fastify's own refusals carry a status; anything else is ours and says nothing about itself. */
function problemOf(error: unknown): InferenceProblem {
  const status =
    typeof error === 'object' && error !== null && 'statusCode' in error && typeof error.statusCode === 'number'
      ? error.statusCode
      : 500;
  if (status === 413)
    return new InferenceProblem('too-large', `the body is larger than ${MAX_BODY_BYTES} bytes`, { cause: error });
  if (status >= 400 && status < 500)
    return new InferenceProblem('malformed-request', error instanceof Error ? error.message : 'not understood');
  return new InferenceProblem('model-failed', 'The request failed.', { cause: error });
}
