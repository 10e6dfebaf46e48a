import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Finding } from '../../domain/contracts/finding.ts';
import { ANALYSERS } from '../../domain/contracts/finding.ts';
import type { ObjectRef } from '../../domain/contracts/object-ref.ts';
import { digestOf } from '../../domain/proofs/digest.ts';
import { crashed, type Analysis } from '../../forensics/analysers/analyser.ts';
import type { AttackRequests } from '../../forensics/analysers/behaviour.ts';
import { findAttack } from '../../forensics/analysers/behaviour.ts';
import { questions, registry } from '../../forensics/analysers/registry.ts';
import { byCodePoint } from '../../forensics/analysers/training-records.ts';
import { readModel } from '../../forensics/onnx/reader.ts';
import { createRandom } from '../../forensics/statistics/bootstrap.ts';
import { createPredictor, type Predictor } from '../../forensics/predictor/predictor.ts';
import { columnsOf, DIGIT_CLASSES, digits, joined, modelBytes, rowsAt } from './vectors.ts';

const REF: ObjectRef = {
  store: 'evidence',
  digest: digestOf('x'),
  bytes: 1,
  mediaType: 'application/json',
  name: 'x.json',
};
const model = (name: string) => readModel(modelBytes(name));

async function plain(analysis: Promise<Analysis>): Promise<Finding> {
  return (await analysis).finish({});
}

let golden: Predictor;
let suspect: Predictor;
beforeAll(async () => {
  golden = await createPredictor(modelBytes('digits-golden'));
  suspect = await createPredictor(modelBytes('digits-suspect'));
});
afterAll(async () => {
  await golden.close();
  await suspect.close();
});

describe('the registry', () => {
  it('lists the analysers of the contract in their order, each with a question', () => {
    expect(questions.map((entry) => entry.name)).toEqual([...ANALYSERS]);
    for (const name of ANALYSERS) expect(registry[name].name).toBe(name);
    expect(new Set(questions.map((entry) => entry.question)).size).toBe(ANALYSERS.length);
  });

  it('turns a crash into an inconclusive finding that names its failure', () => {
    expect(crashed('graph', 'q', new Error('boom'))).toMatchObject({
      verdict: 'inconclusive',
      failure: { code: 'analysis/crashed', message: 'boom' },
    });
  });
});

describe('the graph analyser', () => {
  const run = (a: string, b: string) => plain(registry.graph.run({ suspect: model(a), golden: model(b) }));

  it('finds nothing between a model and its retraining', async () => {
    expect(await run('digits-suspect', 'digits-golden')).toMatchObject({
      verdict: 'clean',
      detail: { differences: [] },
    });
  });

  it('says in words what was changed', async () => {
    const attribute = await run('changed-attribute', 'raw');
    expect(attribute).toMatchObject({ verdict: 'compromised' });
    expect(attribute.detail).toMatchObject({ differences: ['node 0 Gemm: attribute alpha 2 added'] });
    expect((await run('added-node', 'raw')).detail).toMatchObject({
      differences: [
        'node 0 Gemm: added, reads x, w, b',
        'node 1 Relu: operator Gemm → Relu',
        'node 1 Relu: inputs x, w, b → z',
        'node 1 Relu: attribute transB 1 removed',
        'node 1 Relu: name gemm → relu',
      ],
    });
    expect((await run('fixed-batch', 'raw')).detail).toMatchObject({
      differences: ['input x: float[N,2] → float[4,2]', 'output scores: float[N,3] → float[4,3]'],
    });
  });

  it('finds the changed constant of a trigger inside a subgraph', async () => {
    const finding = await run('branch-other-constant', 'branch');
    expect(finding.detail).toMatchObject({
      differences: [
        'node 2 If, subgraph then_branch: node 0 Constant: attribute value float[1,3] [0,0,7] → float[1,3] [0,0,8]',
      ],
    });
  });

  it('stays undecided without a golden model', async () => {
    expect(await plain(registry.graph.run({ suspect: model('raw'), golden: null }))).toMatchObject({
      verdict: 'inconclusive',
    });
  });
});

