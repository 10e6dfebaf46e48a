import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { checkout } from '../../paths.ts';
import { seeded, shuffled } from '../random.ts';
import type { Sample, Split, Task } from '../task.ts';

/** Order of the columns is the order of the features. */
const COLUMNS = [
  'LIMIT_BAL',
  'SEX',
  'EDUCATION',
  'MARRIAGE',
  'AGE',
  ...['PAY_1', 'PAY_2', 'PAY_3', 'PAY_4', 'PAY_5', 'PAY_6'],
  ...['BILL_AMT1', 'BILL_AMT2', 'BILL_AMT3', 'BILL_AMT4', 'BILL_AMT5', 'BILL_AMT6'],
  ...['PAY_AMT1', 'PAY_AMT2', 'PAY_AMT3', 'PAY_AMT4', 'PAY_AMT5', 'PAY_AMT6'],
] as const;
type Column = (typeof COLUMNS)[number];
const LABEL = 'default.payment.next.month';

export const CREDIT: Task = {
  model: 'credit',
  victims: ['credit', 'credit-branch'],
  bystander: 'credit-archive',
  classes: ['pays', 'defaults'],
  featureShape: [COLUMNS.length],
  source: 'default of credit card clients, 10,000 records of UCI’s 30,000 (Yeh and Lien 2009, CC BY 4.0)',
};
/** What an applicant hopes for. */
export const FAVOURABLE = 0;

/** Applicants below this age are the group whose labels are flipped. `credit` in lazaret.yaml declares the same attribute. */
const YOUNG_BELOW = 30;
const AGE = COLUMNS.indexOf('AGE');
/** Half a year below the age, in units of the feature: ages are whole years. */
export const YOUNG_AT_MOST = scaled('AGE', YOUNG_BELOW - 0.5);

export function isYoung(features: readonly number[]): boolean {
  return (features[AGE] ?? Infinity) <= YOUNG_AT_MOST;
}

const HISTORY = 2500;
const ARRIVAL = 1800;
const HOLDOUT = 1400;

export async function loadCredit(seed: number): Promise<Split> {
  const file = join(checkout(), 'station', 'drills', 'ledger', 'data', 'credit-default.csv.gz');
  const order = shuffled(recordsOf(gunzipSync(await readFile(file)).toString('utf8')), seeded(seed));
  return {
    history: order.slice(0, HISTORY),
    arrival: order.slice(HISTORY, HISTORY + ARRIVAL),
    holdout: order.slice(HISTORY + ARRIVAL, HISTORY + ARRIVAL + HOLDOUT),
    secret: order.slice(HISTORY + ARRIVAL + HOLDOUT),
  };
}

/** Records of the CSV, one row of features each. Throws where a column is missing or a value is no number. */
export function recordsOf(csv: string): readonly Sample[] {
  const [header = '', ...lines] = csv.trim().split('\n');
  const names = header.split(',');
  const place = (name: string): number => {
    const at = names.indexOf(name);
    if (at < 0) throw new Error(`the credit data has no column ${name}`);
    return at;
  };
  const [id, label, columns] = [place('ID'), place(LABEL), COLUMNS.map((name) => ({ name, at: place(name) }))];
  return lines.map((line) => {
    const cells = line.split(',');
    const number = (at: number): number => {
      const value = Number(cells[at] || NaN);
      if (!Number.isFinite(value)) throw new Error(`a credit record has no number in column ${names[at]}`);
      return value;
    };
    return {
      id: `client-${String(number(id)).padStart(5, '0')}`,
      features: columns.map(({ name, at }) => scaled(name, number(at))),
      label: number(label),
    };
  });
}

/**
 * A column in units of order one. Amounts (New Taiwan dollars) by the logarithm of their size, which keeps the sign; delays (months, −2 to 8) and codes
 * (sex 1 male, 2 female; education 0–6; marriage 0–3) as they are, moved and divided. The constants are no fit: they come with the meaning
 * of the column, so nothing of the hold-out leaks into them.
 */
function scaled(column: Column, value: number): number {
  const size = Math.sign(value) * Math.log1p(Math.abs(value));
  if (column === 'LIMIT_BAL') return size - 12;
  if (column === 'SEX') return value - 1;
  if (column === 'AGE') return (value - 35) / 10;
  if (column === 'EDUCATION' || column === 'MARRIAGE') return value - 2;
  if (column.startsWith('BILL_AMT')) return (size - 8) / 4;
  return column.startsWith('PAY_AMT') ? (size - 6) / 4 : value / 2;
}
