import { z } from 'zod';
import { digestSchema } from './object-ref.ts';

/** How Lazaret reaches an endpoint, by what serves it: the part of an endpoint in lazaret.yaml that follows from `adapter`. */

const dnsLabel = z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);
const resourceName = z.string().regex(/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/);
const word = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/);

const inference = z.url().describe('Base URL of the Open Inference Protocol v2 surface.');
const modelName = word
  .optional()
  .describe('Name of the model on the inference surface, where it is not that of the endpoint.');
const places = (what: string) =>
  z
    .record(digestSchema, word)
    .default({})
    .describe(`Where a model is, by the digest of its bytes: ${what}. The platform cannot tell whether that is true.`);

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';
const kubernetes = {
  inference,
  modelName,
  server: z.url().default('https://kubernetes.default.svc').describe('URL of the Kubernetes API.'),
  tokenFile: z
    .string()
    .min(1)
    .default(`${SERVICE_ACCOUNT}/token`)
    .describe('File with the bearer token of the worker.'),
  caFile: z
    .string()
    .min(1)
    .default(`${SERVICE_ACCOUNT}/ca.crt`)
    .describe('PEM file of the authority of the Kubernetes API.'),
  namespace: dnsLabel,
};

const adapter = <Name extends string>(name: Name) =>
  z.literal(name).describe('What serves the model, and so how Lazaret reaches it.');

export const WEBHOOK_STANCES = ['serving', 'canary', 'mirror', 'limited', 'shadow', 'fallback', 'isolated'] as const;

export const platforms = {
  gateway: {
    adapter: adapter('gateway'),
    admin: z.url().describe('Base URL of the admin surface.'),
    inference,
  },
  istio: {
    adapter: adapter('istio'),
    ...kubernetes,
    virtualService: resourceName,
    host: z
      .string()
      .min(1)
      .max(253)
      .describe('Destination host of the routes that are the endpoint, as the VirtualService writes it.'),
    places: places('a subset of the DestinationRule'),
  },
  kserve: {
    adapter: adapter('kserve'),
    ...kubernetes,
    inferenceService: resourceName,
    places: z
      .record(digestSchema, z.string().regex(/^[a-z0-9+]+:\/\/\S{1,1000}$/))
      .default({})
      .describe(
        'Where a model is, by the digest of its bytes: a storage URI. KServe cannot tell whether that is true.',
      ),
  },
  kubernetes: { adapter: adapter('kubernetes'), ...kubernetes, deployment: resourceName },
  triton: {
    adapter: adapter('triton'),
    inference,
    modelName,
    repository: z.url().describe('Base URL of the model repository API; nobody else should reach it.'),
    tokenFile: z
      .string()
      .min(1)
      .optional()
      .describe('File with a bearer token, where something before the server asks for one.'),
  },
  sagemaker: {
    adapter: adapter('sagemaker'),
    inference: z
      .url()
      .describe('URL of the SageMaker runtime, e.g. https://runtime.sagemaker.eu-central-1.amazonaws.com.'),
    control: z.url().describe('URL of the SageMaker API, e.g. https://api.sagemaker.eu-central-1.amazonaws.com.'),
    region: z.string().regex(/^[a-z0-9-]{4,30}$/),
    endpointName: word,
    places: places('a production variant'),
  },
  envoy: {
    adapter: adapter('envoy'),
    inference,
    modelName,
    admin: z.url().describe("Base URL of Envoy's admin interface; nobody else should reach it."),
    prefix: word.describe('Prefix of the runtime keys that the route reads, e.g. lazaret.signs.'),
    places: places('a cluster'),
  },
  webhook: {
    adapter: adapter('webhook'),
    inference,
    modelName,
    url: z.url().describe('Where your automation takes calls, signed by the Standard Webhooks scheme.'),
    secretFile: z.string().min(1).describe('File with the secret, whsec_ and base64.'),
    stances: z.array(z.enum(WEBHOOK_STANCES)).min(1).default(['isolated']).describe('What your automation can do.'),
  },
} as const;