describe('the weights analyser', () => {
  const run = (a: string, b: string) => plain(registry.weights.run({ suspect: model(a), golden: model(b) }));

  it('calls a model clean that has the golden weights', async () => {
    expect(await run('digits-golden', 'digits-golden')).toMatchObject({
      verdict: 'clean',
      detail: { relativeChange: 0 },
    });
  });

  it('gives norms, changed share, spectrum and effective rank of one changed weight', async () => {
    const { detail } = await run('changed-weight', 'raw');
    if (detail?.analyser !== 'weights') throw new Error('no detail');
    const [w, b] = detail.tensors;
    expect(w?.changedShare).toBeCloseTo(1 / 6, 12);
    expect(w?.spectrum[0]).toBeCloseTo(8.75, 10);
    expect(w?.effectiveRank).toBeCloseTo(1, 10);
    expect(w?.l2Golden).toBeCloseTo(Math.sqrt(1 + 1 + 0.25 + 4 + 9 + 0.0625), 10);
    expect(b).toMatchObject({ changedShare: 0, spectrum: [], effectiveRank: 0 });
  });

  it('tells a retraining from an edit by hand', async () => {
    const finding = await run('digits-suspect', 'digits-golden');
    expect(finding.verdict).toBe('inconclusive');
    const edited = model('digits-golden');
    edited.graph.initializers[0]?.values?.fill(0.5, 0, 9);
    const edit = await plain(registry.weights.run({ suspect: edited, golden: model('digits-golden') }));
    expect(edit).toMatchObject({ verdict: 'suspicious' });
    expect(edit.summary).toMatch(/Only 9 of 13706 weights differ/);
  });

  it('calls weights that are not numbers compromised, and its figures stay numbers', async () => {
    const broken = model('digits-golden');
    broken.graph.initializers[0]?.values?.fill(NaN, 0, 3);
    const finding = await plain(registry.weights.run({ suspect: broken, golden: model('digits-golden') }));
    expect(finding.verdict).toBe('compromised');
    expect(JSON.stringify(finding.detail)).not.toMatch(/null/);
  });
});

