import { randomUUID } from 'node:crypto';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { GatewayMetrics } from '../metrics.ts';
import type { GatewayLog } from '../ports.ts';
import type { Arm } from '../stance/counters.ts';
import type { Endpoint } from '../stance/endpoint.ts';
import { loadedBy } from '../stance/posture.ts';
import { RULES_VERSION, type Answer } from './answer.ts';
import { writeHttpAnswer } from './http-answer.ts';
import { decoded, readHttpInference } from './http-request.ts';
import { InferenceProblem } from './problem.ts';

/** A batch of images fits; a flood does not. */
const MAX_BODY_BYTES = 16 * 1024 * 1024;
const MAX_CLIENT_CHARACTERS = 200;
/** Of Triton's names for them: https://github.com/triton-inference-server/server/tree/main/docs/protocol */
const EXTENSIONS = ['binary_tensor_data'];
const VISIBLE = /^[\x21-\x7e]+$/;

interface Place {
  Params: { name: string; version?: string };
}

/**
 * Open Inference Protocol v2 over HTTP/JSON. One endpoint is one model name; which version answers is the stance's business.
 * Everything in a request is a stranger's.
 */
export function createInferenceServer(deps: {
  readonly endpoints: ReadonlyMap<string, Endpoint>;
  readonly answer: Answer;
  readonly metrics: GatewayMetrics;
  readonly log: GatewayLog;
  readonly version: string;
  readonly ticks: () => number;
}): FastifyInstance {
  const { endpoints, metrics } = deps;
  const app = fastify({
    bodyLimit: MAX_BODY_BYTES,
    logger: false,
    exposeHeadRoutes: true,
    routerOptions: { ignoreTrailingSlash: true },
  });

  // Some clients send no Content-Type with JSON, others a wrong one: the bytes decide.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

  app.get('/v2', () => ({ name: 'lazaret-gateway', version: deps.version, extensions: EXTENSIONS }));
  app.get('/v2/health/live', () => ({ live: true }));
  app.get('/v2/health/ready', async (_request, reply) => {
    const ready = [...endpoints.values()].every((endpoint) => endpoint.known());
    return await reply.status(ready ? 200 : 503).send({ live: true, ready });
  });

  for (const base of ['/v2/models/:name', '/v2/models/:name/versions/:version']) {
    app.get<Place>(base, (request) => metadataOf(endpointOf(request), request.params.version));
    app.get<Place>(`${base}/ready`, async (request, reply) => {
      const endpoint = endpointOf(request);
      const ready = versionsOf(endpoint).some((version) => [undefined, version].includes(request.params.version));
      return await reply.status(ready ? 200 : 503).send({ name: endpoint.name, ready });
    });
    app.post<Place>(`${base}/infer`, infer);
  }

  async function infer(request: FastifyRequest<Place>, reply: FastifyReply): Promise<unknown> {
    const endpoint = endpointOf(request);
    const started = deps.ticks();
    const seconds = () => (deps.ticks() - started) / 1000;
    try {
      refuseUnanswered(endpoint);
      const read = readHttpInference({
        body: await decoded(bodyOf(request), request.headers['content-encoding'], MAX_BODY_BYTES),
        headerLength: headerOf(request, 'inference-header-content-length') ?? undefined,
        client: clientOf(request),
        version: request.params.version ?? null,
        newId: () => headerOf(request, 'x-request-id') ?? randomUUID(),
      });
      const { arm, answer } = await deps.answer(endpoint, read);
      const { body, contentType, headerLength } = writeHttpAnswer(answer, read);
      if (headerLength !== null) void reply.header('inference-header-content-length', headerLength);
      metrics.answered(endpoint.name, arm, 200, seconds());
      return await reply.type(contentType).send(body);
    } catch (error) {
      const status = error instanceof InferenceProblem ? error.status : 500;
      const arm: Arm | 'none' = 'none';
      metrics.answered(endpoint.name, arm, status, seconds());
      throw error;
    }

    /** Before the body is looked at: an isolated endpoint spends nothing on it. */
    function refuseUnanswered(of: Endpoint): void {
      const posture = of.posture();
      if (posture.answers !== 'nobody') return;
      posture.tally.refused();
      throw isolated(posture.reason);
    }
  }

  function endpointOf(request: FastifyRequest<Place>): Endpoint {
    const endpoint = endpoints.get(request.params.name);
    if (!endpoint)
      throw new InferenceProblem('not-found', `there is no model ${JSON.stringify(request.params.name.slice(0, 100))}`);
    return endpoint;
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

function isolated(reason: string): InferenceProblem {
  return new InferenceProblem('isolated', reason, { retryAfter: 30 });
}

/** The client's own word, or its address: good for telling clients apart in a window, never for trusting one. */
function clientOf(request: FastifyRequest): string {
  return headerOf(request, 'x-client-id') ?? request.ip;
}

function headerOf(request: FastifyRequest, name: string): string | null {
  const value = request.headers[name];
  return typeof value === 'string' && value.length <= MAX_CLIENT_CHARACTERS && VISIBLE.test(value) ? value : null;
}

function bodyOf({ body }: FastifyRequest): Buffer {
  return Buffer.isBuffer(body) ? body : Buffer.alloc(0);
}

function versionsOf(endpoint: Endpoint): readonly string[] {
  const posture = endpoint.posture();
  switch (posture.answers) {
    case 'model':
      return [posture.live, ...(posture.candidate ? [posture.candidate.model] : [])].map((model) => model.ref.version);
    case 'rules':
      return [RULES_VERSION];
    case 'nobody':
      return [];
  }
}

function metadataOf(endpoint: Endpoint, version: string | undefined): unknown {
  const posture = endpoint.posture();
  const versions = versionsOf(endpoint);
  if (posture.answers === 'nobody') throw isolated(posture.reason);
  if (version !== undefined && !versions.includes(version))
    throw new InferenceProblem('not-found', `${endpoint.name} answers with ${versions.join(', ')}`);
  if (posture.answers === 'rules')
    return { name: endpoint.name, versions, platform: 'lazaret_rules', inputs: [], outputs: [] };
  const found = loadedBy(posture).find(([, model]) => model.ref.version === version);
  const { inputs, outputs } = (found?.[1] ?? posture.live).session.signature;
  return {
    name: endpoint.name,
    versions,
    platform: 'onnx_onnxv1',
    inputs,
    outputs,
  };
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
