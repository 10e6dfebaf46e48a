import { ApplicationFailure } from '@temporalio/common';
import type {
  EndpointBrief,
  OnTheWire,
  ResponseActivities,
  TrainerActivities,
} from '../../domain/contracts/activities.ts';
import type { Alert } from '../../domain/contracts/alert.ts';
import type { ApprovalStatement, TrustRoot } from '../../domain/contracts/approval.ts';
import type { CaseEntry } from '../../domain/contracts/case-log.ts';
import type { Finding } from '../../domain/contracts/finding.ts';
import type { EndpointStatus, ForensicReceipt } from '../../domain/contracts/gateway.ts';
import type { ObjectRef } from '../../domain/contracts/object-ref.ts';
import type { ModelRef, Stance } from '../../domain/contracts/stance.ts';
import { onTheWire } from '../../activities/boundary.ts';
import { canonicalJson } from '../../domain/proofs/canonical-json.ts';
import { digestOf } from '../../domain/proofs/digest.ts';
import { merkleRootHex } from '../../domain/proofs/merkle.ts';
import { generateKey } from '../../evidence/keys/key-material.ts';
import { createSigner, publicKeyOf, signCompactJws } from '../../evidence/keys/signer.ts';
import { verificationKeyOf } from '../../evidence/keys/trusted-keys.ts';
import type { Signer } from '../../evidence/ports.ts';

/** A world in memory for the workflow: every port answers, remembers what it was asked, and can be told to fail. */
export interface FakeWorld {
  readonly activities: OnTheWire<ResponseActivities> & TrainerActivities;
  readonly trust: TrustRoot;
  readonly people: Readonly<Record<string, Signer>>;
  readonly calls: { name: string; input: unknown }[];
  readonly log: CaseEntry[];
  readonly stances: Map<string, Stance>;
  readonly notices: string[];
  /** Makes the next `times` calls of a port fail with a code of the catalogue. */
  fail(name: string, code: string, times?: number): void;
  /** Holds every further call of a port until the returned function is called. */
  hold(name: string): () => void;
  /** Answers of the analysers, by name; replace to change what is found. */
  findings: Record<string, Partial<Finding>>;
  verdict: 'pass' | 'fail';
  canary: { requests: number; errors: number; meanConfidence: number };
  action: EndpointBrief['containment']['critical'];
  /** What serves the endpoint, where it is no gateway. */
  uncounted: string | null;
}

export function objectNamed(name: string, store: ObjectRef['store'] = 'evidence'): ObjectRef {
  return { store, digest: digestOf(name), bytes: name.length, mediaType: 'application/octet-stream', name };
}

export function modelNamed(version: string): ModelRef {
  return {
    version,
    artifact: objectNamed(`${version}.onnx`, 'artifacts'),
    signature: objectNamed(`${version}.sig`, 'artifacts'),
  };
}

const NOW = '2026-01-01T00:00:00.000Z';

export function alertOn(endpoint: string, about: Partial<Alert> = {}): Alert {
  return {
    source: 'generic',
    deliveryId: 'delivery-1',
    endpoint,
    kind: 'poisoning',
    status: 'firing',
    claimedSeverity: 'critical',
    title: 'answers shifted',
    labels: {},
    startsAt: NOW,
    receivedAt: NOW,
    body: '{}',
    bodyDigest: digestOf('{}'),
    ...about,
  };
}

