import type { CaseEntry } from '../../../domain/contracts/case-log.ts';

/** A part of the bundle as it was read, or what is wrong with it and where. */
export type Part<T> = { readonly value: T } | { readonly wrong: string; readonly place: string };

export interface Log {
  readonly entries: readonly CaseEntry[];
  /** The entries' very bytes: the leaves of the Merkle tree. */
  readonly leaves: readonly Uint8Array[];
}

export function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : 'an unknown error').slice(0, 500);
}
