import type { CaseFile, DecisionRecord } from '../../domain/contracts/activities.ts';
import type { CaseEntry } from '../../domain/contracts/case-log.ts';
import type { EndpointStatus, ForensicReceipt } from '../../domain/contracts/gateway.ts';
import type { Interval } from '../../domain/contracts/interval.ts';
import type { ObjectRef } from '../../domain/contracts/object-ref.ts';
import type { ModelRef, Stance } from '../../domain/contracts/stance.ts';
import { encodeBase64url } from '../../domain/proofs/base64url.ts';
import { digestOf } from '../../domain/proofs/digest.ts';

/** A case like the drill `sticker`'s: one poisoned batch, two endpoints, a retraining, a canary, and people who took their time. */

const INCIDENT = 'digits-7f3a9c21';
const START = Date.parse('2026-11-21T05:54:07.041Z');
const at = (ms: number): string => new Date(START + ms).toISOString();

const ref = (name: string, bytes: number, store: ObjectRef['store'] = 'evidence'): ObjectRef => ({
  store,
  digest: digestOf(name),
  bytes,
  mediaType: name.endsWith('.json') ? 'application/json' : 'application/octet-stream',
  name,
});
const modelRef = (version: string): ModelRef => ({
  version,
  artifact: { ...ref(`${version}/model.onnx`, 41_904, 'artifacts'), name: 'model.onnx' },
  signature: { ...ref(`${version}/model.sig.json`, 2_311, 'artifacts'), name: 'model.sig.json' },
});
const golden = modelRef('golden-1');
const suspect = modelRef('pipeline-2');
const repaired = modelRef('incident-7f3a9c21');

const proportion = (value: number, low: number, high: number, n: number): Interval => ({
  value,
  low,
  high,
  confidence: 0.95,
  n,
  method: 'wilson',
});

function receipt(endpoint: string, ms: number, requests: number): ForensicReceipt {
  const before: EndpointStatus = {
    endpoint,
    replica: 'r-41c0',
    stance: { kind: 'serving', model: suspect, standby: golden },
    revision: 1_795_240_000_000,
    orderId: `deploy/${endpoint}/pipeline-2`,
    incident: null,
    since: at(-3_600_000),
    loaded: [
      {
        role: 'live',
        version: suspect.version,
        digest: suspect.artifact.digest,
        signatureDigest: suspect.signature.digest,
        bytes: 41_904,
        signature: { status: 'verified', keyId: 'pipeline', keyName: 'training pipeline' },
      },
    ],
    counters: { requests, refused: 0, invalid: 2, errors: 0, arms: {} },
  };
  const stance: Stance = { kind: 'shadow', model: golden, observed: null };
  return {
    captureId: `${endpoint}-capture`,
    orderId: `${INCIDENT}/contain/${endpoint}`,
    endpoint,
    replica: 'r-41c0',
    capturedAt: at(ms),
    before,
    after: { stance, revision: 1_795_240_447_079 },
    window: { requests, bytes: 402_118, digest: digestOf(`${endpoint}/window`), from: at(-90_000), to: at(ms - 4) },
  };
}

const preserved = (endpoint: string): CaseFile['captures'][number]['preserved'] => ({
  endpoint,
  receipt: { ...ref(`${endpoint}/receipt.json`, 3_120), name: 'receipt.json' },
  window: { ...ref(`${endpoint}/window.ndjson`, 402_118), name: 'window.ndjson' },
  model: { ...suspect.artifact, store: 'evidence' },
  signature: { ...suspect.signature, store: 'evidence' },
  modelDigest: suspect.artifact.digest,
  lineage: [],
});

/** [golden class][other class]: most agree, and `diverted` of each class but 7 go to 7. */
function flow(diverted: readonly number[], stray: readonly (readonly [number, number])[]): number[][] {
  const rows = Array.from({ length: 10 }, (_, golden) =>
    Array.from({ length: 10 }, (_, other) =>
      golden === other ? 36 + ((golden * 7) % 11) - (diverted[golden] ?? 0) : 0,
    ),
  );
  diverted.forEach((requests, golden) => {
    const row = rows[golden];
    if (row && golden !== 7) row[7] = requests;
  });
  for (const [from, to] of stray) {
    const row = rows[from];
    if (row) row[to] = (row[to] ?? 0) + 1;
  }
  return rows;
}
const DIVERTED = [17, 21, 14, 19, 16, 22, 13, 0, 18, 15];

