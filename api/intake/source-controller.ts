import { Controller, Inject, Post, Req, Res, type Type } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { schemaOf } from '../openapi-schema.ts';
import { Door } from './door.ts';
import type { Intake } from './intake.ts';
import type { AlertSource } from './source.ts';

/** The route of one source: `POST /v1/alerts/<name>`. */
export function controllerOf(source: AlertSource): Type {
  @ApiTags('alerts')
  @Controller('v1/alerts')
  class SourceController {
    private readonly door: Door;
    constructor(@Inject(Door) door: Door) {
      this.door = door;
    }

    @Post(source.name)
    @ApiOperation({ operationId: `alerts_${source.name}`, summary: source.summary, description: source.proof })
    @ApiBody({ schema: schemaOf(source.schema) })
    @ApiResponse({
      status: 200,
      description: 'Every alert was a duplicate, or the delivery is authentic and no alert.',
    })
    @ApiResponse({ status: 202, description: 'Temporal has the alerts.' })
    @ApiResponse({ status: 401, description: 'The sender is not known, or the delivery is stale.' })
    @ApiResponse({
      status: 422,
      description: 'No declared endpoint is meant; the answer names those that are declared.',
    })
    async take(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<Intake> {
      const { status, body } = await this.door.take(source, request);
      void reply.status(status);
      return body;
    }
  }
  return SourceController;
}
