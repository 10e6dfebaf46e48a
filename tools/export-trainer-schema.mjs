/**
 * Writes the JSON Schema of the trainer contract for trainers in other languages: `trainer/lazaret_trainer/contract/schema.json`.
 * `--check` writes nothing and fails when the file is not up to date. Runs on the pinned Node, which strips types by itself.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import {
  explainJobSchema,
  explainResultSchema,
  influencesSchema,
  saliencyMapSchema,
} from '../domain/contracts/activations.ts';
import { datasetManifestSchema, datasetRefSchema, shardSchema } from '../domain/contracts/dataset.ts';
import {
  examineJobSchema,
  examineResultSchema,
  measuredShareSchema,
  triggerImageSchema,
} from '../domain/contracts/examination.ts';
import { attackSpaceSchema, robustnessJobSchema, robustnessResultSchema } from '../domain/contracts/robustness.ts';
import { digestSchema, objectRefSchema } from '../domain/contracts/object-ref.ts';
import {
  hyperparametersSchema,
  progressPointSchema,
  trainBudgetSchema,
  TRAINER_FAILURES,
  trainJobSchema,
  trainProgressSchema,
  trainResultSchema,
} from '../domain/contracts/trainer.ts';

const TARGET = fileURLToPath(new URL('../trainer/lazaret_trainer/contract/schema.json', import.meta.url));

const NAMES = {
  ObjectRef: objectRefSchema,
  DatasetRef: datasetRefSchema,
  Shard: shardSchema,
  DatasetManifest: datasetManifestSchema,
  Hyperparameters: hyperparametersSchema,
  TrainBudget: trainBudgetSchema,
  TrainJob: trainJobSchema,
  ProgressPoint: progressPointSchema,
  TrainProgress: trainProgressSchema,
  TrainResult: trainResultSchema,
  MeasuredShare: measuredShareSchema,
  ExamineJob: examineJobSchema,
  ExamineResult: examineResultSchema,
  TriggerImage: triggerImageSchema,
  AttackSpace: attackSpaceSchema,
  RobustnessJob: robustnessJobSchema,
  RobustnessResult: robustnessResultSchema,
  ExplainJob: explainJobSchema,
  ExplainResult: explainResultSchema,
  SaliencyMap: saliencyMapSchema,
  Influences: influencesSchema,
};

function trainerSchema() {
  const registry = z.registry();
  for (const [id, schema] of Object.entries(NAMES)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, {
    // Readers ignore fields they do not know, as zod does.
    io: 'input',
    uri: (id) => `#/$defs/${id}`,
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema === digestSchema) Object.assign(jsonSchema, { type: 'string', pattern: '^sha256:[0-9a-f]{64}$' });
    },
  });
  const $defs = Object.fromEntries(Object.entries(schemas).map(([id, { $schema, $id, ...schema }]) => [id, schema]));
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'The trainer contract of Lazaret',
    $comment: 'Made by tools/export-trainer-schema.mjs from domain/contracts. Do not edit.',
    $defs,
    'x-failures': TRAINER_FAILURES,
  };
}

const text = `${JSON.stringify(trainerSchema(), null, 2)}\n`;
if (process.argv.includes('--check')) {
  if (!existsSync(TARGET) || readFileSync(TARGET, 'utf8') !== text) {
    console.error('schema.json of the trainer is not up to date: run node tools/export-trainer-schema.mjs');
    process.exitCode = 1;
  }
} else {
  writeFileSync(TARGET, text);
}
