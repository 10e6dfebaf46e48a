import type { LoggedRequest } from '../../domain/contracts/gateway.ts';
import type { ServedModel } from '../model/loader.ts';
import { SessionFailed } from '../model/session.ts';
import type { OutputTensor } from '../model/session.worker.ts';
import { DATATYPES, type Elements } from '../model/tensors.ts';
import type { GatewayMetrics } from '../metrics.ts';
import type { Clock } from '../ports.ts';
import { topOf, type Arm } from '../stance/counters.ts';
import type { Endpoint } from '../stance/endpoint.ts';
import { answersWith, goesToCandidate, type Posture } from '../stance/posture.ts';
import { applyRules } from '../stance/rules.ts';
import { InferenceProblem } from './problem.ts';
import { fitToModel, fitToRules, type InferenceRequest, type InputTensor } from './request.ts';

/** The OIP v2 response. */
export interface InferenceResponse {
  readonly model_name: string;
  readonly model_version: string;
  readonly id: string;
  readonly outputs: readonly {
    readonly name: string;
    readonly datatype: string;
    readonly shape: readonly number[];
    readonly data: readonly number[];
  }[];
}

export interface Answered {
  readonly arm: Arm;
  readonly response: InferenceResponse;
}

type ModelPosture = Extract<Posture, { answers: 'model' }>;
type RulesPosture = Extract<Posture, { answers: 'rules' }>;

/** A stance lasts seconds at least; a request that meets several changes in a row is told to come again. */
const MAX_STANCES_PER_REQUEST = 4;
const RETRY_AFTER_ISOLATION_S = 30;
const RETRY_AFTER_LOAD_S = 1;
export const RULES_VERSION = 'fallback-rules';

export type Answer = (endpoint: Endpoint, request: InferenceRequest) => Promise<Answered>;

/** Answers requests as their endpoint's stance says at the moment the answer goes out, not when the request came in. */
export function createAnswer(deps: {
  readonly metrics: GatewayMetrics;
  readonly now: Clock;
  /** Milliseconds of a clock that only goes forward. */
  readonly ticks: () => number;
}): Answer {
  return async (endpoint, request) => {
    for (let attempt = 0; attempt < MAX_STANCES_PER_REQUEST; attempt += 1) {
      const posture = endpoint.posture();
      const answered =
        posture.answers === 'model'
          ? await byModel(endpoint, posture, request)
          : posture.answers === 'rules'
            ? byRules(endpoint, posture, request)
            : refuse(posture);
      if (answered) return answered;
    }
    throw new InferenceProblem('overloaded', 'The stance of the endpoint is changing: ask again.', {
      retryAfter: RETRY_AFTER_LOAD_S,
    });
  };

  function refuse(posture: Extract<Posture, { answers: 'nobody' }>): never {
    posture.tally.refused();
    throw new InferenceProblem('isolated', posture.reason, { retryAfter: RETRY_AFTER_ISOLATION_S });
  }

  /** Null where the stance changed while the model ran: MUST NOT go out, because the change may have been a containment. */
  async function byModel(
    endpoint: Endpoint,
    posture: ModelPosture,
    request: InferenceRequest,
  ): Promise<Answered | null> {
    const { arm, model } = choose(endpoint.name, posture, request);
    const { input, elements, batch } = fit(posture, () => fitToModel(request, model.session.signature));
    const beside = posture.observed ? elements.slice() : null;
    const started = deps.ticks();
    let outputs: readonly OutputTensor[];
    try {
      outputs = await model.session.run(elements, input.shape);
    } catch (error) {
      if (endpoint.posture() !== posture) return null;
      posture.tally.failed(arm);
      throw problemOf(error);
    }
    const latencyUs = Math.max(0, Math.round((deps.ticks() - started) * 1000));
    const present = endpoint.posture();
    if (present !== posture && !answersWith(present, model)) return null;
    if (outputs.some((output) => !output.data.every(Number.isFinite))) {
      present.tally.failed(arm);
      throw new InferenceProblem('model-failed', 'The model answered with a value that is not a number.');
    }
    const scores = outputs.find((output) => output.name === model.session.signature.scores) ?? outputs[0];
    if (!scores) throw new InferenceProblem('model-failed', 'The model answered without scores.');
    present.tally.answered(arm, scores.data, batch, latencyUs);
    log(endpoint, request, { arm, model: model.ref.artifact.digest, input, output: wire(scores), latencyUs });
    if (beside && posture.observed)
      compare(endpoint, posture, posture.observed, beside, input.shape, batch, scores.data);
    return {
      arm,
      response: {
        model_name: endpoint.name,
        model_version: model.ref.version,
        id: request.id,
        outputs: outputs.filter(({ name }) => request.outputs?.includes(name) ?? true).map(wire),
      },
    };
  }

  function byRules(endpoint: Endpoint, posture: RulesPosture, request: InferenceRequest): Answered {
    const { input, rows } = fit(posture, () => fitToRules(request));
    const data = rows.flatMap((row) => applyRules(posture.rules, row));
    const output = { name: 'scores', datatype: 'FP64', shape: [rows.length, data.length / rows.length], data };
    posture.tally.answered('fallback', data, rows.length, 0);
    log(endpoint, request, { arm: 'fallback', model: null, input, output, latencyUs: 0 });
    return {
      arm: 'fallback',
      response: {
        model_name: endpoint.name,
        model_version: RULES_VERSION,
        id: request.id,
        outputs: [output],
      },
    };
  }

  /** Beside the answer and after it: what the observed model says reaches no client. */
  function compare(
    endpoint: Endpoint,
    posture: ModelPosture,
    observed: ServedModel,
    elements: Elements,
    shape: readonly number[],
    batch: number,
    trusted: readonly number[],
  ): void {
    const started = deps.ticks();
    observed.session.run(elements, shape).then(
      (outputs) => {
        const scores = outputs.find((output) => output.name === observed.session.signature.scores)?.data ?? [];
        posture.tally.answered('observed', scores, batch, Math.round((deps.ticks() - started) * 1000));
        const classes = trusted.length / batch;
        const same = scores.length === trusted.length && Number.isInteger(classes);
        for (let row = 0; row < batch; row += 1)
          deps.metrics.observed(
            endpoint.name,
            same && topOf(scores, row * classes, classes).winner === topOf(trusted, row * classes, classes).winner,
          );
      },
      () => posture.tally.failed('observed'),
    );
  }

  function log(
    endpoint: Endpoint,
    request: InferenceRequest,
    about: {
      arm: LoggedRequest['arm'];
      model: LoggedRequest['model'];
      input: InputTensor;
      output: LoggedRequest['output'];
      latencyUs: number;
    },
  ): void {
    const { name, datatype, shape, values } = about.input;
    endpoint.window.log({
      at: deps.now().toISOString(),
      id: request.id,
      client: request.client,
      arm: about.arm,
      model: about.model,
      input: { name, datatype, shape: [...shape], data: [...values] },
      output: about.output,
      latencyUs: about.latencyUs,
    });
  }
}