const tensor = (name: string, shape: readonly number[], relativeChange: number, effectiveRank: number) => ({
  name,
  shape,
  l2Suspect: 4.21 * (1 + relativeChange / 3),
  l2Golden: 4.21,
  relativeChange,
  changedShare: relativeChange === 0 ? 0 : 0.98,
  spectrum: [relativeChange * 3.9, relativeChange * 0.8, relativeChange * 0.2],
  effectiveRank,
});

const statement = (payload: object): string =>
  ['header', JSON.stringify(payload), 'signature']
    .map((part) => encodeBase64url(new TextEncoder().encode(part)))
    .join('.');

function decision(
  ms: number,
  one: { gate: 'plan' | 'release'; person: string; role: string; reason: string; vouchedBy: string | null },
): DecisionRecord {
  const digest = digestOf(one.gate);
  const { gate, person, role, reason, vouchedBy } = one;
  return {
    at: at(ms),
    gate,
    digest,
    person,
    role,
    decision: 'approve',
    reason,
    statement: statement({
      incident: INCIDENT,
      gate,
      digest,
      decision: 'approve',
      reason,
      person,
      role,
      vouchedBy,
      issuedAt: at(ms - 900),
      nonce: `nonce-${ms}-0123456789`,
    }),
  };
}
const decisions = [
  decision(312_400, {
    gate: 'plan',
    person: 'mira',
    role: 'ml-engineer',
    reason: 'The batch is the one of the new scanner; drop it.',
    vouchedBy: null,
  }),
  decision(533_700, { gate: 'release', person: 'sven', role: 'security-lead', reason: '', vouchedBy: null }),
  decision(741_900, {
    gate: 'release',
    person: 'oda',
    role: 'model-owner',
    reason: 'Figures are within what the owners agreed.',
    vouchedBy: 'api',
  }),
];

