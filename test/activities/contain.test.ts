import { beforeEach, describe, expect, it } from '@jest/globals';
import { createContainActivities } from '../../activities/contain.ts';
import { createOrderBook, publishOrder, readOrder } from '../../activities/stance-orders.ts';
import type { ContainInput } from '../../domain/contracts/activities.ts';
import { STANCE_TYPE, type ModelRef, type Stance, type StanceOrder } from '../../domain/contracts/stance.ts';
import { Failure } from '../../domain/incident/failure.ts';
import { digestOf } from '../../domain/proofs/digest.ts';
import { signCompactJws, trustedKeyOf } from '../../evidence/keys/signer.ts';
import { DOCUMENTS, type Signer } from '../../evidence/ports.ts';
import { createWorld, INCIDENT, NOW, type World } from './world.ts';

const golden: ModelRef = {
  version: 'golden-1',
  artifact: { store: 'artifacts', digest: digestOf('m'), bytes: 1, mediaType: 'application/onnx', name: 'm.onnx' },
  signature: { store: 'artifacts', digest: digestOf('s'), bytes: 1, mediaType: 'application/json', name: 'm.sig' },
};
const suspect: ModelRef = { ...golden, version: 'nightly-1' };
const serving: Stance = { kind: 'serving', model: suspect, standby: golden };
const isolated: Stance = { kind: 'isolated', reason: 'because' };

let world: World;
let contain: ReturnType<typeof createContainActivities>;
beforeEach(() => {
  world = createWorld();
  world.known(golden);
  world.endpoint.stance = serving;
  contain = createContainActivities(world.deps);
});

const input = (action: ContainInput['action'], endpoint = 'gate'): ContainInput => ({
  incident: INCIDENT,
  endpoint,
  action,
  reason: 'incident gate-0123abcd: critical',
});
function opened(token: string): StanceOrder {
  const read = readOrder(token, world.deps.keys);
  if (!read) throw new Error('the order does not verify');
  return read.order;
}
async function published(endpoint = 'gate'): Promise<StanceOrder | null> {
  const document = await world.store.readDocument(DOCUMENTS.stance(endpoint));
  return document && opened(new TextDecoder().decode(document.bytes));
}
function orderBy(signer: Signer, about: Partial<StanceOrder>): string {
  const order: StanceOrder = {
    orderId: 'somebody/1',
    endpoint: 'gate',
    incident: null,
    revision: 1,
    stance: serving,
    issuer: signer.name,
    issuedAt: NOW,
    ...about,
  };
  return signCompactJws(order, STANCE_TYPE, signer);
}

describe('the stance an endpoint is contained in', () => {
  it('is isolation for "isolate", with the reason clients are told', async () => {
    const { order } = await contain.captureAndSwap(input('isolate'));
    expect(opened(order)).toMatchObject({
      orderId: `${INCIDENT}/contain/gate`,
      incident: INCIDENT,
      stance: { kind: 'isolated', reason: 'incident gate-0123abcd: critical' },
    });
    expect(world.endpoint.orders).toEqual([order]);
  });

  it('is the golden model for "isolate" where the platform cannot refuse everybody, and isolation where there is none', async () => {
    world.endpoint.stances = ['serving', 'canary', 'shadow'];
    const { order } = await contain.captureAndSwap(input('isolate'));
    expect(opened(order).stance).toEqual({ kind: 'shadow', model: golden, observed: null });
    world.known(null);
    expect(opened((await contain.captureAndSwap(input('isolate'))).order).stance.kind).toBe('isolated');
  });

  it('is the golden model for "shadow", and nothing of the suspect beside it', async () => {
    const { order } = await contain.captureAndSwap(input('shadow'));
    expect(opened(order).stance).toEqual({ kind: 'shadow', model: golden, observed: null });
  });

  it('is isolation for "shadow" where no golden model can answer', async () => {
    world.known(null);
    expect(opened((await contain.captureAndSwap(input('shadow'))).order).stance.kind).toBe('isolated');
  });

  it('is the rules of lazaret.yaml for "fallback", and isolation where there are none', async () => {
    const rules = opened((await contain.captureAndSwap(input('fallback'))).order).stance;
    expect(rules).toEqual({
      kind: 'fallback',
      rules: [{ when: null, scores: [1, 0], reason: 'always the first class' }],
    });
    expect(opened((await contain.captureAndSwap(input('fallback', 'kiosk'))).order).stance.kind).toBe('isolated');
  });

  it('is what it was for "none", but held for the incident', async () => {
    const { order } = await contain.captureAndSwap(input('none'));
    expect(opened(order)).toMatchObject({ incident: INCIDENT, stance: serving });
  });

  it('is asked for of no endpoint that lazaret.yaml does not declare', async () => {
    await expect(contain.captureAndSwap(input('isolate', 'elsewhere'))).rejects.toMatchObject({
      code: 'endpoint/unknown',
    });
    expect(world.endpoint.orders).toEqual([]);
  });

  it('is taken without touching S3: containment works while the store is away', async () => {
    world.store.away(true);
    await expect(contain.captureAndSwap(input('shadow'))).resolves.toMatchObject({ receipt: { endpoint: 'gate' } });
    expect(world.trace).toEqual(['order obeyed']);
  });
});

