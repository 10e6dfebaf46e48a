import { z } from 'zod';
import type { CaseEntry } from '../../domain/contracts/case-log.ts';
import { digestSchema } from '../../domain/contracts/object-ref.ts';
import { PHASES } from '../../domain/incident/kinds.ts';
import { canonicalJson } from '../../domain/proofs/canonical-json.ts';
import { decodeUtf8, parseStrictJson } from '../../domain/proofs/strict-json.ts';

const caseEntrySchema: z.ZodType<CaseEntry> = z.strictObject({
  schema: z.literal('lazaret.case-entry/v1'),
  incident: z.string().min(1).max(200),
  seq: z.number().int().nonnegative(),
  at: z.iso.datetime({ offset: true }),
  phase: z.enum([...PHASES, 'incident']),
  step: z.string().min(1),
  actor: z.string().min(1),
  inputs: z.array(digestSchema),
  outputs: z.array(digestSchema),
  verdict: z.enum(['done', 'failed', 'refused', 'skipped', 'approved', 'rejected', 'noted']),
  summary: z.string(),
  statement: z.string().nullable(),
});

/** The leaf of the Merkle log and the bytes in S3: one and the same. */
export function entryBytes(entry: CaseEntry): Uint8Array {
  return new TextEncoder().encode(canonicalJson(entry));
}

/** An entry from its bytes, or the reason why they are none. The bytes MUST be the entry's canonical ones, else two logs could read alike. */
export function parseEntry(bytes: Uint8Array, incident: string, seq: number): CaseEntry | { readonly wrong: string } {
  let text: string;
  let value: unknown;
  try {
    text = decodeUtf8(bytes);
    value = parseStrictJson(text);
  } catch {
    return { wrong: 'is not JSON' };
  }
  const entry = caseEntrySchema.safeParse(value);
  if (!entry.success) return { wrong: `is wrong at ${entry.error.issues[0]?.path.join('.') || 'its top'}` };
  if (canonicalText(value) !== text) return { wrong: 'is not in canonical form' };
  if (entry.data.incident !== incident) return { wrong: 'belongs to another incident' };
  if (entry.data.seq !== seq) return { wrong: `says it is number ${entry.data.seq}` };
  return entry.data;
}

function canonicalText(value: unknown): string | null {
  try {
    return canonicalJson(value);
  } catch {
    return null;
  }
}
