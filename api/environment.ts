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
  type EnvironmentRule,
} from '../domain/contracts/environment.ts';
import { webhookKey } from './intake/standard-webhooks.ts';

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
  LAZARET_GENERIC_WEBHOOK_SECRET: z
    .string()
    .refine((secret) => webhookKey(secret) !== null, 'expected whsec_ and the base64 of at least 24 bytes')
    .optional()
    .describe('Standard Webhooks secret of POST /v1/alerts/generic'),
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

export const apiRules: readonly EnvironmentRule<ApiEnvironment>[] = [temporalRule, exposed];
