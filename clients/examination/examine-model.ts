import type { DatasetColumns } from '../../domain/contracts/dataset.ts';
import type { AnalyserName, Finding } from '../../domain/contracts/finding.ts';
import type { LoggedRequest } from '../../domain/contracts/gateway.ts';
import { digestOf } from '../../domain/proofs/digest.ts';
import { crashed, inconclusive } from '../../forensics/analysers/analyser.ts';
import { registry } from '../../forensics/analysers/registry.ts';
import type { OnnxModel } from '../../forensics/onnx/model.ts';
import { readModel } from '../../forensics/onnx/reader.ts';
import { createPredictor, type Predictor } from '../../forensics/predictor/predictor.ts';
import type { LabelledTable, RecordTable } from './model-files.ts';
import { jsonRef } from './trainer-command.ts';

/** Analysers that two files and some records are enough for. */
export const FILE_ANALYSERS = [
  'structure',
  'graph',
  'weights',
  'behaviour',
  'poison',
  'duplicates',
  'requests',
  'extraction',
] as const satisfies readonly AnalyserName[];
export type FileAnalyser = (typeof FILE_ANALYSERS)[number];

export interface ModelExamination {
  readonly suspect: Uint8Array;
  readonly golden: Uint8Array | null;
  /** Clean records. */
  readonly probes: RecordTable | null;
  /** Their classes, where they are known. */
  readonly probeLabels: Int32Array | null;
  /** What clients sent. */
  readonly requests: RecordTable | null;
  /** What the suspect was trained on. */
  readonly records: LabelledTable | null;
}

/** Share of clean records that may be marked, where no `lazaret.yaml` names one. */
export const FALSE_ALARM_BUDGET = 0.01;

/** Runs one analyser on files. A crash is a finding, as it is in an incident. */
export async function examineModel(analyser: FileAnalyser, files: ModelExamination): Promise<Finding> {
  try {
    return await RUN[analyser](files);
  } catch (error) {
    return crashed(analyser, registry[analyser].question, error);
  }
}

const RUN: Record<FileAnalyser, (files: ModelExamination) => Promise<Finding>> = {
  structure: async ({ suspect, golden }) =>
    (await registry.structure.run({ suspect, golden, externalFiles: null })).finish({}),
  graph: async (files) => (await registry.graph.run(pairOf(files))).finish({}),
  weights: async (files) => (await registry.weights.run(pairOf(files))).finish({}),
  poison: async ({ suspect, records }) => {
    if (!records) return openQuestion('poison', 'It needs the training records: --records and --record-labels.');
    return await withPredictor(suspect, async (predictor) => {
      const analysis = await registry.poison.run({
        records: columnsOf(records),
        suspect: predictor,
        featureShape: records.shape,
        classes: await classNames(predictor, records, records.features.length / records.count),
        falseAlarmBudget: FALSE_ALARM_BUDGET,
      });
      const { marked } = analysis.attachments;
      return analysis.finish({ marked: marked && jsonRef(marked, 'poison-marks.json') });
    });
  },
  duplicates: async ({ records }) => {
    if (!records) return openQuestion('duplicates', 'It needs the training records: --records and --record-labels.');
    const analysis = await registry.duplicates.run({ records: columnsOf(records), classes: [] });
    const { pairs } = analysis.attachments;
    return analysis.finish({ pairs: pairs && jsonRef(pairs, 'duplicate-pairs.json') });
  },
  requests: async ({ suspect, probes, requests }) => {
    if (!probes || !requests)
      return openQuestion('requests', 'It needs clean records and what clients sent: --data and --requests.');
    return await withPredictor(suspect, async (predictor) => {
      const analysis = await registry.requests.run({
        requests: rowsOf(requests),
        suspect: predictor,
        probes,
        trigger: null,
        featureShape: probes.shape,
        classes: await classNames(predictor, probes, probes.features.length / probes.count),
        falseAlarmBudget: FALSE_ALARM_BUDGET,
      });
      const { flagged } = analysis.attachments;
      return analysis.finish({ flagged: flagged && jsonRef(flagged, 'flagged-requests.json') });
    });
  },
  extraction: async ({ suspect, probes, requests }) => {
    if (!probes || !requests)
      return openQuestion('extraction', 'It needs clean records and what clients sent: --data and --requests.');
    return await withPredictor(suspect, async (served) => {
      const width = requests.features.length / requests.count;
      const { scores, classes } = await served.probabilities(requests.features, requests.count, requests.shape);
      const analysis = await registry.extraction.run({
        window: [answeredBy(requests, scores, classes)],
        model: null,
        served,
        holdout: probes,
        featureShape: probes.shape,
        classes: await classNames(served, probes, width),
      });
      return analysis.finish({});
    });
  },
  behaviour: async ({ suspect, golden, probes, probeLabels, requests }) => {
    const open: Predictor[] = [];
    const predictor = async (bytes: Uint8Array): Promise<Predictor> => {
      const opened = await createPredictor(bytes);
      open.push(opened);
      return opened;
    };
    try {
      const table = probes ?? requests;
      const own = await predictor(suspect);
      const shape = table?.shape ?? [];
      const width = shape.reduce((product, dim) => product * dim, 1);
      const analysis = await registry.behaviour.run({
        requests: rowsOf(requests),
        suspect: own,
        golden: golden && (await predictor(golden)),
        probes: {
          features: probes?.features ?? new Float32Array(),
          count: probes?.count ?? 0,
          labels: probeLabels,
        },
        featureShape: shape,
        classes: table ? await classNames(own, table, width) : [],
      });
      const { attackRequests } = analysis.attachments;
      return analysis.finish({ attackRequests: attackRequests && jsonRef(attackRequests, 'captured-attack.json') });
    } finally {
      await Promise.all(open.map((one) => one.close()));
    }
  },
};

