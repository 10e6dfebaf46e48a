import { Controller, Get, Inject, Res } from '@nestjs/common';
import { ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { DEPS, type ApiDeps } from '../ports.ts';
import { Metrics } from './metrics.ts';

/** A probe that hangs is a probe that failed. */
const PROBE_MS = 3_000;

@ApiTags('health')
@Controller()
export class HealthController {
  private readonly deps: ApiDeps;
  private readonly metrics: Metrics;
  constructor(@Inject(DEPS) deps: ApiDeps, @Inject(Metrics) metrics: Metrics) {
    this.deps = deps;
    this.metrics = metrics;
  }

  @Get('healthz')
  @ApiOperation({ summary: 'Is the process alive?' })
  alive(): { status: 'ok' } {
    return { status: 'ok' };
  }

  @Get('readyz')
  @ApiOperation({ summary: 'Do Temporal and S3 answer? 503 names those that do not' })
  async ready(
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<{ status: string; checks: Record<string, 'ok' | 'away'> }> {
    const checks = await Promise.all(
      Object.entries(this.deps.probes).map(
        async ([name, probe]) => [name, (await answers(probe)) ? 'ok' : 'away'] as const,
      ),
    );
    const ready = checks.every(([, state]) => state === 'ok');
    void reply.status(ready ? 200 : 503);
    return { status: ready ? 'ready' : 'not-ready', checks: Object.fromEntries(checks) };
  }

  @Get('metrics')
  @ApiOperation({ summary: 'Figures for Prometheus' })
  @ApiProduces('text/plain')
  async figures(@Res() reply: FastifyReply): Promise<void> {
    await reply.header('content-type', this.metrics.registry.contentType).send(await this.metrics.registry.metrics());
  }
}

async function answers(probe: () => Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), PROBE_MS);
  });
  const asked = probe().then(
    () => true,
    () => false,
  );
  return Promise.race([asked, late]).finally(() => clearTimeout(timer));
}
