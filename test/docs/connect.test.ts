import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { parseConfiguration } from '../../clients/configuration/load.ts';

describe('docs/connect.md', () => {
  const page = readFileSync(new URL('../../docs/connect.md', import.meta.url), 'utf8');

  it('shows a lazaret.yaml that the station takes as it is', () => {
    const example = /```yaml\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
    expect(Object.keys(parseConfiguration(example, 'connect.md').endpoints)).toEqual(['signs']);
  });
});
