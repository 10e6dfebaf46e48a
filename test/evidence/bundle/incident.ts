import type { ApprovalStatement, TrustRoot } from '../../../domain/contracts/approval.ts';
import type { CaseEntry } from '../../../domain/contracts/case-log.ts';
import type { ObjectRef } from '../../../domain/contracts/object-ref.ts';
import type { ReleaseSubject, ValidationReport } from '../../../domain/contracts/plan.ts';
import type { TrainJob, TrainResult } from '../../../domain/contracts/trainer.ts';
import type { TrustFile } from '../../../domain/contracts/trust.ts';
import { APPROVAL_TYPE } from '../../../domain/proofs/approval.ts';
import { canonicalJson, digestOfJson } from '../../../domain/proofs/canonical-json.ts';
import { digestOf, hexOf } from '../../../domain/proofs/digest.ts';
import { merkleRootHex } from '../../../domain/proofs/merkle.ts';
import { appendEntries } from '../../../evidence/case-log/append.ts';
import { signCheckpoint } from '../../../evidence/case-log/checkpoint.ts';
import { exportBundle, type ExportSubject } from '../../../evidence/bundle/export.ts';
import { generateKey } from '../../../evidence/keys/key-material.ts';
import { createSigner, publicKeyOf, signCompactJws, trustedKeyOf } from '../../../evidence/keys/signer.ts';
import { trustFileOf, verificationKeyOf } from '../../../evidence/keys/trusted-keys.ts';
import { signModel } from '../../../evidence/model-signing/sign.ts';
import { DOCUMENTS, type Signer, type Store } from '../../../evidence/ports.ts';
import { trainingProvenance } from '../../../evidence/statements/provenance.ts';
import { signStatement } from '../../../evidence/statements/statement.ts';
import { createMemoryStore, type MemoryStore } from '../memory-store.ts';

/** A small incident from alert to release, made with the real rooms, with a place for an attacker or a careless station at every step. */
export const INCIDENT = 'camera-0a1b2c3d';
const START = Date.parse('2026-02-01T10:00:00Z');
const signerOf = (name: string, alg: 'EdDSA' | 'ES256') =>
  createSigner({ name, privatePem: generateKey(alg).privatePem });

export const caseLog = signerOf('case-log', 'EdDSA');
export const registry = signerOf('registry', 'ES256');
export const people = { ada: signerOf('ada', 'EdDSA'), bo: signerOf('bo', 'ES256') };
export const mallory = signerOf('mallory', 'EdDSA');

export const machines: TrustFile = trustFileOf([
  trustedKeyOf(caseLog, ['case-log', 'bundle']),
  trustedKeyOf(registry, ['model', 'dataset', 'provenance', 'golden']),
]);
export const trustRoot: TrustRoot = {
  people: [
    { id: 'ada', name: 'Ada', roles: ['security-lead', 'on-call'], keys: [verificationKeyOf(publicKeyOf(people.ada))] },
    { id: 'bo', name: 'Bo', roles: ['model-owner'], keys: [verificationKeyOf(publicKeyOf(people.bo))] },
  ],
  vouchers: [],
  gates: { plan: [['security-lead']], release: [['security-lead'], ['model-owner']], command: ['on-call'] },
};

/** What a test may do otherwise than a good station would. */
export interface Twist {
  /** Another store than the one in memory. */
  readonly store?: Store;
  readonly entries?: (entries: CaseEntry[]) => CaseEntry[];
  readonly subject?: Partial<ReleaseSubject>;
  readonly report?: Partial<ValidationReport>;
  readonly approve?: readonly {
    readonly person: string;
    readonly role: string;
    readonly by: Signer;
    readonly change?: Partial<ApprovalStatement>;
  }[];
  /** What the station puts into keys.json. */
  readonly people?: TrustRoot;
  readonly modelSigner?: Signer;
  readonly signedBytes?: Uint8Array;
  readonly provenance?: 'none' | 'other-artifact' | 'other-dataset';
  readonly tamper?: (store: MemoryStore) => void;
  readonly exported?: Partial<ExportSubject>;
}

