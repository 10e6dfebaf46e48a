import { z } from 'zod';
import type { Stance } from '../../domain/contracts/stance.ts';
import { Failure } from '../../domain/incident/failure.ts';
import type { Probe } from '../inference/probe.ts';
import { failureOf, type Answer, type JsonCall } from '../adapters/json-call.ts';
import { placeOf, type Places } from '../adapters/places.ts';
import type { Json, Platform } from '../adapters/platform.ts';

/** Values of our keys in Envoy's admin layer; null: not set there, so that the layers below decide. */
type RuntimeState = { keys: Record<string, string | null> };

/** `GET /runtime` of the admin interface: layers from the weakest, and each key's value in each of them ('' for none). */
const runtimeSchema = z.object({
  layers: z.array(z.string()),
  entries: z.record(z.string(), z.object({ final_value: z.string(), layer_values: z.array(z.string()) })),
});
const ADMIN_LAYER = 'admin';
const WHOM = "Envoy's admin interface";

/**
 * One Envoy by the runtime keys of its admin layer. The route has to read them: `<prefix>.abort` as the runtime key of a fault filter's abort
 * percentage, `<prefix>.<cluster>` as the weights of `weighted_clusters` with that `runtime_key_prefix`, `<prefix>.mirror` as the runtime fraction
 * of a mirror policy. Only these keys are written. The admin interface has no conditional writes, and a restart of Envoy forgets its admin layer.
 */
export function createRuntimePlatform(
  options: {
    /** E.g. `lazaret.digits`. */
    readonly prefix: string;
    /** Cluster names. */
    readonly places: Places;
    readonly model: string;
  },
  deps: { readonly call: JsonCall; readonly probe: Probe },
): Platform<RuntimeState> {
  const { prefix, places } = options;
  const clusters = [...new Set(Object.values(places))];
  const abort = `${prefix}.abort`;
  const mirror = `${prefix}.mirror`;
  const weightOf = (cluster: string) => `${prefix}.${cluster}`;
  const keys = [abort, mirror, ...clusters.map(weightOf)];

  async function runtime(): Promise<z.output<typeof runtimeSchema>> {
    const parsed = runtimeSchema.safeParse(good(await deps.call('GET', 'runtime')).json);
    if (!parsed.success) throw new Failure('endpoint/refused', `${WHOM} gave its runtime in another form`);
    if (parsed.data.layers.includes(ADMIN_LAYER)) return parsed.data;
    throw new Failure(
      'endpoint/refused',
      'this Envoy has no admin layer in its layered_runtime: its keys cannot be changed',
    );
  }

  const stateOf = ({ layers, entries }: z.output<typeof runtimeSchema>): RuntimeState => {
    const layer = layers.indexOf(ADMIN_LAYER);
    return { keys: Object.fromEntries(keys.map((key) => [key, entries[key]?.layer_values[layer] || null])) };
  };

  const weights = (shares: Readonly<Record<string, number>>): Record<string, string> =>
    Object.fromEntries(
      clusters.map((cluster) => [weightOf(cluster), String(Math.round(100 * (shares[cluster] ?? 0)))]),
    );

  return {
    name: 'envoy',
    captures: ['runtime keys of the endpoint', "Envoy's version and state, and its clusters"],
    stances: ['serving', 'canary', 'shadow', 'isolated'],
    look: async () => {
      const [told, server, status] = await Promise.all([
        runtime(),
        deps.call('GET', 'server_info'),
        deps.call('GET', 'clusters?format=json'),
      ]);
      const state = stateOf(told);
      const set = Object.entries(state.keys).filter(([, value]) => value !== null);
      return {
        state,
        words: set.map(([key, value]) => `${key} = ${value}`).join(', ') || 'no key is set',
        captured: { runtime: told as Json, server: server.json as Json, clusters: status.json as Json },
        told: {},
        record: null,
        mark: null,
      };
    },
    towards: (stance: Stance, now) => {
      switch (stance.kind) {
        case 'isolated':
          return { keys: { ...now.keys, [abort]: '100', [mirror]: '0' } };
        case 'serving':
          return { keys: { [abort]: '0', [mirror]: '0', ...weights({ [placeOf(places, stance.model)]: 1 }) } };
        case 'canary': {
          const [live, candidate] = [placeOf(places, stance.model), placeOf(places, stance.candidate)];
          return {
            keys: { [abort]: '0', [mirror]: '0', ...weights({ [live]: 1 - stance.share, [candidate]: stance.share }) },
          };
        }
        case 'shadow':
          return {
            keys: {
              [abort]: '0',
              [mirror]: stance.observed ? '100' : '0',
              ...weights({ [placeOf(places, stance.model)]: 1 }),
            },
          };
        default:
          throw new Failure('endpoint/refused', `Envoy's runtime has no stance "${stance.kind}"`);
      }
    },
    change: async (look, next) => {
      const now = stateOf(await runtime());
      if (keys.some((key) => now.keys[key] !== look.state.keys[key])) return 'conflict';
      // One request sets all keys: Envoy swaps its runtime snapshot once. An empty value takes a key out of the admin layer.
      const query = keys.map((key) => `${encodeURIComponent(key)}=${encodeURIComponent(next.keys[key] ?? '')}`);
      good(await deps.call('POST', `runtime_modify?${query.join('&')}`));
      const then = stateOf(await runtime());
      if (keys.every((key) => then.keys[key] === next.keys[key])) return 'done';
      throw new Failure('endpoint/unreachable', `${WHOM} took the change, and its runtime says otherwise`);
    },
    probe: () => deps.probe(options.model),
  };
}

function good(answer: Answer): Answer {
  if (answer.status >= 200 && answer.status < 300) return answer;
  throw failureOf(WHOM, answer);
}
