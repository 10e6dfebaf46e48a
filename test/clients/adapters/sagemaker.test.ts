import { afterAll, describe, expect, it } from '@jest/globals';
import { createPlatformAdapter } from '../../../clients/adapters/adapter.ts';
import { createStoreLedger, withLedger } from '../../../clients/adapters/held-record.ts';
import { createAwsCall } from '../../../clients/sagemaker/aws-call.ts';
import { createVariantPlatform } from '../../../clients/sagemaker/variants.ts';
import type { ModelRef } from '../../../domain/contracts/stance.ts';
import { digestOf } from '../../../domain/proofs/digest.ts';
import { freePort } from '../../engines.ts';
import { createFakeStore } from '../../fakes/store.ts';
import { isolated, order, shadow } from '../../gateway/station.ts';
import { startRelay } from './between.ts';
import { BOUND, conforms, ENDPOINT, type Subject } from './conformance.ts';
import { pythonEngine, startPython, type PythonServer } from './python-engine.ts';

const absent = pythonEngine('moto_server') ? null : 'no moto server';
let server: PythonServer | null = null;
afterAll(() => server?.stop());

const model = (version: string): ModelRef => {
  const object = { store: 'artifacts', digest: digestOf(version), bytes: 1, mediaType: 'm', name: 'm' } as const;
  return { version, artifact: object, signature: object };
};
const places = { [digestOf('golden')]: 'golden', [digestOf('suspect')]: 'suspect' };
const store = createFakeStore();
const arn = 'arn:aws:sagemaker:eu-central-1:123456789012:endpoint/digits-prod';

async function startMoto(): Promise<PythonServer> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  return await startPython('moto_server', ['-H', '127.0.0.1', '-p', String(port)], url, '/moto-api/');
}

interface Variant {
  VariantName: string;
  CurrentWeight?: number;
  DesiredWeight?: number;
  DesiredInstanceCount?: number;
}

/** SageMaker as `moto` has it: weights and capacities are kept; which variant is invoked is played here by the weights. */
async function start(
  fires: (operation: string) => boolean = (operation) => operation === 'UpdateEndpointWeightsAndCapacities',
): Promise<Subject & { weigh(suspect: number): Promise<void> }> {
  server ??= await startMoto();
  const { url } = server;
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test-secret' };
  const aws = (endpoint: string) => createAwsCall({ endpoint, region: 'eu-central-1', credentials, timeoutMs: 5_000 });
  const direct = aws(url);
  const ask = async (operation: string, body: object): Promise<unknown> => {
    const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `SageMaker.${operation}` };
    const answer = await direct('POST', '', body, headers);
    return answer.json;
  };
  const variants = async (): Promise<Variant[]> =>
    ((await ask('DescribeEndpoint', { EndpointName: 'digits-prod' })) as { ProductionVariants: Variant[] })
      .ProductionVariants;
  const relay = await startRelay(url, (_method, _path, headers) =>
    fires(String(headers['x-amz-target']).replace('SageMaker.', '')),
  );
  const at = (endpoint: string, endpointName = 'digits-prod') => {
    const platform = createVariantPlatform(
      { endpointName, places, settleMs: 1_000 },
      { control: aws(endpoint), runtime: direct },
    );
    return createPlatformAdapter(withLedger(platform, createStoreLedger(store, ENDPOINT)), BOUND);
  };
  return {
    adapter: at(relay.url),
    contained: shadow(model('golden')),
    shadow: shadow(model('golden')),
    impossible: null,
    reset: async () => {
      store.buckets.artifacts.clear();
      await ask('DeleteEndpoint', { EndpointName: 'digits-prod' });
      await ask('DeleteEndpointConfig', { EndpointConfigName: 'digits-config' });
      for (const name of ['suspect', 'golden'])
        await ask('CreateModel', { ModelName: name, ExecutionRoleArn: 'arn:aws:iam::123456789012:role/sagemaker' });
      const variant = (name: string, weight: number) => ({
        ...{ VariantName: name, ModelName: name, InstanceType: 'ml.m5.large' },
        ...{ InitialInstanceCount: 1, InitialVariantWeight: weight },
      });
      await ask('CreateEndpointConfig', {
        EndpointConfigName: 'digits-config',
        ProductionVariants: [variant('suspect', 0.875), variant('golden', 0.125)],
      });
      await ask('CreateEndpoint', { EndpointName: 'digits-prod', EndpointConfigName: 'digits-config' });
    },
    native: async () => (await variants()).map(({ VariantName, CurrentWeight }) => [VariantName, CurrentWeight]),
    answering: async () => {
      const [most] = (await variants()).toSorted((one, other) => (other.CurrentWeight ?? 0) - (one.CurrentWeight ?? 0));
      return most?.VariantName ?? null;
    },
    meddle: async () => void (await ask('AddTags', { ResourceArn: arn, Tags: [{ Key: 'owner', Value: 'somebody' }] })),
    meddled: async () => {
      const { Tags } = (await ask('ListTags', { ResourceArn: arn })) as { Tags?: { Key: string }[] };
      return Tags?.some(({ Key }) => Key === 'owner') === true;
    },
    beforeNextChange: relay.beforeNextChange,
    away: at('http://127.0.0.1:9'),
    refused: at(relay.url, 'no-such-endpoint'),
    weigh: async (suspect) => {
      const weights = { suspect, golden: 1 - suspect };
      const DesiredWeightsAndCapacities = Object.entries(weights).map(([VariantName, DesiredWeight]) => ({
        ...{ VariantName, DesiredWeight, DesiredInstanceCount: 1 },
      }));
      await ask('UpdateEndpointWeightsAndCapacities', { EndpointName: 'digits-prod', DesiredWeightsAndCapacities });
    },
    close: () => relay.close(),
  };
}