export async function bundleOf(twist: Twist = {}): Promise<Uint8Array> {
  const memory = createMemoryStore();
  const store: Store = twist.store ?? memory;
  const json = (value: unknown, name: string) =>
    store.put('evidence', new TextEncoder().encode(canonicalJson(value)), { mediaType: 'application/json', name });
  const log: CaseEntry[] = [];
  const note = (fields: Partial<CaseEntry>, in_: readonly ObjectRef[] = [], out: readonly ObjectRef[] = []) => {
    log.push({
      schema: 'lazaret.case-entry/v1',
      incident: INCIDENT,
      seq: log.length,
      at: new Date(START + log.length * 1000).toISOString(),
      phase: 'incident',
      step: 'step',
      actor: 'lazaret',
      inputs: in_.map((ref) => ref.digest),
      outputs: out.map((ref) => ref.digest),
      verdict: 'done',
      summary: 'done',
      statement: null,
      ...fields,
    });
  };

  note({ step: 'alert', actor: 'alertmanager', verdict: 'noted' });
  const window = await store.put('evidence', new TextEncoder().encode('{"id":"1"}\n'), {
    mediaType: 'application/x-ndjson',
    name: 'window.ndjson',
  });
  const receipt = await json({ schema: 'receipt', window }, 'receipt.json');
  note({ phase: 'preserve', step: 'preserve capture' }, [], [receipt]);

  const shard = await store.put('artifacts', new TextEncoder().encode('PAR1'), {
    mediaType: 'application/vnd.apache.parquet',
    name: 'b1.parquet',
  });
  const manifest = await json({ schema: 'lazaret.dataset/v1', shards: [{ object: shard }] }, 'manifest.json');
  const dataset = { name: 'signs', manifest, signature: manifest };
  note({ phase: 'eradicate', step: 'sanitize dataset' }, [], [manifest]);

  const model = new TextEncoder().encode('the repaired model, byte by byte');
  const artifact = await store.put('artifacts', model, { mediaType: 'application/onnx', name: 'model.onnx' });
  note({ phase: 'recover', step: 'train' }, [manifest], [artifact]);
  const report = await json(
    {
      schema: 'lazaret.validation/v1',
      incident: INCIDENT,
      candidate: artifact,
      golden: digestOf('g'),
      holdout: digestOf('h'),
      gates: [],
      verdict: 'pass',
      flow: [],
      ...twist.report,
    },
    'validation.json',
  );
  note({ phase: 'validate', step: 'validate candidate' }, [artifact], [report]);

  const subject: ReleaseSubject = {
    schema: 'lazaret.release/v1',
    incident: INCIDENT,
    artifact: artifact.digest,
    validation: report.digest,
    evidenceRoot: merkleRootHex(log.map((entry) => canonicalJson(entry))),
    evidenceSize: log.length,
    ...twist.subject,
  };
  const approvals = twist.approve ?? [
    { person: 'ada', role: 'security-lead', by: people.ada },
    { person: 'bo', role: 'model-owner', by: people.bo },
  ];
  for (const [index, { person, role, by, change }] of approvals.entries()) {
    const statement: ApprovalStatement = {
      incident: INCIDENT,
      gate: 'release',
      digest: digestOfJson(subject),
      decision: 'approve',
      reason: '',
      person,
      role,
      vouchedBy: null,
      issuedAt: new Date(START + log.length * 1000).toISOString(),
      nonce: `nonce-0123456789-${index}`,
      ...change,
    };
    note({
      phase: 'approve-release',
      step: 'decision at gate release',
      actor: person,
      verdict: 'approved',
      statement: signCompactJws(statement, APPROVAL_TYPE, by),
    });
  }

  const signature = await store.put(
    'artifacts',
    signModel([{ name: 'model.onnx', bytes: twist.signedBytes ?? model }], twist.modelSigner ?? registry),
    { mediaType: 'application/json', name: 'model.onnx.sig' },
  );
  note({ phase: 'release', step: 'sign release' }, [artifact], [signature]);
  note({ phase: 'incident', step: 'close', summary: 'outcome: repaired' });

  if (twist.provenance !== 'none') {
    const job: TrainJob = {
      schema: 'lazaret.train-job/v1',
      jobId: INCIDENT,
      objective: 'standard',
      base: artifact,
      dataset:
        twist.provenance === 'other-dataset'
          ? { ...dataset, manifest: { ...manifest, digest: digestOf('another version') } }
          : dataset,
      hyperparameters: { epochs: 1, batchSize: 1, learningRate: 0.1, seed: 1 },
      budget: { seconds: 1, steps: 1 },
      checkpointEverySteps: 1,
    };
    const result: TrainResult = {
      schema: 'lazaret.train-result/v1',
      jobId: INCIDENT,
      artifact: twist.provenance === 'other-artifact' ? report : artifact,
      curve: report,
      steps: 1,
      records: 1,
      finalLoss: 0,
      resumedAtSteps: [],
      startedAt: '2026-02-01T10:00:00Z',
      finishedAt: '2026-02-01T10:00:01Z',
      environment: { trainer: 't', codeDigest: digestOf('code'), python: '3', packages: {}, device: 'cpu' },
    };
    const envelope = signStatement(trainingProvenance({ job, result, builder: 'lazaret' }), registry);
    await store.writeDocument(DOCUMENTS.provenance(hexOf(artifact.digest)), envelope, 'application/json', null);
  }

  const entries = twist.entries?.(log) ?? log;
  await appendEntries(store, entries);
  twist.tamper?.(memory);
  const head = { size: entries.length, root: merkleRootHex(entries.map((entry) => canonicalJson(entry))) };
  await signCheckpoint(store, caseLog, INCIDENT, head);
  const pieces = await exportBundle(
    store,
    caseLog,
    { machines, people: twist.people ?? trustRoot },
    {
      incident: INCIDENT,
      endpoint: 'camera',
      outcome: 'repaired',
      head,
      release: { subject, ref: { version: 'v2', artifact, signature }, provenance: null },
      createdAt: new Date('2026-02-02T00:00:00Z'),
      ...twist.exported,
    },
  );
  return await gather(pieces);
}

export async function gather(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const piece of pieces) parts.push(piece);
  return new Uint8Array(Buffer.concat(parts));
}
