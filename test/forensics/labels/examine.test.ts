import { describe, expect, it } from '@jest/globals';
import { createRandom } from '../../../forensics/statistics/bootstrap.ts';
import { mean } from '../../../forensics/statistics/description.ts';
import { examineLabels } from '../../../forensics/labels/examine.ts';
import { disagreement, f1At, noisyArrays } from './noisy-arrays.ts';

describe('wrong labels', () => {
  it.each([
    { classes: 2, rate: 0.1 },
    { classes: 3, rate: 0.2 },
    { classes: 10, rate: 0.05 },
    { classes: 10, rate: 0.4 },
    { classes: 40, rate: 0.3 },
  ])('are found among $classes classes at $rate, with a cut chosen without the truth', ({ classes, rate }) => {
    const { p, labels, wrong } = noisyArrays({ records: 1500, classes, rate, lead: 5, seed: classes });
    const { taint, cut, wrongShare } = examineLabels(p, labels);
    expect(f1At(taint, cut.threshold, wrong)).toBeGreaterThan(0.97);
    expect(Math.abs(wrongShare - rate)).toBeLessThan(0.03);
    expect(Math.abs(cut.expectedF1 - f1At(taint, cut.threshold, wrong))).toBeLessThan(0.08);
  });

  it('are found where classes overlap, nearly as well as with the cut the truth would choose', () => {
    const { p, labels, wrong } = noisyArrays({ records: 2000, classes: 4, rate: 0.2, lead: 2.5, seed: 1 });
    const { taint, cut } = examineLabels(p, labels);
    const best = Math.max(...[...taint].filter((_, at) => at % 7 === 0).map((value) => f1At(taint, value, wrong)));
    expect(best - f1At(taint, cut.threshold, wrong)).toBeLessThan(0.05);
  });

  it.each([
    { classes: 2, lead: 1.2 },
    { classes: 4, lead: 1.5 },
  ])(
    'are found among $classes overlapping classes better than by disagreement, on average over rates',
    ({ classes, lead }) => {
      const rates = [0.05, 0.15, 0.4];
      const leads = rates.map((rate) => {
        const { p, labels, wrong } = noisyArrays({ records: 800, classes, rate, lead, seed: 11 });
        const { taint, cut } = examineLabels(p, labels);
        return f1At(taint, cut.threshold, wrong) - f1At(disagreement(p, labels), 1, wrong);
      });
      expect(mean(leads)).toBeGreaterThan(0.02);
      expect(Math.min(...leads)).toBeGreaterThan(-0.02);
    },
  );

  it('are hardly claimed where there are none', () => {
    const { p, labels } = noisyArrays({ records: 3000, classes: 10, rate: 0, lead: 6, seed: 2 });
    const { cut, wrongShare } = examineLabels(p, labels);
    expect(cut.flagged).toBeLessThan(30);
    expect(wrongShare).toBeLessThan(0.01);
  });

  it('come with the class they more probably are', () => {
    const { p, labels, wrong } = noisyArrays({ records: 2000, classes: 5, rate: 0.2, lead: 5, seed: 3 });
    const clean = examineLabels(p, labels).likely;
    const moved = [...clean].filter((likely, record) => likely !== labels[record]).length;
    expect(moved).toBeGreaterThan(0.9 * wrong.reduce((sum, one) => sum + one, 0));
  });

  it('that go one way are told by the channel: the rate of each class by itself', () => {
    const { p, labels, wrong } = noisyArrays({ records: 3000, classes: 3, rate: 0, lead: 5, seed: 4 });
    for (let record = 0; record < labels.length; record++)
      if (labels[record] === 0 && record % 3 === 0) {
        labels[record] = 1;
        wrong[record] = 1;
      }
    const { model, taint, cut } = examineLabels(p, labels);
    expect(model.channel.matrix[1]).toBeCloseTo(1 / 3, 1);
    expect(model.channel.matrix[3]).toBeLessThan(0.02);
    expect(f1At(taint, cut.threshold, wrong)).toBeGreaterThan(0.95);
  });
});

