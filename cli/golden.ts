import { datasetRefSchema, type DatasetRef } from '../domain/contracts/dataset.ts';
import { hyperparametersSchema, type Hyperparameters } from '../domain/contracts/trainer.ts';
import type { GoldenRecord } from '../domain/contracts/golden.ts';
import { createS3Store } from '../clients/s3/store.ts';
import { createTemporalClient } from '../clients/temporal/connect.ts';
import { createRunClient } from '../clients/temporal/run-client.ts';
import { createGoldenRegistry } from '../evidence/golden/registry.ts';
import { configuration, connections, trustedKeys } from './connections.ts';
import { CommandError, EXIT } from './exit.ts';
import { modelFiles, text } from './sign.ts';
import { faint, strong, table, type Terminal } from './terminal.ts';

interface RegisterOptions {
  readonly onnx: string;
  readonly dataset: string;
  readonly holdout?: string;
  readonly version?: string;
  readonly hyperparameters?: string;
}

/** Puts the bytes into S3 and lets the response worker evaluate, profile, sign and register them: the CLI holds no registry key. */
export async function register(terminal: Terminal, model: string, options: RegisterOptions): Promise<void> {
  const [file] = modelFiles(options.onnx);
  if (!file) throw new CommandError(EXIT.usage, `${options.onnx} holds no model`);
  const dataset = reference(options.dataset);
  const holdout = options.holdout ? reference(options.holdout) : null;
  const { s3, temporal } = connections();
  const store = createS3Store(s3);
  const { client, close } = createTemporalClient(temporal);
  try {
    const artifact = await store.put('artifacts', file.bytes, { mediaType: 'application/onnx', name: 'model.onnx' });
    const version = options.version ?? new Date().toISOString().slice(0, 19).replace(/\D/g, '');
    const runs = createRunClient(client);
    const id = await runs.startRegisterGolden({
      model,
      version,
      artifact,
      signature: null,
      dataset,
      holdout,
      hyperparameters: hyperparameters(options.hyperparameters),
      provenance: null,
      regressions: [],
      registeredBy: `cli:${process.env['USER'] ?? 'unknown'}`,
    });
    terminal.progress(`measuring ${model} ${version} on its hold-out …`);
    const registered = await runs.registerGoldenResult(id);
    const { accuracy } = registered.evaluation;
    terminal.say(
      `${strong(`${model} ${registered.version}`)} is golden: accuracy ${accuracy.value.toFixed(4)} [${accuracy.low.toFixed(4)}, ${accuracy.high.toFixed(4)}]`,
    );
    terminal.result(registered);
  } finally {
    store.close();
    await close();
  }
}

export async function list(terminal: Terminal, model: string | undefined): Promise<void> {
  const models = model ? [model] : Object.keys(configuration().models);
  await withRegistry(async (registry) => {
    const rows: { model: string; version: string; latest: boolean; accuracy: number; registeredAt: string }[] = [];
    for (const name of models) {
      const latest = await registry.latest(name);
      for (const version of await registry.versions(name)) {
        const record = await registry.record(name, version);
        if (record)
          rows.push({
            model: name,
            version,
            latest: latest?.ref.version === version,
            accuracy: record.evaluation.accuracy.value,
            registeredAt: record.registeredAt,
          });
      }
    }
    terminal.result({ records: rows });
    terminal.say(
      rows.length === 0
        ? 'no golden record is registered'
        : table(
            ['model', 'version', 'accuracy', 'registered'],
            rows.map((row) => [
              row.model,
              `${row.version}${row.latest ? ' *' : ''}`,
              row.accuracy.toFixed(4),
              row.registeredAt,
            ]),
          ),
    );
  });
}

export async function show(terminal: Terminal, model: string, version: string | undefined): Promise<void> {
  await withRegistry(async (registry) => {
    const record = version ? await registry.record(model, version) : await registry.latest(model);
    if (!record)
      throw new CommandError(EXIT.failed, `no golden record of ${model}${version ? ` ${version}` : ''}`, {
        code: 'golden/missing',
      });
    terminal.result(record);
    for (const line of portrait(record)) terminal.say(line);
  });
}

function portrait(record: GoldenRecord): readonly string[] {
  const { accuracy, ece } = record.evaluation;
  return [
    strong(`${record.model} ${record.ref.version}`),
    `  artifact      ${record.ref.artifact.digest} (${record.ref.artifact.bytes} bytes)`,
    `  trained on    ${record.dataset.name} ${faint(record.dataset.manifest.digest)}`,
    `  measured on   ${record.holdout.name} ${faint(record.holdout.manifest.digest)}`,
    `  accuracy      ${accuracy.value.toFixed(4)} [${accuracy.low.toFixed(4)}, ${accuracy.high.toFixed(4)}] at ${100 * accuracy.confidence} %, n = ${accuracy.n}`,
    `  calibration   ECE ${ece.toFixed(4)}`,
    `  withstands    ${record.regressions.length} captured attacks`,
    `  provenance    ${record.provenance ? record.provenance.digest : 'none on record'}`,
    `  registered    ${record.registeredAt} by ${record.registeredBy}`,
    `  before it     ${record.parent ?? 'nothing'}`,
  ];
}

async function withRegistry(use: (registry: ReturnType<typeof createGoldenRegistry>) => Promise<void>): Promise<void> {
  const store = createS3Store(connections().s3);
  try {
    await use(createGoldenRegistry(store, trustedKeys()));
  } finally {
    store.close();
  }
}

function reference(file: string): DatasetRef {
  const parsed = datasetRefSchema.safeParse(json(file));
  if (!parsed.success)
    throw new CommandError(EXIT.usage, `${file} is no data set reference: expected {name, manifest, signature}`);
  return parsed.data;
}

const USUAL_HYPERPARAMETERS: Hyperparameters = { epochs: 10, batchSize: 64, learningRate: 5e-4, seed: 0 };

function hyperparameters(file: string | undefined): Hyperparameters {
  if (file === undefined) return USUAL_HYPERPARAMETERS;
  const parsed = hyperparametersSchema.safeParse(json(file));
  if (!parsed.success) throw new CommandError(EXIT.usage, `${file}: expected {epochs, batchSize, learningRate, seed}`);
  return parsed.data;
}

function json(file: string): unknown {
  try {
    return JSON.parse(text(file));
  } catch (cause) {
    if (cause instanceof CommandError) throw cause;
    throw new CommandError(EXIT.usage, `${file} is not JSON`, { cause });
  }
}