export function createFakeWorld(): FakeWorld {
  const names = {
    ada: ['ml-engineer', 'on-call'],
    sol: ['security-lead'],
    mo: ['model-owner'],
    eve: ['visitor'],
  } as const;
  const people = Object.fromEntries(
    Object.keys(names).map((name) => [name, createSigner({ name, privatePem: generateKey('EdDSA').privatePem })]),
  );
  const trust: TrustRoot = {
    people: Object.entries(names).map(([id, roles]) => ({
      id,
      name: id,
      roles,
      keys: [verificationKeyOf(publicKeyOf(people[id]!))],
    })),
    vouchers: [],
    gates: {
      plan: [['ml-engineer', 'security-lead']],
      release: [['security-lead'], ['model-owner']],
      command: ['on-call', 'security-lead'],
    },
  };
  const holds = new Map<string, Promise<void>>();
  const failures = new Map<string, { code: string; times: number }>();
  const dataset = {
    name: 'digits',
    manifest: objectNamed('manifest-2', 'artifacts'),
    signature: objectNamed('manifest-2.sig', 'artifacts'),
  };
  const clean = {
    name: 'digits',
    manifest: objectNamed('manifest-3', 'artifacts'),
    signature: objectNamed('manifest-3.sig', 'artifacts'),
  };
  const golden = modelNamed('golden-1');
  const suspect = modelNamed('nightly-1');
  const repaired = modelNamed('repaired-1');
  const stances = new Map<string, Stance>();
  const calls: FakeWorld['calls'] = [];
  const log: CaseEntry[] = [];
  const notices: string[] = [];

  const receiptOf = (endpoint: string, orderId: string, after: Stance): ForensicReceipt => {
    const stance = stances.get(endpoint) ?? { kind: 'serving', model: suspect, standby: golden };
    stances.set(endpoint, after);
    const before: EndpointStatus = {
      endpoint,
      replica: 'replica-1',
      stance,
      revision: 1,
      orderId: 'deploy',
      incident: null,
      since: NOW,
      loaded: [
        {
          role: 'live',
          version: suspect.version,
          digest: suspect.artifact.digest,
          signatureDigest: suspect.signature.digest,
          bytes: 10,
          signature: { status: 'verified', keyId: 'pipeline', keyName: 'pipeline' },
        },
      ],
      counters: { requests: 3, refused: 0, invalid: 0, errors: 0, arms: {} },
    };
    return {
      captureId: `capture-${orderId}`,
      orderId,
      endpoint,
      replica: 'replica-1',
      capturedAt: NOW,
      before,
      after: { stance: after, revision: 2 },
      window: { requests: 3, bytes: 10, digest: digestOf('window'), from: NOW, to: NOW },
    };
  };

  const finding = (analyser: Finding['analyser']): Finding => ({
    analyser,
    question: `${analyser}?`,
    verdict: 'clean',
    confidence: null,
    summary: 'nothing',
    detail: null,
    failure: null,
    ...world.findings[analyser],
  });

  const ports: ResponseActivities & TrainerActivities = {
    brief: async ({ endpoint }) => ({
      endpoint,
      model: 'digits',
      sensitivity: 'safety',
      containment: { critical: world.action, high: world.action, medium: 'shadow', low: 'none' },
      canary: { share: 0.5, requests: 20, maxErrorRate: 0.01, maxConfidenceDrop: 0.1, timeoutSeconds: 60 },
      trust,
      ...(world.uncounted === null ? {} : { uncounted: world.uncounted }),
    }),
    captureAndSwap: async ({ endpoint, incident, action, reason }) => ({
      order: `order of ${endpoint}`,
      receipt: receiptOf(
        endpoint,
        `${incident}/contain/${endpoint}`,
        action === 'shadow' ? { kind: 'shadow', model: golden, observed: null } : { kind: 'isolated', reason },
      ),
    }),
    publishContainment: async () => ({ revision: 2 }),
    publishStance: async () => ({ revision: 2 }),
    takeStance: async ({ endpoint, orderId, stance }) => ({
      order: `order of ${endpoint}`,
      receipt: receiptOf(endpoint, orderId, stance),
    }),
    preserveCapture: async ({ receipt }) => ({
      endpoint: receipt.endpoint,
      receipt: objectNamed(`receipt-${receipt.endpoint}`),
      window: objectNamed(`window-${receipt.endpoint}`),
      model: objectNamed('served.onnx'),
      signature: objectNamed('served.sig'),
      modelDigest: suspect.artifact.digest,
      lineage: [],
    }),
    preserveContext: async () => ({ objects: [objectNamed('alerts.json')] }),
    analyse: async ({ analyser }) => ({ finding: finding(analyser), record: objectNamed(`finding-${analyser}`) }),
    draftPlan: async ({ subject, attempt }) => ({
      plan: {
        schema: 'lazaret.plan/v1',
        incident: subject.incident,
        attempt,
        endpoint: subject.endpoint,
        model: 'digits',
        suspect: suspect.artifact.digest,
        checkpoint: golden,
        reasons: ['because'],
        action: 'retrain',
        dataset,
        drop: { list: objectNamed('drop.json'), count: 5 },
        objective: 'standard',
        hyperparameters: { epochs: 1, batchSize: 8, learningRate: 0.001, seed: 1 },
        budget: { seconds: 60, steps: 100 },
        queue: 'response',
      },
      record: objectNamed('plan.json'),
    }),
    sanitizeDataset: async () => ({ dataset: clean, diff: objectNamed('diff.json'), dropped: 5, kept: 95 }),
    draftExamination: async ({ subject }) => ({
      queue: 'response',
      job: {
        schema: 'lazaret.examine-job/v1',
        jobId: `${subject.incident}-backdoor`,
        question: 'backdoor',
        suspect: suspect.artifact,
        golden: golden.artifact,
        probes: dataset,
        seed: 0,
        seconds: 60,
      },
    }),
    examine: async ({ jobId }) => ({
      schema: 'lazaret.examine-result/v1',
      jobId,
      verdict: 'clean',
      summary: 'nothing was found',
      methods: ['fake'],
      target: null,
      success: null,
      flip: null,
      pValue: 0.5,
      falseAlarmBudget: 0.05,
      trigger: null,
      report: objectNamed('examination.json', 'artifacts'),
      startedAt: NOW,
      finishedAt: NOW,
    }),
    draftExplanation: async ({ subject }) => ({
      queue: 'response',
      waitSeconds: 20,
      job: {
        schema: 'lazaret.explain-job/v1',
        jobId: `${subject.incident}-activations`,
        suspect: suspect.artifact,
        golden: golden.artifact,
        probes: dataset,
        records: null,
        requests: { object: objectNamed('explained-requests.f32'), count: 3 },
        seed: 0,
        seconds: 60,
      },
    }),
    explain: async ({ jobId }) => ({
      schema: 'lazaret.explain-result/v1',
      jobId,
      requests: 3,
      suspects: 0,
      layers: [],
      dormant: null,
      patterns: null,
      saliency: null,
      influence: null,
      report: objectNamed('explanation.json', 'artifacts'),
      startedAt: NOW,
      finishedAt: NOW,
    }),
    train: async (job) => ({
      schema: 'lazaret.train-result/v1',
      jobId: job.jobId,
      artifact: repaired.artifact,
      curve: objectNamed('curve.json', 'artifacts'),
      steps: 12,
      records: 95,
      finalLoss: 0.1,
      resumedAtSteps: [],
      startedAt: NOW,
      finishedAt: NOW,
      environment: { trainer: 'fake', codeDigest: digestOf('code'), python: '3', packages: {}, device: 'cpu' },
    }),
    recordProvenance: async () => ({ provenance: objectNamed('provenance.json') }),
    draftTrials: async ({ incident, candidate }) => ({
      queue: 'response',
      waitSeconds: 20,
      reason: '',
      attack: {
        schema: 'lazaret.robustness-job/v1',
        jobId: `${incident}-attack`,
        candidate,
        golden: golden.artifact,
        dataset,
        space: objectNamed('attack-space.json', 'artifacts'),
        epsilon: 0.1,
        steps: 20,
        restarts: 4,
        seed: 0,
        seconds: 60,
      },
      examine: {
        schema: 'lazaret.examine-job/v1',
        jobId: `${incident}-scan`,
        question: 'backdoor',
        suspect: candidate,
        golden: golden.artifact,
        probes: dataset,
        seed: 0,
        seconds: 120,
      },
    }),
    attack: async (job) => ({
      schema: 'lazaret.robustness-result/v1',
      jobId: job.jobId,
      attacks: [{ norm: 'linf', radius: 0.1, candidate: '1', golden: '1', crossEntropy: '1', margin: '1' }],
      steps: job.steps,
      restarts: job.restarts,
      startedAt: NOW,
      finishedAt: NOW,
    }),
    concludeTrials: async ({ report }) => ({ report, record: objectNamed('validation.json') }),
    validateCandidate: async ({ incident, candidate }) => ({
      report: {
        schema: 'lazaret.validation/v1',
        incident,
        candidate,
        golden: golden.artifact.digest,
        holdout: digestOf('holdout'),
        gates: [
          {
            id: 'accuracy',
            title: 'Accuracy',
            verdict: world.verdict,
            figure: 1,
            golden: 1,
            threshold: 'any',
            reason: 'because',
          },
        ],
        verdict: world.verdict,
        flow: [],
      },
      record: objectNamed('validation.json'),
    }),
    signRelease: async () => ({ ref: repaired }),
    registerGolden: async ({ model, version, artifact }) => ({
      model,
      version,
      ref: { ...repaired, version, artifact },
      record: objectNamed('golden.jws'),
      evaluation: {
        dataset: digestOf('holdout'),
        accuracy: { value: 0.98, low: 0.96, high: 0.99, confidence: 0.95, n: 300, method: 'wilson' },
        perClass: [],
        ece: 0.01,
        meanConfidence: 0.97,
      },
    }),
    promoteGolden: async () => {},
    observeCanary: async () => ({
      ...world.canary,
      goldenMeanConfidence: 0.97,
      classMix: [],
      counters: { requests: 40, refused: 0, invalid: 0, errors: 0, arms: {} },
    }),
    forgetCaptures: async ({ receipts }) => ({ forgotten: receipts.length }),
    writeReport: async () => ({ markdown: objectNamed('report.md'), html: objectNamed('report.html') }),
    addRegression: async () => ({ regressions: 1 }),
    appendLog: async ({ entries }) => {
      for (const entry of entries) {
        const kept = log[entry.seq];
        if (kept && canonicalJson(kept) !== canonicalJson(entry))
          throw ApplicationFailure.nonRetryable('another entry is there', 'evidence/diverged');
        log[entry.seq] = entry;
      }
    },
    signCheckpoint: async ({ head }) => {
      const root = merkleRootHex(log.slice(0, head.size).map((entry) => canonicalJson(entry)));
      if (root !== head.root) throw ApplicationFailure.nonRetryable('the roots differ', 'evidence/diverged');
      return { checkpoint: objectNamed(`checkpoint-${head.size}`) };
    },
    notify: async ({ subject }) => {
      notices.push(subject);
    },
  };

  const guarded = Object.fromEntries(
    Object.entries(ports as unknown as Record<string, (input: never) => Promise<unknown>>).map(([name, port]) => [
      name,
      async (input: never) => {
        calls.push({ name, input });
        const failure = failures.get(name);
        if (failure && failure.times > 0) {
          failure.times -= 1;
          throw ApplicationFailure.create({
            message: `${name} was told to fail`,
            type: failure.code,
            nonRetryable: true,
          });
        }
        await holds.get(name);
        return await port(input);
      },
    ]),
  ) as unknown as ResponseActivities & TrainerActivities;
  const { train, examine, explain, attack, ...response } = guarded;

  const world: FakeWorld = {
    activities: { ...onTheWire<ResponseActivities>(response, () => new Date()), train, examine, explain, attack },
    trust,
    people,
    calls,
    log,
    stances,
    notices,
    fail: (name, code, times = 1) => void failures.set(name, { code, times }),
    hold: (name) => {
      let release = (): void => {};
      holds.set(name, new Promise((resolve) => (release = resolve)));
      return release;
    },
    findings: {},
    verdict: 'pass',
    uncounted: null,
    canary: { requests: 40, errors: 0, meanConfidence: 0.96 },
    action: 'shadow',
  };
  return world;
}

let nonces = 0;

/** A signed decision of one of the fake people. */
export function say(
  world: FakeWorld,
  person: string,
  role: string,
  about: Partial<ApprovalStatement> & { incident: string; gate: ApprovalStatement['gate']; digest: string },
): string {
  nonces += 1;
  const statement: ApprovalStatement = {
    decision: 'approve',
    reason: 'seen and agreed',
    person,
    role,
    vouchedBy: null,
    issuedAt: new Date().toISOString(),
    nonce: `nonce-of-the-tests-${String(nonces).padStart(6, '0')}`,
    ...about,
  };
  const signer = world.people[person];
  if (!signer) throw new Error(`nobody is called ${person}`);
  return signCompactJws(statement, 'lazaret-approval+jws', signer);
}
