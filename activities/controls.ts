import type { GateResult, ValidationFigure } from '../domain/contracts/plan.ts';
import type { ModelRef, Stance } from '../domain/contracts/stance.ts';
import { Failure } from '../domain/incident/failure.ts';
import { generateKey } from '../evidence/keys/key-material.ts';
import { createSigner } from '../evidence/keys/signer.ts';
import { BUNDLE_MEDIA_TYPE } from '../evidence/model-signing/bundle.ts';
import { signModel } from '../evidence/model-signing/sign.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { createOrderBook } from './stance-orders.ts';

type Needs = Pick<ActivityDependencies, 'adapter' | 'now' | 'signers' | 'store'>;

export type FiredControl = { readonly gate: GateResult } | { readonly figure: ValidationFigure };

const ABOUT = {
  id: 'control:signature',
  title: 'Unsigned models are refused',
} as const;

/**
 * Does the control work that keeps an unsigned model out? It is fired, not looked at: the held endpoint is ordered to load a model that only a
 * key of this moment signed, and one that was changed after signing, by the way every model takes. Both are the golden model's bytes, and
 * both would stand where nothing is answered from (a canary without a share, a standby), so that even a gateway that loads them answers no
 * request with them; then its stance is given back at once. Fails with `endpoint/unreachable`.
 */
export async function fireSignatureControl(
  deps: Needs,
  { incident, endpoint, golden }: { incident: string; endpoint: string; golden: ModelRef },
): Promise<FiredControl> {
  const adapter = deps.adapter(endpoint);
  const { adapter: kind } = adapter.describe();
  if (kind !== 'gateway')
    return unfired(`${endpoint} is reached by the adapter "${kind}", which loads models by itself.`);
  const before = await adapter.read(endpoint);
  if (before.incident !== incident) return unfired(`${endpoint} is not held for this incident.`);
  const placed = quietPlace(before.stance);
  if (!placed)
    return unfired(
      `${endpoint} is in the stance "${before.stance.kind}": a gateway whose control is broken would leave it, so it was not tried.`,
    );

  const sign = createOrderBook(deps.signers.responder, deps.now);
  const order = (name: string, stance: Stance) =>
    sign({ orderId: `${incident}/control/${name}/${deps.now().getTime()}`, endpoint, incident, stance });
  const planted = [await unsigned(deps, golden), await changed(deps, golden)];
  const outcomes: string[] = [];
  for (const model of planted) {
    const refusal = await refusalOf(() => adapter.captureAndSwap(endpoint, order(model.version, placed(model))));
    if (refusal === null) {
      await adapter.captureAndSwap(endpoint, order('back', before.stance));
      return fired('fail', `${endpoint} loaded ${model.version}; its stance before was given back.`, outcomes.length);
    }
    if (!refusal.includes('signature'))
      return fired('inconclusive', `${model.version} was refused for another reason: ${refusal}`, outcomes.length);
    outcomes.push(`${model.version}: ${refusal}`);
  }
  const after = await adapter.read(endpoint);
  return after.revision === before.revision
    ? fired('pass', `${outcomes.join('; ')}. The stance is what it was.`, outcomes.length)
    : fired('inconclusive', `The stance of ${endpoint} changed while the control was fired.`, outcomes.length);
}

/** Where a model is loaded and answers nobody; null where there is no such place without answering from a model that did not answer before. */
function quietPlace(stance: Stance): ((planted: ModelRef) => Stance) | null {
  switch (stance.kind) {
    case 'shadow':
      return (planted) => ({ kind: 'canary', model: stance.model, candidate: planted, share: 0 });
    case 'serving':
      return (planted) => ({ kind: 'serving', model: stance.model, standby: planted });
    case 'canary':
    case 'mirror':
    case 'limited':
    case 'fallback':
    case 'isolated':
    case 'found':
      return null;
  }
}

/** Why the endpoint does not obey; null where it does. What may go better another time is thrown. */
async function refusalOf(obey: () => Promise<unknown>): Promise<string | null> {
  try {
    await obey();
    return null;
  } catch (error) {
    if (error instanceof Failure && error.code === 'endpoint/refused') return error.message;
    throw error;
  }
}

/** The golden bytes under a signature of a key that nobody trusts: it is made here and forgotten. */
async function unsigned(deps: Needs, golden: ModelRef): Promise<ModelRef> {
  const stranger = createSigner({ name: 'nobody', privatePem: generateKey('ES256').privatePem });
  const bundle = signModel([{ name: 'model.onnx', bytes: await deps.store.get(golden.artifact) }], stranger);
  return {
    version: 'planted-unsigned',
    artifact: golden.artifact,
    signature: await deps.store.put('artifacts', bundle, { mediaType: BUNDLE_MEDIA_TYPE, name: 'planted.sig' }),
  };
}

/** The golden bytes with one bit of the last byte turned, under the golden signature. */
async function changed(deps: Needs, golden: ModelRef): Promise<ModelRef> {
  const bytes = new Uint8Array(await deps.store.get(golden.artifact));
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  return {
    version: 'planted-changed',
    artifact: await deps.store.put('artifacts', bytes, { mediaType: golden.artifact.mediaType, name: 'planted.onnx' }),
    signature: golden.signature,
  };
}

function fired(verdict: GateResult['verdict'], reason: string, refused: number): FiredControl {
  return {
    gate: {
      ...ABOUT,
      verdict,
      figure: `${refused} of 2 refused`,
      golden: 'does not apply',
      threshold: 'both planted models are refused for their signature, and the stance stays what it was',
      reason,
    },
  };
}

function unfired(words: string): FiredControl {
  return { figure: { ...ABOUT, figure: null, golden: null, words } };
}
