import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { main, type Measured, type Wish } from './bench.ts';
import { makeArrays, readCases, runCleanlab } from './labels/cases.ts';
import { judge, type Judged } from './labels/judge.ts';
import { compare } from './labels/compare.ts';

/** Which labels are wrong: F1 of the chosen cut beside every filter of cleanlab, on noisy labels whose truth is known to the bench alone. */
async function labels({ quick, tell }: Wish): Promise<Measured> {
  const folder = await mkdtemp(join(tmpdir(), 'lazaret-labels-'));
  try {
    tell('making noisy labels and out-of-sample probabilities');
    const absent = await makeArrays(folder, quick ? 'quick' : 'report', tell);
    const python = process.env['LAZARET_CLEANLAB_PYTHON'] ?? null;
    tell(
      python
        ? "running cleanlab's filters"
        : 'LAZARET_CLEANLAB_PYTHON names no Python with cleanlab: nothing to compare with',
    );
    const rival = python ? await runCleanlab(python, folder) : null;
    const cases = await readCases(folder);
    const judged = cases.map((one, at) => told(judge(one), at, cases.length, tell));
    return compare(judged, { rival, absent });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const TELL_EVERY = 100;

function told(judged: Judged, at: number, of: number, tell: Wish['tell']): Judged {
  if ((at + 1) % TELL_EVERY === 0) tell(`  ${at + 1} of ${of} arrays examined`);
  return judged;
}

await main('labels', labels);
