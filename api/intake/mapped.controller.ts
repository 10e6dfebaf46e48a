import { Controller, Inject, Param, Post, Req, Res } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { DEPS, type ApiDeps } from '../ports.ts';
import { Problem } from '../problem.ts';
import { Door } from './door.ts';
import type { Intake } from './intake.ts';
import { mappedSource } from './mapped.ts';
import type { AlertSource } from './source.ts';
import { SOURCES } from './sources/index.ts';

/** The sources that lazaret.yaml describes. Those that have a file of their own come before this route. */
@ApiTags('alerts')
@Controller('v1/alerts')
export class MappedController {
  private readonly deps: ApiDeps;
  private readonly door: Door;
  private readonly compiled = new Map<string, AlertSource>();
  constructor(@Inject(DEPS) deps: ApiDeps, @Inject(Door) door: Door) {
    this.deps = deps;
    this.door = door;
  }

  @Post(':source')
  @ApiOperation({
    operationId: 'alerts_mapped',
    summary: 'An alert of a sender that `intake.sources` of lazaret.yaml describes',
    description: 'The proof and the meaning of the body are what lazaret.yaml says for this source.',
  })
  @ApiBody({ schema: { type: 'object' } })
  @ApiResponse({ status: 200, description: 'A duplicate, or no alert by what lazaret.yaml says.' })
  @ApiResponse({ status: 202, description: 'Temporal has the alert.' })
  @ApiResponse({ status: 404, description: 'There is no such source; the answer names those that there are.' })
  async take(
    @Param('source') name: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Intake> {
    const { status, body } = await this.door.take(this.sourceOf(name), request);
    void reply.status(status);
    return body;
  }

  private sourceOf(name: string): AlertSource {
    const described = this.deps.configuration.intake?.sources ?? {};
    const source = Object.hasOwn(described, name) ? described[name] : undefined;
    if (!source) {
      const known = [...SOURCES.map((one) => one.name), ...Object.keys(described)];
      throw new Problem('not-found', `There is no source ${JSON.stringify(name.slice(0, 100))}.`, { known });
    }
    const compiled = this.compiled.get(name) ?? mappedSource(name, source);
    this.compiled.set(name, compiled);
    return compiled;
  }
}
