import { createHash } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { forensicReceiptSchema, type ForensicReceipt } from '../../domain/contracts/gateway.ts';
import { hexOf, type Digest } from '../../domain/proofs/digest.ts';
import { readIfThere, writeDurably, writeFolderDurably } from './durable.ts';

/**
 * What the gateway remembers across a restart:
 *
 * | path | content |
 * |---|---|
 * | `endpoints/<endpoint>.json` | the order that the endpoint obeys (signed), and the receipt that was given for it |
 * | `captures/<captureId>/` | `receipt.json` and `window.ndjson`, until they are fetched and deleted |
 * | `log/<endpoint>/` | segments of the request log that have not been shipped |
 * | `objects/<hex>` | model bytes and signature bundles by their digest, so that a capture only has to name them |
 *
 * Whoever can write here could plant anything: orders are verified and objects hashed again on every reading.
 */
export interface StateFolder {
  logFolder(endpoint: string): string;
  /** Null where there is none. Throws where there is one that cannot be read. */
  readHeld(endpoint: string): Promise<HeldRecord | null>;
  /** Both on disk before it resolves. */
  keep(endpoint: string, held: HeldRecord, window: Uint8Array): Promise<void>;
  receipt(captureId: string): Promise<ForensicReceipt | null>;
  window(captureId: string): Promise<Uint8Array | null>;
  deleteCapture(captureId: string): Promise<void>;
  captureIds(): Promise<readonly string[]>;
  /** Null where the bytes are not here, or are not the ones that the digest names. */
  readObject(digest: Digest): Promise<Uint8Array<ArrayBuffer> | null>;
  keepObject(digest: Digest, bytes: Uint8Array): Promise<void>;
  /** Deletes the objects that nothing names any more. */
  sweepObjects(needed: ReadonlySet<Digest>): Promise<void>;
}

const heldRecordSchema = z.strictObject({
  schema: z.literal('lazaret.gateway-held/v1'),
  /** The signed order, compact JWS. */
  order: z.string(),
  /** The highest revision that a responder ordered here; see `judgeOrder`. */
  responded: z.number().int().nonnegative(),
  receipt: forensicReceiptSchema,
});
export type HeldRecord = z.infer<typeof heldRecordSchema>;

/** Capture ids are made by the gateway; a request names them, so they are checked before they become a path. */
const CAPTURE_ID = /^[a-z0-9-]{1,100}$/;

export async function openStateFolder(root: string): Promise<StateFolder> {
  const endpoints = join(root, 'endpoints');
  const captures = join(root, 'captures');
  const objects = join(root, 'objects');
  for (const folder of [root, endpoints, captures, objects]) await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const folder of [endpoints, captures, objects]) await removeUnfinished(folder);

  const capture = (id: string, name: string): Promise<Uint8Array | null> =>
    CAPTURE_ID.test(id) ? readIfThere(join(captures, id, name)) : Promise.resolve(null);

  return {
    logFolder: (endpoint) => join(root, 'log', endpoint),
    async readHeld(endpoint) {
      const bytes = await readIfThere(join(endpoints, `${endpoint}.json`));
      return bytes && heldRecordSchema.parse(JSON.parse(bytes.toString('utf8')));
    },

    async keep(endpoint, held, window) {
      const receipt = JSON.stringify(held.receipt);
      // Side by side: nothing is acknowledged before both are there, and a crash between them leaves either whole.
      await Promise.all([
        writeFolderDurably(join(captures, held.receipt.captureId), {
          'receipt.json': [receipt],
          'window.ndjson': [window],
        }),
        writeDurably(join(endpoints, `${endpoint}.json`), JSON.stringify(held)),
      ]);
    },

    async receipt(id) {
      const bytes = await capture(id, 'receipt.json');
      return bytes && forensicReceiptSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
    },
    window: (id) => capture(id, 'window.ndjson'),
    async deleteCapture(id) {
      if (CAPTURE_ID.test(id)) await rm(join(captures, id), { recursive: true, force: true });
    },
    captureIds: async () => (await readdir(captures)).filter((name) => CAPTURE_ID.test(name)),

    async readObject(digest) {
      const bytes = await readIfThere(join(objects, hexOf(digest)));
      // A copy of its own: a file buffer may be shared, and what is checked MUST be what is loaded.
      return bytes && sha256Of(bytes) === digest ? new Uint8Array(bytes) : null;
    },
    async keepObject(digest, bytes) {
      const path = join(objects, hexOf(digest));
      const present = await readIfThere(path);
      if (present === null || sha256Of(present) !== digest) await writeDurably(path, bytes);
    },
    async sweepObjects(needed) {
      const names = new Set([...needed].map((digest) => hexOf(digest)));
      for (const name of await readdir(objects))
        if (/^[0-9a-f]{64}$/.test(name) && !names.has(name)) await rm(join(objects, name), { force: true });
    },
  };
}

/** The same as `digestOf` of the domain, by the machine's own SHA-256: windows are megabytes, and containment waits for this. */
export function sha256Of(bytes: Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest;
}

async function removeUnfinished(folder: string): Promise<void> {
  for (const name of await readdir(folder))
    if (name.endsWith('.tmp')) await rm(join(folder, name), { recursive: true, force: true });
}
