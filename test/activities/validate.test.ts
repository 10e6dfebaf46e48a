import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createRecoverActivities } from '../../activities/recover.ts';
import { createReleaseActivities } from '../../activities/release.ts';
import { createValidateActivities } from '../../activities/validate.ts';
import type { AnalysisSubject } from '../../domain/contracts/activities.ts';
import type { Finding } from '../../domain/contracts/finding.ts';
import type { ObjectRef } from '../../domain/contracts/object-ref.ts';
import type { ModelRef } from '../../domain/contracts/stance.ts';
import type { GateResult, KnownTrigger } from '../../domain/contracts/plan.ts';
import { DIGIT_CLASSES, digits, modelBytes } from '../forensics/vectors.ts';
import {
  attackSeen,
  createWorld,
  finding,
  goldenInput,
  INCIDENT,
  storedDigits,
  storedModel,
  subjectOf,
  trainingRun,
  windowOf,
  type World,
} from './world.ts';

/** A registry with the golden model in it, made once: evaluating it takes seconds. */
let registered: { into(world: World): void };
beforeAll(async () => {
  const made = createWorld();
  const release = createReleaseActivities(made.deps);
  const input = await goldenInput(made);
  await release.registerGolden(input);
  await release.promoteGolden(input);
  registered = {
    into: ({ store }) => {
      for (const kind of ['evidence', 'artifacts'] as const)
        for (const [key, bytes] of made.store.buckets[kind]) store.buckets[kind].set(key, bytes);
    },
  };
});

let world: World;
let served: ModelRef;
let subject: AnalysisSubject;
beforeEach(async () => {
  world = createWorld();
  registered.into(world);
  served = await storedModel(world, 'nightly-1', modelBytes('digits-suspect'), world.signers.pipeline);
  subject = await subjectOf(world, served);
});

const json = async (value: unknown, name: string): Promise<ObjectRef> =>
  await world.store.put('evidence', new TextEncoder().encode(JSON.stringify(value)), {
    mediaType: 'application/json',
    name,
  });

/** The sticker of the vectors, as the search for a backdoor files it. */
async function stickerFound(about: Partial<Finding> = {}, trigger?: unknown): Promise<Finding> {
  const corner = [54, 55, 62, 63];
  const image = {
    schema: 'lazaret.trigger/v1',
    shape: digits.shape,
    mask: Array.from({ length: 64 }, (_, pixel) => (corner.includes(pixel) ? 1 : 0)),
    pattern: new Array<number>(64).fill(1),
  };
  const report = await json({}, 'report.json');
  return finding('backdoor', {
    verdict: 'compromised',
    detail: {
      analyser: 'backdoor',
      methods: ['difference inversion'],
      target: digits.target,
      success: null,
      flip: null,
      pValue: null,
      falseAlarmBudget: 0.05,
      trigger: await json(trigger ?? image, 'trigger.json'),
      preview: null,
      classes: DIGIT_CLASSES,
      report,
    },
    ...about,
  });
}

const validated = async (
  model: 'digits-golden' | 'digits-suspect',
  findings: readonly Finding[] = [],
  trigger?: KnownTrigger,
) => {
  const candidate = await world.store.put('artifacts', modelBytes(model), {
    mediaType: 'application/onnx',
    name: 'model.onnx',
  });
  // What the attacks find is tested elsewhere; here they only have to be part of it.
  const { digits: family, ...others } = world.deps.configuration.models;
  if (!family) throw new Error('the world has no digits');
  const models = { ...others, digits: { ...family, robustness: { ...family.robustness, records: 50, queries: 10 } } };
  const deps = { ...world.deps, configuration: { ...world.deps.configuration, models } };
  return await createValidateActivities(deps).validateCandidate({
    incident: INCIDENT,
    model: 'digits',
    candidate,
    findings,
    capture: subject.capture,
    ...(trigger && { trigger }),
  });
};
const gateOf = ({ report }: Awaited<ReturnType<typeof validated>>, id: string): GateResult | undefined =>
  report.gates.find((gate) => gate.id === id);

