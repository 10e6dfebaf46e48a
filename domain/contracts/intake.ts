import { z } from 'zod';
import { endpointNameSchema } from './alert.ts';

/** How alerts of others are understood. */
export const intakeSchema = z
  .strictObject({
    names: z
      .record(z.string().min(1).max(200), endpointNameSchema)
      .default({})
      .describe(
        'The endpoint that a name of another system means: a repository, a service, a deployment, a SageMaker endpoint.',
      ),
  })
  .describe('How alerts of others are understood.');
export type IntakeConfig = z.infer<typeof intakeSchema>;
