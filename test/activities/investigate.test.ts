import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createInvestigateActivities } from '../../activities/investigate.ts';
import { createRecoverActivities } from '../../activities/recover.ts';
import { createReleaseActivities } from '../../activities/release.ts';
import type { AnalysisSubject } from '../../domain/contracts/activities.ts';
import { ANALYSERS, type AnalyserName, type Finding } from '../../domain/contracts/finding.ts';
import type { ModelRef } from '../../domain/contracts/stance.ts';
import { Failure } from '../../domain/incident/failure.ts';
import { DOCUMENTS } from '../../evidence/ports.ts';
import { columnsOf, digits, modelBytes } from '../forensics/vectors.ts';
import {
  createWorld,
  finding,
  goldenInput,
  NOW,
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
  served = await storedModel(world, 'nightly-1', modelBytes('digits-suspect'), world.signers.pipeline);
  world.endpoint.stance = { kind: 'shadow', model: served, observed: null };
  subject = await subjectOf(world, served, windowOf(served));
});

async function provenance(): Promise<void> {
  const dataset = await storedDigits(world, 'new');
  await createRecoverActivities(world.deps).recordProvenance({
    ...trainingRun(served.artifact, dataset),
    builder: 'pipeline',
  });
}
const ask = (analyser: AnalyserName, earlier: readonly Finding[] = []) =>
  createInvestigateActivities(world.deps).analyse({ analyser, subject, earlier });

