import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { FAILURES } from '../../domain/incident/failures.ts';

const page = readFileSync(new URL('../../docs/failures.md', import.meta.url), 'utf8');

/** What a section of the page must say, word for word. */
function sectionOf(code: string, entry: (typeof FAILURES)[keyof typeof FAILURES]): string {
  return [
    `## ${code}`,
    '',
    `- **What happened:** ${entry.happened}`,
    `- **What Lazaret did:** ${entry.did}`,
    `- **What you can do:** ${entry.remedy}`,
    `- **Retried by itself:** ${entry.retryable ? 'yes' : 'no'}`,
  ].join('\n');
}

describe('the failure catalogue', () => {
  const documented = [...page.matchAll(/^## (.+)$/gm)].map((match) => match[1] ?? '');

  it.each(Object.entries(FAILURES))('says the same of %s on the page and in the code', (code, entry) => {
    expect(page).toContain(sectionOf(code, entry));
  });

  it('has no section for a code that does not exist, and none twice', () => {
    expect([...documented].sort()).toEqual(Object.keys(FAILURES).sort());
  });

  it('lists the codes in the order of the code', () => {
    expect(documented).toEqual(Object.keys(FAILURES));
  });
});
