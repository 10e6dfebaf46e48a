import { afterAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chooseAdapter } from '../../../clients/adapters/choose.ts';
import { configurationSchema, type EndpointConfig } from '../../../domain/contracts/configuration.ts';
import { createFakeStore } from '../../fakes/store.ts';

const folder = mkdtempSync(join(tmpdir(), 'lazaret-choose-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const secretFile = join(folder, 'secret');
writeFileSync(secretFile, `whsec_${Buffer.alloc(32, 1).toString('base64')}\n`);

const away = 'http://127.0.0.1:9';
const inKubernetes = { inference: away, server: away, tokenFile: secretFile, namespace: 'models' };
const endpoints: Record<string, object> = {
  gateway: { admin: away, inference: away },
  istio: { ...inKubernetes, virtualService: 'digits', host: 'digits' },
  kserve: { ...inKubernetes, inferenceService: 'digits' },
  kubernetes: { ...inKubernetes, deployment: 'digits' },
  triton: { inference: away, repository: away, tokenFile: secretFile },
  envoy: { inference: away, admin: away, prefix: 'lazaret.digits' },
  webhook: { inference: away, url: away, secretFile },
};

const configOf = (adapter: string, about: object): EndpointConfig => {
  const { endpoints: parsed } = configurationSchema.parse({
    version: 1,
    endpoints: { digits: { adapter, model: 'digits', ...about } },
    models: { digits: {} },
    people: [
      { id: 'sol', name: 'Sol', roles: ['security-lead'] },
      { id: 'mo', name: 'Mo', roles: ['model-owner'] },
    ],
  });
  const [config] = Object.values(parsed);
  if (!config) throw new Error('no endpoint');
  return config;
};

const choose = (config: EndpointConfig, gatewayToken: string | null = 'token') =>
  chooseAdapter('digits', config, {
    gatewayToken,
    keys: [],
    store: createFakeStore(),
    now: () => new Date(),
    timeoutMs: 1_000,
  });

describe('the adapter of an endpoint', () => {
  it.each(Object.entries(endpoints))('is the one that lazaret.yaml names: %s', async (name, about) => {
    const adapter = choose(configOf(name, about));
    expect(adapter.describe().adapter).toBe(name);
    await expect(adapter.read('digits')).rejects.toMatchObject({ code: 'endpoint/unreachable' });
  });

  it('of SageMaker can be described before anybody has credentials', () => {
    const about = { inference: away, control: away, region: 'eu-central-1', endpointName: 'digits' };
    expect(choose(configOf('sagemaker', about)).describe()).toMatchObject({ adapter: 'sagemaker' });
  });

  it('says which file is missing, and does not tell where', async () => {
    const nowhere = join(folder, 'nowhere');
    const hook = configOf('webhook', { inference: away, url: away, secretFile: nowhere });
    expect(() => choose(hook)).toThrow('the secret of the webhook cannot be read from its file');
    const pod = configOf('kubernetes', { ...inKubernetes, tokenFile: nowhere, deployment: 'digits' });
    await expect(choose(pod).read('digits')).rejects.toMatchObject({ code: 'endpoint/refused' });
    expect(() => choose(configOf('gateway', endpoints['gateway'] ?? {}), null)).toThrow('no credential');
  });
});