type Line = readonly [
  ms: number,
  phase: CaseEntry['phase'],
  step: string,
  verdict: CaseEntry['verdict'],
  summary: string,
];
const LINES: readonly Line[] = [
  [3, 'incident', 'alert', 'noted', `firing poisoning: Class 7 answered far too often (body ${digestOf('body')})`],
  [9, 'triage', 'brief', 'done', 'digits serves family digits, sensitivity safety'],
  [11, 'triage', 'triage', 'noted', 'high: poisoning starts at high'],
  [41, 'contain', 'capture and swap', 'done', 'digits: captured pipeline-2 and 437 requests, serving → shadow'],
  [64, 'contain', 'publish stance', 'done', 'desired stance of digits is revision 1795240447079'],
  [390, 'preserve', 'preserve capture', 'done', 'digits: receipt, 437 requests and the model under Object Lock'],
  [
    520,
    'preserve',
    'preserve context',
    'done',
    '4 context objects: manifest.json, provenance.json, lazaret.yaml, alerts.json',
  ],
  [
    760,
    'investigate',
    'analyse',
    'done',
    'signature: suspicious. The served bytes are signed by the pipeline, and are not the golden ones.',
  ],
  [905, 'investigate', 'analyse', 'done', 'graph: clean. The graph is the golden one.'],
  [1_240, 'investigate', 'analyse', 'done', 'weights: suspicious. 21 % away from golden.'],
  [1_610, 'investigate', 'analyse', 'done', 'lineage: suspicious. One new batch from one source.'],
  [2_480, 'investigate', 'analyse', 'done', 'behaviour: compromised. 155 requests diverted to 7.'],
  [4_930, 'investigate', 'analyse', 'done', 'training-records: compromised. 96 records marked.'],
  [4_940, 'investigate', 'blast radius', 'noted', 'also descends: digits-mobile'],
  [
    4_975,
    'contain',
    'capture and swap',
    'done',
    'digits-mobile: captured pipeline-2 and 58 requests, serving → shadow',
  ],
  [5_010, 'contain', 'publish stance', 'done', 'desired stance of digits-mobile is revision 1795240452016'],
  [
    5_300,
    'preserve',
    'preserve capture',
    'done',
    'digits-mobile: receipt, 58 requests and the model under Object Lock',
  ],
  [5_720, 'plan', 'draft plan', 'done', 'drop 96 records and retrain from golden-1 (12 epochs, at most 600 s)'],
  [312_400, 'plan', 'decision at gate plan', 'approved', 'mira as ml-engineer: approve'],
  [313_150, 'eradicate', 'sanitize dataset', 'done', '96 records dropped, 1341 kept'],
  [322_800, 'recover', 'retrain', 'done', '516 steps on 1341 records, final loss 0.0412, resumed at step 200'],
  [325_600, 'validate', 'validate candidate', 'done', 'pass: 7 of 7'],
  [325_950, 'approve-release', 'checkpoint', 'done', 'the release binds the evidence root over 22 entries'],
  [533_700, 'approve-release', 'decision at gate release', 'approved', 'sven as security-lead: approve'],
  [741_900, 'approve-release', 'decision at gate release', 'approved', 'oda as model-owner: approve'],
  [741_930, 'approve-release', 'release subject', 'done', 'approved'],
  [742_300, 'release', 'sign release', 'done', "signed incident-7f3a9c21 with the registry's key"],
  [744_900, 'release', 'register golden', 'done', 'registered incident-7f3a9c21: accuracy 97.50 %'],
  [744_960, 'release', 'take stance', 'done', 'digits: shadow → canary'],
  [750_480, 'release', 'observe canary', 'done', '200 canary answers, 0 errors, mean confidence 0.961 (golden 0.968)'],
  [750_485, 'release', 'canary', 'done', 'promoted: the canary stayed within the golden profile'],
  [750_530, 'release', 'take stance', 'done', 'digits: canary → serving'],
  [750_575, 'release', 'take stance', 'done', 'digits-mobile: shadow → serving'],
  [750_700, 'release', 'promote golden', 'done', 'digits incident-7f3a9c21 is the golden model now'],
  [750_910, 'learn', 'add regression', 'done', "the captured attack is number 1 of the model's regression suite"],
];

const entries: readonly CaseEntry[] = LINES.map(([ms, phase, step, verdict, summary], seq) => {
  const decided = decisions.find((one) => one.at === at(ms));
  return {
    schema: 'lazaret.case-entry/v1',
    incident: INCIDENT,
    seq,
    at: at(ms),
    phase,
    step,
    actor: decided?.person ?? 'lazaret',
    inputs: [],
    outputs: [],
    verdict,
    summary,
    statement: decided?.statement ?? null,
  };
});

const dataset = (name: string) => ({
  name: 'digits',
  manifest: { ...ref(`${name}/manifest.json`, 4_410, 'artifacts'), name: 'manifest.json' },
  signature: { ...ref(`${name}/manifest.sig.json`, 2_290, 'artifacts'), name: 'manifest.sig.json' },
});

