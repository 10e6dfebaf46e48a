import type { ModelRef } from '../domain/contracts/stance.ts';
import type { GoldenRegistry } from '../evidence/golden/registry.ts';

/** The latest golden model of each family, in memory, because containment must not wait for S3. */
export interface GoldenCache {
  current(model: string): ModelRef | null;
  refresh(): Promise<void>;
}

export function createGoldenCache(registry: GoldenRegistry, models: readonly string[]): GoldenCache {
  const known = new Map<string, ModelRef>();
  return {
    current: (model) => known.get(model) ?? null,
    refresh: async () => {
      await Promise.all(
        models.map(async (model) => {
          const record = await registry.latest(model);
          if (record) known.set(model, record.ref);
        }),
      );
    },
  };
}