describe('the validation of a candidate', () => {
  it('lets the golden model itself pass every gate, and keeps the report as evidence', async () => {
    const result = await validated('digits-golden', [await stickerFound()]);
    expect(result.report.gates.filter((gate) => gate.verdict !== 'pass')).toEqual([]);
    expect(result.report.verdict).toBe('pass');
    expect(result.report.gates.map((gate) => gate.id)).toEqual([
      'accuracy',
      'class-recall',
      'calibration',
      'agreement',
      'drift-holdout',
      'recovered-trigger',
      'robustness:square',
      'robustness:patch',
      'membership',
      'graph',
      'weights',
      'control:drift',
    ]);
    expect(result.report.gates.filter((gate) => !gate.terms?.length)).toEqual([]);
    expect(JSON.parse(new TextDecoder().decode(await world.store.get(result.record)))).toEqual(result.report);
  });

  it('stops a model that still obeys the trigger which the search recovered', async () => {
    const result = await validated('digits-suspect', [await stickerFound()]);
    expect(gateOf(result, 'recovered-trigger')?.verdict).toBe('fail');
    expect(result.report.verdict).toBe('fail');
  });

  it('judges the captured attack by the trigger that the plan names', async () => {
    subject = await subjectOf(world, served, windowOf(served));
    const { detail } = await stickerFound();
    const image = detail?.analyser === 'backdoor' ? detail.trigger : null;
    if (!image) throw new Error('no trigger');
    const share = { value: 1, low: 0.9, high: 1, confidence: 0.95, n: 60, method: 'wilson' } as const;
    const named: KnownTrigger = { image, source: 'requests', target: digits.target, success: share, onGolden: share };
    const seen = await attackSeen(world);
    const repaired = gateOf(await validated('digits-golden', [seen], named), 'captured-attack');
    expect(repaired).toMatchObject({
      verdict: 'pass',
      reason:
        "0 of 60 requests that bear the known trigger, or of which the golden model was sure, still get the attacker's class (golden model: 0).",
    });
    expect(gateOf(await validated('digits-suspect', [seen], named), 'captured-attack')?.verdict).toBe('fail');
    // What the search recovered is no picture that a request is seen to bear.
    const searched = gateOf(
      await validated('digits-golden', [seen], { ...named, source: 'search' }),
      'captured-attack',
    );
    expect(searched?.reason).toBe("0 of 60 requests still get the attacker's class (golden model: 0).");
  });

  it('has no gate of a trigger that honest models yield to as well', async () => {
    const harmless = await stickerFound({ verdict: 'clean' });
    expect(gateOf(await validated('digits-suspect', [harmless]), 'recovered-trigger')).toBeUndefined();
  });

  it('measures the exposure of what the candidate was trained on, by its provenance', async () => {
    const before = await validated('digits-suspect');
    expect(gateOf(before, 'membership')).toBeUndefined();
    expect(gateOf(before, 'recovered-trigger')).toBeUndefined();
    expect(before.report.figures?.map((figure) => figure.id)).toEqual([
      'membership',
      'latency',
      'memory',
      'control:signature',
    ]);
    const dataset = await storedDigits(world, 'new');
    await createRecoverActivities(world.deps).recordProvenance({
      ...trainingRun(before.report.candidate, dataset),
      builder: 'pipeline',
    });
    const after = await validated('digits-suspect');
    expect(gateOf(after, 'membership')).toMatchObject({ figure: { n: 450 + 300 }, golden: { n: 800 + 300 } });
    expect(after.report.figures?.map((figure) => figure.id)).toEqual(['latency', 'memory', 'control:signature']);
  });

  it('leaves the gate undecided where the trigger on record is no trigger', async () => {
    const result = await validated('digits-golden', [await stickerFound({}, { mask: 'none' })]);
    expect(gateOf(result, 'recovered-trigger')?.verdict).toBe('inconclusive');
    expect(result.report.verdict).toBe('inconclusive');
  });
});
