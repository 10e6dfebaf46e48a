import { z } from 'zod';
import type { LearnActivities } from '../domain/contracts/activities.ts';
import { objectRefSchema } from '../domain/contracts/object-ref.ts';
import { canonicalJson } from '../domain/proofs/canonical-json.ts';
import { DOCUMENTS, type Store } from '../evidence/ports.ts';
import { renderHtml } from '../evidence/report/html.ts';
import { renderMarkdown } from '../evidence/report/markdown.ts';
import type { ObjectRef } from '../domain/contracts/object-ref.ts';
import type { ActivityDependencies } from './dependencies.ts';

const suiteSchema = z.array(objectRefSchema);
const MAX_CONFLICTS = 10;

export function createLearnActivities(deps: Pick<ActivityDependencies, 'store' | 'adapter'>): LearnActivities {
  const text = (content: string, mediaType: string, name: string): Promise<ObjectRef> =>
    deps.store.put('evidence', new TextEncoder().encode(content), { mediaType, name });
  return {
    writeReport: async (caseFile) => ({
      markdown: await text(renderMarkdown(caseFile), 'text/markdown', 'report.md'),
      html: await text(renderHtml(caseFile), 'text/html', 'report.html'),
    }),
    forgetCaptures: async ({ receipts }) => {
      for (const receipt of receipts) await deps.adapter(receipt.endpoint).forget(receipt);
      return { forgotten: receipts.length };
    },
    addRegression: async ({ model, attack }) => {
      const key = DOCUMENTS.regressions(model);
      for (let attempt = 0; attempt < MAX_CONFLICTS; attempt += 1) {
        const { suite, etag } = await readSuite(deps.store, model);
        if (suite.some((known) => known.digest === attack.digest)) return { regressions: suite.length };
        const next = [...suite, attack];
        if (
          await deps.store.writeDocument(key, new TextEncoder().encode(canonicalJson(next)), 'application/json', etag)
        )
          return { regressions: next.length };
      }
      throw new Error(`the regression suite of ${model} changed ${MAX_CONFLICTS} times while it was being written`);
    },
  };
}

/** The captured attacks of past incidents on this model. */
export async function readSuite(
  store: Store,
  model: string,
): Promise<{ suite: readonly ObjectRef[]; etag: string | null }> {
  const present = await store.readDocument(DOCUMENTS.regressions(model));
  if (!present) return { suite: [], etag: null };
  return { suite: suiteSchema.parse(JSON.parse(new TextDecoder().decode(present.bytes))), etag: present.etag };
}
