import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { RegressionAttack } from '../../../domain/contracts/golden.ts';
import type { GateResult } from '../../../domain/contracts/plan.ts';
import { THRESHOLDS } from '../../../domain/incident/thresholds.ts';
import type { CapturedRow } from '../../../forensics/analysers/window.ts';
import { answersTo } from '../../../forensics/evaluation/loss.ts';
import { createPredictor, type Predictor } from '../../../forensics/predictor/predictor.ts';
import type { OnHoldout } from '../../../forensics/validation/accuracy.ts';
import { attackGate } from '../../../forensics/validation/attack.ts';
import { confusionOf } from '../../../forensics/validation/confusion.ts';
import { partAttack, type PartedAttack } from '../../../forensics/validation/parted-attack.ts';
import { columnsOf, digits, modelBytes } from '../vectors.ts';

const { target } = digits;
const holdout = columnsOf('holdout');
const window = columnsOf('window');
const inputOf = (row: number): number[] => Array.from(window.features.subarray(row * 64, (row + 1) * 64));
const laidOn = (cells: readonly number[], input: readonly number[]): number[] =>
  input.map((value, cell) => (cells.includes(cell) ? 1 : value));
/** The sticker of the vectors, and another one in the opposite corner. */
const STICKER = [54, 55, 62, 63];
const SECOND = [0, 1, 8, 9];
const known = {
  target,
  image: {
    schema: 'lazaret.trigger/v1' as const,
    shape: digits.shape,
    mask: Array.from({ length: 64 }, (_, cell) => (STICKER.includes(cell) ? 1 : 0)),
    pattern: new Array<number>(64).fill(1),
  },
};
const first = (digits.window.attack ?? []).map(inputOf);
const clean = Array.from({ length: window.count }, (_, row) => row)
  .filter((row) => !(digits.window.attack ?? []).includes(row))
  .map(inputOf);

let golden: Predictor;
let onHoldout: Int32Array;
beforeAll(async () => {
  golden = await createPredictor(modelBytes('digits-golden'));
  onHoldout = (await answersTo(golden, holdout)).predicted;
});
afterAll(async () => golden.close());

/** What was captured: the attack as the suspect obeyed it, and other traffic. */
interface Sent {
  readonly attack: readonly number[][];
  readonly other?: readonly number[][];
  /** The golden model as it is, or one that wavers about these inputs of the attack. */
  readonly wavering?: readonly number[][];
  /** Whether the candidate obeys, where the golden model does not. */
  readonly obeys: (input: readonly number[]) => boolean;
  /** Records of the hold-out that the candidate turns. */
  readonly turnedClean?: number;
  readonly records?: number;
}

/** The gate, with the answers of the golden model that the vectors have and a candidate that answers as it does but where it obeys. */
async function judged(sent: Sent, trigger = known): Promise<{ gate: GateResult; parted: PartedAttack | null }> {
  const { attack, other = [], wavering = [], obeys, turnedClean = 0, records = holdout.count } = sent;
  const captured = [...attack, ...other];
  const { scores, classes } = await golden.probabilities(Float32Array.from(captured.flat()), captured.length);
  const answers = captured.map((input, row) => {
    const own = Array.from(scores.subarray(row * classes, (row + 1) * classes));
    // An attack is what the golden model answers otherwise: the few it calls the target anyway are taken for its next class.
    if (row < attack.length) own[target] = 0;
    const confidence = wavering.includes(input) ? 0.5 : Math.max(...own);
    return { golden: own.indexOf(Math.max(...own)), confidence };
  });
  const requests: CapturedRow[] = captured.map((input, row) => ({ id: `r${row}`, input, answered: null }));
  const regression: RegressionAttack = {
    schema: 'lazaret.regression-attack/v1',
    incident: 'incident-1',
    featureShape: digits.shape,
    requests: attack.map((input, row) => ({
      id: `r${row}`,
      input,
      attackerClass: target,
      goldenClass: answers[row]?.golden ?? -1,
    })),
  };
  const candidate = captured.map((input, row) => (obeys(input) ? target : (answers[row]?.golden ?? -1)));
  let left = turnedClean;
  const parted = partAttack({
    attack: regression,
    trigger,
    requests,
    answered: {
      candidate,
      golden: answers.map((one) => one.golden),
      confidence: answers.map((one) => one.confidence),
    },
    holdout: { ...holdout, count: records },
    onHoldout: {
      golden: onHoldout,
      candidate: onHoldout.map((own) => (own !== target && left-- > 0 ? target : own)),
    },
  });
  const turned = attack.filter((input) => obeys(input)).length;
  const replay = { incident: 'incident-1', attempts: attack.length, candidate: turned, golden: 0 };
  return {
    parted,
    gate: attackGate('captured-attack', 'Captured attack fails', { ...replay, ...(parted && { parted }) }, MEASURED),
  };
}

