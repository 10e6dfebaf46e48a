import type { AnswerPrecision, Limits } from '../../domain/contracts/stance.ts';
import { InferenceProblem } from '../inference/problem.ts';
import type { InferenceRequest } from '../inference/message.ts';
import { elementsIn, type Tensor } from '../model/tensors.ts';
import { topOf } from './counters.ts';
import { createRates, type Rates } from './rates.ts';

/** What a limited endpoint keeps from its clients, while its model answers. Lives as long as its stance. */
export interface Limiter {
  /** Throws an InferenceProblem where this request is not answered. Counts it. */
  admit(request: InferenceRequest, nowMs: number): void;
  /** The records of a request, before the model sees them: throws where one is outside what is allowed. */
  demandAllowed(input: Tensor, batch: number): void;
  /** What of an answer goes out. `scores` names the output that is the model's scores. */
  shown(outputs: readonly Tensor[], scores: string, batch: number): readonly Tensor[];
}

export function createLimiter(limits: Limits): Limiter {
  const blocked = new Set(limits.blocked);
  const perClient: Rates | null = limits.perClient && createRates(limits.perClient);
  const total: Rates | null = limits.total && createRates(limits.total);
  return {
    admit({ client, address }, nowMs) {
      if (blocked.has(client) || blocked.has(address))
        throw new InferenceProblem('blocked', 'This client is not answered for the time being.');
      // What a client calls itself is its own choice: a limit by that name is for the honest, the one for all is for the rest.
      const wait = Math.max(perClient?.take(client, nowMs) ?? 0, total?.take('', nowMs) ?? 0);
      if (wait > 0)
        throw new InferenceProblem('limited', 'The rate of this endpoint is limited for the time being.', {
          retryAfter: Math.ceil(wait / 1000),
        });
    },
    demandAllowed(input, batch) {
      const width = elementsIn(input.shape) / batch;
      for (const { feature, least, most } of limits.features)
        for (let row = 0; row < batch; row += 1) {
          const value = Number(input.data[row * width + feature] ?? NaN);
          if (!(value >= least && value <= most))
            throw new InferenceProblem(
              'limited',
              `Record ${row}, feature ${feature}: only values from ${least} to ${most} are answered for the time being.`,
            );
        }
    },
    shown: (outputs, scores, batch) =>
      limits.answers === 'full'
        ? outputs
        : outputs.flatMap((output) =>
            output.name === scores
              ? [reduced(output, batch, limits.answers, limits.digits)]
              : // Another float output (an embedding, probabilities beside logits) tells more than the scores that are held back.
                output.datatype.startsWith('FP')
                ? []
                : [output],
          ),
  };
}

function reduced(output: Tensor, batch: number, answers: AnswerPrecision, digits: number): Tensor {
  if (!(output.data instanceof Float32Array || output.data instanceof Float64Array))
    return { ...output, data: withheld(output) };
  const data = output.data.slice();
  const classes = data.length / batch;
  if (answers === 'rounded') {
    const unit = 10 ** digits;
    return { ...output, data: data.map((score) => Math.round(score * unit) / unit) };
  }
  data.fill(0);
  for (let row = 0; row < batch; row += 1) {
    const { winner, probability } = topOf(output.data, row * classes, classes);
    data[row * classes + winner] = answers === 'label' ? 1 : probability;
  }
  return { ...output, data };
}

/** Scores in half precision: nothing of them is worth a conversion in an emergency. */
function withheld({ data }: Tensor): Tensor['data'] {
  return Array.isArray(data) ? data.map(() => '') : (data as Uint16Array<ArrayBuffer>).map(() => 0);
}
