import { z } from 'zod';
import type { Stance } from '../../domain/contracts/stance.ts';
import { Failure } from '../../domain/incident/failure.ts';
import { placeOf, type Places } from '../adapters/places.ts';
import type { Json } from '../adapters/platform.ts';
import type { Resource } from '../kubernetes/api.ts';
import type { ResourceStance } from '../kubernetes/resource-platform.ts';

/** https://kserve.github.io/website: `constants.StopAnnotationKey`; the controller takes the workload away and keeps the resource. */
const STOP = 'serving.kserve.io/stop';

/** Null: not there. */
type ServiceState = {
  stop: string | null;
  storageUri: string | null;
  canaryTrafficPercent: number | null;
};

const specSchema = z.looseObject({
  predictor: z.looseObject({
    canaryTrafficPercent: z.number().nullable().optional(),
    model: z.looseObject({ storageUri: z.string().optional() }),
  }),
});

/**
 * A KServe InferenceService (serving.kserve.io/v1beta1). Isolation is the stop annotation. A new storage URI is rolled out: until the new revision
 * is ready the one before it answers on, so a trusted model can take over only from a service that is stopped already.
 */
export function inferenceServiceStance(options: {
  readonly namespace: string;
  readonly inferenceService: string;
  /** Storage URIs. */
  readonly places: Places;
}): ResourceStance<ServiceState> {
  const { places } = options;

  const predictorOf = (resource: Resource) => {
    const parsed = specSchema.safeParse(resource.spec);
    if (parsed.success) return parsed.data.predictor;
    throw new Failure('endpoint/refused', `the InferenceService ${options.inferenceService} has no predictor.model`);
  };

  function towards(stance: Stance, now: ServiceState): ServiceState {
    switch (stance.kind) {
      case 'isolated':
        return { ...now, stop: 'true' };
      case 'serving':
        return { stop: null, storageUri: placeOf(places, stance.model), canaryTrafficPercent: null };
      case 'shadow':
        if (stance.observed) throw new Failure('endpoint/refused', 'an InferenceService has no mirror');
        if (now.stop !== 'true')
          throw new Failure(
            'endpoint/refused',
            'an InferenceService answers with the suspect until the trusted model is rolled out; isolate it first',
          );
        return { stop: null, storageUri: placeOf(places, stance.model), canaryTrafficPercent: null };
      case 'canary': {
        // The rest goes to the revision that was rolled out last, so that one MUST be the trusted model.
        if (now.storageUri !== placeOf(places, stance.model) || now.stop === 'true')
          throw new Failure('endpoint/refused', `a canary needs ${placeOf(places, stance.model)} rolled out before it`);
        const storageUri = placeOf(places, stance.candidate);
        return { stop: null, storageUri, canaryTrafficPercent: Math.round(stance.share * 100) };
      }
      default:
        throw new Failure('endpoint/refused', `an InferenceService has no stance "${stance.kind}"`);
    }
  }

  return {
    name: 'kserve',
    kind: { group: 'serving.kserve.io', version: 'v1beta1', plural: 'inferenceservices' },
    namespace: options.namespace,
    resource: options.inferenceService,
    captures: [
      'storage URI, canary share, stop annotation',
      'the whole InferenceService with its status and revisions',
    ],
    stances: ['serving', 'canary', 'shadow', 'isolated'],
    towards,
    select: (resource) => {
      const { canaryTrafficPercent = null, model } = predictorOf(resource);
      const stop = resource.metadata.annotations?.[STOP] ?? null;
      return { stop, storageUri: model.storageUri ?? null, canaryTrafficPercent };
    },
    apply: (resource, { stop, storageUri, canaryTrafficPercent }) => {
      const predictor = predictorOf(resource);
      const changed = {
        ...predictor,
        canaryTrafficPercent: canaryTrafficPercent ?? undefined,
        model: { ...predictor.model, storageUri: storageUri ?? undefined },
      };
      const annotations = { ...resource.metadata.annotations, ...(stop === null ? {} : { [STOP]: stop }) };
      if (stop === null) delete annotations[STOP];
      return {
        ...resource,
        metadata: { ...resource.metadata, annotations },
        spec: { ...(resource.spec as object), predictor: changed } as unknown as Json,
      };
    },
    words: ({ stop, storageUri, canaryTrafficPercent }) =>
      `${storageUri ?? 'no storage URI'}${canaryTrafficPercent === null ? '' : `, canary ${canaryTrafficPercent} %`}${stop === 'true' ? ', stopped' : ''}`,
  };
}
