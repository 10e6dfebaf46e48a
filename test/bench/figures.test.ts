import { describe, expect, it } from '@jest/globals';
import { asText } from '../../bench/bench.ts';
import { atMost, distributionOf, exactly } from '../../bench/figures.ts';
import { describeMachine } from '../../bench/machine.ts';

describe('the figures of a bench', () => {
  it('have percentiles that are samples, by nearest rank', () => {
    const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect(distributionOf(hundred)).toEqual({ samples: 100, p50: 50, p90: 90, p99: 99, max: 100 });
    expect(distributionOf([7])).toEqual({ samples: 1, p50: 7, p90: 7, p99: 7, max: 7 });
  });

  it('are not made up where nothing was measured', () => {
    expect(() => distributionOf([])).toThrow('nothing was measured');
  });

  it('say what was wanted, and whether it was reached before rounding', () => {
    expect(atMost('contain_p50', 49.96, 'ms', 50)).toEqual({
      name: 'contain_p50',
      value: 50,
      unit: 'ms',
      target: '≤ 50 ms',
      met: true,
    });
    expect(atMost('contain_p50', 50.04, 'ms', 50)).toMatchObject({ value: 50, met: false });
    expect(exactly('storm_lost', 1, 'alerts', 0)).toMatchObject({ target: '0 alerts', met: false });
  });

  it('stand beside the machine they were measured on', () => {
    const text = asText({
      bench: 'contain',
      at: '2026-01-05T00:00:00.000Z',
      quick: true,
      note: null,
      machine: { ...describeMachine(), cpu: 'a processor', cores: 2, node: 'v24.0.0' },
      figures: [atMost('contain_p50', 60, 'ms', 50)],
      beside: {},
    });
    expect(text).toContain('contain_p50');
    expect(text).toContain('NOT met');
    expect(text).toContain('a processor, 2 cores');
    expect(text).toContain('--quick');
  });
});
