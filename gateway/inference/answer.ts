import type { LoggedRequest } from '../../domain/contracts/gateway.ts';
import { numbersOf } from '../../domain/contracts/tensor.ts';
import type { Digest } from '../../domain/proofs/digest.ts';
import type { ServedModel } from '../model/loader.ts';
import { SessionFailed, type Outputs } from '../model/session.ts';
import { bytesOf, type Tensor } from '../model/tensors.ts';
import type { GatewayMetrics } from '../metrics.ts';
import type { Clock } from '../ports.ts';
import { sha256Of } from '../state/state-folder.ts';
import { topOf, type Arm } from '../stance/counters.ts';
import type { Endpoint } from '../stance/endpoint.ts';
import { answersWith, fallsIn, type Posture } from '../stance/posture.ts';
import { answersOf } from './watched-rows.ts';
import { fitToModel, fitToRules } from './fit.ts';
import type { InferenceAnswer, InferenceRequest } from './message.ts';
import { InferenceProblem } from './problem.ts';

export interface Answered {
  readonly arm: Arm;
  readonly answer: InferenceAnswer;
}

type ModelPosture = Extract<Posture, { answers: 'model' }>;
type RulesPosture = Extract<Posture, { answers: 'rules' }>;

/** A stance lasts seconds at least; a request that meets several changes in a row is told to come again. */
const MAX_STANCES_PER_REQUEST = 4;
const RETRY_AFTER_ISOLATION_S = 30;
const RETRY_AFTER_LOAD_S = 1;
const MAX_WATCHED_ROWS = 16;
export const RULES_VERSION = 'fallback-rules';

export type Answer = (endpoint: Endpoint, request: InferenceRequest) => Promise<Answered>;