/** A file of requests names no clients: it counts as one, answered now by the model itself. */
function answeredBy({ features, count, shape }: RecordTable, scores: Float32Array, classes: number): LoggedRequest {
  const tensor = (name: string, dims: readonly number[], data: Float32Array) => ({
    name,
    datatype: 'FP32',
    shape: [count, ...dims],
    data: Array.from(data),
  });
  return {
    at: new Date(0).toISOString(),
    id: 'file',
    client: 'whoever sent the file',
    arm: 'live',
    model: digestOf(''),
    input: tensor('input', shape, features),
    output: tensor('output', [classes], scores),
    latencyUs: 0,
  };
}

async function withPredictor<T>(bytes: Uint8Array, use: (predictor: Predictor) => Promise<T>): Promise<T> {
  const predictor = await createPredictor(bytes);
  try {
    return await use(predictor);
  } finally {
    await predictor.close();
  }
}

/** Files know of no batches and no sources. */
export function columnsOf(table: LabelledTable): DatasetColumns {
  const nameless = new Array<string>(table.count).fill('');
  return {
    count: table.count,
    width: table.features.length / table.count,
    ids: Array.from({ length: table.count }, (_, row) => String(row)),
    features: table.features,
    labels: table.labels,
    sources: nameless,
    batches: nameless,
  };
}

/** Files name no classes: their indices stand for them. Empty where the suspect cannot be run. */
export async function classesOf(suspect: Uint8Array, table: RecordTable): Promise<readonly string[]> {
  const predictor = await createPredictor(suspect).catch(() => null);
  if (!predictor) return [];
  try {
    return await classNames(predictor, table, table.features.length / table.count);
  } catch {
    return [];
  } finally {
    await predictor.close();
  }
}

/** The finding of an analyser that was not given what it needs. */
export function openQuestion(analyser: AnalyserName, reason: string): Finding {
  return inconclusive({ analyser, question: registry[analyser].question }, reason);
}

function pairOf({ suspect, golden }: ModelExamination): { suspect: OnnxModel; golden: OnnxModel | null } {
  return { suspect: readModel(suspect), golden: golden && readModel(golden) };
}

function rowsOf(requests: RecordTable | null) {
  if (!requests) return [];
  const width = requests.features.length / requests.count;
  return Array.from({ length: requests.count }, (_, row) => ({
    id: String(row),
    input: Array.from(requests.features.subarray(row * width, (row + 1) * width)),
    answered: null,
  }));
}

async function classNames(model: Predictor, { features, shape }: RecordTable, width: number): Promise<string[]> {
  const { classes } = await model.logits(features.subarray(0, width), 1, shape);
  return Array.from({ length: classes }, (_, index) => String(index));
}
