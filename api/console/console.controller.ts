import { readFileSync, readdirSync } from 'node:fs';
import { extname, join } from 'node:path';
import { Controller, Get, Inject, Param, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { DEPS, type ApiDeps } from '../ports.ts';
import { Problem } from '../problem.ts';

/** Only this page's own files, and only this origin: a hostile string that reached the page as HTML would still not run. */
export const CONSOLE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ');

const TYPES: Readonly<Record<string, string>> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' };

/** The web page. Its files are read once at start, so a request names one of them and never a path. */
@ApiExcludeController()
@Controller()
export class ConsoleController {
  private readonly files: ReadonlyMap<string, { readonly type: string; readonly text: string }>;
  constructor(@Inject(DEPS) deps: ApiDeps) {
    this.files = new Map(
      readdirSync(deps.consoleFolder).flatMap((name) => {
        const type = TYPES[extname(name)];
        return type ? [[name, { type, text: readFileSync(join(deps.consoleFolder, name), 'utf8') }] as const] : [];
      }),
    );
  }

  @Get()
  async page(@Res() reply: FastifyReply): Promise<void> {
    await this.send(reply, 'index.html');
  }

  @Get('console/:file')
  async file(@Param('file') file: string, @Res() reply: FastifyReply): Promise<void> {
    await this.send(reply, file);
  }

  private async send(reply: FastifyReply, name: string): Promise<void> {
    const file = this.files.get(name);
    if (!file) throw new Problem('not-found', 'The console has no such file.');
    await reply
      .header('content-type', `${file.type}; charset=utf-8`)
      .header('content-security-policy', CONSOLE_POLICY)
      .header('cache-control', 'no-cache')
      .send(file.text);
  }
}