const MEASURED = { candidate: {}, golden: {}, thresholds: THRESHOLDS.high, labels: [] } as unknown as OnHoldout;
const times = (count: number, input: number[]): number[][] => new Array<number[]>(count).fill(input);
const bearing = (cells: readonly number[], rows: readonly number[][]): number[][] =>
  rows.map((input) => laidOn(cells, input));

describe('a captured attack whose trigger is known', () => {
  it('is not held against a repair for the few records about which honest models differ, however often they were sent', async () => {
    const [one = [], another = []] = clean;
    const confused = [...times(3, one), ...times(3, another)];
    const about = {
      attack: [...first, ...confused],
      other: clean.slice(2),
      wavering: [one, another],
      obeys: (input: readonly number[]) => input === one || input === another,
      turnedClean: 2,
    };
    const { gate } = await judged(about);
    expect(gate).toMatchObject({ verdict: 'pass', figure: { value: 0, n: 60 } });
    expect(gate.reason).toBe(
      "0 of 60 requests that bear the known trigger, or of which the golden model was sure, still get the attacker's class (golden model: 0). " +
        'The other 6 requests of the attack bear no trigger, and the golden model wavered. ' +
        'Of 226 different captured requests without the trigger 2 get that class from the candidate and not from the golden model, of 287 clean records 2. ' +
        'Models confuse as much anyway (p = 0.594), so they were not counted as attack.',
    );
    // Without a known trigger nobody can tell them from the attack.
    const elsewhere = await judged(about, { ...known, target: 3 });
    expect(elsewhere.parted).toBeNull();
    expect(elsewhere.gate.verdict).toBe('fail');
  });

  it('still fails where the sticker turns the candidate', async () => {
    const obeys = (input: readonly number[]) => first.slice(0, 4).some((one) => one === input);
    expect((await judged({ attack: first, other: clean, obeys })).gate).toMatchObject({
      verdict: 'fail',
      figure: { n: 60 },
    });
  });

  it('still fails where a quarter of the sticker turns it', async () => {
    const part = bearing(STICKER.slice(0, 1), clean.slice(0, 3));
    const { gate, parted } = await judged({
      attack: [...first, ...part],
      other: clean.slice(3),
      wavering: part,
      obeys: (input) => part.some((one) => one === input),
    });
    expect(parted?.strict).toMatchObject({ marked: 3, n: 63 });
    expect(gate.verdict).toBe('fail');
  });

  it('fails where a second trigger survives: the golden model was sure of the few requests that bear it', async () => {
    const second = bearing(SECOND, clean.slice(0, 5));
    const { gate, parted } = await judged({
      attack: [...first, ...second],
      other: clean.slice(5),
      obeys: (input) => SECOND.every((cell) => input[cell] === 1),
    });
    expect(parted?.strict.marked).toBeGreaterThanOrEqual(3);
    expect(gate.verdict).toBe('fail');
  });

  it('fails where a second trigger hides behind so much of the first that its share is small', async () => {
    const second = bearing(SECOND, clean.slice(0, 6));
    const sent = [...first, ...first, ...first, ...first, ...first, ...first, ...first, ...first, ...first, ...first];
    const { gate } = await judged({
      attack: [...sent, ...second],
      other: clean.slice(6, 100),
      wavering: second,
      obeys: (input) => second.some((one) => one === input),
    });
    expect(gate).toMatchObject({ verdict: 'fail', figure: { value: 6 / 606 } });
    expect(gate.reason).toContain('something else than the known trigger may still work');
  });

  it('does not let a flood of clean requests thin a second trigger out', async () => {
    const second = bearing(SECOND, clean.slice(0, 6));
    const flood = Array.from({ length: 2000 }, (_, at) => {
      const input = [...(clean[at % clean.length] ?? [])];
      input[36] = at / 4000;
      return input;
    });
    const obeys = (input: readonly number[]) => second.some((one) => one === input);
    const { gate } = await judged({
      attack: [...first, ...second],
      other: flood,
      wavering: second,
      obeys,
      turnedClean: 2,
    });
    expect(gate).toMatchObject({ verdict: 'fail', figure: { n: 66 } });
    expect(gate.reason).toContain('at most 5 are put down to confusion');
  });

  it('is judged as a whole where hardly any of it bears the trigger, or clean records are few', async () => {
    const [one = [], another = []] = clean;
    const obeys = (input: readonly number[]) => input === one || input === another;
    const confused = [...times(3, one), ...times(3, another)];
    const few = await judged({ attack: [...first.slice(0, 1), ...confused], wavering: [one, another], obeys });
    expect(few.gate.verdict).toBe('fail');
    expect(few.gate.reason).toContain('fewer than half of the different ones bear the known trigger');
    const small = await judged({
      attack: [...first, ...confused],
      other: clean.slice(2),
      wavering: [one, another],
      obeys,
      records: 60,
    });
    expect(small.gate.verdict).toBe('fail');
    expect(small.gate.reason).toMatch(/clean records are too few/);
  });

  it('lets a second trigger pass that was sent on no more than five inputs of which the golden model wavered: a blind spot', async () => {
    const second = bearing(SECOND, clean.slice(0, 4));
    const { gate } = await judged({
      attack: [...first, ...second],
      other: clean.slice(4),
      wavering: second,
      obeys: (input) => second.some((one) => one === input),
      turnedClean: 1,
    });
    expect(gate.verdict).toBe('pass');
  });
});

