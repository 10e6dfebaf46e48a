import type { LoadedModel } from '../../domain/contracts/gateway.ts';
import type { ObjectRef } from '../../domain/contracts/object-ref.ts';
import type { ModelRef } from '../../domain/contracts/stance.ts';
import { Failure } from '../../domain/incident/failure.ts';
import type { ModelSource, ModelVerifier } from '../ports.ts';
import { sha256Of, type StateFolder } from '../state/state-folder.ts';
import { ModelUnfit, openSession, type Session } from './session.ts';

/** A model in memory, checked and ready. It never answers for another reference than the one it was loaded for. */
export interface ServedModel {
  readonly ref: ModelRef;
  readonly session: Session;
  readonly about: Omit<LoadedModel, 'role'>;
}

/** The model is not to be loaded, now or later: its bytes, its signature or its graph are wrong. */
export class ModelRefused extends Error {
  readonly reason: 'bytes' | 'signature' | 'graph';
  constructor(reason: ModelRefused['reason'], message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'ModelRefused';
    this.reason = reason;
  }
}

export type ModelLoader = (ref: ModelRef) => Promise<ServedModel>;

/**
 * Fetch, hash, verify, keep, load: in this order, over one and the same buffer, so that nothing can come between the check and the load.
 * Throws ModelRefused, or the source's own Failure (`storage/unavailable`) where trying again can help.
 */
export function createModelLoader(deps: {
  readonly source: ModelSource;
  readonly verify: ModelVerifier;
  readonly state: StateFolder;
}): ModelLoader {
  /** From this machine's own folder where it is there and unchanged, so that a restart needs no S3. */
  const fetch = async (ref: ObjectRef): Promise<Uint8Array<ArrayBuffer>> => {
    const kept = await deps.state.readObject(ref.digest);
    const bytes = kept ?? new Uint8Array(await readSource(deps.source, ref));
    if (sha256Of(bytes) !== ref.digest)
      throw new ModelRefused('bytes', `${ref.name} does not have the digest that the order names`);
    return bytes;
  };

  return async (ref) => {
    const [model, bundle] = await Promise.all([fetch(ref.artifact), fetch(ref.signature)]);
    const signer = verified(deps.verify, bundle, model, ref);
    // Now, and not when an incident comes: a capture then only has to name them.
    await Promise.all([
      deps.state.keepObject(ref.artifact.digest, model),
      deps.state.keepObject(ref.signature.digest, bundle),
    ]);
    const bytes = model.length;
    try {
      return {
        ref,
        session: await openSession(model),
        about: {
          version: ref.version,
          digest: ref.artifact.digest,
          signatureDigest: ref.signature.digest,
          bytes,
          signature: { status: 'verified', ...signer },
        },
      };
    } catch (cause) {
      if (!(cause instanceof ModelUnfit)) throw cause;
      throw new ModelRefused('graph', `the engine refuses ${ref.version}: ${cause.message}`, { cause });
    }
  };
}

/** The same bytes under the same signature and the same name. */
export function isSameModel(one: ModelRef, other: ModelRef): boolean {
  return (
    one.version === other.version &&
    one.artifact.digest === other.artifact.digest &&
    one.signature.digest === other.signature.digest
  );
}

async function readSource(source: ModelSource, ref: ObjectRef): Promise<Uint8Array> {
  try {
    return await source.read(ref);
  } catch (cause) {
    if (cause instanceof Failure && !cause.retryable)
      throw new ModelRefused('bytes', `${ref.name} cannot be used: ${cause.message}`, { cause });
    throw cause;
  }
}

function verified(verify: ModelVerifier, bundle: Uint8Array, model: Uint8Array, ref: ModelRef) {
  try {
    return verify(bundle, model);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : 'it does not verify';
    throw new ModelRefused('signature', `the signature of ${ref.version} does not hold: ${reason}`, { cause });
  }
}