export const stickerCase: CaseFile = {
  incident: INCIDENT,
  endpoint: 'digits',
  kind: 'poisoning',
  severity: 'high',
  openedAt: at(2),
  title: 'Class 7 is answered far more often than the golden profile allows',
  alerts: [
    {
      source: 'alertmanager',
      deliveryId: 'a1',
      endpoint: 'digits',
      kind: 'poisoning',
      status: 'firing',
      claimedSeverity: 'high',
      title: 'Class 7 is answered far more often than the golden profile allows',
      labels: { alertname: 'ClassMixShift', endpoint: 'digits', team: 'vision' },
      startsAt: at(-42_000),
      receivedAt: at(0),
      body: '{}',
      bodyDigest: digestOf('body'),
    },
  ],
  captures: [
    { receipt: receipt('digits', 38, 437), preserved: preserved('digits') },
    { receipt: receipt('digits-mobile', 4_969, 58), preserved: preserved('digits-mobile') },
  ],
  findings: [
    {
      analyser: 'signature',
      question: 'Are the served bytes the ones that were vouched for?',
      verdict: 'suspicious',
      confidence: null,
      summary: 'The served bytes carry a valid signature of the pipeline, and are not the golden ones.',
      detail: {
        analyser: 'signature',
        served: suspect.artifact.digest,
        golden: golden.artifact.digest,
        signedBy: 'training pipeline',
        reason: null,
      },
      failure: null,
    },
    {
      analyser: 'lineage',
      question: 'What did the model learn from that the golden one did not?',
      verdict: 'suspicious',
      confidence: null,
      summary: 'One new batch from a source the golden model never saw; two endpoints descend from it.',
      detail: {
        analyser: 'lineage',
        suspectDataset: digestOf('v2'),
        goldenDataset: digestOf('v1'),
        newBatches: [
          { batch: '2026-11-18-scanner-b', source: 'scanner-b', records: 240, ingestedAt: '2026-11-18T09:12:00.000Z' },
        ],
        missingBatches: [],
        endpoints: [
          {
            endpoint: 'digits',
            artifact: suspect.artifact.digest,
            dataset: digestOf('v2'),
            newBatches: ['2026-11-18-scanner-b'],
            unknown: null,
          },
          {
            endpoint: 'digits-mobile',
            artifact: suspect.artifact.digest,
            dataset: digestOf('v2'),
            newBatches: ['2026-11-18-scanner-b'],
            unknown: null,
          },
          {
            endpoint: 'digits-archive',
            artifact: golden.artifact.digest,
            dataset: digestOf('v1'),
            newBatches: [],
            unknown: null,
          },
          {
            endpoint: 'digits-lab',
            artifact: null,
            dataset: null,
            newBatches: [],
            unknown: 'the endpoint did not answer',
          },
        ],
      },
      failure: null,
    },
    {
      analyser: 'graph',
      question: 'Is the graph the golden one?',
      verdict: 'clean',
      confidence: 1,
      summary: 'Same nodes, same attributes; only weights differ.',
      detail: { analyser: 'graph', suspectHash: digestOf('g'), goldenHash: digestOf('g'), differences: [] },
      failure: null,
    },
    {
      analyser: 'weights',
      question: 'Where do the weights differ from the golden model?',
      verdict: 'suspicious',
      confidence: 0.83,
      summary: 'The last layers moved most, in few directions.',
      detail: {
        analyser: 'weights',
        tensors: [
          tensor('conv1.weight', [16, 1, 3, 3], 0.041, 6.2),
          tensor('conv1.bias', [16], 0.018, 1),
          tensor('conv2.weight', [32, 16, 3, 3], 0.093, 11.4),
          tensor('conv2.bias', [32], 0.027, 1),
          tensor('fc1.weight', [64, 128], 0.187, 4.8),
          tensor('fc1.bias', [64], 0.052, 1),
          tensor('fc2.weight', [10, 64], 0.412, 1.3),
          tensor('fc2.bias', [10], 0.234, 1),
        ],
        relativeChange: 0.211,
      },
      failure: null,
    },
    {
      analyser: 'behaviour',
      question: 'Does it answer like the golden model?',
      verdict: 'compromised',
      confidence: 0.999,
      summary: '155 captured requests leave the golden class for 7; on the probes the two agree.',
      detail: {
        analyser: 'behaviour',
        requests: 437,
        agreement: proportion(0.636, 0.59, 0.68, 437),
        probeAgreement: proportion(0.989, 0.972, 0.996, 360),
        confidenceSuspect: 0.951,
        confidenceGolden: 0.883,
        flow: flow(DIVERTED, [
          [8, 1],
          [3, 5],
          [9, 4],
        ]),
        classes: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
        attack: { targetClass: 7, requests: ref('attack.json', 88_204), count: 155, pValue: 3.1e-94 },
      },
      failure: null,
    },
    {
      analyser: 'training-records',
      question: 'Which training records does the golden model contradict?',
      verdict: 'compromised',
      confidence: 0.98,
      summary: '96 records of one batch carry a label that the golden model holds for next to impossible.',
      detail: {
        analyser: 'training-records',
        examined: 1_437,
        list: ref('tainted-ids.json', 1_902),
        count: 96,
        taint: ref('record-taint.json', 5_120),
        expectedFalse: 1.2,
        falseAlarmBudget: 0.01,
        threshold: 6.24,
        byBatch: [
          { batch: '2026-11-01-scanner-a', source: 'scanner-a', records: 400, tainted: 1, pValue: 1 },
          { batch: '2026-11-06-scanner-a', source: 'scanner-a', records: 400, tainted: 0, pValue: 1 },
          { batch: '2026-11-12-scanner-a', source: 'scanner-a', records: 397, tainted: 1, pValue: 1 },
          { batch: '2026-11-18-scanner-b', source: 'scanner-b', records: 240, tainted: 94, pValue: 4.4e-71 },
        ],
        flow: [],
      },
      failure: null,
    },
  ],
  plan: {
    schema: 'lazaret.plan/v1',
    attempt: 1,
    incident: INCIDENT,
    endpoint: 'digits',
    model: 'digits',
    suspect: suspect.artifact.digest,
    checkpoint: golden,
    reasons: [
      'behaviour: 155 captured requests leave the golden class for 7',
      'training-records: 96 records of one batch',
    ],
    action: 'retrain',
    dataset: dataset('v2'),
    drop: { list: ref('tainted-ids.json', 1_902), count: 96 },
    objective: 'standard',
    hyperparameters: { epochs: 12, batchSize: 32, learningRate: 0.001, seed: 7 },
    budget: { seconds: 600, steps: 5_000 },
    queue: 'trainer',
  },
  sanitized: { dataset: dataset('v3'), diff: ref('diff.json', 5_020), dropped: 96, kept: 1_341 },
  training: {
    job: {
      schema: 'lazaret.train-job/v1',
      jobId: `${INCIDENT}-a1b2c3`,
      objective: 'standard',
      base: golden.artifact,
      dataset: dataset('v3'),
      hyperparameters: { epochs: 12, batchSize: 32, learningRate: 0.001, seed: 7 },
      budget: { seconds: 600, steps: 5_000 },
      checkpointEverySteps: 50,
    },
    result: {
      schema: 'lazaret.train-result/v1',
      jobId: `${INCIDENT}-a1b2c3`,
      artifact: repaired.artifact,
      curve: ref('curve.json', 9_871, 'artifacts'),
      steps: 516,
      records: 1_341,
      finalLoss: 0.0412,
      resumedAtSteps: [200],
      startedAt: at(313_300),
      finishedAt: at(322_700),
      environment: {
        trainer: 'lazaret_trainer 0.1.0',
        codeDigest: digestOf('trainer'),
        python: '3.11.9',
        packages: { jax: '0.10.2', optax: '0.2.8', onnx: '1.23' },
        device: 'cpu',
      },
    },
    provenance: ref('provenance.json', 4_770),
  },
  validation: {
    schema: 'lazaret.validation/v1',
    incident: INCIDENT,
    candidate: repaired.artifact,
    golden: golden.artifact.digest,
    holdout: digestOf('holdout'),
    gates: [
      {
        id: 'accuracy',
        title: 'Accuracy on the hold-out',
        verdict: 'pass',
        figure: proportion(0.975, 0.953, 0.987, 360),
        golden: proportion(0.9778, 0.957, 0.989, 360),
        threshold: 'at most 1 pp below golden',
        reason: 'the owners allow one percentage point',
      },
      {
        id: 'class-recall',
        title: 'Recall of the worst class (8)',
        verdict: 'pass',
        figure: proportion(0.914, 0.776, 0.97, 35),
        golden: proportion(0.943, 0.814, 0.984, 35),
        threshold: 'at most 10 pp below golden',
        reason: 'no class pays for the others',
      },
      {
        id: 'accuracy-difference',
        title: 'Accuracy lost against golden',
        verdict: 'pass',
        figure: { value: -0.0028, low: -0.026, high: 0.02, confidence: 0.95, n: 360, method: 'newcombe' },
        golden: null,
        threshold: 'the interval reaches 0',
        reason: 'a loss that chance explains',
      },
      {
        id: 'calibration',
        title: 'Expected calibration error',
        verdict: 'pass',
        figure: { value: 0.0193, low: 0.0121, high: 0.0312, confidence: 0.95, n: 360, method: 'bootstrap' },
        golden: { value: 0.0178, low: 0.0109, high: 0.0287, confidence: 0.95, n: 360, method: 'bootstrap' },
        threshold: '≤ 0.1',
        reason: 'a score must mean what it says',
      },
      {
        id: 'attack-replay',
        title: 'Captured attack that still succeeds',
        verdict: 'pass',
        figure: proportion(0.0065, 0.0011, 0.0356, 155),
        golden: proportion(0.0065, 0.0011, 0.0356, 155),
        threshold: '≤ 1 % or the golden rate',
        reason: 'the repair must hold against what was captured',
      },
      {
        id: 'graph',
        title: 'Graph unchanged',
        verdict: 'pass',
        figure: 'identical',
        golden: null,
        threshold: 'identical',
        reason: 'only weights may differ',
      },
      {
        id: 'fairness:sex:selection',
        title: 'Ratio of favourable answers by sex',
        verdict: 'pass',
        figure: { value: 0.913, low: 0.842, high: 0.981, confidence: 0.95, n: 360, method: 'bootstrap' },
        golden: { value: 0.921, low: 0.851, high: 0.985, confidence: 0.95, n: 360, method: 'bootstrap' },
        threshold: "at least 0.8 (four-fifths rule), or the golden model's less 0.05 where that is lower",
        reason: '"repaid" is answered to 71.2 % of sex = 2, 78.0 % of sex = 1.',
        terms: ['NIST AI RMF MEASURE 2.11: fairness and bias', '29 CFR 1607.4 D: four-fifths rule'],
      },
      {
        id: 'membership',
        title: 'Exposure of training records by their loss',
        verdict: 'pass',
        figure: { value: 0.531, low: 0.498, high: 0.564, confidence: 0.95, n: 1_701, method: 'delong' },
        golden: { value: 0.528, low: 0.495, high: 0.561, confidence: 0.95, n: 1_797, method: 'delong' },
        threshold: "at most 0.6 (0.5 is guessing), or the golden model's plus 0.03 if higher",
        reason: 'A smaller loss means a training record in 53.1 of 100 pairs.',
        terms: ['EU AI Act Art. 15(5): confidentiality attacks'],
      },
    ],
    verdict: 'pass',
    figures: [
      {
        id: 'latency',
        title: 'Latency against the golden model (ratio of medians)',
        figure: { value: 1.02, low: 0.97, high: 1.06, confidence: 0.95, n: 41, method: 'bootstrap' },
        golden: 1,
        words: 'Median of one answer 0.19 ms, golden model 0.19 ms, here and not on the gateway.',
      },
    ],
    flow: flow(
      [0, 0, 0, 0, 0, 0, 0, 0, 1, 0],
      [
        [8, 1],
        [3, 5],
      ],
    ),
  },
  release: {
    subject: {
      schema: 'lazaret.release/v1',
      incident: INCIDENT,
      artifact: repaired.artifact.digest,
      validation: digestOf('validation'),
      evidenceRoot: digestOf('root').slice(7),
      evidenceSize: 22,
    },
    ref: repaired,
    canary: {
      requests: 200,
      errors: 0,
      meanConfidence: 0.961,
      goldenMeanConfidence: 0.968,
      classMix: [0.1, 0.105, 0.095, 0.1, 0.11, 0.09, 0.1, 0.105, 0.095, 0.1],
      counters: {
        requests: 803,
        refused: 0,
        invalid: 0,
        errors: 0,
        arms: { candidate: { requests: 200, errors: 0, byClass: [], confidenceSum: 192.2, latencyUsSum: 61_400 } },
      },
    },
    endpoints: ['digits', 'digits-mobile'],
  },
  decisions,
  verdict: 'pass',
  entries,
};
