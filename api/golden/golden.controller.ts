import { Controller, Get, HttpCode, Inject, Param, Post, Req, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiBody, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { RunStatus } from '../../clients/temporal/run-client.ts';
import type { RegisteredGolden } from '../../domain/contracts/activities.ts';
import type { Person } from '../../domain/contracts/configuration.ts';
import { datasetRefSchema } from '../../domain/contracts/dataset.ts';
import type { GoldenRecord } from '../../domain/contracts/golden.ts';
import { objectRefSchema } from '../../domain/contracts/object-ref.ts';
import { hyperparametersSchema } from '../../domain/contracts/trainer.ts';
import { Caller, PersonGuard, requireApprover } from '../authentication/person.ts';
import { jsonBody } from '../body.ts';
import { schemaOf } from '../openapi-schema.ts';
import { DEPS, type ApiDeps } from '../ports.ts';
import { Problem } from '../problem.ts';

const registrationSchema = z.strictObject({
  model: z.string().regex(/^[a-z0-9-]{1,63}$/),
  version: z.string().regex(/^[A-Za-z0-9._-]{1,100}$/),
  artifact: objectRefSchema,
  signature: objectRefSchema.nullable().default(null),
  dataset: datasetRefSchema,
  holdout: datasetRefSchema.nullable().default(null),
  hyperparameters: hyperparametersSchema,
  provenance: objectRefSchema.nullable().default(null),
  regressions: z.array(objectRefSchema).max(1000).default([]),
});

interface GoldenModel {
  readonly model: string;
  readonly latest: GoldenRecord | null;
  readonly versions: readonly string[];
}

@ApiTags('golden')
@ApiBearerAuth()
@UseGuards(PersonGuard)
@Controller('v1/golden')
export class GoldenController {
  private readonly deps: ApiDeps;
  constructor(@Inject(DEPS) deps: ApiDeps) {
    this.deps = deps;
  }

  @Get()
  @ApiOperation({ summary: 'The golden record of each declared model, verified' })
  async list(): Promise<{ models: readonly GoldenModel[] }> {
    const models = Object.keys(this.deps.configuration.models).map(async (model) => {
      const [latest, versions] = await Promise.all([this.deps.golden.latest(model), this.deps.golden.versions(model)]);
      return { model, latest, versions };
    });
    return { models: await Promise.all(models) };
  }

  @Post()
  @HttpCode(202)
  @ApiOperation({ summary: 'Evaluate, profile, sign and register a model as golden' })
  @ApiBody({ schema: schemaOf(registrationSchema) })
  async register(@Req() request: FastifyRequest, @Caller() person: Person): Promise<{ id: string }> {
    requireApprover(person, this.deps.configuration);
    const registration = jsonBody(request, registrationSchema);
    const known = Object.keys(this.deps.configuration.models);
    if (!known.includes(registration.model)) {
      throw new Problem(
        'malformed-request',
        `lazaret.yaml declares no model ${registration.model}; it has ${known.join(', ')}.`,
        { known },
      );
    }
    return { id: await this.deps.runs.startRegisterGolden({ ...registration, registeredBy: person.id }) };
  }

  @Get('registrations/:id')
  @ApiOperation({ summary: 'What a registration came to' })
  async registration(@Param('id') id: string): Promise<RunStatus<RegisteredGolden>> {
    return this.deps.runs.registerGolden(id);
  }
}
