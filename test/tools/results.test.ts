import { describe, expect, it } from '@jest/globals';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Outcome {
  readonly passed: number;
  readonly failed: number;
  readonly failures: readonly string[];
  readonly skipped: readonly string[];
}
type Reader = (file: string, name: string, status: number) => Outcome;
const load = async (file: string): Promise<Record<string, unknown>> => (await import(file)) as Record<string, unknown>;
const folder = mkdtempSync(join(tmpdir(), 'lazaret-results-'));
const written = (name: string, text: string) => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

describe('the count of the tests', () => {
  it('takes every jest test by name, and a file that did not load as one failure', async () => {
    const readJest = (await load('../../tools/test/jest-results.mjs'))['readJest'] as Reader;
    const file = written(
      'jest.json',
      JSON.stringify({
        testResults: [
          {
            name: 'a',
            status: 'failed',
            message: '',
            assertionResults: [
              { status: 'passed', fullName: 'one' },
              { status: 'failed', fullName: 'two' },
              { status: 'pending', fullName: 'three' },
            ],
          },
          { name: 'b', status: 'failed', message: '\n  Cannot find module', assertionResults: [] },
        ],
      }),
    );
    expect(readJest(file, 'jest', 1)).toEqual({
      passed: 1,
      failed: 2,
      failures: ['two', 'b: Cannot find module'],
      skipped: ['three'],
    });
  });

  it('is not fooled by a runner that dies without results, or ends badly with none failed', async () => {
    const readJest = (await load('../../tools/test/jest-results.mjs'))['readJest'] as Reader;
    expect(readJest(join(folder, 'absent.json'), 'jest', 137)).toMatchObject({ passed: 0, failed: 1 });
    expect(readJest(written('odd.json', '{"testResults":[]}'), 'jest', 1)).toMatchObject({ failed: 1 });
  });

  it('reads what pytest wrote', async () => {
    const readJunit = (await load('../../tools/test/junit-results.mjs'))['readJunit'] as Reader;
    const file = written(
      'pytest.xml',
      '<testsuites><testsuite><testcase classname="tests.a" name="one[x&lt;y]" time="0.1" /><testcase classname="tests.a" name="two" time="0.1"><failure message="no">text</failure></testcase><testcase classname="tests.a" name="three"><skipped type="x"/></testcase></testsuite></testsuites>',
    );
    expect(readJunit(file, 'pytest', 1)).toEqual({
      passed: 1,
      failed: 1,
      failures: ['tests.a two'],
      skipped: ['tests.a three'],
    });
  });

  it('ends with the one line that others read', async () => {
    const summary = (await load('../../tools/test/summary.mjs'))['summary'] as (
      outcomes: unknown[],
      write: (text: string) => void,
    ) => boolean;
    let text = '';
    const well = summary(
      [
        { name: 'types', seconds: 1, passed: 1, failed: 0, failures: [], skipped: [] },
        { name: 'jest', seconds: 2, passed: 40, failed: 1, failures: ['x'], skipped: ['y'] },
      ],
      (part) => (text += part),
    );
    expect(well).toBe(false);
    expect(text.trimEnd().split('\n').at(-1)).toBe('41 passed, 1 failed');
    expect(text).toContain('jest: y');
  });
});
