import { z } from 'zod';

/** A measured figure with its two-sided confidence interval. `n` is the number of observations behind it. */
export const intervalSchema = z.object({
  value: z.number(),
  low: z.number(),
  high: z.number(),
  confidence: z.number().gt(0).lt(1),
  n: z.number().int().nonnegative(),
  method: z.enum(['wilson', 'clopper-pearson', 'bootstrap', 'newcombe', 'delong']),
});
export type Interval = z.infer<typeof intervalSchema>;
