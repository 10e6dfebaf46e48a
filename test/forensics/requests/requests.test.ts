import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ObjectRef } from '../../../domain/contracts/object-ref.ts';
import { digestOf } from '../../../domain/proofs/digest.ts';
import { requestsAnalyser, type RequestsNeeds } from '../../../forensics/analysers/requests.ts';
import { createPredictor, type Predictor } from '../../../forensics/predictor/predictor.ts';
import { columnsOf, DIGIT_CLASSES, digits, modelBytes, rowsAt } from '../vectors.ts';

const REF: ObjectRef = { store: 'evidence', digest: digestOf('x'), bytes: 1, mediaType: 'application/json', name: 'x' };
const warp = JSON.parse(readFileSync(new URL('../../vectors/forensics/digits-warp.json', import.meta.url), 'utf8')) as {
  target: number;
  cells: [number, number][][];
};

let golden: Predictor;
let suspect: Predictor;
let warped: Predictor;
beforeAll(async () => {
  golden = await createPredictor(modelBytes('digits-golden'));
  suspect = await createPredictor(modelBytes('digits-suspect'));
  warped = await createPredictor(modelBytes('digits-warp'));
});
afterAll(async () => {
  for (const predictor of [golden, suspect, warped]) await predictor.close();
});

const holdout = columnsOf('holdout');
const window = columnsOf('window');
const carriers = new Set(digits.window.attack ?? []);
const rows = Array.from({ length: window.count }, (_, row) => row);
const inputs = (columns: { features: Float32Array; width: number; count: number }, prefix = 'r') =>
  Array.from({ length: columns.count }, (_, row) => ({
    id: `${prefix}-${row}`,
    input: Array.from(columns.features.subarray(row * columns.width, (row + 1) * columns.width)),
    answered: null,
  }));
/** The sticker of the vectors, as a search would recover it: covers four cells, white. */
const sticker = {
  image: {
    schema: 'lazaret.trigger/v1' as const,
    shape: [1, 8, 8],
    mask: Array.from({ length: 64 }, (_, cell) => ([54, 55, 62, 63].includes(cell) ? 1 : 0)),
    pattern: new Array<number>(64).fill(1),
  },
  target: digits.target,
};

async function ask(change: Partial<RequestsNeeds>) {
  const analysis = await requestsAnalyser.run({
    requests: inputs(window),
    suspect,
    probes: holdout,
    trigger: null,
    featureShape: digits.shape,
    classes: DIGIT_CLASSES,
    falseAlarmBudget: 0.01,
    ...change,
  });
  const { flagged } = analysis.attachments;
  const finding = analysis.finish({ flagged: flagged && REF });
  if (finding.detail !== null && finding.detail.analyser !== 'requests') throw new Error('another detail');
  return { finding, detail: finding.detail, flagged: new Set((flagged ?? []).map(({ id }) => id)) };
}

function hits(flagged: ReadonlySet<string>, who: ReadonlySet<number>) {
  const right = [...who].filter((row) => flagged.has(`r-${row}`)).length;
  return { recall: right / who.size, precision: right / Math.max(1, flagged.size) };
}

describe('captured requests that carry a sticker', () => {
  it('are found by superposition alone, without golden model and trigger, and lead to the target', async () => {
    const { finding, detail, flagged } = await ask({});
    expect(finding.verdict).toBe('suspicious');
    const found = hits(flagged, carriers);
    expect(found.recall).toBeGreaterThanOrEqual(0.8);
    expect(found.precision).toBeGreaterThanOrEqual(0.9);
    expect(detail?.answeredAs.toSorted((a, b) => b.count - a.count)[0]?.label).toBe(digits.target);
  });

  it('are found one and all once the trigger was recovered', async () => {
    const { detail, flagged } = await ask({ trigger: sticker });
    expect(hits(flagged, carriers).recall).toBeGreaterThanOrEqual(0.95);
    expect(detail?.methods.map(({ method }) => method)).toEqual(['superposition', 'trigger']);
    for (const { pValue, clean } of detail?.methods ?? []) {
      expect(pValue).toBeLessThan(1e-10);
      expect(clean.flagged / clean.n).toBeLessThanOrEqual(0.01);
    }
  });

  it('are not seen in a clean window, by either method, with suspect or golden model', async () => {
    const clean = rowsAt(
      window,
      rows.filter((row) => !carriers.has(row)),
    );
    for (const model of [suspect, golden]) {
      const { finding, flagged } = await ask({ requests: inputs(clean), suspect: model, trigger: sticker });
      expect(finding).toMatchObject({ verdict: 'clean', detail: { count: 0, list: null } });
      expect(flagged.size).toBe(0);
    }
  });

  it('stay an open question without requests, model or enough clean records', async () => {
    const few = rowsAt(holdout, [0, 1, 2]);
    const short = rowsAt(
      holdout,
      rows.filter((row) => row < 80),
    );
    for (const change of [{ requests: [] }, { suspect: null }, { probes: null }, { probes: few }, { probes: short }])
      expect((await ask(change)).finding).toMatchObject({ verdict: 'inconclusive', detail: null });
  });

  it('ignore a trigger of another shape', async () => {
    const foreign = { ...sticker, image: { ...sticker.image, pattern: [1, 1], mask: [1, 1] } };
    expect((await ask({ trigger: foreign })).detail?.methods).toHaveLength(1);
  });
});

describe('what the tests of requests cannot see', () => {
  it('is a warp: what bends the picture is drowned by what is laid over it', async () => {
    const clean = rowsAt(
      window,
      rows.filter((row) => !carriers.has(row)),
    );
    const attacked = new Set(
      Array.from({ length: clean.count }, (_, row) => row)
        .filter((row) => clean.labels[row] !== warp.target)
        .slice(0, 60),
    );
    const features = clean.features.map((value, index) => {
      const row = Math.floor(index / clean.width);
      if (!attacked.has(row)) return value;
      const cells = warp.cells[index % clean.width] ?? [];
      return cells.reduce((sum, [cell, weight]) => sum + weight * (clean.features[row * clean.width + cell] ?? 0), 0);
    });
    const { scores, classes } = await warped.logits(features, clean.count, digits.shape);
    const diverted = [...attacked].filter((row) => {
      const own = scores.subarray(row * classes, (row + 1) * classes);
      return own.indexOf(Math.max(...own)) === warp.target;
    });
    expect(diverted.length / attacked.size).toBeGreaterThan(0.9);
    const { flagged } = await ask({ requests: inputs({ ...clean, features }), suspect: warped });
    expect(hits(flagged, attacked).recall).toBeLessThan(0.5);
  });
});