describe('the investigation', () => {
  it('finds a model that is validly signed, but by the pipeline and not as the golden artifact', async () => {
    registered.into(world);
    const { finding, record } = await ask('signature');
    expect(finding).toMatchObject({ verdict: 'suspicious', detail: { analyser: 'signature', signedBy: 'pipeline' } });
    expect(JSON.parse(new TextDecoder().decode(await world.store.get(record)))).toEqual(
      JSON.parse(JSON.stringify(finding)),
    );
  });

  it('finds that only weights changed, not the graph', async () => {
    registered.into(world);
    expect((await ask('graph')).finding.verdict).toBe('clean');
    expect((await ask('weights')).finding.detail).toMatchObject({ analyser: 'weights' });
  });

  it('drafts the search for a backdoor from the captured bytes and the golden record', async () => {
    const activities = createInvestigateActivities(world.deps);
    expect(await activities.draftExamination({ subject })).toMatchObject({ job: null });
    registered.into(world);
    const golden = await world.deps.registry.latest(subject.model);
    expect(await activities.draftExamination({ subject })).toMatchObject({
      queue: 'gpu',
      waitSeconds: 20,
      job: {
        question: 'backdoor',
        suspect: subject.capture.model,
        golden: golden?.ref.artifact,
        probes: golden?.holdout,
      },
    });
  });

  it('moves what a trainer found under Object Lock, and takes no answer that breaks the contract', async () => {
    registered.into(world);
    const activities = createInvestigateActivities(world.deps);
    const json = { mediaType: 'application/json', name: 'examination.json' };
    const report = await world.store.put('artifacts', new TextEncoder().encode('{"figures":[]}'), json);
    const result = {
      schema: 'lazaret.examine-result/v1',
      jobId: 'job',
      verdict: 'compromised',
      summary: 'found',
      methods: ['difference-inversion'],
      target: digits.target,
      success: { value: 0.98, low: 0.95, high: 0.99, n: 200 },
      flip: null,
      pValue: 0.01,
      falseAlarmBudget: 0.05,
      trigger: null,
      report,
      startedAt: NOW,
      finishedAt: NOW,
    };
    const finding = async (given: unknown) =>
      (
        await activities.analyse({
          analyser: 'backdoor',
          subject,
          earlier: [],
          examination: { result: given, reason: 'No trainer answered.' },
        })
      ).finding;
    expect(await finding(result)).toMatchObject({ verdict: 'compromised', detail: { report: { store: 'evidence' } } });
    expect(await finding(null)).toMatchObject({ verdict: 'inconclusive', summary: 'No trainer answered.' });
    const forged = await finding({ ...result, verdict: 'clean enough' });
    expect(forged).toMatchObject({ verdict: 'inconclusive' });
    expect(forged.summary).toContain('breaks the contract');
  });

  it('drafts the look inside from the captured requests, and the training records where provenance names them', async () => {
    const activities = createInvestigateActivities(world.deps);
    const drafted = async () => await activities.draftExplanation({ subject });
    expect(await drafted()).toMatchObject({ job: null, reason: expect.stringContaining('golden') });
    registered.into(world);
    const { count, width } = columnsOf('window');
    expect(await drafted()).toMatchObject({
      queue: 'gpu',
      waitSeconds: 20,
      job: { requests: { count }, records: null },
    });
    await provenance();
    const { job } = await drafted();
    expect(job?.records?.name).toBe('digits-new');
    const bytes = await world.store.get(job!.requests.object);
    expect(bytes.byteLength).toBe(4 * count * width);
    expect(new DataView(bytes.buffer, bytes.byteOffset).getFloat32(4 * width, true)).toBe(
      columnsOf('window').features[width],
    );
  });

  it('has nothing to ask a trainer where the window is broken: that is a reason, not a failed incident', async () => {
    registered.into(world);
    subject = await subjectOf(world, served, '{"id":1}\n');
    const drafted = await createInvestigateActivities(world.deps).draftExplanation({ subject });
    expect(drafted).toMatchObject({ job: null, reason: expect.stringContaining('not a logged request') });
    subject = await subjectOf(world, served, '');
    expect(await createInvestigateActivities(world.deps).draftExplanation({ subject })).toMatchObject({
      job: null,
      reason: 'No request was captured, so there is no answer to explain.',
    });
  });

  it('moves what the look inside gave under Object Lock, and takes no answer that breaks the contract', async () => {
    registered.into(world);
    const activities = createInvestigateActivities(world.deps);
    const put = async (value: unknown, name: string) =>
      await world.store.put('artifacts', new TextEncoder().encode(JSON.stringify(value)), {
        mediaType: 'application/json',
        name,
      });
    const result = {
      schema: 'lazaret.explain-result/v1',
      jobId: 'job',
      requests: 307,
      suspects: 60,
      layers: [
        { name: 'hidden', units: 64, clean: 0.97, requests: 0.9, pValue: 0.01, silent: 5, lit: 0, parted: null },
      ],
      dormant: null,
      patterns: null,
      saliency: await put(
        { schema: 'lazaret.saliency/v1', shape: [1, 1, 2], values: [0, 1], mean: [0, 1], requests: 60, missed: 0 },
        'saliency.json',
      ),
      influence: await put({ schema: 'lazaret.influences/v1', ids: 'none' }, 'influences.json'),
      report: await put({}, 'explanation.json'),
      startedAt: NOW,
      finishedAt: NOW,
    };
    const finding = async (given: unknown) =>
      (
        await activities.analyse({
          analyser: 'activations',
          subject,
          earlier: [],
          examination: { result: given, reason: 'No trainer answered.' },
        })
      ).finding;
    expect(await finding(result)).toMatchObject({
      verdict: 'clean',
      detail: {
        report: { store: 'evidence' },
        saliency: { map: { store: 'evidence' }, preview: { width: 2, height: 1 } },
        influence: null,
      },
    });
    expect(await finding(null)).toMatchObject({ verdict: 'inconclusive', summary: 'No trainer answered.' });
    expect(await finding({ ...result, layers: 'many' })).toMatchObject({
      verdict: 'inconclusive',
      summary: expect.stringContaining('breaks the contract'),
    });
  });

  it('looks for records of the class that the search for a backdoor named, where nobody used the trigger in the window', async () => {
    registered.into(world);
    await provenance();
    const lineage = (await ask('lineage')).finding;
    const searched: Finding = {
      ...finding('backdoor', { verdict: 'compromised' }),
      detail: {
        analyser: 'backdoor',
        methods: ['difference-inversion'],
        target: digits.target,
        success: null,
        flip: null,
        pValue: 0.01,
        falseAlarmBudget: 0.05,
        trigger: null,
        preview: null,
        classes: [],
        report: served.artifact,
      },
    };
    const { detail } = (await ask('training-records', [lineage, searched])).finding;
    if (detail?.analyser !== 'training-records') throw new Error('no records were looked at');
    const labels = new Set(detail.flow.flatMap((row) => row.flatMap((count, label) => (count > 0 ? [label] : []))));
    expect([...labels]).toEqual([digits.target]);
  });

  it('finds the captured attack, the batch it came in with and its records, each by the findings before', async () => {
    registered.into(world);
    await provenance();
    const lineage = (await ask('lineage')).finding;
    expect(lineage.detail).toMatchObject({
      analyser: 'lineage',
      newBatches: expect.arrayContaining([expect.objectContaining({ batch: '2026-02-b', source: 'kiosk' })]),
    });
    const behaviour = (await ask('behaviour')).finding;
    expect(behaviour).toMatchObject({
      verdict: 'compromised',
      detail: { attack: { targetClass: digits.target, requests: { store: 'evidence' } } },
    });
    const { finding } = await ask('training-records', [lineage, behaviour]);
    expect(finding).toMatchObject({ verdict: 'compromised', detail: { list: { store: 'evidence' } } });
    const { detail } = finding;
    if (detail?.analyser !== 'training-records' || !detail.list) throw new Error('no records were found');
    const ids = JSON.parse(new TextDecoder().decode(await world.store.get(detail.list))) as string[];
    const tainted = new Set((digits.new.tainted ?? []).map((row) => `new-${String(row).padStart(4, '0')}`));
    expect(ids.filter((id) => tainted.has(id)).length / tainted.size).toBeGreaterThan(0.95);
    expect(ids.filter((id) => tainted.has(id)).length / ids.length).toBeGreaterThan(0.95);
  });

  it('names the other endpoints that serve a model of the same data', async () => {
    registered.into(world);
    await provenance();
    const { detail } = (await ask('lineage')).finding;
    if (detail?.analyser !== 'lineage') throw new Error('no lineage');
    expect(detail.endpoints.map((endpoint) => [endpoint.endpoint, endpoint.newBatches.length > 0])).toEqual([
      ['gate', true],
      ['kiosk', true],
    ]);
  });

  it('says of an endpoint that does not answer that nothing is known, and goes on', async () => {
    registered.into(world);
    await provenance();
    world.endpoint.broken = new Failure('endpoint/unreachable', 'no answer');
    const { detail } = (await ask('lineage')).finding;
    expect(detail).toMatchObject({
      endpoints: [
        { endpoint: 'gate', unknown: null },
        { endpoint: 'kiosk', artifact: null, unknown: 'the endpoint does not tell what it serves' },
      ],
    });
  });

  it.each(ANALYSERS)(
    'asks %s without a golden model and without a capture, and gets an honest "inconclusive"',
    async (analyser) => {
      subject = { ...subject, capture: { ...subject.capture, model: null, signature: null, modelDigest: null } };
      expect((await ask(analyser)).finding).toMatchObject({ analyser, verdict: 'inconclusive', failure: null });
    },
  );
});

