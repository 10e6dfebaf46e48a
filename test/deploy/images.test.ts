import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { z } from 'zod';

const read = (path: string) => readFileSync(path, 'utf8');
const lock = z
  .looseObject({ packages: z.record(z.string(), z.looseObject({ version: z.string().optional() })) })
  .parse(JSON.parse(read('package-lock.json')));

describe.each(['node', 'trainer'])('deploy/docker/%s.Dockerfile', (name) => {
  const text = read(`deploy/docker/${name}.Dockerfile`);
  const bases = [...text.matchAll(/^FROM (\S+)/gm)].map(([, image]) => image ?? '');
  const stages = new Set([...text.matchAll(/^FROM \S+ AS (\S+)/gm)].map(([, stage]) => stage ?? ''));

  it('starts from images that are pinned to a full version', () => {
    const foreign = bases.filter((image) => !stages.has(image));
    expect(foreign.length).toBeGreaterThan(0);
    for (const image of foreign) expect(image).toMatch(/:\d+\.\d+\.\d+-slim-bookworm$|:\d+\.\d+\.\d+-bookworm-slim$/);
  });

  it('is built in stages, runs as a user of its own and says whether it is well', () => {
    expect(bases.length).toBeGreaterThan(1);
    expect(text).toMatch(/^USER 1000:1000$/m);
    expect(text).toMatch(/^HEALTHCHECK /m);
  });

  it('carries no secret and no state', () => {
    expect(text).not.toMatch(/COPY .*(\.lazaret|\.env|deploy\/state|\.pem|credentials)/);
    expect(text).not.toMatch(/^(ARG|ENV) .*(SECRET|TOKEN|PASSWORD)/m);
  });
});

describe('the images', () => {
  it('run the very Node that the lock file pins', () => {
    const version = lock.packages['node_modules/node']?.version;
    expect(read('deploy/docker/node.Dockerfile')).toContain(`FROM node:${version}-bookworm-slim`);
  });

  it('are built from what .dockerignore lets in: no state, no keys, no tests', () => {
    const [first, ...rest] = read('.dockerignore').trim().split('\n');
    expect(first).toBe('*');
    expect(rest.filter((line) => line.startsWith('!')).join(' ')).not.toMatch(/lazaret\b(?!_trainer)|state|test|\.env/);
  });
});