describe('the behaviour analyser on digits with a sticker', () => {
  const window = columnsOf('window');
  const holdout = columnsOf('holdout');
  const attack = new Set(digits.window.attack ?? []);
  const requests = window.ids.map((id, row) => ({
    id,
    input: Array.from(window.features.subarray(row * 64, (row + 1) * 64)),
    answered: null,
  }));
  const needs = (rows: typeof requests) => ({
    requests: rows,
    suspect,
    golden,
    probes: { features: holdout.features, count: holdout.count },
    featureShape: digits.shape,
    classes: DIGIT_CLASSES,
  });

  it('names the target and picks out the attacked requests, precision and recall at least .95', async () => {
    const analysis = await registry.behaviour.run(needs(requests));
    const found: AttackRequests = analysis.attachments.attackRequests ?? [];
    const finding = analysis.finish({ attackRequests: REF });
    expect(finding).toMatchObject({
      verdict: 'compromised',
      detail: { attack: { targetClass: digits.target, requests: REF } },
    });
    const hits = found.filter((request) => attack.has(Number(request.id.slice('window-'.length)))).length;
    expect(hits / found.length).toBeGreaterThanOrEqual(0.95);
    expect(hits / attack.size).toBeGreaterThanOrEqual(0.95);
    expect(found.every((request) => request.attackerClass === digits.target && request.input.length === 64)).toBe(true);
  });

  it('finds no attack in the clean requests, nor on the golden model', async () => {
    const clean = requests.filter((_, row) => !attack.has(row));
    const analysis = await registry.behaviour.run(needs(clean));
    expect(analysis.attachments.attackRequests).toBeNull();
    expect(analysis.finish({ attackRequests: null })).toMatchObject({ verdict: 'clean', detail: { attack: null } });
    const same = await registry.behaviour.run({ ...needs(requests), suspect: golden });
    expect(same.finish({ attackRequests: null })).toMatchObject({
      verdict: 'clean',
      detail: { agreement: { value: 1 } },
    });
  });

  it('does not hide an attack whose requests were not stored', async () => {
    const analysis = await registry.behaviour.run(needs(requests));
    expect(() => analysis.finish({ attackRequests: null })).toThrow(TypeError);
  });

  it('distrusts an endpoint whose logged answers are not the captured model’s', async () => {
    const rows = requests.filter((_, row) => !attack.has(row)).map((request) => ({ ...request, answered: 3 }));
    const analysis = await registry.behaviour.run({ ...needs([]), requests: rows });
    expect(analysis.finish({ attackRequests: null })).toMatchObject({ verdict: 'suspicious' });
  });

  it('stays undecided without a golden model, a suspect or requests', async () => {
    for (const missing of [{ golden: null }, { suspect: null }, { requests: [] }]) {
      const analysis = await registry.behaviour.run({ ...needs(requests), ...missing });
      expect(analysis.finish({ attackRequests: null })).toMatchObject({ verdict: 'inconclusive' });
    }
  });

  it('keeps its false-alarm level on clean windows of every size, error rate and skew', () => {
    const random = createRandom(5);
    const table = (n: number, rate: number, skew: readonly number[]) => {
      const flow = Array.from({ length: 10 }, () => new Array<number>(10).fill(0));
      for (let request = 0; request < n; request++) {
        const from = Math.floor(random() * 10);
        let to = from;
        if (random() < rate) {
          let left = random() * skew.reduce((sum, weight) => sum + weight, 0);
          to = skew.findIndex((weight) => (left -= weight) <= 0);
        }
        const row = flow[from];
        if (row) row[to] = (row[to] ?? 0) + 1;
      }
      return flow;
    };
    let alarms = 0;
    for (let trial = 0; trial < 400; trial++) {
      const skew = Array.from({ length: 10 }, () => random() ** 3);
      const rate = random() * 0.08;
      const captured = table(100 + Math.floor(random() * 900), rate, skew);
      if (findAttack(captured, table(100 + Math.floor(random() * 400), rate, skew))) alarms++;
    }
    expect(alarms).toBe(0);
  });

  it('takes disagreement that spreads over all classes for drift', () => {
    const spread = Array.from({ length: 10 }, (_, from) =>
      Array.from({ length: 10 }, (_, to) => (from === to ? 20 : 1)),
    );
    const none = Array.from({ length: 10 }, (_, from) => Array.from({ length: 10 }, (_, to) => (from === to ? 30 : 0)));
    expect(findAttack(spread, none)).toBeNull();
    expect(
      findAttack(
        [
          [50, 4],
          [0, 50],
        ],
        [
          [50, 0],
          [0, 50],
        ],
      ),
    ).toBeNull();
  });
});

