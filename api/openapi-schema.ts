import { z } from 'zod';

type OpenApiSchema = Readonly<Record<string, unknown>>;

/** A zod schema as OpenAPI 3.1 takes it: the form of what is sent in. */
export function schemaOf(schema: z.ZodType): OpenApiSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', reused: 'inline' });
  return rest;
}
