import { Readable } from 'node:stream';
import { Controller, Get, Inject, Param, Post, Req, Res, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiBody, ApiOperation, ApiQuery, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { IncidentRow } from '../../clients/temporal/incident-rows.ts';
import { endpointNameSchema } from '../../domain/contracts/alert.ts';
import type { CaseEntry } from '../../domain/contracts/case-log.ts';
import type { Person } from '../../domain/contracts/configuration.ts';
import type { IncidentState } from '../../domain/incident/state.ts';
import { Caller, PersonGuard } from '../authentication/person.ts';
import { jsonBody, query, rawBodyOf } from '../body.ts';
import { AlertIntake, type Intake } from '../intake/intake.ts';
import { operatorAlert, plainAlertSchema } from '../intake/plain-alert.ts';
import { schemaOf } from '../openapi-schema.ts';
import { DEPS, type ApiDeps } from '../ports.ts';
import { Problem } from '../problem.ts';
import { entryStream } from './entry-stream.ts';

const wholeNumber = (max: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, 'expected a whole number')
    .transform(Number)
    .pipe(z.number().max(max));

const listQuery = z.strictObject({
  open: z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .optional(),
  endpoint: endpointNameSchema.optional(),
  limit: wholeNumber(500).default(50),
});
const fromQuery = z.strictObject({ from: wholeNumber(1_000_000).default(0) });

/** Each open stream polls: this many are what one process serves without falling behind. */
const MAX_STREAMS = 200;

@ApiTags('incidents')
@ApiBearerAuth()
@UseGuards(PersonGuard)
@Controller('v1/incidents')
export class IncidentsController {
  private readonly deps: ApiDeps;
  private readonly intake: AlertIntake;
  private streams = 0;
  constructor(@Inject(DEPS) deps: ApiDeps, @Inject(AlertIntake) intake: AlertIntake) {
    this.deps = deps;
    this.intake = intake;
  }

  @Get()
  @ApiOperation({ summary: 'Incidents, newest first' })
  @ApiQuery({ name: 'open', required: false, enum: ['true', 'false'] })
  @ApiQuery({ name: 'endpoint', required: false, type: String })
  @ApiQuery({ name: 'limit', required: false, type: Number })
  async list(@Req() request: FastifyRequest): Promise<{ incidents: readonly IncidentRow[] }> {
    return { incidents: await this.deps.incidents.list(query(request, listQuery)) };
  }

  @Post()
  @ApiOperation({ summary: 'Raise an alert by hand' })
  @ApiBody({ schema: schemaOf(plainAlertSchema) })
  @ApiResponse({ status: 202, description: 'Temporal has the alert.' })
  async raise(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Caller() person: Person,
  ): Promise<Intake> {
    const plain = jsonBody(request, plainAlertSchema);
    if (!Object.hasOwn(this.intake.modelOf(), plain.endpoint)) throw this.intake.unknownEndpoint([plain.endpoint]);
    const alert = operatorAlert(
      { ...plain, labels: { ...plain.labels, raisedBy: person.id } },
      {
        deliveryId: this.deps.randomToken(),
        text: rawBodyOf(request).toString('utf8'),
        receivedAt: this.deps.clock(),
      },
    );
    const { status, body } = await this.intake.take([alert]);
    void reply.status(status);
    return body;
  }

  @Get(':incident')
  @ApiOperation({ summary: 'What is known about one incident, and what it waits for' })
  async state(@Param('incident') incident: string): Promise<IncidentState> {
    return this.deps.incidents.state(incident);
  }

  @Get(':incident/entries')
  @ApiOperation({ summary: 'The case log from an entry on' })
  @ApiQuery({ name: 'from', required: false, type: Number })
  async entries(
    @Param('incident') incident: string,
    @Req() request: FastifyRequest,
  ): Promise<{ entries: readonly CaseEntry[] }> {
    return { entries: await this.deps.incidents.entries(incident, query(request, fromQuery).from) };
  }

  @Get(':incident/stream')
  @ApiOperation({ summary: 'The case log as server-sent events; Last-Event-ID goes on after that entry' })
  @ApiQuery({ name: 'from', required: false, type: Number })
  async stream(
    @Param('incident') incident: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const last = wholeNumber(1_000_000).safeParse(request.headers['last-event-id']);
    const from = last.success ? last.data + 1 : query(request, fromQuery).from;
    // Before the stream starts, so that a wrong name is still a 404.
    await this.deps.incidents.find(incident);
    if (this.streams >= MAX_STREAMS)
      throw new Problem('unavailable', 'Too many streams are open; read /entries instead.', {
        headers: { 'retry-after': '10' },
      });
    this.streams += 1;
    const events = Readable.from(entryStream(this.deps.incidents, incident, from, this.deps.clock));
    events.once('close', () => {
      this.streams -= 1;
    });
    await reply
      .header('content-type', 'text/event-stream')
      .header('cache-control', 'no-store')
      .header('x-accel-buffering', 'no')
      .send(events);
  }
}