describe('the orders of the book', () => {
  it('verify against the responder’s key and no other', () => {
    const token = createOrderBook(
      world.signers.responder,
      () => world.clock,
    )({
      orderId: 'x',
      endpoint: 'gate',
      incident: null,
      stance: isolated,
    });
    expect(readOrder(token, world.deps.keys)).toMatchObject({
      authority: 'respond',
      order: { issuer: 'responder', issuedAt: NOW },
    });
    expect(readOrder(token, [trustedKeyOf(world.signers.deployer, ['stance:respond'])])).toBeNull();
    expect(readOrder(token, [trustedKeyOf(world.signers.responder, ['case-log'])])).toBeNull();
    expect(readOrder(`${token.slice(0, -4)}AAAA`, world.deps.keys)).toBeNull();
  });

  it('have rising revisions even when the clock stands still or steps back', () => {
    const sign = createOrderBook(world.signers.responder, () => world.clock);
    const next = (): number =>
      opened(sign({ orderId: 'x', endpoint: 'gate', incident: null, stance: isolated })).revision;
    const first = next();
    expect(first).toBe(Date.parse(NOW));
    expect([next(), next()]).toEqual([first + 1, first + 2]);
    world.clock = new Date(Date.parse(NOW) - 3_600_000);
    expect(next()).toBe(first + 3);
    world.clock = new Date(Date.parse(NOW) + 1_000);
    expect(next()).toBe(first + 1_000);
  });

  it('are read by a key that may respond and deploy, as a responder’s', () => {
    const token = orderBy(world.signers.responder, {});
    const both = [trustedKeyOf(world.signers.responder, ['stance:respond', 'stance:deploy'])];
    expect(readOrder(token, both)).toMatchObject({ authority: 'respond' });
  });
});

