import { describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { trainJobSchema, type TrainJob } from '../../domain/contracts/trainer.ts';
import { digestOf } from '../../domain/proofs/digest.ts';

const at = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

function compiled(name: string) {
  const ajv = new Ajv2020({ strict: false });
  addFormats.default(ajv);
  ajv.addSchema(JSON.parse(readFileSync(at('trainer/lazaret_trainer/contract/schema.json'), 'utf8')), 'contract');
  return ajv.compile({ $ref: `contract#/$defs/${name}` });
}

const object = (name: string) => ({
  store: 'artifacts' as const,
  digest: digestOf(name),
  bytes: name.length,
  mediaType: 'application/octet-stream',
  name,
});

const job: TrainJob = {
  schema: 'lazaret.train-job/v1',
  jobId: 'incident-1.recover',
  objective: 'standard',
  base: object('model.onnx'),
  dataset: { name: 'digits', manifest: object('manifest.json'), signature: object('model.sig') },
  hyperparameters: { epochs: 3, batchSize: 64, learningRate: 0.001, seed: 7 },
  budget: { seconds: 60, steps: 1000 },
  checkpointEverySteps: 100,
};

describe('the trainer contract for other languages', () => {
  it('is exported as it is written in domain/contracts', () => {
    expect(() =>
      execFileSync(process.execPath, [at('tools/export-trainer-schema.mjs'), '--check'], { stdio: 'pipe' }),
    ).not.toThrow();
  });

  it('takes the job that the station writes', () => {
    expect(trainJobSchema.parse(job)).toEqual(job);
    expect(compiled('TrainJob')(job)).toBe(true);
  });

  it('takes a job of another objective with its part of the options', () => {
    const other = { ...job, objective: 'private', options: { private: { epsilon: 8 } } };
    expect(trainJobSchema.parse(other)).toEqual(other);
    expect(compiled('TrainJob')(other)).toBe(true);
  });

  it.each([
    ['options of another objective', { ...job, options: { private: { epsilon: 8 } } }],
    ['an objective without its options', { ...job, objective: 'private' }],
    [
      'two objectives at once',
      { ...job, objective: 'fair', options: { private: { epsilon: 8 }, fair: { feature: 1, threshold: 0 } } },
    ],
  ])('refuses %s, which the JSON Schema cannot say and a trainer checks', (_what, wrong) => {
    expect(trainJobSchema.safeParse(wrong).success).toBe(false);
  });

  it.each([
    ['a digest of another algorithm', { ...job, base: { ...job.base, digest: 'md5:00' } }],
    ['a job id that climbs out of its folder', { ...job, jobId: '../x' }],
    ['an unknown objective', { ...job, objective: 'anything' }],
    ['a job of another version', { ...job, schema: 'lazaret.train-job/v2' }],
    ['no budget', { ...job, budget: undefined }],
  ])('refuses %s as the station does', (_what, wrong) => {
    const value = JSON.parse(JSON.stringify(wrong));
    expect(trainJobSchema.safeParse(value).success).toBe(false);
    expect(compiled('TrainJob')(value)).toBe(false);
  });
});
