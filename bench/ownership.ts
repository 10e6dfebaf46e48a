import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readModelFile, readRecords } from '../clients/examination/model-files.ts';
import { judge } from '../forensics/ownership/judgement.ts';
import { kinship } from '../forensics/ownership/kinship.ts';
import { mixtures, QUERIES } from '../forensics/ownership/queries.ts';
import { createPredictor, type Scores } from '../forensics/predictor/predictor.ts';
import { createRandom } from '../forensics/statistics/bootstrap.ts';
import { wilson } from '../forensics/statistics/interval.ts';

/**
 * How often `lazaret examine-copy` finds copies and accuses strangers, on the cases of `bench/ownership/make_cases.py`:
 *
 *     node bench/ownership.ts FOLDER…          one line for each case, and a table of the even seeds (the odd ones are for calibration)
 */
interface Row {
  readonly kind: string;
  readonly seed: number;
  readonly pValue: number;
  readonly verdict: string;
}

const rows: Row[] = [];
for (const folder of process.argv.slice(2)) {
  const records = readRecords(join(folder, 'unseen.npy'));
  const { features, count } = mixtures(records, QUERIES, createRandom(1));
  const answers = new Map<string, Scores>();
  for (const name of readdirSync(folder).filter((each) => each.endsWith('.onnx'))) {
    const predictor = await createPredictor(readModelFile(join(folder, name)));
    answers.set(name.replace('.onnx', ''), await predictor.logits(features, count, records.shape));
    await predictor.close();
  }
  const own = answers.get('own');
  if (!own) throw new Error(`${folder}: there is no own.onnx`);
  const twins = [...answers].filter(([name]) => name.startsWith('twin-')).map(([, each]) => each);
  for (const [kind, answer] of answers) {
    if (!/^(copy|independent)-/.test(kind)) continue;
    const found = kinship(answer, own, twins);
    const { verdict } = judge(found);
    rows.push({ kind, seed: Number(/-(\d+)\/?$/.exec(folder)?.[1]), pValue: found.pValue, verdict });
    console.log(
      `${folder.split('/').at(-1)} ${kind} t ${found.t.toFixed(1)} p ${found.pValue.toExponential(1)} ${verdict}`,
    );
  }
}

const report = rows.filter(({ seed }) => seed % 2 === 0);
for (const kind of [...new Set(report.map((row) => row.kind))].sort())
  say(
    kind,
    report.filter((row) => row.kind === kind),
  );
for (const group of ['copy', 'independent'])
  say(
    `all: ${group}`,
    report.filter(({ kind }) => kind.startsWith(group)),
  );

function say(name: string, of: readonly Row[]): void {
  const { value, low, high } = wilson(of.filter(({ verdict }) => verdict === 'derived').length, of.length);
  const open = of.filter(({ verdict }) => verdict === 'inconclusive').length;
  console.log(
    `${name.padEnd(34)} called derived ${(value * of.length).toFixed(0)} of ${of.length} [${low.toFixed(2)}, ${high.toFixed(2)}], open ${open}`,
  );
}
