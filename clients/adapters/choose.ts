import { defaultProvider } from '@aws-sdk/credential-provider-node';
import type { EndpointConfig } from '../../domain/contracts/configuration.ts';
import type { EndpointAdapter } from '../../domain/contracts/endpoint-adapter.ts';
import { createOrderReader } from '../../evidence/orders/stance-order.ts';
import type { Store, TrustedKey } from '../../evidence/ports.ts';
import { createRuntimePlatform } from '../envoy/runtime.ts';
import { createGatewayAdapter } from '../gateway/adapter.ts';
import { createProbe } from '../inference/probe.ts';
import { virtualServiceStance } from '../istio/virtual-service.ts';
import { inferenceServiceStance } from '../kserve/inference-service.ts';
import { createKubernetesApi } from '../kubernetes/api.ts';
import { createResourcePlatform } from '../kubernetes/resource-platform.ts';
import { createWorkloadPlatform } from '../kubernetes/workload.ts';
import { createAwsCall } from '../sagemaker/aws-call.ts';
import { createVariantPlatform } from '../sagemaker/variants.ts';
import { createRepositoryPlatform } from '../triton/repository.ts';
import { createAutomationPlatform, createSignedCall } from '../webhook/automation.ts';
import { createPlatformAdapter } from './adapter.ts';
import { createStoreLedger, withLedger } from './held-record.ts';
import { bearerOf, createJsonCall, textOf } from './json-call.ts';
import type { Json, Platform } from './platform.ts';

export interface AdapterNeeds {
  /** Credential of gateways' admin surface; null: gateways cannot be reached. */
  readonly gatewayToken: string | null;
  /** Whose orders count. A process that only reads gives none: then no order is obeyed. */
  readonly keys: readonly TrustedKey[];
  readonly store: Pick<Store, 'readDocument' | 'writeDocument'>;
  readonly now: () => Date;
  /** For each call. */
  readonly timeoutMs: number;
}

/** Probing and settling stay within the first try of a containment, a local activity of three seconds. */
const CONFIRM_MS = 1_000;

/** The adapter that lazaret.yaml names for an endpoint. Fails with `endpoint/refused` where a file it names cannot be read. */
export function chooseAdapter(endpoint: string, config: EndpointConfig, needs: AdapterNeeds): EndpointAdapter {
  const { timeoutMs } = needs;
  if (config.adapter === 'gateway') {
    if (needs.gatewayToken === null) throw new Error('no credential for the admin surface of the gateway');
    const { admin, inference } = config;
    return createGatewayAdapter({ admin, inference, token: needs.gatewayToken, timeoutMs });
  }
  return createPlatformAdapter(platformOf(endpoint, config, needs), {
    endpoint,
    readOrder: createOrderReader(needs.keys),
    now: needs.now,
    confirmMs: CONFIRM_MS,
  });
}

function platformOf(
  endpoint: string,
  config: Exclude<EndpointConfig, { adapter: 'gateway' }>,
  needs: AdapterNeeds,
): Platform {
  const { timeoutMs, now } = needs;
  const noted = <State extends Json>(platform: Platform<State>) =>
    withLedger(platform, createStoreLedger(needs.store, endpoint)) as unknown as Platform;
  const model = ('modelName' in config ? config.modelName : undefined) ?? endpoint;
  const probe = (refusals: readonly number[], silence: boolean) =>
    createProbe({ base: config.inference, timeoutMs, refusals, silence });
  const kubernetes = (place: { server: string; tokenFile: string; caFile: string }) =>
    createKubernetesApi({ ...place, caFile: place.server.startsWith('https:') ? place.caFile : undefined, timeoutMs });

  switch (config.adapter) {
    case 'istio': {
      const deps = { api: kubernetes(config), probe: probe([503], false), model };
      return createResourcePlatform(virtualServiceStance(config), deps) as unknown as Platform;
    }
    case 'kserve': {
      // Stopped: the route is gone (404), or has nobody behind it (503), or the host is not known any more.
      const deps = { api: kubernetes(config), probe: probe([404, 503], true), model };
      return createResourcePlatform(inferenceServiceStance(config), deps) as unknown as Platform;
    }
    case 'kubernetes': {
      const { namespace, deployment } = config;
      const deps = { api: kubernetes(config), probe: probe([502, 503, 504], true) };
      return createWorkloadPlatform({ namespace, deployment, model }, deps) as unknown as Platform;
    }
    case 'triton': {
      const { repository: base, tokenFile } = config;
      const headers = tokenFile === undefined ? {} : { headers: bearerOf(tokenFile, 'the token for the repository') };
      const call = createJsonCall({ whom: 'the model repository API', base, ...headers, timeoutMs });
      return noted(createRepositoryPlatform({ model }, { call, probe: probe([400, 404, 503], false) }));
    }
    case 'sagemaker': {
      const { endpointName, places, region } = config;
      const aws = (at: string) => createAwsCall({ endpoint: at, region, credentials: defaultProvider(), timeoutMs });
      const options = { endpointName, places, settleMs: CONFIRM_MS };
      return noted(createVariantPlatform(options, { control: aws(config.control), runtime: aws(config.inference) }));
    }
    case 'envoy': {
      const { prefix, places } = config;
      const call = createJsonCall({ whom: "Envoy's admin interface", base: config.admin, timeoutMs });
      return noted(createRuntimePlatform({ prefix, places, model }, { call, probe: probe([503], false) }));
    }
    case 'webhook': {
      const secret = textOf(config.secretFile, 'the secret of the webhook');
      const call = createSignedCall({ url: config.url, secret, timeoutMs, now });
      const options = { endpoint, stances: config.stances, model };
      return noted(createAutomationPlatform(options, { call, probe: probe([403, 404, 503], false) }));
    }
  }
}
