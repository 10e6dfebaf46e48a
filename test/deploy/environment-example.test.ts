import { describe, expect, it } from '@jest/globals';
import { readFileSync, readdirSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';

const PROCESSES = ['api/environment', 'gateway/config', 'workers/environment'];
const example = readFileSync('.env.example', 'utf8');
const listed = [...example.matchAll(/^([A-Z][A-Z0-9_]*)=/gm)].map(([, name]) => name ?? '');

/** Variables of the schemas that the processes parse their environment with. */
async function declared(): Promise<readonly string[]> {
  const found: string[] = [];
  for (const schema of PROCESSES) {
    const module: Record<string, unknown> = await import(`../../${schema}.ts`);
    for (const value of Object.values(module))
      if (value instanceof z.ZodObject) found.push(...Object.keys(value.shape));
  }
  return [...new Set(found)];
}

/** Variables that the trainer and the CLI read by name. */
function readByName(): readonly string[] {
  const files = [
    ...readdirSync('cli').map((file) => `cli/${file}`),
    ...readdirSync('station')
      .filter((file) => file.endsWith('.ts'))
      .map((file) => `station/${file}`),
    ...readdirSync('tools/setup').map((file) => `tools/setup/${file}`),
    'trainer/lazaret_trainer/settings.py',
  ];
  return files.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/\bLAZARET_[A-Z0-9_]+/g)].map(([name]) => name),
  );
}

describe('.env.example', () => {
  it('names every variable of every process', async () => {
    const variables = await declared();
    expect(variables.length).toBeGreaterThan(10);
    expect(variables.filter((name) => !listed.includes(name))).toEqual([]);
  });

  it('names every variable that the trainer, the CLI and the set-up read', () => {
    const plain = readByName().map((name) => (listed.includes(name) ? name : name.replace(/_FILE$/, '')));
    const missing = [...new Set(plain)].filter((name) => !listed.includes(name) && !name.endsWith('_'));
    expect(missing).toEqual([]);
  });

  it('names every variable of docker-compose.yml, and compose passes on none that no process knows', async () => {
    const text = readFileSync('docker-compose.yml', 'utf8');
    const substituted = [...text.matchAll(/\$\{([A-Z0-9_]+)/g)].map(([, name]) => name ?? '');
    expect(substituted.filter((name) => !listed.includes(name))).toEqual([]);
    const compose = z
      .looseObject({
        services: z.record(z.string(), z.looseObject({ environment: z.record(z.string(), z.string()).default({}) })),
      })
      .parse(parse(text, { merge: true }));
    const known = new Set([...(await declared()), ...readByName()]);
    const passed = Object.values(compose.services).flatMap((service) => Object.keys(service.environment));
    const strangers = passed.filter(
      (name) => name.startsWith('LAZARET_') && !known.has(name) && !known.has(name.replace(/_FILE$/, '')),
    );
    expect(strangers).toEqual([]);
  });

  it('holds no secret', () => {
    for (const name of listed.filter((variable) =>
      /TOKEN$|SECRET$|PASSWORD$|ACCESS_KEY(_ID)?$|API_KEY$|PASSPHRASE$/.test(variable),
    ))
      expect(example).toMatch(new RegExp(`^${name}=$`, 'm'));
  });
});
