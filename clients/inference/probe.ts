import { createInferenceClient } from './client.ts';

export interface Observed {
  readonly behaviour: 'answering' | 'refusing' | 'neither';
  readonly text: string;
}
export type Probe = (model: string) => Promise<Observed>;

/** What a probe carries where the endpoint does not tell its input: an isolated one refuses before it looks. */
const BLIND_PROBE: { row: readonly number[]; shape: readonly number[] } = { row: [0], shape: [1] };
export const PROBE_CLIENT = 'lazaret-probe';

/**
 * An endpoint's own front door, asked like any client would: zeros in the shape that the model says it takes, over the Open Inference Protocol v2.
 * `refusals` are the statuses that this platform refuses with when nobody answers; `silence`: no answer at all is one of them, which a fault
 * of the network between here and there looks like too.
 */
export function createProbe(options: {
  /** Base URL, without `/v2`. */
  readonly base: string;
  readonly timeoutMs: number;
  readonly refusals: readonly number[];
  readonly silence: boolean;
}): Probe {
  const inference = createInferenceClient({ base: options.base, clientId: PROBE_CLIENT, timeoutMs: options.timeoutMs });
  return async (model) => {
    try {
      const [input] = (await inference.metadata(model))?.inputs ?? [];
      const shape = input ? input.shape.slice(1).map((dim) => Math.max(dim, 1)) : BLIND_PROBE.shape;
      const row = input ? new Array<number>(shape.reduce((product, dim) => product * dim, 1)).fill(0) : BLIND_PROBE.row;
      const reply = await inference.infer(model, [row], shape);
      if (reply.status === 200)
        return { behaviour: 'answering', text: `answers with version ${reply.modelVersion ?? '?'}` };
      // A model that tells its input and dislikes the probe is there all the same.
      const refusing = options.refusals.includes(reply.status) && (reply.status >= 500 || input === undefined);
      return { behaviour: refusing ? 'refusing' : 'neither', text: `${reply.status}: ${reply.problem ?? ''}` };
    } catch (error) {
      const text = `does not answer: ${error instanceof Error ? error.message : String(error)}`;
      return { behaviour: options.silence ? 'refusing' : 'neither', text };
    }
  };
}