/** Answers requests as their endpoint's stance says at the moment the answer goes out, not when the request came in. */
export function createAnswer(deps: {
  readonly metrics: GatewayMetrics;
  readonly now: Clock;
  /** Milliseconds of a clock that only goes forward. */
  readonly ticks: () => number;
  /** Share of the inferences whose tensors are logged as well. */
  readonly logPayloads: number;
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
    const { limiter } = posture;
    const { signature } = model.session;
    if (limiter) admitted(posture, () => limiter.admit(request, deps.now().getTime()));
    const { inputs, batch } = fit(posture, () => fitToModel(request, signature));
    if (limiter && inputs[0]) admitted(posture, () => limiter.demandAllowed(inputs[0] as Tensor, batch));
    const started = deps.ticks();
    let ran: Outputs;
    try {
      ran = await model.session.run(inputs);
    } catch (error) {
      if (endpoint.posture() !== posture) return null;
      posture.tally.failed(arm);
      throw problemOf(error);
    }
    const { outputs } = ran;
    const latencyUs = Math.max(0, Math.round((deps.ticks() - started) * 1000));
    const present = endpoint.posture();
    if (present !== posture && !answersWith(present, model)) return null;
    const output = outputs.find(({ name }) => name === signature.scores) ?? outputs[0];
    if (!output) throw new InferenceProblem('model-failed', 'The model answered without scores.');
    if (!outputs.every(allFinite)) {
      present.tally.failed(arm);
      throw new InferenceProblem('model-failed', 'The model answered with a value that is not a number.');
    }
    const scores = scoresOf(output);
    present.tally.answered(arm, scores, batch, latencyUs);
    log(endpoint, posture, request, {
      arm,
      model: model.ref.artifact.digest,
      inputs,
      output,
      scores,
      batch,
      latencyUs,
    });
    const { observed } = posture;
    if (observed && (observed.share >= 1 || fallsIn(request.id, observed.share, observed.salt)))
      compare(endpoint, posture, observed.model, inputs, batch, scores);
    if (endpoint.watch.watches(model.ref.artifact.digest))
      setImmediate(() => watch(endpoint, request, { inputs, scores, batch, latencyUs }));
    const shown = limiter ? limiter.shown(outputs, output.name, batch) : outputs;
    return {
      arm,
      answer: {
        model: endpoint.name,
        version: model.ref.version,
        id: request.id,
        outputs: request.outputs === null ? shown : shown.filter(({ name }) => asksFor(request, name)),
      },
    };
  }

  function byRules(endpoint: Endpoint, posture: RulesPosture, request: InferenceRequest): Answered {
    const { input, rows } = fit(posture, () => fitToRules(request));
    const data = Float64Array.from(rows.flatMap((row) => posture.rules.scoresFor(row)));
    const shape = [rows.length, data.length / rows.length];
    const output: Tensor = { name: 'scores', datatype: 'FP64', shape, data };
    posture.tally.answered('fallback', data, rows.length, 0);
    const about = { inputs: [input], output, scores: data, batch: rows.length, latencyUs: 0 };
    log(endpoint, posture, request, { arm: 'fallback', model: null, ...about });
    return {
      arm: 'fallback',
      answer: { model: endpoint.name, version: RULES_VERSION, id: request.id, outputs: [output] },
    };
  }

  /** Beside the answer and after it: what the observed model says reaches no client. */
  function compare(
    endpoint: Endpoint,
    posture: ModelPosture,
    observed: ServedModel,
    inputs: readonly Tensor[],
    batch: number,
    trusted: ArrayLike<number>,
  ): void {
    const started = deps.ticks();
    observed.session.run(inputs).then(
      ({ outputs }) => {
        const found = outputs.find(({ name }) => name === observed.session.signature.scores);
        const scores = found ? scoresOf(found) : [];
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

  /** Every record of a small request, the first ones of a large batch: the sentinels count requests, and one batch is no flood. */
  function watch(
    endpoint: Endpoint,
    { client }: InferenceRequest,
    seen: { inputs: readonly Tensor[]; scores: ArrayLike<number>; batch: number; latencyUs: number },
  ): void {
    const at = deps.now().getTime();
    for (const answer of answersOf(seen, MAX_WATCHED_ROWS))
      endpoint.watch.observe({ at, client, latencyUs: seen.latencyUs, ok: true, answer });
  }

  function log(
    endpoint: Endpoint,
    posture: Posture,
    request: InferenceRequest,
    about: {
      arm: LoggedRequest['arm'];
      model: LoggedRequest['model'];
      inputs: readonly Tensor[];
      output: Tensor;
      scores: ArrayLike<number>;
      batch: number;
      latencyUs: number;
    },
  ): void {
    const inputs = about.inputs.map(logged);
    const output = logged(about.output);
    const [input, ...others] = inputs;
    if (!input) return;
    const common = {
      at: deps.now().toISOString(),
      id: request.id,
      client: request.client,
      model: about.model,
      latencyUs: about.latencyUs,
    };
    endpoint.window.log({
      ...common,
      arm: about.arm,
      input,
      ...(others.length > 0 ? { others } : {}),
      output,
    });
    endpoint.requestLog.answered({
      ...common,
      address: request.address,
      stance: posture.stance.kind,
      arm: about.arm,
      input: digestOfInputs(about.inputs),
      rows: about.batch,
      top: topRows(about.scores, about.batch),
      // Nobody can choose to be left out: an id could be.
      ...(deps.logPayloads > 0 && Math.random() < deps.logPayloads ? { payload: { inputs, scores: output } } : {}),
    });
  }
}

function digestOfInputs(inputs: readonly Tensor[]): Digest {
  const [only, ...others] = inputs;
  const bytes = only && others.length === 0 ? bytesOf(only) : Buffer.concat(inputs.map((input) => bytesOf(input)));
  return sha256Of(bytes);
}

const MAX_LOGGED_ROWS = 16;
const PROBABILITY_DIGITS = 1e6;

function topRows(scores: ArrayLike<number>, batch: number): [number, number][] {
  const classes = scores.length / batch;
  if (!Number.isInteger(classes) || classes < 1) return [];
  return Array.from({ length: Math.min(batch, MAX_LOGGED_ROWS) }, (_, row) => {
    const { winner, probability } = topOf(scores, row * classes, classes);
    return [winner, Math.round(probability * PROBABILITY_DIGITS) / PROBABILITY_DIGITS];
  });
}

/** As bytes: writing them as decimal numbers takes thirty times as long, and loses bits. */
function logged(tensor: Tensor) {
  const { name, datatype, shape } = tensor;
  const bytes = bytesOf(tensor);
  return {
    name,
    datatype,
    shape: [...shape],
    raw: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64'),
  };
}

function asksFor({ outputs }: InferenceRequest, name: string): boolean {
  return outputs?.some((output) => output.name === name) ?? true;
}

function scoresOf(tensor: Tensor): ArrayLike<number> {
  if (tensor.datatype === 'FP16') return numbersOf('FP16', bytesOf(tensor));
  return tensor.data instanceof Float32Array || tensor.data instanceof Float64Array ? tensor.data : [];
}

function allFinite(tensor: Tensor): boolean {
  const numbers = tensor.datatype.startsWith('FP') ? scoresOf(tensor) : [];
  for (let index = 0; index < numbers.length; index += 1) if (!Number.isFinite(numbers[index])) return false;
  return true;
}

/** Without a version, the stance decides; a version has to be one that the stance answers with. */
function choose(
  endpoint: string,
  posture: ModelPosture,
  { id, client, version }: InferenceRequest,
): { arm: 'live' | 'shadow' | 'candidate'; model: ServedModel } {
  const { live, candidate, arm } = posture;
  const answering = candidate ? [live, candidate.model] : [live];
  if (version === null) {
    return candidate && fallsIn(candidate.by === 'client' ? client : id, candidate.share, candidate.salt)
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

/** What a limit refuses is counted as refused. */
function admitted(posture: Posture, admit: () => void): void {
  try {
    admit();
  } catch (error) {
    posture.tally.refused();
    throw error;
  }
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
