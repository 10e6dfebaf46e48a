import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import type { Stance } from '../../domain/contracts/stance.ts';
import { Failure } from '../../domain/incident/failure.ts';
import type { Observed } from '../inference/probe.ts';
import { failureOf, type Answer, type JsonCall } from '../adapters/json-call.ts';
import { placeOf, type Places } from '../adapters/places.ts';
import type { Json, Platform } from '../adapters/platform.ts';

/** Weights by variant, as they are in force. */
type VariantState = { weights: Record<string, number> };

const endpointSchema = z.looseObject({
  EndpointName: z.string(),
  EndpointArn: z.string().optional(),
  EndpointConfigName: z.string(),
  EndpointStatus: z.string(),
  ProductionVariants: z.array(z.looseObject({ VariantName: z.string(), CurrentWeight: z.number().default(0) })).min(1),
});
type DescribedEndpoint = z.output<typeof endpointSchema>;

const LOOK_EVERY_MS = 200;

/**
 * A SageMaker endpoint with a production variant for each model: stances are traffic weights. SageMaker refuses an endpoint whose weights are all
 * zero, so it cannot be isolated, only answered by a trusted variant. It has no conditional writes either: between our look and our write
 * somebody's change of a weight could be lost, so the write follows a second look at once, names only variants that change, and no capacity.
 */
export function createVariantPlatform(
  options: {
    readonly endpointName: string;
    /** Variant names. */
    readonly places: Places;
    /** How long a change may take to be in force before the order is given back as unconfirmed. */
    readonly settleMs: number;
  },
  deps: { readonly control: JsonCall; readonly runtime: JsonCall },
): Platform<VariantState> {
  const { endpointName, places } = options;

  const ask = async (operation: string, body: object): Promise<unknown> => {
    const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `SageMaker.${operation}` };
    return good(await deps.control('POST', '', body, headers)).json;
  };
  async function describe(): Promise<DescribedEndpoint> {
    const parsed = endpointSchema.safeParse(await ask('DescribeEndpoint', { EndpointName: endpointName }));
    if (parsed.success) return parsed.data;
    throw new Failure('endpoint/refused', `SageMaker described ${endpointName} in another form`);
  }

  const only = (now: VariantState, shares: Readonly<Record<string, number>>): VariantState => {
    for (const variant of Object.keys(shares))
      if (!(variant in now.weights))
        throw new Failure(
          'endpoint/refused',
          `${endpointName} has no variant "${variant}", only ${Object.keys(now.weights).join(', ')}`,
        );
    return { weights: Object.fromEntries(Object.keys(now.weights).map((variant) => [variant, shares[variant] ?? 0])) };
  };

  return {
    name: 'sagemaker',
    captures: [
      'weights and capacities of the variants',
      'the endpoint, its configuration and the images that were deployed',
    ],
    stances: ['serving', 'canary', 'shadow'],
    look: async () => {
      const described = await describe();
      const configuration = await ask('DescribeEndpointConfig', { EndpointConfigName: described.EndpointConfigName });
      const state = stateOf(described);
      const total = Object.values(state.weights).reduce((sum, weight) => sum + weight, 0);
      const shares = Object.entries(state.weights).map(
        ([name, weight]) => `${name} ${Math.round((100 * weight) / (total || 1))} %`,
      );
      return {
        state,
        words: shares.join(', '),
        captured: { endpoint: described as Json, configuration: configuration as Json },
        told: described.EndpointArn === undefined ? {} : { replica: described.EndpointArn },
        record: null,
        mark: null,
      };
    },
    towards: (stance: Stance, now) => {
      switch (stance.kind) {
        case 'serving':
          return only(now, { [placeOf(places, stance.model)]: 1 });
        case 'shadow':
          if (stance.observed)
            throw new Failure(
              'endpoint/refused',
              'shadow variants of SageMaker are set up with the endpoint, not by weights',
            );
          return only(now, { [placeOf(places, stance.model)]: 1 });
        case 'canary':
          return only(now, {
            [placeOf(places, stance.model)]: 1 - stance.share,
            [placeOf(places, stance.candidate)]: stance.share,
          });
        default:
          throw new Failure('endpoint/refused', `SageMaker has no stance "${stance.kind}"`);
      }
    },
    change: async (look, next) => {
      const now = await describe();
      if (!sameWeights(stateOf(now), look.state)) return 'conflict';
      if (now.EndpointStatus !== 'InService')
        throw new Failure('endpoint/unreachable', `${endpointName} is ${now.EndpointStatus} and takes no change`);
      const wanted = Object.entries(next.weights).filter(([variant, weight]) => look.state.weights[variant] !== weight);
      if (wanted.length > 0)
        await ask('UpdateEndpointWeightsAndCapacities', {
          EndpointName: endpointName,
          DesiredWeightsAndCapacities: wanted.map(([VariantName, DesiredWeight]) => ({ VariantName, DesiredWeight })),
        });
      const deadline = performance.now() + options.settleMs;
      for (;;) {
        const then = await describe();
        if (then.EndpointStatus === 'InService' && sameWeights(stateOf(then), next)) return 'done';
        if (performance.now() > deadline)
          throw new Failure(
            'endpoint/unreachable',
            `${endpointName} is ${then.EndpointStatus}: its new weights are not in force yet`,
          );
        await pause(LOOK_EVERY_MS);
      }
    },
    probe: async (): Promise<Observed> => {
      try {
        const body = { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 1], data: [0] }] };
        const answer = await deps.runtime('POST', `endpoints/${encodeURIComponent(endpointName)}/invocations`, body);
        // 424: the model itself disliked the probe; so it was asked.
        const asked = answer.status === 200 || answer.status === 424;
        return { behaviour: asked ? 'answering' : 'neither', text: `${answer.status}: ${answer.text.slice(0, 200)}` };
      } catch (error) {
        return { behaviour: 'neither', text: error instanceof Error ? error.message : String(error) };
      }
    },
  };
}

function stateOf({ ProductionVariants }: DescribedEndpoint): VariantState {
  return {
    weights: Object.fromEntries(ProductionVariants.map((variant) => [variant.VariantName, variant.CurrentWeight])),
  };
}

/** Weights are single-precision floats on the other side. */
function sameWeights({ weights: one }: VariantState, { weights: other }: VariantState): boolean {
  const names = Object.keys(one);
  return (
    names.length === Object.keys(other).length &&
    names.every((name) => Math.fround(one[name] ?? 0) === Math.fround(other[name] ?? -1))
  );
}

/** AWS answers 400 to almost everything; the type says whether later is better. */
function good(answer: Answer): Answer {
  if (answer.status >= 200 && answer.status < 300) return answer;
  const type =
    typeof answer.json === 'object' && answer.json !== null && '__type' in answer.json
      ? String(answer.json.__type)
      : '';
  const later = /Throttling|TooManyRequests|ResourceInUse|in-progress/i.test(`${type} ${answer.text.slice(0, 500)}`);
  throw failureOf('SageMaker', later ? { ...answer, status: 429 } : answer);
}
