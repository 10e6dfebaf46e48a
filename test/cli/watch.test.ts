import { expect, it } from '@jest/globals';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WorkerSilent } from '../../clients/temporal/errors.ts';
import type { IncidentState } from '../../domain/incident/state.ts';
import { ADA, startApi } from '../api/fakes.ts';
import { lazaret } from './command.ts';

const NOTHING = { for: 'nothing' } as const;
const beat = (step: number, more: object = {}) => ({
  progress: { jobId: 'j', step, steps: 100, epoch: 0, loss: 1 / step, checkpointStep: 0, worker: 'w-1', ...more },
  result: null,
});
/** What the API says from one poll to the next. */
const STATES: readonly Partial<IncidentState>[] = [
  { phase: 'recover', waiting: NOTHING, training: beat(1) },
  { phase: 'recover', waiting: NOTHING, training: beat(2) },
  { phase: 'recover', waiting: NOTHING, training: beat(40, { accuracy: 0.95, attackSuccess: 0.02 }) },
  // A resume on another worker is a step back, and worth a line.
  { phase: 'recover', waiting: NOTHING, training: beat(39, { worker: 'w-2' }) },
  { status: 'closed', outcome: 'repaired', training: { progress: null, result: null } },
].map((state) => Object.assign(Object.create(null), state));

it('watch shows a training as it goes, in few lines, and waits where nobody answers for a moment', async () => {
  let asked = 0;
  const { app, incidents } = await startApi({}, () => {
    // In the middle of it no worker answers for a moment.
    if (asked === 1) {
      incidents.goAway(new WorkerSilent());
      setTimeout(() => incidents.goAway(null), 600);
    }
    return STATES[Math.min(asked++, STATES.length - 1)] ?? {};
  });
  incidents.open.add('signs');
  await app.listen(0, '127.0.0.1');
  const token = join(mkdtempSync(join(tmpdir(), 'lazaret-watch-')), 'token');
  writeFileSync(token, ADA);
  try {
    const ran = await lazaret(
      ['incident', 'watch', 'signs-0123abcd', '--api', await app.getUrl(), '--token-file', token],
      { NO_COLOR: '1' },
    );
    expect(ran.status).toBe(0);
    const lines = ran.stdout.split('\n').filter((line) => line.includes('training'));
    expect(lines.map((line) => line.replace(/ +/g, ' ').trim())).toEqual([
      'training step 1 of 100, loss 1 w-1',
      'training step 40 of 100, loss 0.025, accuracy 0.95, attack success 0.02 w-1',
      'training step 39 of 100, loss 0.0256 w-2',
    ]);
  } finally {
    await app.close();
  }
});
