import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { main, type Measured, type Wish } from './bench.ts';
import { compare } from './poison/compare.ts';
import { makeCases, readCases } from './poison/cases.ts';
import { judge, type Judged } from './poison/judge.ts';

/**
 * Planted records without a golden model: F1 of the marks by attack, and alarms on clean data with clean models. `LAZARET_POISON_CASES` names a
 * folder of cases that `bench.poison.make_cases` wrote before; otherwise they are made, which takes minutes.
 */
async function poison({ quick, tell }: Wish): Promise<Measured> {
  const kept = process.env['LAZARET_POISON_CASES'];
  const folder = kept ?? (await mkdtemp(join(tmpdir(), 'lazaret-poison-')));
  try {
    if (kept === undefined) tell('making poisoned data sets and training on them');
    const absent = kept === undefined ? await makeCases(folder, quick ? 'quick' : 'report', tell) : [];
    const judged: Judged[] = [];
    for (const one of await readCases(folder)) {
      judged.push(await judge(one));
      tell(`  ${one.about.case}: ${judged.at(-1)?.words}`);
    }
    return compare(judged, absent);
  } finally {
    if (kept === undefined) await rm(folder, { recursive: true, force: true });
  }
}

await main('poison', poison);
