import { Inject, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { FailedAttempts } from '../authentication/failed-attempts.ts';
import { rawBodyOf } from '../body.ts';
import { DEPS, type ApiDeps } from '../ports.ts';
import { alertsOf } from './alerts-of.ts';
import { AlertIntake, type Intake } from './intake.ts';
import { staleness } from './proofs.ts';
import type { AlertSource, Delivery } from './source.ts';

/** Takes the deliveries of every source. The sender is verified over the raw bytes before anything of the body is believed. */
@Injectable()
export class Door {
  private readonly deps: ApiDeps;
  private readonly intake: AlertIntake;
  private readonly attempts: FailedAttempts;
  constructor(
    @Inject(DEPS) deps: ApiDeps,
    @Inject(AlertIntake) intake: AlertIntake,
    @Inject(FailedAttempts) attempts: FailedAttempts,
  ) {
    this.deps = deps;
    this.intake = intake;
    this.attempts = attempts;
  }

  async take(source: AlertSource, request: FastifyRequest): Promise<{ status: 200 | 202; body: Intake }> {
    const delivery = deliveryOf(request, this.deps.clock());
    const verdict = await source.verify(delivery, this.deps);
    if (!verdict.ok) throw this.attempts.refuse(request.ip, verdict.why, source.challenge);
    const { claims, ignored, happenedAt } = await source.read(delivery, verdict.id, this.deps);
    if (happenedAt !== undefined && source.windowSeconds !== undefined) {
      const stale = staleness(Date.parse(happenedAt) / 1000, delivery.receivedAt.getTime(), source.windowSeconds);
      if (stale !== null) throw this.attempts.refuse(request.ip, stale, source.challenge);
    }
    if (claims.length === 0) return { status: 200, body: { incidents: [], ignored: ignored ?? 'It is no alert.' } };
    const { alerts, unknown } = alertsOf(source.name, claims, this.intake.directory(), delivery.receivedAt);
    return this.intake.take(alerts, unknown);
  }
}

function deliveryOf(request: FastifyRequest, receivedAt: Date): Delivery {
  const headers = Object.fromEntries(
    Object.entries(request.headers).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])),
  );
  const header = (name: string): string | undefined => (Object.hasOwn(headers, name) ? headers[name] : undefined);
  return { header, headers, raw: rawBodyOf(request), receivedAt };
}
