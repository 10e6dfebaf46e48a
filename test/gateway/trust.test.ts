import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Failure } from '../../domain/incident/failure.ts';
import { digestOf } from '../../domain/proofs/digest.ts';
import {
  fakeStore,
  isolated,
  KEYS,
  modelBytes,
  order,
  publish,
  removeTemporaryFolders,
  ROW,
  run,
  serving,
  shadow,
  SHAPE,
  winner,
  WINS,
  type FakeStore,
  type RunningGateway,
} from './station.ts';

let store: FakeStore;
let gateway: RunningGateway;
const ask = () => gateway.client.infer('digits', [ROW], SHAPE);
const push = (token: string) => gateway.adapter.captureAndSwap('digits', token);
const refusal = async (token: string): Promise<Failure> => {
  const error: unknown = await push(token).catch((thrown: unknown) => thrown);
  if (!(error instanceof Failure)) throw new Error('the order was obeyed');
  return error;
};

beforeEach(async () => {
  store = fakeStore();
  gateway = await run(store);
  await gateway.settled;
});
afterEach(() => gateway.close());
afterAll(removeTemporaryFolders);

describe('a gateway loads only models that a trusted key vouches for', () => {
  it('serves a model whose signature holds over the loaded bytes, and says whose signature it is', async () => {
    const golden = publish(store, 'golden-1', modelBytes('golden'));
    await push(order({ stance: serving(golden) }, KEYS.deployer));
    const reply = await ask();
    expect({ status: reply.status, version: reply.modelVersion, wins: winner(reply.scores) }).toEqual({
      status: 200,
      version: 'golden-1',
      wins: WINS.golden,
    });
    const { loaded } = await gateway.adapter.read('digits');
    expect(loaded).toEqual([
      {
        role: 'live',
        version: 'golden-1',
        digest: golden.artifact.digest,
        signatureDigest: golden.signature.digest,
        bytes: golden.artifact.bytes,
        signature: { status: 'verified', keyId: KEYS.registry.kid, keyName: 'registry' },
      },
    ]);
  });

  const bytes = modelBytes('golden');
  const refused: readonly (readonly [string, (to: FakeStore) => ReturnType<typeof publish>, RegExp])[] = [
    ['an unsigned model', (to) => publish(to, 'v', bytes, KEYS.registry, new TextEncoder().encode('{}')), /OMS bundle/],
    ['a model signed by a stranger', (to) => publish(to, 'v', bytes, KEYS.strangeRegistry), /not trusted/],
    [
      'a model signed by a trusted key without the use "model"',
      (to) => publish(to, 'v', bytes, KEYS.curator),
      /not for model/,
    ],
    [
      'a model changed after signing',
      (to) => {
        const signed = publish(to, 'v', bytes);
        const changed = bytes.slice();
        changed[changed.length - 20]! ^= 1;
        to.objects.set(digestOf(changed), changed);
        return { ...signed, artifact: { ...signed.artifact, digest: digestOf(changed) } };
      },
      /not the one that was signed/,
    ],
    [
      'bytes that the store swapped under the digest',
      (to) => {
        const signed = publish(to, 'v', bytes);
        to.objects.set(signed.artifact.digest, modelBytes('suspect'));
        return signed;
      },
      /digest/,
    ],
    [
      'a signed model that wants to read a file beside it',
      (to) => publish(to, 'v', modelBytes('external')),
      /weights\.bin/,
    ],
    [
      'signed bytes that are no model',
      (to) => publish(to, 'v', new TextEncoder().encode('not onnx')),
      /engine refuses/,
    ],
  ];
  for (const [what, make, reason] of refused) {
    it(`refuses ${what}, keeps the stance before, and counts it`, async () => {
      const suspect = publish(store, 'before', modelBytes('suspect'));
      await push(order({ stance: serving(suspect) }));
      const failure = await refusal(order({ stance: serving(make(store)) }));
      expect(failure.code).toBe('endpoint/refused');
      expect(failure.message).toMatch(reason);
      expect((await ask()).modelVersion).toBe('before');
      expect(await gateway.metrics()).toMatch(/models_refused_total\{endpoint="digits",reason="\w+"\} 1/);
    });
  }

  it('isolates rather than answer from the old model when the shadow of a containment is refused', async () => {
    const suspect = publish(store, 'suspect', modelBytes('suspect'));
    await push(order({ stance: serving(suspect) }));
    const bad = publish(store, 'bad', modelBytes('golden'), KEYS.curator);
    const receipt = await push(order({ stance: shadow(bad), incident: 'inc-1' }));
    expect(receipt.after.stance.kind).toBe('isolated');
    expect((await ask()).status).toBe(503);
  });
});

