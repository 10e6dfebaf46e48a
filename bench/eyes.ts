import { benignStream, type Benign } from './eyes/benign.ts';
import { credit, digits, mnist, type Half, type Task } from './eyes/data.ts';
import { extractionOf, STRATEGIES, type Extraction } from './eyes/extraction.ts';
import { profileFor } from './eyes/profiles.ts';
import { scenariosOf, type Scenario } from './eyes/anomalies.ts';
import { costOf, type Cost } from './eyes/cost.ts';
import { extractionLines, figuresOf, scenarioLines } from './eyes/figures.ts';
import { main, type Measured, type Wish } from './bench.ts';

/** Benign requests in sum, runs of every anomaly and of every extractor. */
const FULL = { benign: 1_000_000, runs: 20, extractions: 10 } as const;
const QUICK = { benign: 60_000, runs: 3, extractions: 1 } as const;
const TASKS = { digits, mnist, credit } as const;
/** Streams that the benign requests are dealt to; each has sentinels of its own, as after a release. */
const STREAMS = 4;

/**
 * The sentinels on streams of real records: false alarms, delays, extraction, cost. `LAZARET_EYES_HALF=development` takes the half of the unseen
 * records, and the seeds, that constants were looked at with; `LAZARET_EYES_TASKS=digits,credit` takes some of the tasks.
 */
async function eyes({ quick, tell }: Wish): Promise<Measured> {
  const half: Half = process.env['LAZARET_EYES_HALF'] === 'development' ? 'development' : 'report';
  const seed = half === 'report' ? 1000 : 100;
  const size = quick ? QUICK : FULL;
  const absent: string[] = [];
  const tasks: Task[] = [];
  const wanted = process.env['LAZARET_EYES_TASKS']?.split(',') ?? Object.keys(TASKS);
  for (const [name, make] of Object.entries(TASKS)) {
    if (!wanted.includes(name)) continue;
    const task = await make(half);
    if (task) tasks.push(task);
    else absent.push(name);
  }
  if (absent.length > 0) tell(`LAZARET_DATA has no ${absent.join(' and no ')}: left out`);
  const benign: Benign[] = [];
  const scenarios: Scenario[] = [];
  const extractions: Extraction[] = [];
  const cost: Cost[] = [];
  for (const task of tasks) {
    const profile = await profileFor(task);
    tell(
      `${task.name}: ${Math.round(JSON.stringify(profile).length / 1024)} KiB of profile of ${task.holdout.count} records`,
    );
    for (let stream = 0; stream < STREAMS; stream++) {
      const found = await benignStream(
        task,
        profile,
        Math.ceil(size.benign / Object.keys(TASKS).length / STREAMS),
        seed + stream,
      );
      benign.push(found);
      for (const { at, sentinel, statement } of found.alarms) tell(`  false alarm at ${at}: ${sentinel}: ${statement}`);
    }
    tell(
      `  ${STREAMS} benign streams: ${benign.slice(-STREAMS).reduce((sum, { alarms }) => sum + alarms.length, 0)} alarms`,
    );
    cost.push(...(await costOf(task, profile, seed)));
    const found = await scenariosOf(task, profile, size.runs, seed);
    scenarios.push(...found);
    for (const line of scenarioLines(found)) tell(`  ${line}`);
    for (const strategy of STRATEGIES) {
      for (let run = 0; run < size.extractions; run++)
        extractions.push(await extractionOf(task, profile, strategy, seed + run));
      for (const line of extractionLines(extractions.slice(-size.extractions))) tell(`  ${line}`);
    }
  }
  const { figures, beside } = figuresOf(benign, scenarios, extractions, cost);
  return { figures, beside: { half, absent: absent.join(', ') || 'nothing', ...beside } };
}

await main('eyes', eyes);