describe('an examination', () => {
  const { p, labels } = noisyArrays({ records: 600, classes: 4, rate: 0.15, lead: 3, seed: 5 });

  it('gives the same answer to the same arrays, in half the precision too', () => {
    const again = examineLabels(p, labels);
    expect(examineLabels(p, labels).taint).toEqual(again.taint);
    const single = examineLabels({ ...p, values: Float32Array.from(p.values) }, labels);
    single.taint.forEach((value, record) => expect(value).toBeCloseTo(again.taint[record] ?? 0, 3));
  });

  it('does not depend on the order of the records', () => {
    const { records, classes } = p;
    const values = new Float64Array(p.values.length);
    for (let record = 0; record < records; record++)
      values.set(p.values.subarray(record * classes, (record + 1) * classes), (records - 1 - record) * classes);
    const backwards = examineLabels({ values, records, classes }, labels.slice().reverse()).taint.reverse();
    const { taint } = examineLabels(p, labels);
    backwards.forEach((value, record) => expect(value).toBeCloseTo(taint[record] ?? 0, 3));
  });

  it('does not depend on the names of the classes', () => {
    const { records, classes } = p;
    const values = p.values.slice();
    for (let record = 0; record < records; record++)
      values.subarray(record * classes, (record + 1) * classes).reverse();
    const renamed = examineLabels(
      { values, records, classes },
      labels.map((label) => classes - 1 - label),
    ).taint;
    const { taint } = examineLabels(p, labels);
    renamed.forEach((value, record) => expect(value).toBeCloseTo(taint[record] ?? 0, 3));
  });

  it('gives probabilities only, also for zeros, ones and a class that nobody has', () => {
    const values = Float32Array.from([1, 0, 0, 0, 1, 0, 0.5, 0.5, 0, 1, 0, 0]);
    const { taint } = examineLabels({ values, records: 4, classes: 3 }, Int32Array.from([0, 1, 0, 1]));
    for (const value of taint) expect(value >= 0 && value <= 1).toBe(true);
    expect(taint[3]).toBeGreaterThan(taint[0] ?? 1);
  });

  it('leaves its arrays as they were', () => {
    const before = [p.values.slice(), labels.slice()];
    examineLabels(p, labels);
    expect([p.values, labels]).toEqual(before);
  });
});

describe('what the method cannot see', () => {
  it('is a class whose whole subgroup was relabelled before the model learned: out-of-sample probabilities agree with the lie', () => {
    const { p, labels } = noisyArrays({ records: 2000, classes: 3, rate: 0, lead: 6, seed: 6 });
    const lied = labels.map((label, record) => (label === 0 && record % 10 === 0 ? 1 : label));
    // A model that could tell the subgroup apart answers with its false label.
    for (let record = 0; record < 2000; record += 10)
      if (labels[record] === 0) p.values.set([0.01, 0.98, 0.01], record * 3);
    const { taint } = examineLabels(p, lied);
    for (let record = 0; record < 2000; record += 10) if (labels[record] === 0) expect(taint[record]).toBeLessThan(0.1);
  });

  it('is half of one class relabelled as another at random: given and true label are as probable as each other', () => {
    const { p, labels, wrong } = noisyArrays({ records: 2000, classes: 2, rate: 0.5, lead: 5, seed: 7 });
    const { taint, cut } = examineLabels(p, labels);
    expect(f1At(taint, cut.threshold, wrong)).toBeLessThan(0.7);
  });

  it('is an annotator who errs only where the model is in doubt: to call every disagreement an error is better there', () => {
    const { p, labels, wrong } = noisyArrays({ records: 2000, classes: 2, rate: 0, lead: 2, seed: 9 });
    const random = createRandom(3);
    for (let record = 0; record < 2000; record++) {
      const against = 1 - (p.values[record * 2 + (labels[record] ?? 0)] ?? 0);
      if (random() >= Math.min(0.9, 2 * against)) continue;
      labels[record] = 1 - (labels[record] ?? 0);
      wrong[record] = 1;
    }
    const { taint, cut } = examineLabels(p, labels);
    expect(f1At(disagreement(p, labels), 1, wrong)).toBeGreaterThan(f1At(taint, cut.threshold, wrong) + 0.1);
  });

  it('is a model that has seen the record: it repeats the label it was taught', () => {
    const { labels } = noisyArrays({ records: 1000, classes: 3, rate: 0.3, lead: 5, seed: 8 });
    const values = new Float64Array(3000).fill(0.005);
    labels.forEach((label, record) => (values[record * 3 + label] = 0.99));
    expect(examineLabels({ values, records: 1000, classes: 3 }, labels).wrongShare).toBeLessThan(0.02);
  });
});
