import { Controller, Get, Inject, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { EndpointStatus } from '../../domain/contracts/gateway.ts';
import { PersonGuard } from '../authentication/person.ts';
import { DEPS, type ApiDeps } from '../ports.ts';

interface EndpointRow {
  readonly endpoint: string;
  readonly model: string;
  readonly adapter: string;
  readonly sensitivity: string;
  /** Null where it did not answer. */
  readonly status: EndpointStatus | null;
}

@ApiTags('endpoints')
@ApiBearerAuth()
@UseGuards(PersonGuard)
@Controller('v1/endpoints')
export class EndpointsController {
  private readonly deps: ApiDeps;
  constructor(@Inject(DEPS) deps: ApiDeps) {
    this.deps = deps;
  }

  @Get()
  @ApiOperation({ summary: 'The declared endpoints and their stance now' })
  async list(): Promise<{ endpoints: readonly EndpointRow[] }> {
    const rows = Object.entries(this.deps.configuration.endpoints).map(
      async ([endpoint, { model, adapter, sensitivity }]) => {
        const status = await this.deps.readEndpoint(endpoint).catch(() => null);
        return { endpoint, model, adapter, sensitivity, status };
      },
    );
    return { endpoints: await Promise.all(rows) };
  }
}
