import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { configurationSchema } from '../../domain/contracts/configuration.ts';
import { platforms } from '../../domain/contracts/platforms.ts';

const page = readFileSync(new URL('../../docs/adapters.md', import.meta.url), 'utf8');
const blocks = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(
  ([, yaml = '']) => parse(yaml) as Record<string, unknown>,
);
const endpoints = blocks.filter((block) => 'signs' in block);

describe('docs/adapters.md', () => {
  it('shows an endpoint for every platform, and lazaret.yaml takes each as it stands', () => {
    const shown = endpoints.map((block) => {
      const configuration = configurationSchema.parse({
        version: 1,
        endpoints: block,
        models: { 'traffic-signs': {} },
        people: [
          { id: 'sol', name: 'Sol', roles: ['security-lead'] },
          { id: 'mo', name: 'Mo', roles: ['model-owner'] },
        ],
      });
      return configuration.endpoints['signs']?.adapter;
    });
    const others = Object.keys(platforms).filter((name) => name !== 'gateway');
    expect(shown.toSorted()).toEqual(others.toSorted());
  });

  it('has every adapter in its table', () => {
    for (const name of Object.keys(platforms)) expect(page).toMatch(new RegExp(`^\\| \`${name}\` `, 'm'));
  });
});
