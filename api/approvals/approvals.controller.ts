import { Controller, HttpCode, Inject, Param, Post, Req, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiBody, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import type { Person } from '../../domain/contracts/configuration.ts';
import type { DecideResult } from '../../domain/contracts/messages.ts';
import { Caller, PersonGuard } from '../authentication/person.ts';
import { jsonBody } from '../body.ts';
import { schemaOf } from '../openapi-schema.ts';
import { DEPS, type ApiDeps } from '../ports.ts';
import { decisionSchema, vouchFor } from './vouch.ts';

/** Decisions of people. The workflow verifies each of them by itself; the API is only one of the doors. */
@ApiTags('approvals')
@ApiBearerAuth()
@UseGuards(PersonGuard)
@Controller('v1/incidents/:incident/decisions')
export class ApprovalsController {
  private readonly deps: ApiDeps;
  constructor(@Inject(DEPS) deps: ApiDeps) {
    this.deps = deps;
  }

  @Post()
  @HttpCode(200)
  @ApiOperation({ summary: 'Decide at a gate: a statement signed by a person, or a decision the API vouches for' })
  @ApiBody({ schema: schemaOf(decisionSchema) })
  @ApiResponse({ status: 200, description: 'Counted; `remaining` approvals are still waited for.' })
  @ApiResponse({ status: 409, description: 'The workflow refused it; `detail` is its sentence.' })
  async decide(
    @Param('incident') incident: string,
    @Req() request: FastifyRequest,
    @Caller() person: Person,
  ): Promise<DecideResult> {
    const body = jsonBody(request, decisionSchema);
    await this.deps.incidents.find(incident);
    const statement = 'statement' in body ? body.statement : vouchFor(person, incident, body, this.deps);
    return this.deps.incidents.decide(incident, statement);
  }
}
