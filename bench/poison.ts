import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { main, type Measured, type Wish } from './bench.ts';
import { compare } from './poison/compare.ts';
import { makeCases, readCases } from './poison/cases.ts';
import { judgeWithGolden, type JudgedWithGolden } from './poison/golden.ts';
import { judge, type Judged } from './poison/judge.ts';

/**
 * Planted records with a golden model and without: F1 of the marks by attack, and alarms on clean data. `LAZARET_POISON_CASES` names a folder of
 * cases that `bench.poison.make_cases` and `make_golden_cases` wrote before; otherwise they are made, which takes minutes.
 */
async function poison({ quick, tell }: Wish): Promise<Measured> {
  const kept = process.env['LAZARET_POISON_CASES'];
  const folder = kept ?? (await mkdtemp(join(tmpdir(), 'lazaret-poison-')));
  try {
    const absent = kept === undefined ? await make(folder, quick ? 'quick' : 'report', tell) : [];
    const judged: Judged[] = [];
    const withGolden: JudgedWithGolden[] = [];
    for (const one of await readCases(folder)) {
      if (one.about.golden) {
        const found = await judgeWithGolden(one);
        withGolden.push(...found);
        for (const { golden, known, words } of found) tell(`  ${one.about.case}, ${golden}, ${known} known: ${words}`);
      } else {
        judged.push(await judge(one));
        tell(`  ${one.about.case}: ${judged.at(-1)?.words}`);
      }
    }
    return compare(judged, withGolden, absent);
  } finally {
    if (kept === undefined) await rm(folder, { recursive: true, force: true });
  }
}

async function make(folder: string, part: string, tell: Wish['tell']): Promise<readonly string[]> {
  tell('making poisoned data sets and training on them');
  const absent = [
    await makeCases('make_cases', join(folder, 'alone'), part, tell),
    await makeCases('make_golden_cases', join(folder, 'golden'), part, tell),
  ];
  return [...new Set(absent.flat())];
}

await main('poison', poison);
