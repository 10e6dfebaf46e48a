import { gunzipSync, gzipSync } from 'node:zlib';
import { z } from 'zod';
import { forensicReceiptSchema } from '../../domain/contracts/gateway.ts';
import { Failure } from '../../domain/incident/failure.ts';
import { canonicalJson } from '../../domain/proofs/canonical-json.ts';
import { DOCUMENTS, type Store } from '../../evidence/ports.ts';
import type { Json, Look, Platform } from './platform.ts';

/** What is kept of the order that an endpoint stands under, so that any worker can judge the next one and undo this one. */
const heldRecordSchema = z.object({
  schema: z.literal('lazaret.adapter-held/v1'),
  /** The signed order. It is verified again whenever it is read: whoever may write here is not thereby a responder. */
  order: z.string(),
  /** The highest revision a responder ordered here, 0 for none. */
  responded: z.number().int().nonnegative(),
  /** The state that the order made. */
  made: z.json(),
  /** The state before the incident, or before this order where there is none. */
  found: z.json(),
  receipt: forensicReceiptSchema,
});
export type HeldRecord = z.infer<typeof heldRecordSchema>;

/** Kubernetes allows 256 KiB for all annotations of an object together. */
const MAX_SEALED_CHARACTERS = 200 * 1024;
const MAX_RECORD_BYTES = 4 * 1024 * 1024;

/** A record as one line: gzip of its canonical JSON, in base64. Fails with `endpoint/refused` where it would not fit beside the endpoint. */
export function sealRecord(record: HeldRecord): string {
  const text = gzipSync(canonicalJson(record)).toString('base64');
  if (text.length <= MAX_SEALED_CHARACTERS) return text;
  throw new Failure(
    'endpoint/refused',
    `what was captured is too large to be kept beside the endpoint: ${text.length} characters`,
  );
}

/** Null where it is none: then nothing is known of earlier orders. */
export function openRecord(text: string): HeldRecord | null {
  try {
    const json = gunzipSync(Buffer.from(text, 'base64'), { maxOutputLength: MAX_RECORD_BYTES }).toString('utf8');
    return heldRecordSchema.safeParse(JSON.parse(json)).data ?? null;
  } catch {
    return null;
  }
}

/** Where records of platforms lie that have no room for them. */
export interface Ledger {
  read(): Promise<{ readonly text: string; readonly etag: string } | null>;
  /** False where it is no longer what `etag` names (null: nothing). */
  write(text: string, etag: string | null): Promise<boolean>;
}

export function createStoreLedger(store: Pick<Store, 'readDocument' | 'writeDocument'>, endpoint: string): Ledger {
  const key = DOCUMENTS.held(endpoint);
  return {
    read: async () => {
      const found = await store.readDocument(key);
      return found && { text: new TextDecoder().decode(found.bytes), etag: found.etag };
    },
    write: async (text, etag) => await store.writeDocument(key, new TextEncoder().encode(text), 'text/plain', etag),
  };
}

/**
 * Gives a platform without room for a record one in the ledger. It is written first, so that a worker that ends between the two leaves an order
 * that its repetition completes. A ledger that is away does not hold up a containment: the record stays in memory until it is back.
 */
export function withLedger<State extends Json>(platform: Platform<State>, ledger: Ledger): Platform<State> {
  let owed: string | null = null;

  const known = async (): Promise<Pick<Look, 'record' | 'mark'>> => {
    const held = await ledger.read();
    if (owed !== null && (await ledger.write(owed, held?.etag ?? null))) {
      owed = null;
      return await known();
    }
    return { record: held?.text || null, mark: held?.etag ?? null };
  };
  return {
    ...platform,
    look: async () => {
      const [look, kept] = await Promise.all([platform.look(), known().catch(awayOnly)]);
      return { ...look, ...(kept ?? { record: owed ?? undefined, mark: null }) };
    },
    change: async (look, next, record) => {
      try {
        if (look.record !== record && !(await ledger.write(record, look.mark))) return 'conflict';
      } catch (error) {
        awayOnly(error);
        owed = record;
      }
      try {
        const outcome = await platform.change(look, next, record);
        // What was captured is no longer what is there: the next look captures anew.
        if (outcome === 'conflict') await takeBack(record, look.record);
        return outcome;
      } catch (error) {
        // The platform will never do it, so the order before it is the one that holds.
        if (error instanceof Failure && error.code === 'endpoint/refused') await takeBack(record, look.record);
        throw error;
      }
    },
  };

  async function takeBack(record: string, before: Look['record']): Promise<void> {
    if (record === before) return;
    owed = owed === record ? null : owed;
    const own = await ledger.read().catch(awayOnly);
    if (own?.text === record) await ledger.write(before ?? '', own.etag).catch(awayOnly);
  }
}

function awayOnly(error: unknown): null {
  if (error instanceof Failure && error.code === 'storage/unavailable') return null;
  throw error;
}
