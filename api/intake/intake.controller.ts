import { Controller, Inject, Post, Req, Res } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { presentedSecret, sameSecret } from '../authentication/credential.ts';
import { FailedAttempts } from '../authentication/failed-attempts.ts';
import { jsonBody, rawBodyOf } from '../body.ts';
import { schemaOf } from '../openapi-schema.ts';
import { DEPS, type ApiDeps } from '../ports.ts';
import { alertmanagerSchema, alertsOfGroup } from './alertmanager.ts';
import { alertOf, plainAlertSchema } from './generic.ts';
import { AlertIntake, type Intake } from './intake.ts';
import { verifyWebhook, webhookKey } from './standard-webhooks.ts';

/** Alerts from outside. The sender is verified over the raw bytes before anything of the body is read. */
@ApiTags('alerts')
@Controller('v1/alerts')
export class IntakeController {
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

  @Post('alertmanager')
  @ApiOperation({
    summary: 'Alerts of a group, as Alertmanager sends them (payload version 4)',
    description: 'Authorization: Bearer with the shared credential, or Basic with it as the password.',
  })
  @ApiBody({ schema: schemaOf(alertmanagerSchema) })
  @ApiResponse({ status: 200, description: 'Every alert was a duplicate.' })
  @ApiResponse({ status: 202, description: 'Temporal has the alerts.' })
  async alertmanager(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<Intake> {
    const expected = this.deps.credentials.alertmanager;
    const given = presentedSecret(request.headers.authorization, 'basic-too');
    if (expected === null || given === null || !sameSecret(given, expected)) {
      const why =
        expected === null ? 'No credential is configured for this source.' : 'The credential is missing or wrong.';
      throw this.attempts.refuse(request.ip, why, 'Bearer realm="lazaret alerts"');
    }
    const payload = jsonBody(request, alertmanagerSchema);
    const { alerts, unknown } = alertsOfGroup(payload, this.intake.modelOf(), this.deps.clock());
    const { status, body } = await this.intake.take(alerts, unknown);
    void reply.status(status);
    return body;
  }

  @Post('generic')
  @ApiOperation({
    summary: 'One alert, signed by the Standard Webhooks scheme',
    description:
      'Headers webhook-id, webhook-timestamp, webhook-signature (v1,<base64 HMAC-SHA256 of id.timestamp.body>).',
  })
  @ApiBody({ schema: schemaOf(plainAlertSchema) })
  @ApiResponse({ status: 200, description: 'A duplicate delivery; the incident is the same.' })
  @ApiResponse({ status: 202, description: 'Temporal has the alert.' })
  async generic(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<Intake> {
    const secret = this.deps.credentials.generic;
    const key = secret === null ? null : webhookKey(secret);
    if (key === null)
      throw this.attempts.refuse(request.ip, 'No secret is configured for this source.', 'StandardWebhooks');
    const raw = rawBodyOf(request);
    const header = (name: string) => {
      const value = request.headers[name];
      return typeof value === 'string' ? value : undefined;
    };
    const headers = {
      id: header('webhook-id'),
      timestamp: header('webhook-timestamp'),
      signature: header('webhook-signature'),
    };
    const verdict = verifyWebhook(key, headers, raw, this.deps.clock().getTime());
    if (!verdict.ok) throw this.attempts.refuse(request.ip, verdict.why, 'StandardWebhooks');
    const plain = jsonBody(request, plainAlertSchema);
    if (!Object.hasOwn(this.intake.modelOf(), plain.endpoint)) throw this.intake.unknownEndpoint([plain.endpoint]);
    const about = {
      source: 'generic' as const,
      deliveryId: verdict.id,
      text: raw.toString('utf8'),
      receivedAt: this.deps.clock(),
    };
    const { status, body } = await this.intake.take([alertOf(plain, about)]);
    void reply.status(status);
    return body;
  }
}
