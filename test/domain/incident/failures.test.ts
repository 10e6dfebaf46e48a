import { describe, expect, it } from '@jest/globals';
import { Failure } from '../../../domain/incident/failure.ts';
import { FAILURES, isFailureCode, type FailureCode } from '../../../domain/incident/failures.ts';
import { PHASES } from '../../../domain/incident/kinds.ts';

const codes = Object.keys(FAILURES) as FailureCode[];

describe('the catalogue of failures', () => {
  it.each(codes)('says of %s what happened, what Lazaret did and what a person can do, in sentences', (code) => {
    const { happened, did, remedy } = FAILURES[code];
    for (const sentence of [happened, did, remedy]) expect(sentence).toMatch(/^[A-Z].*\.$/s);
  });

  it('names every code as room/what, in words', () => {
    for (const code of codes) expect(code).toMatch(/^[a-z]+\/[a-z-]+$/);
  });

  it('retries only what another try could mend', () => {
    expect(codes.filter((code) => FAILURES[code].retryable)).toEqual(['storage/unavailable', 'endpoint/unreachable']);
  });

  it('knows its codes from texts that only look like them', () => {
    for (const code of codes) expect(isFailureCode(code)).toBe(true);
    for (const text of ['', 'storage', 'storage/gone', 'toString', 'constructor', '__proto__', 'STORAGE/UNAVAILABLE'])
      expect(isFailureCode(text)).toBe(false);
  });

  it('never tells a person to decide "skip": only the report may be skipped, and its phase says so itself', () => {
    for (const code of codes) expect(FAILURES[code].remedy).not.toContain('"skip"');
    expect(PHASES.at(-1)).toBe('learn');
  });
});

describe('a Failure', () => {
  it('carries its code, its cause and the retryability of the catalogue', () => {
    const cause = new Error('ECONNREFUSED');
    const failure = new Failure('storage/unavailable', 'S3 is away', { cause });
    expect(failure).toMatchObject({ name: 'Failure', code: 'storage/unavailable', retryable: true, cause });
    expect(new Failure('storage/not-found', 'gone').retryable).toBe(false);
  });
});
