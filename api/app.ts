import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Logger } from 'nestjs-pino';
import { ApiModule } from './api.module.ts';
import { Metrics } from './health/metrics.ts';
import { openApiOf } from './openapi.ts';
import type { ApiDeps } from './ports.ts';
import { RouteTable } from './route-table.ts';
import { createAdapter, observe } from './server.ts';

/** The whole API, ready to listen or to be injected into. */
export async function createApi(deps: ApiDeps): Promise<NestFastifyApplication> {
  const app = await NestFactory.create<NestFastifyApplication>(ApiModule.with(deps), createAdapter(), {
    bodyParser: false,
    bufferLogs: true,
    abortOnError: false,
  });
  app.useLogger(app.get(Logger));
  const fastify = app.getHttpAdapter().getInstance();
  observe(fastify, app.get(RouteTable), app.get(Metrics));
  const document = JSON.stringify(openApiOf(app));
  fastify.get('/openapi.json', (_request, reply) => reply.header('content-type', 'application/json').send(document));
  await app.init();
  await fastify.ready();
  return app;
}
