import { createHash, timingSafeEqual } from 'node:crypto';
import fastify, { type FastifyInstance } from 'fastify';
import { z } from 'zod';
import { isDigest } from '../../domain/proofs/digest.ts';
import { MAX_JWS_CHARACTERS } from '../../domain/proofs/jws.ts';
import type { GatewayMetrics } from '../metrics.ts';
import { ModelRefused } from '../model/loader.ts';
import type { GatewayLog } from '../ports.ts';
import type { StateFolder } from '../state/state-folder.ts';
import type { Endpoint } from '../stance/endpoint.ts';
import { OrderRefused } from '../../evidence/orders/stance-order.ts';
import { AdminRefused, adminProblemOf } from './problem.ts';

const orderBodySchema = z.strictObject({ order: z.string().min(1).max(MAX_JWS_CHARACTERS) });
/** An order and its envelope. */
const MAX_BODY_BYTES = MAX_JWS_CHARACTERS + 1024;

interface OfEndpoint {
  Params: { endpoint: string };
}
interface OfCapture {
  Params: { captureId: string };
}

/**
 * The admin surface of `domain/contracts/gateway.ts`, on a listener of its own. The credential lets its holder read; changing anything takes a
 * signed order besides. Health and metrics ask for no credential: they say nothing about requests, and a scraper should not hold this one.
 */
export function createAdminServer(deps: {
  readonly endpoints: ReadonlyMap<string, Endpoint>;
  readonly state: StateFolder;
  readonly token: string;
  readonly metrics: GatewayMetrics;
  readonly log: GatewayLog;
}): FastifyInstance {
  const { endpoints, state, metrics, log } = deps;
  const app = fastify({ bodyLimit: MAX_BODY_BYTES, logger: false });
  const credential = sha256(deps.token);

  app.get('/admin/v1/health', () => ({ status: 'up' }));
  app.get('/metrics', async (_request, reply) => {
    const { contentType, text } = await metrics.expose();
    return await reply.type(contentType).send(text);
  });

  app.register(async (guarded) => {
    guarded.addHook('onRequest', async (request) => {
      const [scheme, given = ''] = (request.headers.authorization ?? '').split(' ', 2);
      // Digests of equal length, so that neither the length nor the first wrong character shows in the time.
      const holds = timingSafeEqual(sha256(given), credential);
      if (scheme?.toLowerCase() !== 'bearer' || !holds)
        throw new AdminRefused(401, 'expected "Authorization: Bearer" with the admin credential');
    });

    guarded.get<OfEndpoint>('/admin/v1/endpoints/:endpoint', (request) => endpointOf(request.params.endpoint).status());
    guarded.post<OfEndpoint>('/admin/v1/endpoints/:endpoint/stance', async (request) => {
      const endpoint = endpointOf(request.params.endpoint);
      const body = orderBodySchema.safeParse(request.body);
      if (!body.success) throw new AdminRefused(400, 'expected {"order": "<compact JWS>"}');
      try {
        return await endpoint.obey(body.data.order);
      } catch (error) {
        if (error instanceof OrderRefused) metrics.orderRefused(endpoint.name, error.reason);
        if (error instanceof ModelRefused) metrics.orderRefused(endpoint.name, 'model');
        const reason = error instanceof Error ? error.message : String(error);
        log.warn({ endpoint: endpoint.name, reason, client: request.ip }, 'an order was refused');
        throw error;
      }
    });

    guarded.get<OfCapture>('/admin/v1/captures/:captureId', async (request) => {
      return (await state.receipt(request.params.captureId)) ?? missing('capture');
    });
    guarded.get<OfCapture>('/admin/v1/captures/:captureId/window', async (request, reply) => {
      const window = (await state.window(request.params.captureId)) ?? missing('capture');
      return await reply.type('application/x-ndjson').send(Buffer.from(window));
    });
    guarded.get<{ Params: { captureId: string; digest: string } }>(
      '/admin/v1/captures/:captureId/models/:digest',
      async (request, reply) => {
        const { captureId, digest } = request.params;
        const receipt = (await state.receipt(captureId)) ?? missing('capture');
        const loaded = receipt.before.loaded.some((model) => model.digest === digest);
        const bytes = loaded && isDigest(digest) ? await state.readObject(digest) : null;
        return await reply.type('application/octet-stream').send(Buffer.from(bytes ?? missing('model')));
      },
    );
    guarded.delete<OfCapture>('/admin/v1/captures/:captureId', async (request, reply) => {
      await state.deleteCapture(request.params.captureId);
      return await reply.status(204).send();
    });
  });

  function endpointOf(name: string): Endpoint {
    const endpoint = endpoints.get(name);
    if (endpoint) return endpoint;
    throw new AdminRefused(
      404,
      `this gateway does not serve ${JSON.stringify(name.slice(0, 100))}`,
      'endpoint/unknown',
    );
  }

  app.setNotFoundHandler(() => {
    throw new AdminRefused(404, 'there is no such resource');
  });
  app.setErrorHandler(async (error: unknown, _request, reply) => {
    const problem = adminProblemOf(error);
    if (problem.status === 500) log.error({ err: error }, 'an admin call failed');
    return await reply.status(problem.status).type('application/problem+json').send(problem);
  });
  return app;
}

function missing(what: string): never {
  throw new AdminRefused(404, `there is no such ${what}`);
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
