import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { LoggedRequest } from '../../../domain/contracts/gateway.ts';
import { digestOf, type Digest } from '../../../domain/proofs/digest.ts';
import { extractionAnalyser, type ExtractionNeeds } from '../../../forensics/analysers/extraction.ts';
import { trainSurrogate } from '../../../forensics/extraction/surrogate.ts';
import { createPredictor, type Predictor } from '../../../forensics/predictor/predictor.ts';
import { createRandom } from '../../../forensics/statistics/bootstrap.ts';
import { columnsOf, DIGIT_CLASSES, digits, modelBytes } from '../vectors.ts';

const MODEL: Digest = digestOf('model');
let served: Predictor;
beforeAll(async () => {
  served = await createPredictor(modelBytes('digits-golden'));
});
afterAll(async () => {
  await served.close();
});

const fresh = columnsOf('new');
const holdout = columnsOf('holdout');

/** What the gateway logs when `client` sends these rows one by one. */
async function logged(client: string, features: Float32Array, model: Digest | null = MODEL): Promise<LoggedRequest[]> {
  const count = features.length / digits.width;
  const { scores, classes } = await served.probabilities(features, count, digits.shape);
  return Array.from({ length: count }, (_, row) => ({
    at: '2026-11-01T00:00:00Z',
    id: `${client}-${row}`,
    client,
    arm: 'live' as const,
    model,
    input: {
      name: 'x',
      datatype: 'FP32',
      shape: [1, ...digits.shape],
      data: Array.from(features.subarray(row * digits.width, (row + 1) * digits.width)),
    },
    output: {
      name: 'y',
      datatype: 'FP32',
      shape: [1, classes],
      data: Array.from(scores.subarray(row * classes, (row + 1) * classes)),
    },
    latencyUs: 1,
  }));
}

const rows = (from: number, to: number) => fresh.features.slice(from * digits.width, to * digits.width);

async function ask(window: readonly LoggedRequest[], change: Partial<ExtractionNeeds> = {}) {
  const analysis = await extractionAnalyser.run({
    window,
    model: MODEL,
    served,
    holdout,
    featureShape: digits.shape,
    classes: DIGIT_CLASSES,
    ...change,
  });
  const finding = analysis.finish({});
  if (finding.detail !== null && finding.detail.analyser !== 'extraction') throw new Error('another detail');
  return { finding, detail: finding.detail };
}

describe('how much of the model is gone', () => {
  it('names the client whose answers are enough for a copy, with an interval, and accuses nobody', async () => {
    const window = [...(await logged('collector', rows(0, 400))), ...(await logged('kiosk', rows(400, 430)))];
    const { finding, detail } = await ask(window);
    expect(finding.verdict).toBe('inconclusive');
    expect(finding.summary).toMatch(/^For information.*collector with 400/);
    const [collector, kiosk] = detail?.busiest ?? [];
    expect(collector).toMatchObject({ client: 'collector', queries: 400, classes: 10 });
    expect(collector?.share).toBeCloseTo(400 / 430, 10);
    expect(collector?.fidelity?.low).toBeGreaterThan(0.9);
    expect(collector?.fidelity?.n).toBe(holdout.count);
    expect(kiosk?.fidelity?.value).toBeLessThan(0.85);
  });

  it('grows with the number of answers', async () => {
    const found = [];
    for (const size of [30, 100, 400]) {
      const { detail } = await ask(await logged('collector', rows(0, size)));
      found.push(detail?.busiest[0]?.fidelity?.value ?? 0);
    }
    expect(found).toEqual(found.toSorted((a, b) => a - b));
  });

  it('is little where a client saw one class again and again', async () => {
    const same = Float32Array.from({ length: 200 * digits.width }, (_, at) => fresh.features[at % digits.width] ?? 0);
    const { finding, detail } = await ask(await logged('monitor', same));
    expect(finding.verdict).toBe('clean');
    expect(detail?.busiest[0]).toMatchObject({ classes: 1 });
    expect(detail?.busiest[0]?.fidelity?.value).toBeLessThan(0.3);
  });

  it('counts no answer of another model or of rules', async () => {
    const window = [
      ...(await logged('collector', rows(0, 100), digestOf('another'))),
      ...(await logged('collector', rows(0, 100), null)),
    ];
    expect((await ask(window)).finding).toMatchObject({ verdict: 'inconclusive', detail: null });
  });

  it('stays an open question without window, model or clean records', async () => {
    const window = await logged('kiosk', rows(0, 5));
    expect((await ask([])).finding.detail).toBeNull();
    expect((await ask(window, { served: null })).finding.detail).toBeNull();
    expect((await ask(window, { holdout: null })).finding.detail).toBeNull();
    expect((await ask(window)).finding).toMatchObject({ verdict: 'clean', detail: { busiest: [{ fidelity: null }] } });
  });
});

describe('what it cannot see', () => {
  it('is an extractor under many names: no single one has been answered enough', async () => {
    const window = (
      await Promise.all(Array.from({ length: 20 }, (_, at) => logged(`guest-${at}`, rows(at * 20, at * 20 + 20))))
    ).flat();
    const { finding, detail } = await ask(window);
    expect(finding.verdict).toBe('clean');
    expect(Math.max(...(detail?.busiest ?? []).map(({ fidelity }) => fidelity?.value ?? 0))).toBeLessThan(0.85);
  });
});

describe('a surrogate', () => {
  it('learns what is linear from a few answers', () => {
    const random = createRandom(3);
    const draw = (count: number) => Float32Array.from({ length: 2 * count }, () => 2 * random() - 1);
    const truth = (features: Float32Array) =>
      Int32Array.from({ length: features.length / 2 }, (_, row) =>
        (features[2 * row] ?? 0) + 2 * (features[2 * row + 1] ?? 0) > 0 ? 1 : 0,
      );
    const features = draw(200);
    const answers = Float32Array.from([...truth(features)].flatMap((label) => [1 - label, label]));
    const copy = trainSurrogate({ features, answers, count: 200, width: 2, classes: 2 }, createRandom(1));
    const others = draw(500);
    const right = copy.classesOf(others).filter((label, row) => label === truth(others)[row]).length;
    expect(right / 500).toBeGreaterThan(0.96);
  });
});
