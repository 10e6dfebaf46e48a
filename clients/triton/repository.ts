import { z } from 'zod';
import type { Stance } from '../../domain/contracts/stance.ts';
import { Failure } from '../../domain/incident/failure.ts';
import type { Probe } from '../inference/probe.ts';
import { failureOf, type Answer, type JsonCall } from '../adapters/json-call.ts';
import type { Json, Platform } from '../adapters/platform.ts';

/** Versions that answer, in order; '' where the server knows no versions. */
type RepositoryState = { ready: string[] };

const indexSchema = z.array(
  z.looseObject({
    name: z.string(),
    version: z.string().nullish(),
    state: z.string().nullish(),
    reason: z.string().nullish(),
  }),
);
const WHOM = 'the model repository API';

/**
 * A server with the model repository extension of the Open Inference Protocol: Triton with `--model-control-mode=explicit`, MLServer. Isolation
 * unloads the model; what was found is loaded again as it lies in the repository, and only if the same versions come up.
 *
 * `load` is called without parameters, always: Triton takes `config` and `file:` parameters that replace a model's files by what the caller
 * sends, which is how an attacker would put a model where no registry ever saw it.
 */
export function createRepositoryPlatform(
  options: { readonly model: string },
  deps: { readonly call: JsonCall; readonly probe: Probe },
): Platform<RepositoryState> {
  const { model } = options;
  const { call } = deps;
  const path = (rest: string) => `v2/repository/models/${encodeURIComponent(model)}/${rest}`;

  async function entries(): Promise<z.output<typeof indexSchema>> {
    const parsed = indexSchema.safeParse(good(await call('POST', 'v2/repository/index', {})).json);
    if (!parsed.success) throw new Failure('endpoint/refused', `${WHOM} gave an index of another form`);
    const own = parsed.data.filter(({ name }) => name === model);
    if (own.length > 0) return own;
    throw new Failure('endpoint/refused', `the repository has no model "${model}"`);
  }

  const readyOf = (index: z.output<typeof indexSchema>): string[] =>
    index
      .filter(({ state }) => state === 'READY')
      .map(({ version }) => version ?? '')
      .toSorted();

  async function told(rest: string): Promise<Json> {
    const answer = await call('GET', `v2/models/${encodeURIComponent(model)}${rest}`);
    return answer.status === 200 ? (answer.json as Json) : null;
  }

  return {
    name: 'triton',
    captures: [
      'versions and their states',
      'metadata and configuration of the model',
      'statistics, where the server has them',
    ],
    stances: ['isolated'],
    look: async () => {
      const [index, metadata, config, statistics] = await Promise.all([
        entries(),
        told(''),
        told('/config'),
        told('/stats'),
      ]);
      const ready = readyOf(index);
      return {
        state: { ready },
        words: ready.length === 0 ? 'not loaded' : `loaded${ready[0] === '' ? '' : `: version ${ready.join(', ')}`}`,
        captured: { index: index as unknown as Json, metadata, config, statistics },
        told: {},
        record: null,
        mark: null,
      };
    },
    towards: (stance: Stance) => {
      if (stance.kind === 'isolated') return { ready: [] };
      throw new Failure('endpoint/refused', `the model repository API has no stance "${stance.kind}"`);
    },
    change: async (look, next) => {
      const now = readyOf(await entries());
      if (!equal(now, look.state.ready)) return 'conflict';
      if (equal(now, next.ready)) return 'done';
      if (next.ready.length === 0) {
        good(await call('POST', path('unload'), {}));
        return 'done';
      }
      good(await call('POST', path('load'), {}));
      const came = readyOf(await entries());
      if (equal(came, next.ready)) return 'done';
      // Somebody changed the repository meanwhile: what came up is not what was found, so nobody vouches for it.
      good(await call('POST', path('unload'), {}));
      throw new Failure(
        'endpoint/refused',
        `the repository now gives version ${came.join(', ') || 'none'} of ${model}, not ${next.ready.join(', ')}; it was unloaded again`,
      );
    },
    probe: () => deps.probe(model),
  };
}

function equal(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((version, index) => version === other[index]);
}

function good(answer: Answer): Answer {
  if (answer.status >= 200 && answer.status < 300) return answer;
  throw failureOf(WHOM, answer);
}
