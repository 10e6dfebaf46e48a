import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  fakeStore,
  isolated,
  KEYS,
  modelBytes,
  order,
  pause,
  publish,
  removeTemporaryFolders,
  ROW,
  run,
  serving,
  shadow,
  SHAPE,
  until,
  type FakeStore,
  type RunningGateway,
} from './station.ts';

let store: FakeStore;
const gateways: RunningGateway[] = [];
const start = async (options: Parameters<typeof run>[1] = {}): Promise<RunningGateway> => {
  const gateway = await run(store, options);
  gateways.push(gateway);
  return gateway;
};
const ask = (gateway: RunningGateway) => gateway.client.infer('digits', [ROW], SHAPE);

beforeEach(() => {
  store = fakeStore();
});
afterEach(async () => {
  for (const gateway of gateways.splice(0)) await gateway.close();
});
afterAll(removeTemporaryFolders);

describe('a replica that starts', () => {
  it('with nothing ordered is isolated and says so', async () => {
    const gateway = await start();
    await gateway.settled;
    expect(await ask(gateway)).toMatchObject({ status: 503, problem: 'no stance has been ordered yet' });
    expect((await fetch(`${gateway.urls.inference}/v2/health/ready`)).status).toBe(200);
  });

  it('while its endpoint is contained comes up contained, from the published stance alone', async () => {
    const golden = publish(store, 'golden', modelBytes('golden'));
    store.stances.set('digits', order({ stance: shadow(golden), incident: 'inc-1' }));
    const gateway = await start();
    await gateway.settled;
    await until(async () => (await ask(gateway)).modelVersion === 'golden', 'the shadow answers');
    expect(await gateway.adapter.read('digits')).toMatchObject({ incident: 'inc-1', stance: { kind: 'shadow' } });
  });

  it('while S3 is away and nothing is remembered is isolated, until it has read the truth', async () => {
    const suspect = publish(store, 'suspect', modelBytes('suspect'));
    store.stances.set('digits', order({ stance: serving(suspect) }));
    store.away = true;
    const gateway = await start();
    await gateway.settled;
    expect(await ask(gateway)).toMatchObject({ status: 503 });
    expect((await ask(gateway)).problem).toMatch(/cannot be read/);
    expect((await fetch(`${gateway.urls.inference}/v2/health/ready`)).status).toBe(503);
    // An old order could pass for a new one here.
    await expect(gateway.adapter.captureAndSwap('digits', order({ stance: serving(suspect) }))).rejects.toMatchObject({
      code: 'endpoint/unreachable',
    });
    store.away = false;
    await until(async () => (await ask(gateway)).modelVersion === 'suspect', 'the truth is obeyed');
  });

  it('takes the stance it held, and its models from its own folder, while S3 is away', async () => {
    const suspect = publish(store, 'suspect', modelBytes('suspect'));
    const first = await start();
    await first.settled;
    await first.adapter.captureAndSwap('digits', order({ stance: serving(suspect) }));
    await first.close();
    store.away = true;
    const second = await start({ stateFolder: first.stateFolder });
    await second.settled;
    expect((await ask(second)).modelVersion).toBe('suspect');
  });

  it('stays contained over its restart, also without S3, and repeats the receipt it gave', async () => {
    const first = await start();
    await first.settled;
    const token = order({ stance: isolated, incident: 'inc-1' });
    const receipt = await first.adapter.captureAndSwap('digits', token);
    await first.close();
    store.away = true;
    const second = await start({ stateFolder: first.stateFolder });
    await second.settled;
    expect((await ask(second)).status).toBe(503);
    expect((await second.adapter.read('digits')).incident).toBe('inc-1');
    expect(await second.adapter.captureAndSwap('digits', token)).toEqual(receipt);
    await second.adapter.window(receipt);
  });

  it('that missed a containment obeys the published stance and never answers from what it remembered', async () => {
    const suspect = publish(store, 'suspect', modelBytes('suspect'));
    const first = await start();
    await first.settled;
    await first.adapter.captureAndSwap('digits', order({ stance: serving(suspect) }));
    await first.close();
    store.stances.set('digits', order({ stance: isolated, incident: 'inc-1' }));
    const second = await start({ stateFolder: first.stateFolder });
    const during = [await ask(second), await ask(second)];
    await second.settled;
    expect([...during, await ask(second)].map((reply) => reply.status)).toEqual([503, 503, 503]);
    expect((await second.adapter.read('digits')).incident).toBe('inc-1');
  });

  it('refuses a remembered stance that was tampered with, says so, and obeys the published one', async () => {
    const golden = publish(store, 'golden', modelBytes('golden'));
    const first = await start();
    await first.settled;
    await first.adapter.captureAndSwap('digits', order({ stance: isolated, incident: 'inc-1' }));
    await first.close();
    const file = join(first.stateFolder, 'endpoints', 'digits.json');
    const record: { order: string } = JSON.parse(readFileSync(file, 'utf8')) as { order: string };
    record.order = order({ stance: serving(golden) }, KEYS.stranger);
    writeFileSync(file, JSON.stringify(record));

    store.away = true;
    const second = await start({ stateFolder: first.stateFolder });
    await second.settled;
    expect(await ask(second)).toMatchObject({ status: 503 });
    expect(second.lines.some((line) => line.level === 'error' && /does not verify/.test(line.message))).toBe(true);
    store.stances.set('digits', order({ stance: serving(golden) }));
    store.away = false;
    await until(async () => (await ask(second)).modelVersion === 'golden', 'the truth is obeyed');
  });

  it('does not load model bytes that were changed in its own folder', async () => {
    const suspect = publish(store, 'suspect', modelBytes('suspect'));
    const first = await start();
    await first.settled;
    await first.adapter.captureAndSwap('digits', order({ stance: serving(suspect) }));
    await first.close();
    const file = join(first.stateFolder, 'objects', suspect.artifact.digest.slice('sha256:'.length));
    writeFileSync(file, modelBytes('golden'));
    store.away = true;
    const second = await start({ stateFolder: first.stateFolder });
    await second.settled;
    expect((await ask(second)).status).toBe(503);
    store.away = false;
    await until(async () => (await ask(second)).modelVersion === 'suspect', 'the bytes come from the store again');
  });
});

describe('a running replica', () => {
  it('obeys a newer published stance that was never pushed to it', async () => {
    const suspect = publish(store, 'suspect', modelBytes('suspect'));
    const gateway = await start();
    await gateway.settled;
    await gateway.adapter.captureAndSwap('digits', order({ stance: serving(suspect) }));
    store.stances.set('digits', order({ stance: isolated, incident: 'inc-1' }));
    await until(async () => (await ask(gateway)).status === 503, 'the published containment is obeyed');
  });

  it('is not led back by an older published stance, nor by one that does not verify, nor by its disappearance', async () => {
    const suspect = publish(store, 'suspect', modelBytes('suspect'));
    const older = order({ stance: serving(suspect) });
    const gateway = await start();
    await gateway.settled;
    await gateway.adapter.captureAndSwap('digits', order({ stance: isolated, incident: 'inc-1' }));
    for (const document of [older, order({ stance: serving(suspect) }, KEYS.stranger), 'rubbish', null]) {
      if (document === null) store.stances.delete('digits');
      else store.stances.set('digits', document);
      await pause(120);
      expect((await ask(gateway)).status).toBe(503);
    }
    expect((await gateway.adapter.read('digits')).incident).toBe('inc-1');
  });
});
