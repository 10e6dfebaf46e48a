import { describe, expect, it } from '@jest/globals';
import { createTurns, TooManyWaiting } from '../../api/intake/turns.ts';

describe('turns', () => {
  it('lets no more than the given number run at once, and everybody in the order they came', async () => {
    const turns = createTurns(3, 100);
    let running = 0;
    let most = 0;
    const order: number[] = [];
    const work = (n: number) => async (): Promise<void> => {
      order.push(n);
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
    };
    await Promise.all(Array.from({ length: 20 }, (_, n) => turns(work(n))));
    expect(most).toBe(3);
    expect(order).toEqual(Array.from({ length: 20 }, (_, n) => n));
  });

  it('hands the turn on when the work fails', async () => {
    const turns = createTurns(1, 100);
    const failed = turns(async () => Promise.reject(new Error('no')));
    const after = turns(async () => 'yes');
    await expect(failed).rejects.toThrow('no');
    await expect(after).resolves.toBe('yes');
  });

  it('refuses whoever would have to wait behind too many', async () => {
    const turns = createTurns(1, 1);
    let end = (): void => {};
    const first = turns(() => new Promise<void>((resolve) => (end = resolve)));
    const second = turns(async () => 'second');
    await expect(turns(async () => 'third')).rejects.toBeInstanceOf(TooManyWaiting);
    end();
    await first;
    await expect(second).resolves.toBe('second');
  });
});
