import type { Logger } from 'pino';
import type { ObjectRef } from '../domain/contracts/object-ref.ts';

/** Where model bytes and their OMS bundles come from. Fails with a `storage/…` Failure. What it gives is an attacker's until it was checked. */
export interface ModelSource {
  read(ref: ObjectRef): Promise<Uint8Array>;
}

/**
 * Where the desired stances are published. Rejects where the place cannot be reached, which is not the same as null: a replica that cannot
 * know MUST NOT answer.
 */
export interface DesiredStances {
  /** Every endpoint that has a published stance, with a mark that changes with it: one call, however many endpoints there are. */
  marks(): Promise<ReadonlyMap<string, string>>;
  /** The text of a signed order, not yet verified; null where none was ever ordered. */
  read(endpoint: string): Promise<string | null>;
}

/** Who vouches for these model bytes. Throws with a reason for people where nobody who may does. */
export type ModelVerifier = (bundle: Uint8Array, model: Uint8Array) => { keyId: string; keyName: string };

export type GatewayLog = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;
export type Clock = () => Date;