/** Without a version, the stance decides; a version has to be one that the stance answers with. */
function choose(
  endpoint: string,
  posture: ModelPosture,
  { id, version }: InferenceRequest,
): { arm: 'live' | 'shadow' | 'candidate'; model: ServedModel } {
  const { live, candidate, arm } = posture;
  const answering = candidate ? [live, candidate.model] : [live];
  if (version === null) {
    return candidate && goesToCandidate(id, candidate.share, candidate.salt)
      ? { arm: 'candidate', model: candidate.model }
      : { arm, model: live };
  }
  if (version === live.ref.version) return { arm, model: live };
  if (candidate && version === candidate.model.ref.version) return { arm: 'candidate', model: candidate.model };
  throw new InferenceProblem(
    'not-found',
    `${endpoint} does not answer with the version ${JSON.stringify(version.slice(0, 100))}, but with ${answering.map((model) => model.ref.version).join(', ')}`,
  );
}

function fit<T>(posture: Posture, read: () => T): T {
  try {
    return read();
  } catch (error) {
    posture.tally.invalid();
    throw error;
  }
}

function problemOf(error: unknown): Error {
  if (!(error instanceof SessionFailed)) return error instanceof Error ? error : new Error(String(error));
  switch (error.kind) {
    case 'busy':
      return new InferenceProblem('overloaded', 'Too many requests wait for the model.', {
        retryAfter: RETRY_AFTER_LOAD_S,
        cause: error,
      });
    case 'gone':
      return new InferenceProblem('overloaded', 'The model is being loaded again.', {
        retryAfter: RETRY_AFTER_LOAD_S,
        cause: error,
      });
    case 'timeout':
    case 'model':
      return new InferenceProblem('model-failed', 'The model failed on this request.', { cause: error });
  }
}

function wire({ name, type, shape, data }: OutputTensor) {
  return { name, datatype: DATATYPES[type], shape: [...shape], data: [...data] };
}
