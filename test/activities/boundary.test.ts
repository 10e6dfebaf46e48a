import { describe, expect, it } from '@jest/globals';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { onTheWire } from '../../activities/boundary.ts';
import { Failure } from '../../domain/incident/failure.ts';
import { FAILURES, type FailureCode } from '../../domain/incident/failures.ts';

const NOW = new Date('2026-03-01T12:00:00Z');

async function thrownFor(error: unknown): Promise<unknown> {
  const wired = onTheWire(
    {
      act: async (_input: string): Promise<string> => {
        throw error;
      },
    },
    () => NOW,
  );
  return await wired.act('x').catch((thrown: unknown) => thrown);
}

describe('the boundary to Temporal', () => {
  it('stamps an answer with the worker’s clock when the answer is there, not before', async () => {
    let clock = new Date('2026-03-01T11:59:00Z');
    const wired = onTheWire(
      {
        act: async (input: { n: number }): Promise<number> => {
          clock = NOW;
          return input.n + 1;
        },
      },
      () => clock,
    );
    expect(await wired.act({ n: 1 })).toEqual({ value: 2, at: '2026-03-01T12:00:00.000Z' });
  });

  it.each(Object.keys(FAILURES) as FailureCode[])(
    'carries %s as its type, retried as the catalogue says',
    async (code) => {
      const cause = new Failure(code, 'it went wrong');
      const thrown = await thrownFor(cause);
      expect(thrown).toBeInstanceOf(ApplicationFailure);
      expect(thrown).toMatchObject({
        type: code,
        message: 'it went wrong',
        nonRetryable: !FAILURES[code].retryable,
        cause,
      });
    },
  );

  it.each([
    ['an error', new TypeError('x is not a function'), 'x is not a function'],
    ['an error that only carries a code', Object.assign(new Error('boom'), { code: 'storage/unavailable' }), 'boom'],
    ['a text', 'boom', 'boom'],
    ['nothing', undefined, 'undefined'],
  ])('names %s the catalogue does not know a bug, told at once', async (_name, error, message) => {
    const thrown = await thrownFor(error);
    expect(thrown).toBeInstanceOf(ApplicationFailure);
    expect(thrown).toMatchObject({ type: 'internal/error', nonRetryable: true, message });
  });

  it('lets cancellation and Temporal’s own failures through as they are', async () => {
    const cancelled = new CancelledFailure('cancelled');
    expect(await thrownFor(cancelled)).toBe(cancelled);
    const named = ApplicationFailure.create({ message: 'named', type: 'trainer/diverged', nonRetryable: true });
    expect(await thrownFor(named)).toBe(named);
  });
});
