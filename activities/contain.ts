import type { ContainActivities, ContainInput } from '../domain/contracts/activities.ts';
import { isContained, type Stance } from '../domain/contracts/stance.ts';
import { endpointOf, type ActivityDependencies } from './dependencies.ts';
import { answeringModel } from './preserve.ts';
import { createOrderBook, publishOrder } from './stance-orders.ts';

type Needs = Pick<ActivityDependencies, 'configuration' | 'keys' | 'signers' | 'store' | 'golden' | 'adapter' | 'now'>;

export function createContainActivities(deps: Needs): ContainActivities {
  const sign = createOrderBook(deps.signers.responder, deps.now);

  const shadow = (family: string): Stance | null => {
    const golden = deps.golden.current(family);
    return golden && { kind: 'shadow', model: golden, observed: null };
  };

  /** What the endpoint is to do meanwhile. Where nothing trustworthy can answer, nothing answers. */
  const containedStance = async (input: ContainInput): Promise<Stance> => {
    const endpoint = endpointOf(deps, input.endpoint);
    const isolated: Stance = { kind: 'isolated', reason: input.reason.slice(0, 500) };
    switch (input.action) {
      case 'isolate': {
        // Some platforms cannot refuse everybody: there a trusted model answers, which is the strongest they have.
        const { stances } = deps.adapter(input.endpoint).describe();
        return stances.includes('isolated') ? isolated : (shadow(endpoint.model) ?? isolated);
      }
      case 'shadow':
        return shadow(endpoint.model) ?? isolated;
      case 'fallback':
        return endpoint.fallback.length > 0 ? { kind: 'fallback', rules: endpoint.fallback } : isolated;
      case 'limit': {
        const { stance } = await deps.adapter(input.endpoint).read(input.endpoint);
        const model = answeringModel(stance);
        return model ? { kind: 'limited', model, limits: endpoint.limits } : isolated;
      }
      case 'none':
        return (await deps.adapter(input.endpoint).read(input.endpoint)).stance;
    }
  };

  const containOrder = async (input: ContainInput): Promise<string> =>
    sign({
      orderId: `${input.incident}/contain/${input.endpoint}`,
      endpoint: input.endpoint,
      incident: input.incident,
      stance: await containedStance(input),
    });

  return {
    captureAndSwap: async (input) => {
      const order = await containOrder(input);
      return { order, receipt: await deps.adapter(input.endpoint).captureAndSwap(input.endpoint, order) };
    },
    publishContainment: async (input) => {
      // Its present stance cannot be read: "none" and "limit" become isolation, because a model that nobody can look at must not come back by itself.
      const blind = input.action === 'none' || input.action === 'limit';
      const action = blind ? 'isolate' : input.action;
      return await publishOrder(deps.store, deps.keys, await containOrder({ ...input, action }));
    },
    publishStance: async ({ order }) => await publishOrder(deps.store, deps.keys, order),
    takeStance: async ({ incident, endpoint, orderId, stance }) => {
      const order = sign({ orderId, endpoint, incident, stance });
      // The safe stance is published first, so that it holds even if the endpoint is away; any other only after the endpoint obeyed.
      if (isContained(stance)) await publishOrder(deps.store, deps.keys, order);
      const receipt = await deps.adapter(endpoint).captureAndSwap(endpoint, order);
      await publishOrder(deps.store, deps.keys, order);
      // What was captured on the way back is nobody's evidence. An endpoint that is away just now keeps it: that MUST NOT undo the release.
      await deps
        .adapter(endpoint)
        .forget(receipt)
        .catch(() => undefined);
      return { order, receipt };
    },
  };
}