conforms('sagemaker', () => start(), { swaps: true, refuses: false, absent });

(absent === null ? describe : describe.skip)('SageMaker, by moto', () => {
  it('cannot be isolated: says so, names what it can, and leaves the endpoint as it is', async () => {
    const subject = await start();
    await subject.reset();
    const before = await subject.native();
    await expect(
      subject.adapter.captureAndSwap(ENDPOINT, order({ stance: isolated, incident: 'inc-1' })),
    ).rejects.toThrow('sagemaker cannot take the stance "isolated"; it can take serving, canary, shadow');
    expect(await subject.native()).toEqual(before);
    expect(subject.adapter.describe().stances).not.toContain('isolated');
    await subject.close();
  });

  it('captures the endpoint with its configuration', async () => {
    const subject = await start();
    await subject.reset();
    const receipt = await subject.adapter.captureAndSwap(
      ENDPOINT,
      order({ stance: shadow(model('golden')), incident: 'inc-1' }),
    );
    expect(receipt.before.stance).toMatchObject({ kind: 'found', words: 'suspect 88 %, golden 13 %' });
    expect(receipt.platform).toMatchObject({
      state: { weights: { suspect: 0.875, golden: 0.125 } },
      captured: { configuration: { EndpointConfigName: 'digits-config' } },
    });
    await subject.close();
  });

  it('captures anew where somebody shifted the weights after its first look', async () => {
    const subject = await start((operation) => operation === 'DescribeEndpointConfig');
    await subject.reset();
    subject.beforeNextChange(() => subject.weigh(0.5));
    const stance = shadow(model('golden'));
    const receipt = await subject.adapter.captureAndSwap(ENDPOINT, order({ stance, incident: 'inc-1' }));
    expect(receipt.platform?.state).toEqual({ weights: { suspect: 0.5, golden: 0.5 } });
    await subject.adapter.restore(ENDPOINT, order({ stance: receipt.before.stance }));
    expect(await subject.native()).toEqual([
      ['suspect', 0.5],
      ['golden', 0.5],
    ]);
    await subject.close();
  });
});
