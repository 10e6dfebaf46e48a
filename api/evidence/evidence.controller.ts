import { Readable } from 'node:stream';
import { Controller, Get, Inject, Param, Res, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { PersonGuard } from '../authentication/person.ts';
import { DEPS, type ApiDeps } from '../ports.ts';
import { Problem } from '../problem.ts';

/** The report carries what attackers wrote: it MUST NOT run anything, nor act as this origin. */
const REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox";

@ApiTags('evidence')
@ApiBearerAuth()
@UseGuards(PersonGuard)
@Controller('v1/incidents/:incident')
export class EvidenceController {
  private readonly deps: ApiDeps;
  constructor(@Inject(DEPS) deps: ApiDeps) {
    this.deps = deps;
  }

  @Get('report.html')
  @ApiOperation({ summary: 'The post-mortem as one self-contained page' })
  @ApiProduces('text/html')
  async html(@Param('incident') incident: string, @Res() reply: FastifyReply): Promise<void> {
    const bytes = await this.report(incident, 'html');
    await reply
      .header('content-type', 'text/html; charset=utf-8')
      .header('content-security-policy', REPORT_POLICY)
      .send(Buffer.from(bytes));
  }

  @Get('report.md')
  @ApiOperation({ summary: 'The post-mortem in Markdown' })
  @ApiProduces('text/markdown')
  async markdown(@Param('incident') incident: string, @Res() reply: FastifyReply): Promise<void> {
    const bytes = await this.report(incident, 'markdown');
    await reply.header('content-type', 'text/markdown; charset=utf-8').send(Buffer.from(bytes));
  }

  @Get('bundle')
  @ApiOperation({ summary: 'All evidence of the incident, for `lazaret verify`' })
  @ApiProduces('application/x-tar')
  async bundle(@Param('incident') incident: string, @Res() reply: FastifyReply): Promise<void> {
    const bundle = await this.deps.exportBundle(await this.deps.incidents.state(incident));
    await reply
      .header('content-type', 'application/x-tar')
      .header('content-disposition', `attachment; filename="${incident}.tar"`)
      .send(Readable.from(bundle));
  }

  private async report(incident: string, form: 'html' | 'markdown'): Promise<Uint8Array> {
    const state = await this.deps.incidents.state(incident);
    if (state.status !== 'closed' || state.report === null) {
      throw new Problem('conflict', 'The report is written when the incident closes; this one has none yet.');
    }
    return this.deps.store.get(state.report[form]);
  }
}
