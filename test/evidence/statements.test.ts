import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { ObjectRef } from '../../domain/contracts/object-ref.ts';
import type { TrainJob, TrainResult } from '../../domain/contracts/trainer.ts';
import { digestOf } from '../../domain/proofs/digest.ts';
import { generateKey } from '../../evidence/keys/key-material.ts';
import { createSigner, trustedKeyOf } from '../../evidence/keys/signer.ts';
import type { Signer, TrustedKey } from '../../evidence/ports.ts';
import { preAuthenticationEncoding, sealEnvelope } from '../../evidence/statements/dsse.ts';
import { PROVENANCE_TYPE, readTrainingProvenance, trainingProvenance } from '../../evidence/statements/provenance.ts';
import {
  signStatement,
  StatementRefused,
  verifyStatement,
  type Statement,
} from '../../evidence/statements/statement.ts';

const object = (name: string): ObjectRef => ({
  store: 'artifacts',
  digest: digestOf(name),
  bytes: name.length,
  mediaType: 'application/octet-stream',
  name,
});
const job: TrainJob = {
  schema: 'lazaret.train-job/v1',
  jobId: 'inc-1.recover',
  objective: 'standard',
  base: object('golden.onnx'),
  dataset: { name: 'digits', manifest: object('manifest.json'), signature: object('manifest.sig') },
  hyperparameters: { epochs: 3, batchSize: 32, learningRate: 0.01, seed: 7 },
  budget: { seconds: 60, steps: 1000 },
  checkpointEverySteps: 50,
};
const result: TrainResult = {
  schema: 'lazaret.train-result/v1',
  jobId: job.jobId,
  artifact: object('repaired.onnx'),
  curve: object('curve.json'),
  steps: 120,
  records: 1400,
  finalLoss: 0.03,
  resumedAtSteps: [50],
  startedAt: '2026-03-01T12:00:00Z',
  finishedAt: '2026-03-01T12:01:00Z',
  environment: {
    trainer: 'lazaret_trainer 0.1.0',
    codeDigest: digestOf('code'),
    python: '3.11',
    packages: { jax: '0.10.2' },
    device: 'cpu',
  },
};
const statement = trainingProvenance({ job, result, builder: 'lazaret/eu west' });

const signers = (['EdDSA', 'ES256'] as const).map((alg) =>
  createSigner({ name: `registry ${alg}`, privatePem: generateKey(alg).privatePem }),
);
const keys = signers.map((signer) => trustedKeyOf(signer, ['provenance']));
const [ed] = signers as [Signer, Signer];
const utf8 = (text: string) => new TextEncoder().encode(text);

function refusal(envelope: Uint8Array, trusted: readonly TrustedKey[] = keys): string {
  try {
    verifyStatement(envelope, trusted, 'provenance');
  } catch (error) {
    return error instanceof StatementRefused ? error.reason : String(error);
  }
  return 'accepted';
}

