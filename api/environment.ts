import { z } from 'zod';
import {
  addressSchema,
  configurationEnvironment,
  keysEnvironment,
  listenerRule,
  logEnvironment,
  s3Environment,
  temporalEnvironment,
  temporalRule,
  trustEnvironment,
  weaknessOf,
  type EnvironmentRule,
} from '../domain/contracts/environment.ts';
import { webhookKey } from '../evidence/keys/webhook-signature.ts';

const standardSecret = z
  .string()
  .refine((secret) => webhookKey(secret) !== null, 'expected whsec_ and the base64 of at least 24 bytes')
  .optional();

/** The environment of the API. */
export const apiEnvironment = z.object({
  ...temporalEnvironment,
  ...s3Environment,
  ...configurationEnvironment,
  ...trustEnvironment,
  ...keysEnvironment,
  ...logEnvironment,
  LAZARET_API_LISTEN: addressSchema.prefault('127.0.0.1:7070').describe('host:port the API and the console listen on'),
  LAZARET_ALERTMANAGER_TOKEN: z
    .string()
    .optional()
    .describe('what Alertmanager sends as bearer token or basic password'),
  LAZARET_GENERIC_WEBHOOK_SECRET: standardSecret.describe('Standard Webhooks secret of POST /v1/alerts/generic'),
  LAZARET_CLOUDEVENTS_SECRET: standardSecret.describe('Standard Webhooks secret of POST /v1/alerts/cloudevents'),
  LAZARET_EVIDENTLY_SECRET: standardSecret.describe('Standard Webhooks secret of POST /v1/alerts/evidently'),
  LAZARET_GRAFANA_SECRET: z.string().optional().describe("HMAC secret of Grafana's webhook contact point"),
  LAZARET_PAGERDUTY_SECRET: z.string().optional().describe('secret of the PagerDuty webhook subscription'),
  LAZARET_GITHUB_SECRET: z.string().optional().describe('secret of the GitHub webhook'),
  LAZARET_MLFLOW_SECRET: z.string().optional().describe('secret of the MLflow webhook'),
  LAZARET_DATADOG_TOKEN: z.string().optional().describe('what Datadog sends as bearer token'),
  LAZARET_FALCO_TOKEN: z.string().optional().describe('what falcosidekick sends as bearer token'),
  LAZARET_KSERVE_TOKEN: z
    .string()
    .optional()
    .describe('basic password or bearer token of the detectors of KServe and Seldon'),
  LAZARET_SNS_TOPICS: z
    .string()
    .transform((text) => text.split(',').map((topic) => topic.trim()))
    .pipe(
      z.array(
        z.string().regex(/^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_.-]{1,256}$/, 'expected ARNs of topics'),
      ),
    )
    .optional()
    .describe('ARNs of the SNS topics that are listened to, separated by commas'),
  LAZARET_INTAKE_SECRETS_DIR: z
    .string()
    .optional()
    .describe('folder with one file per source of `intake.sources`, named like it, that holds its secret'),
  LAZARET_GATEWAY_ADMIN_TOKEN: z
    .string()
    .optional()
    .describe("credential of the gateways' admin surface; without it the console shows no live stance"),
});
export type ApiEnvironment = z.output<typeof apiEnvironment>;

const exposed = listenerRule<keyof ApiEnvironment>('LAZARET_API_LISTEN', [
  'LAZARET_ALERTMANAGER_TOKEN',
  'LAZARET_GENERIC_WEBHOOK_SECRET',
]);

const OPTIONAL_SECRETS = [
  'LAZARET_CLOUDEVENTS_SECRET',
  'LAZARET_EVIDENTLY_SECRET',
  'LAZARET_GRAFANA_SECRET',
  'LAZARET_PAGERDUTY_SECRET',
  'LAZARET_GITHUB_SECRET',
  'LAZARET_MLFLOW_SECRET',
  'LAZARET_DATADOG_TOKEN',
  'LAZARET_FALCO_TOKEN',
  'LAZARET_KSERVE_TOKEN',
] as const;

/** A source may be left out, which refuses its deliveries; a secret that can be guessed may not, wherever the API listens. */
const notGuessable: EnvironmentRule<ApiEnvironment> = (values) =>
  OPTIONAL_SECRETS.flatMap((variable) => {
    const secret = values[variable];
    const weakness = secret === undefined ? null : weaknessOf(secret);
    if (weakness === null) return [];
    return [
      {
        variable,
        expected: weakness,
        remedy: `set ${variable}_FILE to a file with a long random text, or leave it out`,
      },
    ];
  });

export const apiRules: readonly EnvironmentRule<ApiEnvironment>[] = [temporalRule, exposed, notGuessable];
