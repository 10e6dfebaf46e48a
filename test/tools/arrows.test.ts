import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';

/** A small house in which every file breaks one arrow. */
const HOUSE: Readonly<Record<string, string>> = {
  'domain/pure.ts': `import type { X } from '../evidence/x.ts'; export type Y = X;`,
  'domain/clock.ts': `import { readFileSync } from 'node:fs'; export const y = readFileSync;`,
  'evidence/x.ts': `export type X = 1; export { a } from '../clients/a.ts';`,
  'clients/a.ts': `export const a = 1; export { w } from '../activities/w.ts';`,
  'activities/w.ts': `import { connect } from 'node:net'; export const w = connect;`,
  'workflows/flow.ts': `export { w } from '../activities/w.ts';`,
  'gateway/server.ts': `export { run } from '../station/drills/run.ts';`,
  'station/drills/run.ts': `export const run = 1;`,
  'station/start.ts': `export { run } from './drills/run.ts';`,
  'api/one.ts': `import './two.ts'; export const one = 1;`,
  'api/two.ts': `import { one } from './one.ts'; export const two = one;`,
  'forensics/look.ts': `export { one } from '../api/one.ts';`,
};

const report = z.object({
  summary: z.object({
    violations: z.array(z.object({ from: z.string(), to: z.string(), rule: z.object({ name: z.string() }) })),
  }),
});

describe('the arrows between the rooms', () => {
  it('are kept by rules that notice each way to break them, type-only imports included', () => {
    const house = mkdtempSync(join(tmpdir(), 'lazaret-arrows-'));
    for (const [file, text] of Object.entries(HOUSE)) {
      mkdirSync(join(house, dirname(file)), { recursive: true });
      writeFileSync(join(house, file), text);
    }
    writeFileSync(
      join(house, 'tsconfig.json'),
      '{"compilerOptions":{"module":"nodenext","allowImportingTsExtensions":true,"noEmit":true}}',
    );
    const rooms = [...new Set(Object.keys(HOUSE).map((file) => file.split('/')[0] ?? ''))];
    const cruiser = resolve('node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
    const ran = spawnSync(
      process.execPath,
      [cruiser, '--config', resolve('.dependency-cruiser.json'), ...rooms, '--output-type', 'json'],
      {
        cwd: house,
        encoding: 'utf8',
      },
    );
    const { violations } = report.parse(JSON.parse(ran.stdout)).summary;
    const broken = violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`);
    expect(broken).toEqual(
      expect.arrayContaining([
        'domain-is-pure: domain/pure.ts → evidence/x.ts',
        'domain-is-pure: domain/clock.ts → fs',
        'evidence-and-forensics-see-the-domain: evidence/x.ts → clients/a.ts',
        'clients-see-domain-evidence-forensics: clients/a.ts → activities/w.ts',
        'sockets-in-clients: activities/w.ts → net',
        'workflows-see-the-domain-only: workflows/flow.ts → activities/w.ts',
        'the-attack-stays-in-the-drills: gateway/server.ts → station/drills/run.ts',
        'gateway-sees-domain-evidence-clients: gateway/server.ts → station/drills/run.ts',
        'drills-by-one-door: station/start.ts → station/drills/run.ts',
        'nothing-imports-the-processes: forensics/look.ts → api/one.ts',
      ]),
    );
    expect(broken.some((line) => line.startsWith('no-cycles: api/'))).toBe(true);
  });
});