describe('the provenance of a training run', () => {
  it('names the artifact, what the caller chose and everything that went in, by digest', () => {
    expect(statement).toMatchObject({
      _type: 'https://in-toto.io/Statement/v1',
      predicateType: PROVENANCE_TYPE,
      subject: [{ name: 'repaired.onnx', digest: { sha256: result.artifact.digest.slice(7) } }],
      predicate: {
        buildDefinition: {
          externalParameters: { objective: 'standard', hyperparameters: job.hyperparameters, budget: job.budget },
          resolvedDependencies: [
            { name: 'dataset-manifest', digest: { sha256: job.dataset.manifest.digest.slice(7) } },
            { name: 'base-checkpoint', digest: { sha256: job.base.digest.slice(7) } },
            { name: 'trainer-code', digest: { sha256: digestOf('code').slice(7) } },
          ],
        },
        runDetails: { metadata: { invocationId: job.jobId } },
      },
    });
  });

  it('comes back through an envelope as lineage reads it', () => {
    const run = readTrainingProvenance(verifyStatement(signStatement(statement, ed), keys, 'provenance'));
    expect(run).toEqual({
      artifact: result.artifact.digest,
      dataset: job.dataset,
      base: job.base.digest,
      trainerCode: digestOf('code'),
      jobId: job.jobId,
      builder: 'lazaret/eu west',
      objective: 'standard',
      members: null,
      hyperparameters: job.hyperparameters,
      startedAt: result.startedAt,
      finishedAt: result.finishedAt,
    });
  });

  it("is not written for another job's result", () => {
    const options = { private: { epsilon: 8 } } as const;
    const told = trainingProvenance({ job: { ...job, objective: 'private', options }, result, builder: 'x' });
    expect(told.predicate).toMatchObject({
      buildDefinition: { externalParameters: { objective: 'private', options } },
    });
    expect(readTrainingProvenance(told).objective).toBe('private');
    expect(() => trainingProvenance({ job, result: { ...result, jobId: 'other' }, builder: 'x' })).toThrow(
      'not of this job',
    );
  });

  it('is not read from a statement that says two things, or something else', () => {
    const change = (edit: (copy: Statement) => void) => {
      const copy = structuredClone(statement);
      edit(copy);
      return () => readTrainingProvenance(copy);
    };
    expect(change((copy) => copy.subject.push(...copy.subject))).toThrow(TypeError);
    expect(change((copy) => (copy.predicateType = 'https://slsa.dev/provenance/v0.2'))).toThrow(TypeError);
    const dependencies = (copy: Statement) =>
      (copy.predicate['buildDefinition'] as { resolvedDependencies: { digest: { sha256: string } }[] })
        .resolvedDependencies;
    expect(change((copy) => dependencies(copy).push(...dependencies(copy).slice(0, 1)))).toThrow('dataset-manifest');
    expect(change((copy) => dependencies(copy).pop())).toThrow('trainer-code');
    expect(
      change((copy) => {
        const [dataset] = dependencies(copy);
        if (dataset) dataset.digest.sha256 = 'a'.repeat(64);
      }),
    ).toThrow('which data set version');
  });
});

describe('a signed statement', () => {
  it('encodes what is signed as the DSSE protocol says, lengths in bytes', () => {
    expect(Buffer.from(preAuthenticationEncoding(utf8('é'))).toString()).toBe(
      'DSSEv1 28 application/vnd.in-toto+json 2 é',
    );
  });

  it.each(signers)('verifies with $alg', (signer) => {
    expect(verifyStatement(signStatement(statement, signer), keys, 'provenance')).toEqual(statement);
  });

  it.each(signers)('of $alg is refused when any one bit is flipped', (signer) => {
    const envelope = signStatement(statement, signer);
    fc.assert(
      fc.property(fc.nat(envelope.length - 1), fc.nat(7), (at, bit) => {
        const changed = Uint8Array.from(envelope);
        changed[at] = (changed[at] ?? 0) ^ (1 << bit);
        expect(refusal(changed)).not.toBe('accepted');
      }),
      { numRuns: 500 },
    );
  });

  it('counts only by a trusted key, for its use', () => {
    const envelope = signStatement(statement, ed);
    expect(refusal(envelope, [])).toBe('unknown-key');
    expect(
      refusal(
        envelope,
        keys.map((key): TrustedKey => ({ ...key, uses: ['model'] })),
      ),
    ).toBe('wrong-use');
    const stranger = createSigner({ name: 'stranger', privatePem: generateKey('EdDSA').privatePem });
    expect(refusal(signStatement(statement, stranger))).toBe('unknown-key');
    const claimed = new TextDecoder().decode(signStatement(statement, stranger)).replace(stranger.kid, ed.kid);
    expect(refusal(utf8(claimed))).toBe('bad-signature');
  });

  it('is refused with a second signature, a payload of another type, or one that is no statement', () => {
    const envelope = JSON.parse(new TextDecoder().decode(signStatement(statement, ed))) as { signatures: unknown[] };
    const outer = (changes: object) => refusal(utf8(JSON.stringify({ ...envelope, ...changes })));
    expect(outer({})).toBe('accepted');
    expect(outer({ signatures: [...envelope.signatures, ...envelope.signatures] })).toBe('not-an-envelope');
    expect(outer({ signatures: [] })).toBe('not-an-envelope');
    expect(outer({ payloadType: 'text/plain' })).toBe('not-an-envelope');
    expect(outer({ extra: 1 })).toBe('not-an-envelope');
    const sealed = (text: string) =>
      utf8(JSON.stringify(sealEnvelope(utf8(text), ed.kid, (message) => ed.sign(message))));
    expect(refusal(sealed('{}'))).toBe('not-a-statement');
    expect(refusal(sealed('no JSON'))).toBe('not-a-statement');
    expect(refusal(sealed(JSON.stringify(statement).replace('{', '{"predicateType":"x",')))).toBe('not-a-statement');
  });
});
