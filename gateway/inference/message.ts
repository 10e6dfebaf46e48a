import type { Datatype } from '../../domain/contracts/tensor.ts';

/** One inference request as it came in by whatever wire, before it is known which model will answer it (Open Inference Protocol v2). */
export interface InferenceRequest {
  /** The client's own id, or one that was made for it. */
  readonly id: string;
  /** What the client calls itself, or its address. */
  readonly client: string;
  readonly address: string;
  readonly version: string | null;
  readonly inputs: readonly WireTensor[];
  /** The outputs that are asked for; null for all. */
  readonly outputs: readonly RequestedOutput[] | null;
  /** How outputs travel that say nothing about it themselves. */
  readonly binaryOutputs: boolean;
}

export interface RequestedOutput {
  readonly name: string;
  /** null: as the request says. */
  readonly binary: boolean | null;
}

/** A tensor that has been read and not looked into yet. */
export interface WireTensor {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly data: WireData;
}

/**
 * `values` are JSON's, flat or nested as the shape says; `bytes` the binary tensor data extension's; `numbers` and `texts` what a typed wire
 * has decoded already.
 */
export type WireData =
  | { readonly kind: 'values'; readonly values: readonly unknown[] }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array };