describe('publishing a desired stance', () => {
  it('writes the order, and a repeated one changes nothing', async () => {
    const { order } = await contain.captureAndSwap(input('isolate'));
    const first = await contain.publishStance({ endpoint: 'gate', order });
    expect(await contain.publishStance({ endpoint: 'gate', order })).toEqual(first);
    expect(world.store.writes.filter((write) => write.startsWith('document'))).toHaveLength(1);
    expect(await published()).toMatchObject({ revision: first.revision, stance: { kind: 'isolated' } });
  });

  it('never replaces a newer order', async () => {
    const older = orderBy(world.signers.responder, { revision: 10, stance: isolated, incident: INCIDENT });
    const newer = orderBy(world.signers.responder, { revision: 11 });
    await publishOrder(world.store, world.deps.keys, newer);
    expect(await publishOrder(world.store, world.deps.keys, older)).toEqual({ revision: 11 });
    expect(await published()).toMatchObject({ revision: 11 });
  });

  it('replaces a document that does not verify, and one that was moved here from another endpoint', async () => {
    const order = orderBy(world.signers.responder, { revision: 10, stance: isolated });
    world.store.overwrite(DOCUMENTS.stance('gate'), 'not an order');
    expect(await publishOrder(world.store, world.deps.keys, order)).toEqual({ revision: 10 });
    world.store.overwrite(
      DOCUMENTS.stance('gate'),
      orderBy(world.signers.responder, { endpoint: 'kiosk', revision: 99 }),
    );
    expect(await publishOrder(world.store, world.deps.keys, order)).toEqual({ revision: 10 });
  });

  it('is not held up by a stolen deployment key that published a revision of the far future', async () => {
    const future = Number.MAX_SAFE_INTEGER;
    world.store.overwrite(DOCUMENTS.stance('gate'), orderBy(world.signers.deployer, { revision: future }));
    await contain.publishContainment(input('isolate'));
    expect(await published()).toMatchObject({ incident: INCIDENT, stance: { kind: 'isolated' } });
  });

  it('lets a newer deployment stand where no containment is to be published', async () => {
    world.store.overwrite(DOCUMENTS.stance('gate'), orderBy(world.signers.deployer, { revision: 99 }));
    const resumed = orderBy(world.signers.responder, { revision: 10 });
    expect(await publishOrder(world.store, world.deps.keys, resumed)).toEqual({ revision: 99 });
  });

  it('refuses an order that no trusted key signed', async () => {
    const forged = orderBy(world.signers.stranger, { stance: isolated });
    await expect(publishOrder(world.store, world.deps.keys, forged)).rejects.toThrow(/did not sign/);
    expect(await published().catch(() => 'unread')).toBeNull();
  });

  it('tries again when another writer was first, and gives way to a newer order of theirs', async () => {
    const order = orderBy(world.signers.responder, { revision: 10, stance: isolated });
    world.store.onConflict((key) => {
      world.store.onConflict(null);
      world.store.overwrite(key, orderBy(world.signers.responder, { revision: 9 }));
    });
    expect(await publishOrder(world.store, world.deps.keys, order)).toEqual({ revision: 10 });
    world.store.onConflict((key) => {
      world.store.onConflict(null);
      world.store.overwrite(key, orderBy(world.signers.responder, { revision: 12 }));
    });
    const later = orderBy(world.signers.responder, { revision: 11, stance: isolated });
    expect(await publishOrder(world.store, world.deps.keys, later)).toEqual({ revision: 12 });
  });

  it('gives up when it never wins the race, so that the step is seen to fail', async () => {
    let revision = 0;
    world.store.onConflict((key) => {
      revision += 1;
      world.store.overwrite(key, orderBy(world.signers.responder, { revision }));
    });
    const order = orderBy(world.signers.responder, { revision: 1_000, stance: isolated });
    await expect(publishOrder(world.store, world.deps.keys, order)).rejects.toThrow(/changed 10 times/);
  });
});

describe('an endpoint that does not answer', () => {
  beforeEach(() => {
    world.endpoint.broken = new Failure('endpoint/unreachable', 'no answer');
  });

  it('comes up contained, because the stance is published without it', async () => {
    await expect(contain.captureAndSwap(input('shadow'))).rejects.toMatchObject({ code: 'endpoint/unreachable' });
    await contain.publishContainment(input('shadow'));
    expect(await published()).toMatchObject({ incident: INCIDENT, stance: { kind: 'shadow', model: golden } });
  });

  it('comes up isolated where the policy is "none": nobody could look at what it would answer with', async () => {
    await contain.publishContainment(input('none'));
    expect(await published()).toMatchObject({ stance: { kind: 'isolated' } });
  });
});

describe('taking a stance', () => {
  const take = (stance: Stance) =>
    contain.takeStance({ incident: INCIDENT, endpoint: 'gate', orderId: `${INCIDENT}/step/gate/1`, stance });

  it('publishes a containment before the endpoint is told, so that it holds even if the endpoint is away', async () => {
    await take(isolated);
    expect(world.trace).toEqual([`document ${DOCUMENTS.stance('gate')}`, 'order obeyed', 'capture forgotten']);
    world.endpoint.broken = new Failure('endpoint/unreachable', 'no answer');
    await expect(take({ kind: 'shadow', model: golden, observed: null })).rejects.toMatchObject({
      code: 'endpoint/unreachable',
    });
    expect(await published()).toMatchObject({ stance: { kind: 'shadow' } });
  });

  it('publishes a stance that serves only after the endpoint obeyed', async () => {
    await take(serving);
    expect(world.trace).toEqual(['order obeyed', `document ${DOCUMENTS.stance('gate')}`, 'capture forgotten']);
  });

  it('publishes nothing that serves when the endpoint refused it', async () => {
    world.endpoint.broken = new Failure('endpoint/refused', 'the model is not signed');
    await expect(take({ kind: 'canary', model: golden, candidate: suspect, share: 0.5 })).rejects.toMatchObject({
      code: 'endpoint/refused',
    });
    expect(await published()).toBeNull();
  });

  it('lifts the hold of the incident with "incident: null"', async () => {
    const { order } = await contain.takeStance({ incident: null, endpoint: 'gate', orderId: 'x', stance: serving });
    expect(opened(order).incident).toBeNull();
  });
});
