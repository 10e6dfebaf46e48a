import type { LoggedRequest } from '../../domain/contracts/gateway.ts';
import type { ExtractionDetail } from '../../domain/contracts/finding.ts';
import type { Digest } from '../../domain/proofs/digest.ts';
import { trainSurrogate, type AnsweredInputs } from '../extraction/surrogate.ts';
import { normalise, type Predictor } from '../predictor/predictor.ts';
import type { Inputs } from '../requests/strip.ts';
import { createRandom } from '../statistics/bootstrap.ts';
import { winners } from '../statistics/calibration.ts';
import { wilson } from '../statistics/interval.ts';
import { analysis, inconclusive, type Analyser } from './analyser.ts';
import { counted, percent } from './wording.ts';

export interface ExtractionNeeds {
  /** The captured window, as the gateway logged it. */
  readonly window: readonly LoggedRequest[];
  /** Requests that another model answered say nothing about this one; any model where it is null. */
  readonly model: Digest | null;
  /** The model whose copy is feared; null where it cannot be run. */
  readonly served: Predictor | null;
  /** Clean records to compare copy and model on; null where none are at hand. */
  readonly holdout: Inputs | null;
  readonly featureShape: readonly number[];
  readonly classes: readonly string[];
}

const asked = {
  analyser: 'extraction',
  question: 'Which client has been answered enough to rebuild the model, and how much of it is gone?',
} as const;

/** Training a copy costs a fraction of a second; the busiest clients are where a copy could be. */
const MOST_CLIENTS = 3;
/** Of one client, evenly drawn: enough to see how far a copy comes, and bounded in time. */
const MOST_PAIRS = 2_000;
/** Fewer answers teach nothing. */
const LEAST_PAIRS = 20;
const MOST_HOLDOUT = 1_000;
/** A copy that surely agrees with the model on this share of clean records is worth having. */
const GONE = 0.9;
/** The same copies every time. */
const SEED = 1;

/**
 * Trains, for the busiest clients, the copy that their own answers are enough for, and measures it on records that neither saw. Every client
 * that uses a model a lot could rebuild it, so this tells and never accuses: the worst verdict is "inconclusive".
 */
export const extractionAnalyser: Analyser<ExtractionNeeds> = {
  name: asked.analyser,
  question: asked.question,
  run: async (needs) => analysis(await examine(needs)),
};

async function examine(needs: ExtractionNeeds) {
  const { served, holdout, featureShape, classes } = needs;
  const width = featureShape.reduce((product, dim) => product * dim, 1);
  const clients = answersByClient(needs, width);
  if (clients.length === 0) return inconclusive(asked, 'No answer of the model to a client was captured.');
  if (served === null) return inconclusive(asked, 'The served model cannot be run here, so no copy can be compared.');
  if (holdout === null || holdout.count === 0)
    return inconclusive(asked, 'No clean records are there to compare a copy with the model on.');
  const count = Math.min(holdout.count, MOST_HOLDOUT);
  const records = holdout.features.subarray(0, count * width);
  const truth = winners((await served.logits(records, count, featureShape)).scores, classes.length);
  const total = clients.reduce((sum, { pairs }) => sum + pairs.count, 0);
  const told = clients.slice(0, MOST_CLIENTS).map(({ client, pairs }) => {
    const seen = new Set(winners(pairs.answers, pairs.classes));
    const shared = { client, queries: pairs.count, share: pairs.count / total, classes: seen.size };
    if (pairs.count < LEAST_PAIRS) return { ...shared, fidelity: null };
    const copy = trainSurrogate(pairs, createRandom(SEED)).classesOf(records);
    return { ...shared, fidelity: wilson(copy.filter((answer, row) => answer === truth[row]).length, count) };
  });
  const detail: ExtractionDetail = {
    analyser: 'extraction',
    requests: total,
    clients: clients.length,
    busiest: told,
    holdout: count,
    classes,
  };
  const gone = told.filter(({ fidelity }) => fidelity !== null && fidelity.low >= GONE);
  return {
    ...asked,
    verdict: gone.length > 0 ? ('inconclusive' as const) : ('clean' as const),
    confidence: null,
    summary: summarise(detail, gone),
    detail,
    failure: null,
  };
}

interface ClientAnswers {
  readonly client: string;
  readonly pairs: AnsweredInputs;
}

/** Busiest first; a request of several records counts as several. */
function answersByClient({ window, model, classes }: ExtractionNeeds, width: number): readonly ClientAnswers[] {
  const size = classes.length;
  const byClient = new Map<string, { inputs: number[][]; outputs: number[][] }>();
  for (const { client, input, output, model: by } of window) {
    const rows = input.data.length / width;
    if (by === null || (model !== null && by !== model)) continue;
    if (!Number.isInteger(rows) || rows < 1 || output.data.length !== rows * size) continue;
    const held = byClient.get(client) ?? { inputs: [], outputs: [] };
    for (let row = 0; row < rows; row++) {
      held.inputs.push(input.data.slice(row * width, (row + 1) * width));
      held.outputs.push(output.data.slice(row * size, (row + 1) * size));
    }
    byClient.set(client, held);
  }
  return [...byClient]
    .map(([client, { inputs, outputs }]) => ({ client, pairs: pairsOf(inputs, outputs, width, size) }))
    .sort((a, b) => b.pairs.count - a.pairs.count || (a.client < b.client ? -1 : 1));
}

function pairsOf(
  inputs: readonly (readonly number[])[],
  outputs: readonly (readonly number[])[],
  width: number,
  classes: number,
): AnsweredInputs {
  const step = Math.max(1, inputs.length / MOST_PAIRS);
  const rows = Array.from({ length: Math.min(inputs.length, MOST_PAIRS) }, (_, at) => Math.floor(at * step));
  const features = Float32Array.from(rows.flatMap((row) => inputs[row] ?? []));
  const answers = Float32Array.from(rows.flatMap((row) => outputs[row] ?? []));
  return {
    features,
    answers: normalise({ scores: answers, classes }).scores,
    count: rows.length,
    width,
    classes,
  };
}

function summarise(
  { clients, requests, busiest, holdout }: ExtractionDetail,
  gone: ExtractionDetail['busiest'],
): string {
  const looked = `${counted(requests, 'answer')} to ${counted(clients, 'client')}`;
  const words = ({ client, queries, share, fidelity }: ExtractionDetail['busiest'][number]) =>
    `${client} with ${queries} (${percent(share)})${fidelity ? `: a copy agrees on ${percent(fidelity.value)} [${percent(fidelity.low)}, ${percent(fidelity.high)}] of ${holdout} clean records` : ': too few for a copy'}`;
  if (gone.length > 0)
    return `For information: what was answered is enough to rebuild the model. Of ${looked}, ${gone.map(words).join('; ')}. Ordinary heavy use looks the same.`;
  const [first] = busiest;
  return `Of ${looked} none is enough to rebuild the model${first ? `; the busiest is ${words(first)}` : ''}.`;
}