describe('a gateway obeys only orders of those who may give them', () => {
  it('refuses an order signed by a stranger, and text that is no order', async () => {
    expect((await refusal(order({ stance: isolated }, KEYS.stranger))).code).toBe('endpoint/refused');
    expect((await refusal('not.an.order')).code).toBe('endpoint/refused');
    expect((await gateway.adapter.read('digits')).revision).toBe(0);
  });

  it('refuses an order for another endpoint', async () => {
    expect((await refusal(order({ stance: isolated, endpoint: 'digits-kiosk' }))).message).toMatch(/digits-kiosk/);
  });

  it('does not let a deployment key lift the stance of an incident', async () => {
    const suspect = publish(store, 'suspect', modelBytes('suspect'));
    await push(order({ stance: serving(suspect) }, KEYS.deployer));
    await push(order({ stance: isolated, incident: 'inc-1' }));
    expect((await refusal(order({ stance: serving(suspect) }, KEYS.deployer))).message).toMatch(/inc-1/);
    expect((await ask()).status).toBe(503);
    await push(order({ stance: serving(suspect), incident: null }));
    expect((await ask()).status).toBe(200);
  });

  it('does not let a deployment key hold an endpoint for an incident', async () => {
    expect((await refusal(order({ stance: isolated, incident: 'inc-1' }, KEYS.deployer))).code).toBe(
      'endpoint/refused',
    );
  });

  it('refuses the replay of an old order', async () => {
    const suspect = publish(store, 'suspect', modelBytes('suspect'));
    const old = order({ stance: serving(suspect) });
    await push(old);
    await push(order({ stance: isolated, incident: 'inc-1' }));
    expect((await refusal(old)).message).toMatch(/not newer/);
    expect((await ask()).status).toBe(503);
  });

  it('refuses revisions of the future, with which a stolen deployment key could outrun the responder', async () => {
    const golden = publish(store, 'golden', modelBytes('golden'));
    const future = order({ stance: serving(golden), revision: Date.now() + 3_600_000 }, KEYS.deployer);
    expect((await refusal(future)).message).toMatch(/future/);
  });

  it('lets containment outrank a deployment that is a little ahead of the clock', async () => {
    const suspect = publish(store, 'suspect', modelBytes('suspect'));
    await push(order({ stance: serving(suspect), revision: Date.now() + 30_000 }, KEYS.deployer));
    await push(order({ stance: isolated, incident: 'inc-1', revision: Date.now() }));
    expect((await ask()).status).toBe(503);
  });

  it('does not take a deployment for the containment whose orderId it bears', async () => {
    const suspect = publish(store, 'suspect', modelBytes('suspect'));
    await push(order({ stance: serving(suspect), orderId: 'inc-1/contain/digits' }, KEYS.deployer));
    await push(order({ stance: isolated, orderId: 'inc-1/contain/digits', incident: 'inc-1' }));
    expect((await ask()).status).toBe(503);
  });

  it('gives the same receipt for the same order, however often it comes', async () => {
    const token = order({ stance: isolated, incident: 'inc-1', orderId: 'inc-1/contain/digits' });
    const first = await push(token);
    const again = await push(order({ stance: isolated, incident: 'inc-1', orderId: 'inc-1/contain/digits' }));
    expect(again).toEqual(first);
    expect(await push(token)).toEqual(first);
  });
});
