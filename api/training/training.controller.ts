import { Controller, Get, HttpCode, Inject, Param, Post, Req, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiBody, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { RunStatus } from '../../clients/temporal/run-client.ts';
import type { Person } from '../../domain/contracts/configuration.ts';
import type { RetrainResult } from '../../domain/contracts/messages.ts';
import { trainJobSchema } from '../../domain/contracts/trainer.ts';
import { Caller, PersonGuard, requireApprover } from '../authentication/person.ts';
import { jsonBody } from '../body.ts';
import { schemaOf } from '../openapi-schema.ts';
import { DEPS, type ApiDeps } from '../ports.ts';

const trainingSchema = z.strictObject({
  job: trainJobSchema,
  queue: z.string().min(1).max(200),
  builder: z.string().regex(/^[a-z][a-z0-9-]{0,62}$/),
});

@ApiTags('training')
@ApiBearerAuth()
@UseGuards(PersonGuard)
@Controller('v1/training')
export class TrainingController {
  private readonly deps: ApiDeps;
  constructor(@Inject(DEPS) deps: ApiDeps) {
    this.deps = deps;
  }

  @Post()
  @HttpCode(202)
  @ApiOperation({ summary: 'Train on a trainer queue; the same job id never trains twice' })
  @ApiBody({ schema: schemaOf(trainingSchema) })
  async start(@Req() request: FastifyRequest, @Caller() person: Person): Promise<{ id: string }> {
    requireApprover(person, this.deps.configuration);
    return { id: await this.deps.runs.startRetrain(jsonBody(request, trainingSchema)) };
  }

  @Get(':id')
  @ApiOperation({ summary: 'What a training run came to' })
  async status(@Param('id') id: string): Promise<RunStatus<RetrainResult>> {
    return this.deps.runs.retrain(id);
  }
}
