import { createGatewayAdapter } from '../../../clients/gateway/adapter.ts';
import {
  fakeStore,
  isolated,
  modelBytes,
  order,
  publish,
  removeTemporaryFolders,
  ROW,
  run,
  serving,
  shadow,
  SHAPE,
  TOKEN,
} from '../../gateway/station.ts';
import { startRelay } from './between.ts';
import { conforms, ENDPOINT, type Subject } from './conformance.ts';

/** Lazaret's own gateway, whole. */
async function start(): Promise<Subject> {
  const store = fakeStore();
  const gateway = await run(store);
  await gateway.settled;
  const suspect = publish(store, 'suspect', modelBytes('suspect'));
  const golden = publish(store, 'golden', modelBytes('golden'));
  const relay = await startRelay(gateway.urls.admin, (method) => method === 'POST');
  const at = (admin: string, token: string) =>
    createGatewayAdapter({ admin, inference: gateway.urls.inference, token, timeoutMs: 5_000 });
  const kiosk = async () => (await gateway.adapter.read('digits-kiosk')).stance.kind;
  return {
    adapter: at(relay.url, TOKEN),
    contained: isolated,
    shadow: shadow(golden),
    impossible: null,
    reset: async () => {
      await gateway.adapter.restore(ENDPOINT, order({ stance: serving(suspect, golden) }));
      await gateway.adapter.restore('digits-kiosk', order({ endpoint: 'digits-kiosk', stance: serving(suspect) }));
    },
    native: async () => (await gateway.adapter.read(ENDPOINT)).stance,
    answering: async () => (await gateway.client.infer(ENDPOINT, [ROW], SHAPE)).modelVersion,
    meddle: async () =>
      void (await gateway.adapter.restore('digits-kiosk', order({ endpoint: 'digits-kiosk', stance: shadow(golden) }))),
    meddled: async () => (await kiosk()) === 'shadow',
    beforeNextChange: relay.beforeNextChange,
    away: at('http://127.0.0.1:9', TOKEN),
    refused: at(relay.url, 'a-credential-that-is-wrong-0123456789'),
    close: async () => {
      await relay.close();
      await gateway.close();
      removeTemporaryFolders();
    },
  };
}

conforms('gateway', start, { swaps: true, refuses: false });
