import { z } from 'zod';
import { endpointNameSchema } from '../domain/contracts/alert.ts';
import {
  addressSchema,
  isLoopback,
  logEnvironment,
  parseEnvironment,
  s3Environment,
  trustEnvironment,
  weaknessOf,
  wholeNumber,
  type EnvironmentRule,
} from '../domain/contracts/environment.ts';
import { webhookKey } from '../evidence/keys/webhook-signature.ts';

/** The gateway's admin surface can read requests of users: its credential holds 192 bits at least (32 characters of base64url). */
export const MIN_ADMIN_TOKEN_CHARACTERS = 32;

const names = z
  .string()
  .transform((text) => text.split(',').map((name) => name.trim()))
  .pipe(z.array(endpointNameSchema).min(1))
  .refine((list) => new Set(list).size === list.length, 'names an endpoint twice');

const families = z
  .string()
  .transform((text) => text.split(',').map((pair) => pair.trim().split('=')))
  .pipe(z.array(z.tuple([endpointNameSchema, z.string().regex(/^[a-z0-9-]{1,63}$/, 'expected the name of a family')])))
  .transform((pairs) => new Map(pairs));

export const gatewayEnvironmentSchema = z.object({
  LAZARET_GATEWAY_INFERENCE_ADDR: addressSchema.prefault('127.0.0.1:7080').describe('where inference listens'),
  LAZARET_GATEWAY_GRPC_ADDR: addressSchema
    .optional()
    .describe('where inference over gRPC listens; it does not where this is not set'),
  LAZARET_GATEWAY_ADMIN_ADDR: addressSchema.prefault('127.0.0.1:7081').describe('where the admin surface listens'),
  LAZARET_GATEWAY_ADMIN_TOKEN: z.string().min(1).describe('credential of the admin surface'),
  LAZARET_GATEWAY_ENDPOINTS: names.describe('the endpoints this gateway answers for, separated by commas'),
  LAZARET_GATEWAY_STATE_DIR: z.string().min(1).describe('folder for the held stance, captures and model bytes'),
  /** Answered inferences kept per endpoint for a capture. */
  LAZARET_GATEWAY_WINDOW: wholeNumber(1, 100_000).default(1000),
  LAZARET_GATEWAY_FAMILIES: families
    .optional()
    .describe('endpoint=family, separated by commas: whose golden profile the sentinels compare live answers with'),
  LAZARET_GATEWAY_ALERTS_URL: z
    .url()
    .optional()
    .describe('where alarms of the sentinels go: POST /v1/alerts/cloudevents of the api'),
  LAZARET_GATEWAY_ALERTS_SECRET: z
    .string()
    .refine((secret) => webhookKey(secret) !== null, 'expected whsec_ and the base64 of at least 24 bytes')
    .optional()
    .describe('Standard Webhooks secret that alarms are signed with'),
  LAZARET_GATEWAY_LOG_BYTES: wholeNumber(1024 * 1024, 1024 ** 4)
    .default(256 * 1024 * 1024)
    .describe(
      'bytes of request log that may wait on disk for S3, for each endpoint; the oldest go beyond it, and are counted',
    ),
  LAZARET_GATEWAY_LOG_PAYLOADS: z.coerce
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe('share of the inferences whose tensors are logged as well, 0 to 1'),
  /** Milliseconds between two readings of the published stance. */
  LAZARET_GATEWAY_POLL_MS: wholeNumber(100, 600_000).default(2000),
  ...trustEnvironment,
  ...s3Environment,
  ...logEnvironment,
});
export type GatewayEnvironment = z.output<typeof gatewayEnvironmentSchema>;

/** Where the gateway faces more than loopback, on any listener, its admin credential MUST be long and not a known one. */
const strongAdminToken: EnvironmentRule<GatewayEnvironment> = (values) => {
  const token = values.LAZARET_GATEWAY_ADMIN_TOKEN;
  const {
    LAZARET_GATEWAY_INFERENCE_ADDR: http,
    LAZARET_GATEWAY_GRPC_ADDR: grpc,
    LAZARET_GATEWAY_ADMIN_ADDR: admin,
  } = values;
  const faced = [http, grpc, admin].some((address) => address !== undefined && !isLoopback(address.host));
  // A missing one is reported as such already.
  if (!faced || token === undefined) return [];
  const short = token.length < MIN_ADMIN_TOKEN_CHARACTERS;
  const weakness = short ? `is shorter than ${MIN_ADMIN_TOKEN_CHARACTERS} characters` : weaknessOf(token);
  if (weakness === null) return [];
  return [
    {
      variable: 'LAZARET_GATEWAY_ADMIN_TOKEN',
      expected: `${weakness}, and the gateway faces more than loopback`,
      remedy: `set LAZARET_GATEWAY_ADMIN_TOKEN_FILE to a file with at least ${MIN_ADMIN_TOKEN_CHARACTERS} random characters, or listen on 127.0.0.1`,
    },
  ];
};

/** Throws an EnvironmentError with all problems at once. */
export function readGatewayEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  readFile: (path: string) => string,
): GatewayEnvironment {
  return parseEnvironment(gatewayEnvironmentSchema, env, readFile, [strongAdminToken]);
}
