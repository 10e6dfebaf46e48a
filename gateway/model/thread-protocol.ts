import type { ModelSignature, Tensor, TensorData } from './tensors.ts';

/** One request for the thread of a model: tensors in the order of its signature. */
export interface Run {
  readonly kind: 'run';
  readonly id: number;
  readonly inputs: readonly { readonly shape: readonly number[]; readonly data: TensorData }[];
  /** Ran in company when a thread ended: it is not known whose fault that was. */
  readonly alone: boolean;
}
export type ToThread = Run | { readonly kind: 'close' };

export type FromThread =
  | { readonly kind: 'ready'; readonly signature: ModelSignature; readonly batches: boolean }
  | { readonly kind: 'unfit'; readonly reason: string }
  | {
      readonly kind: 'outputs';
      readonly id: number;
      readonly outputs: readonly Tensor[];
      /** Microseconds in the engine, shared by all requests of the batch. */
      readonly runUs: number;
    }
  | { readonly kind: 'failed'; readonly id: number; readonly reason: string };

export interface ThreadStart {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Shared 32-bit words, by the indices of CONTROL. */
  readonly control: Int32Array<SharedArrayBuffer>;
}

/** Requests that may be run together. */
export const MAX_TOGETHER = 64;

/** What both sides see of each other without a message. */
export const CONTROL = {
  /** 1 when the model is retired and whatever still waits MUST NOT be run. */
  retired: 0,
  /** Raised, and the thread woken, after every message to it. */
  posted: 1,
  /** How many requests are in the engine now; their ids follow. */
  running: 2,
  words: 3 + MAX_TOGETHER,
} as const;