describe('an analyser that stops with an error', () => {
  it('becomes an inconclusive finding with the failure’s code: a crash is a finding, not a failed incident', async () => {
    registered.into(world);
    const broken = await storedModel(world, 'x', new TextEncoder().encode('not a model'), world.signers.pipeline);
    subject = await subjectOf(world, broken);
    const { finding, record } = await ask('graph');
    expect(finding).toMatchObject({ verdict: 'inconclusive', detail: null, failure: { code: 'model/invalid' } });
    expect(await world.store.has(record)).toBe(true);
  });

  it('becomes one as well when the golden record does not verify', async () => {
    world.store.overwrite(DOCUMENTS.goldenLatest('digits'), 'anything');
    expect((await ask('weights')).finding).toMatchObject({
      verdict: 'inconclusive',
      failure: { code: 'golden/untrusted' },
    });
  });

  it('becomes one as well when a line of the window is not a logged request', async () => {
    registered.into(world);
    subject = await subjectOf(world, served, '{"id":1}\n');
    expect((await ask('behaviour')).finding.failure).toMatchObject({ code: 'analysis/crashed' });
  });

  it('does not become one when the store is away: nothing may be concluded from that, the step is tried again', async () => {
    registered.into(world);
    world.store.away(true);
    for (const analyser of ANALYSERS)
      await expect(ask(analyser)).rejects.toMatchObject({ code: 'storage/unavailable' });
  });

  it('does not become one when evidence was changed or went missing either: a person has to look', async () => {
    registered.into(world);
    if (!subject.capture.model) throw new Error('the model was captured');
    world.store.forget(subject.capture.model);
    await expect(ask('weights')).rejects.toMatchObject({ code: 'storage/not-found' });
  });
});
