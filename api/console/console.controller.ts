import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Controller, Get, Inject, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { DEPS, type ApiDeps } from '../ports.ts';

/** Only this page's own files, and only this origin: a hostile string that reached the page as HTML would still not run. */
export const CONSOLE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** The web page, read once at start. */
@ApiExcludeController()
@Controller()
export class ConsoleController {
  private readonly files: Readonly<Record<'page' | 'script' | 'style', string>>;
  constructor(@Inject(DEPS) deps: ApiDeps) {
    const read = (name: string): string => readFileSync(join(deps.consoleFolder, name), 'utf8');
    this.files = { page: read('index.html'), script: read('app.js'), style: read('style.css') };
  }

  @Get()
  async page(@Res() reply: FastifyReply): Promise<void> {
    await send(reply, 'text/html', this.files.page);
  }

  @Get('console/app.js')
  async script(@Res() reply: FastifyReply): Promise<void> {
    await send(reply, 'text/javascript', this.files.script);
  }

  @Get('console/style.css')
  async style(@Res() reply: FastifyReply): Promise<void> {
    await send(reply, 'text/css', this.files.style);
  }
}

async function send(reply: FastifyReply, type: string, text: string): Promise<void> {
  await reply
    .header('content-type', `${type}; charset=utf-8`)
    .header('content-security-policy', CONSOLE_POLICY)
    .header('cache-control', 'no-cache')
    .send(text);
}