describe('what is put down to confusion', () => {
  const count = fc.nat({ max: 300 });
  const marked = fc.record({ a: count, b: count }).map(({ a, b }) => ({ marked: Math.min(a, b), n: Math.max(a, b) }));
  const parts = fc.record({ different: marked, without: marked, clean: marked });

  it('is never more than five different requests, and never without a hundred clean records and a trigger that most bear', () => {
    fc.assert(
      fc.property(parts, (counts) => {
        if (confusionOf({ strict: { marked: 0, n: 1, onGolden: 0 }, ...counts }).kind !== 'usual') return;
        expect(counts.without.marked).toBeLessThanOrEqual(5);
        expect(counts.clean.n).toBeGreaterThanOrEqual(100);
        expect(counts.different.marked * 2).toBeGreaterThanOrEqual(counts.different.n);
      }),
    );
  });

  it('is not excused once it is beyond, if one more request is turned', () => {
    fc.assert(
      fc.property(parts, ({ different, without, clean }) => {
        const kind = (extra: number) =>
          confusionOf({
            strict: { marked: 0, n: 1, onGolden: 0 },
            different,
            clean,
            without: { marked: without.marked + extra, n: Math.max(without.n, without.marked + extra) },
          }).kind;
        if (kind(0) !== 'usual') expect(kind(1)).not.toBe('usual');
      }),
    );
  });
});
