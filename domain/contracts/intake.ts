import { z } from 'zod';
import { ALERT_SOURCES, endpointNameSchema } from './alert.ts';

const headerName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,99}$/, 'expected the name of a header in lower case')
  .refine((name) => name !== 'authorization' && name !== 'cookie', 'expected a header of the signature');

const proofSchema = z
  .discriminatedUnion('scheme', [
    z.strictObject({ scheme: z.literal('bearer') }),
    z.strictObject({ scheme: z.literal('standard-webhooks') }),
    z.strictObject({
      scheme: z.literal('hmac-sha256'),
      header: headerName.describe('The header that carries the signature.'),
      prefix: z.string().max(40).default('').describe('What stands before the signature there, such as "sha256=".'),
      encoding: z.enum(['hex', 'base64']).default('hex'),
      timestamp: z
        .strictObject({ header: headerName, separator: z.string().max(4).default('.') })
        .optional()
        .describe('The header of the time of sending, which is signed before the body with the separator between.'),
    }),
  ])
  .describe('How the sender proves itself: over the raw body, with the secret in LAZARET_INTAKE_SECRETS_DIR.');
export type MappedProof = z.infer<typeof proofSchema>;

/** A CEL expression over `body` (the JSON document) and `headers` (by lower-case name). */
const expression = z.string().min(1).max(1000);

const mappedSourceSchema = z.strictObject({
  proof: proofSchema,
  when: expression.optional().describe('CEL, true where a delivery is an alert; others are answered and ignored.'),
  id: expression.describe(
    'CEL, the same for every repetition of one delivery. Take it from the body: headers are rarely signed.',
  ),
  endpoint: expression.describe('CEL, the name of an endpoint, of a model, or a name of `intake.names`.'),
  title: expression.describe('CEL, one line for people.'),
  kind: expression
    .optional()
    .describe('CEL, a kind of incident, or words that name one; read off the title if absent.'),
  severity: expression.optional().describe('CEL, a severity, or a word that paging systems have for one.'),
  status: expression.optional().describe('CEL, "firing" or "resolved"; firing if absent.'),
  startsAt: expression.optional().describe('CEL, ISO 8601 with an offset; the time of arrival if absent.'),
});
export type MappedSource = z.infer<typeof mappedSourceSchema>;

/** How alerts of others are understood. */
export const intakeSchema = z
  .strictObject({
    names: z
      .record(z.string().min(1).max(200), endpointNameSchema)
      .default({})
      .describe(
        'The endpoint that a name of another system means: a repository, a service, a deployment, a SageMaker endpoint.',
      ),
    sources: z
      .record(
        endpointNameSchema.refine(
          (name) => !ALERT_SOURCES.some((known) => known === name),
          'is a source that Lazaret knows itself',
        ),
        mappedSourceSchema,
      )
      .default({})
      .describe('Senders that Lazaret does not know itself, each at POST /v1/alerts/<name>.'),
  })
  .describe('How alerts of others are understood.');
export type IntakeConfig = z.infer<typeof intakeSchema>;
