import { z } from 'zod';

/** in-toto Attestation Framework, Statement v1 (in-toto/attestation, spec/v1/statement.md and resource_descriptor.md). */
export const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';

export const digestSetSchema = z.strictObject({ sha256: z.string().regex(/^[0-9a-f]{64}$/) });

export const resourceDescriptorSchema = z.strictObject({
  name: z.string().min(1),
  uri: z.string().min(1).optional(),
  digest: digestSetSchema,
  mediaType: z.string().min(1).optional(),
  annotations: z.record(z.string(), z.unknown()).optional(),
});
export type ResourceDescriptor = z.infer<typeof resourceDescriptorSchema>;

export const statementSchema = z.strictObject({
  _type: z.literal(STATEMENT_TYPE),
  subject: z.array(resourceDescriptorSchema).min(1),
  predicateType: z.string().min(1),
  predicate: z.record(z.string(), z.unknown()),
});
export type Statement = z.infer<typeof statementSchema>;
