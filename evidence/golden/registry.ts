import { goldenRecordSchema, type GoldenRecord } from '../../domain/contracts/golden.ts';
import type { ObjectRef } from '../../domain/contracts/object-ref.ts';
import { Failure } from '../../domain/incident/failure.ts';
import { verifyCompactJws } from '../../domain/proofs/jws.ts';
import { checkNatively } from '../keys/native-check.ts';
import { signCompactJws } from '../keys/signer.ts';
import { verificationKeysFor } from '../keys/trusted-keys.ts';
import { DOCUMENTS, type Signer, type Store, type TrustedKey } from '../ports.ts';
import { z } from 'zod';

const RECORD_TYPE = 'lazaret-golden+jws';
const LATEST_TYPE = 'lazaret-golden-latest+jws';

/** The pointer is signed too: an unsigned one would let anybody with write access roll the golden model back. */
const latestSchema = z.object({ model: z.string(), version: z.string(), promotedAt: z.iso.datetime() });

/** Reads and writes golden records. Everything read is verified against keys of use `golden`; failures are `golden/untrusted`. */
export interface GoldenRegistry {
  latest(model: string): Promise<GoldenRecord | null>;
  record(model: string, version: string): Promise<GoldenRecord | null>;
  versions(model: string): Promise<readonly string[]>;
  /** Idempotent: a version that is registered already stays as it is. Returns the record's JWS as an evidence object. */
  write(record: GoldenRecord, signer: Signer): Promise<ObjectRef>;
  promote(model: string, version: string, at: Date, signer: Signer): Promise<void>;
}

export function createGoldenRegistry(store: Store, keys: readonly TrustedKey[]): GoldenRegistry {
  const trusted = verificationKeysFor(keys, 'golden');

  /** The newest promotion seen by this process: a signed pointer that is older was put back by somebody. */
  const newest = new Map<string, string>();

  const open = async (key: string, typ: string): Promise<unknown> => {
    const document = await store.readDocument(key);
    if (!document) return null;
    try {
      return verifyCompactJws(new TextDecoder().decode(document.bytes), { typ, keys: trusted, check: checkNatively })
        .payload;
    } catch (cause) {
      throw new Failure('golden/untrusted', `${key} does not verify against the keys trusted for golden records`, {
        cause,
      });
    }
  };

  const record = async (model: string, version: string): Promise<GoldenRecord | null> => {
    const key = DOCUMENTS.golden(model, version);
    const payload = await open(key, RECORD_TYPE);
    if (payload === null) return null;
    const parsed = goldenRecordSchema.safeParse(payload);
    // A record that verifies but stands under another name was moved there.
    if (!parsed.success || parsed.data.model !== model || parsed.data.ref.version !== version) {
      throw new Failure('golden/untrusted', `${key} is not the golden record of ${model} ${version}`);
    }
    return parsed.data;
  };

  return {
    record,
    latest: async (model) => {
      const payload = await open(DOCUMENTS.goldenLatest(model), LATEST_TYPE);
      if (payload === null) return null;
      const parsed = latestSchema.safeParse(payload);
      if (!parsed.success || parsed.data.model !== model)
        throw new Failure('golden/untrusted', `the latest golden pointer of ${model} is about something else`);
      const { promotedAt } = parsed.data;
      if (promotedAt < (newest.get(model) ?? '')) {
        throw new Failure('golden/untrusted', `the latest golden pointer of ${model} was rolled back to ${promotedAt}`);
      }
      newest.set(model, promotedAt);
      const found = await record(model, parsed.data.version);
      if (!found)
        throw new Failure(
          'golden/untrusted',
          `the latest golden pointer of ${model} names ${parsed.data.version}, which is not registered`,
        );
      return found;
    },
    versions: async (model) => {
      const prefix = `golden/${model}/`;
      const documents = [...(await store.listDocuments(prefix)).keys()];
      return documents.filter((key) => key.endsWith('.jws')).map((key) => key.slice(prefix.length, -'.jws'.length));
    },
    write: async (golden, signer) => {
      const key = DOCUMENTS.golden(golden.model, golden.ref.version);
      await store.writeDocument(
        key,
        new TextEncoder().encode(signCompactJws(golden, RECORD_TYPE, signer)),
        'application/jose',
        null,
      );
      const kept = await store.readDocument(key);
      const verified = await record(golden.model, golden.ref.version);
      if (!kept || !verified || verified.ref.artifact.digest !== golden.ref.artifact.digest) {
        throw new Failure('golden/untrusted', `${key} exists already and is about another artifact`);
      }
      return await store.put('evidence', kept.bytes, {
        mediaType: 'application/jose',
        name: `golden-${golden.ref.version}.jws`,
      });
    },
    promote: async (model, version, at, signer) => {
      if (!(await record(model, version))) throw new Failure('golden/missing', `${model} ${version} is not registered`);
      const pointer = signCompactJws({ model, version, promotedAt: at.toISOString() }, LATEST_TYPE, signer);
      await store.writeDocument(
        DOCUMENTS.goldenLatest(model),
        new TextEncoder().encode(pointer),
        'application/jose',
        'any',
      );
    },
  };
}