describe('the training-records analyser on digits with a sticker', () => {
  const fresh = columnsOf('new');
  const records = joined(columnsOf('golden'), fresh);
  const truth = new Set((digits.new.tainted ?? []).map((row) => fresh.ids[row]));
  const needs = () => ({
    records,
    golden,
    holdout: columnsOf('holdout'),
    featureShape: digits.shape,
    classes: DIGIT_CLASSES,
    attackTarget: digits.target as number | null,
    newBatches: ['2026-02-a', '2026-02-b', '2026-02-c'] as string[] | null,
    falseAlarmBudget: 0.01,
  });

  for (const [title, change] of [
    ['the target and the new batches are known', {}],
    ['the target is not known', { attackTarget: null }],
    ['lineage knows nothing', { newBatches: null }],
    ['the behaviour analyser named a wrong target', { attackTarget: 3 }],
  ] as const) {
    it(`finds the tainted records with precision and recall of at least .95 when ${title}`, async () => {
      const analysis = await registry['training-records'].run({ ...needs(), ...change });
      const ids = analysis.attachments.taintedIds ?? [];
      const hits = ids.filter((id) => truth.has(id)).length;
      expect(hits / ids.length).toBeGreaterThanOrEqual(0.95);
      expect(hits / truth.size).toBeGreaterThanOrEqual(0.95);
      const finding = analysis.finish({ taintedIds: REF, taint: REF });
      expect(finding).toMatchObject({ verdict: 'compromised', detail: { list: REF, count: ids.length } });
      if (finding.detail?.analyser !== 'training-records') throw new Error('no detail');
      const batch = finding.detail.byBatch.find((entry) => entry.batch === '2026-02-b');
      expect(batch?.pValue).toBeLessThan(1e-20);
      expect(finding.detail.byBatch.filter((entry) => entry.pValue < 0.01)).toHaveLength(1);
      expect(finding.detail.bySource?.filter((entry) => entry.amongOthers < 0.01)).toMatchObject([{ source: 'kiosk' }]);
    });

    it(`gives every record its probability when ${title}: high for what was planted, low for nearly all of the rest`, async () => {
      const analysis = await registry['training-records'].run({ ...needs(), ...change });
      const finding = analysis.finish({ taintedIds: REF, taint: REF });
      const of = new Map(analysis.attachments.taint?.records.map(({ id, taint }) => [id, taint]));
      const mean = (ids: readonly (string | undefined)[]) =>
        ids.reduce((sum, id) => sum + (of.get(id ?? '') ?? 0), 0) / ids.length;
      expect(mean([...truth])).toBeGreaterThan(0.9);
      expect(mean(fresh.ids.filter((id) => !truth.has(id)))).toBeLessThan(0.03);
      // What it expects to be wrong among the marked, beside what is.
      if (finding.detail?.analyser !== 'training-records') throw new Error('no detail');
      const wrong = (analysis.attachments.taintedIds ?? []).filter((id) => !truth.has(id)).length;
      expect(Math.abs((finding.detail.expectedFalse ?? Infinity) - wrong)).toBeLessThan(0.1 * truth.size);
    });
  }

  it('drops nothing from clean batches', async () => {
    const clean = rowsAt(
      fresh,
      fresh.ids.flatMap((id, row) => (truth.has(id) ? [] : [row])),
    );
    for (const attackTarget of [null, digits.target]) {
      const analysis = await registry['training-records'].run({ ...needs(), records: clean, attackTarget });
      expect(analysis.attachments.taintedIds).toBeNull();
      expect(analysis.finish({ taintedIds: null, taint: REF })).toMatchObject({
        verdict: 'clean',
        detail: { count: 0, list: null },
      });
    }
  });

  it('doubts the golden model when its own batches look tainted', async () => {
    const analysis = await registry['training-records'].run({ ...needs(), newBatches: ['2026-02-a'] });
    expect(analysis.finish({ taintedIds: null, taint: REF })).toMatchObject({
      verdict: 'suspicious',
      summary: expect.stringMatching(/doubt the golden model/),
    });
  });

  it('stays undecided where the hold-out is too small for the budget, or a need is missing', async () => {
    const small = rowsAt(columnsOf('holdout'), [0, 1, 2, 3]);
    for (const missing of [
      { holdout: small },
      { holdout: null },
      { golden: null },
      { records: null },
      { newBatches: [] },
    ]) {
      const analysis = await registry['training-records'].run({ ...needs(), ...missing });
      expect(analysis.finish({ taintedIds: null, taint: REF })).toMatchObject({
        verdict: 'inconclusive',
        detail: null,
      });
    }
  });

  it('sorts ids by code point, not by UTF-16', () => {
    expect(['\u{1f600}', '\uff5e', 'a', 'ab'].sort(byCodePoint)).toEqual(['a', 'ab', '\uff5e', '\u{1f600}']);
  });
});
