import { createServer } from 'node:http';
import { createInferenceClient } from '../../../clients/inference/client.ts';
import { createProbe, type Probe } from '../../../clients/inference/probe.ts';
import { listen, stop } from './between.ts';

/** An inference surface (OIP v2) that plays the data plane: for each request it asks the platform what its proxies and pods would do now. */
export interface FrontDoor {
  readonly probe: Probe;
  readonly url: string;
  answering(): Promise<string | null>;
  close(): Promise<void>;
}

/** `model`: the name or version of who answers by the platform's present state; null: nobody, 503. */
export async function openFrontDoor(model: () => Promise<string | null>): Promise<FrontDoor> {
  const server = createServer((request, response) => {
    void model().then((version) => {
      request.resume();
      const say = (status: number, body: unknown) => {
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      };
      if (version === null) return say(503, { error: 'nobody answers' });
      const tensor = { name: 'x', datatype: 'FP32', shape: [-1, 2] };
      if (!request.url?.endsWith('/infer'))
        return say(200, { name: 'digits', versions: [version], inputs: [tensor], outputs: [{ ...tensor, name: 'y' }] });
      say(200, {
        model_name: 'digits',
        model_version: version,
        outputs: [{ name: 'y', datatype: 'FP32', shape: [1, 2], data: [0, 1] }],
      });
    });
  });
  const url = await listen(server);
  const client = createInferenceClient({ base: url, clientId: 'visitor' });
  return {
    url,
    probe: createProbe({ base: url, timeoutMs: 2_000, refusals: [503], silence: false }),
    answering: async () => (await client.infer('digits', [[0, 0]], [2])).modelVersion,
    close: () => stop(server),
  };
}
