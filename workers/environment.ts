import { z } from 'zod';
import {
  configurationEnvironment,
  keysEnvironment,
  logEnvironment,
  s3Environment,
  temporalEnvironment,
  trustEnvironment,
} from '../domain/contracts/environment.ts';

/** The environment of the response worker. */
export const responseWorkerEnvironment = z.object({
  ...temporalEnvironment,
  ...s3Environment,
  ...configurationEnvironment,
  ...trustEnvironment,
  ...keysEnvironment,
  ...logEnvironment,
  LAZARET_GATEWAY_ADMIN_TOKEN: z.string().min(1).describe("credential of the gateways' admin surface"),
  LAZARET_NOTIFICATIONS_DIR: z
    .string()
    .default('notifications')
    .describe('folder where people are told what waits for them, one file per incident'),
});
export type ResponseWorkerEnvironment = z.output<typeof responseWorkerEnvironment>;
