import type { Datatype } from '../../domain/contracts/tensor.ts';
import type { Tensor } from '../model/tensors.ts';

/** A body on any wire: a batch of images fits, a flood does not. */
export const MAX_BODY_BYTES = 16 * 1024 * 1024;

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

/** `values` are elements, flat or nested as the shape says; `bytes` those of the binary tensor data extension. */
export type WireData =
  | { readonly kind: 'values'; readonly values: readonly unknown[] }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array };

/** What one request is answered, whatever the wire. */
export interface InferenceAnswer {
  readonly model: string;
  readonly version: string;
  readonly id: string;
  readonly outputs: readonly Tensor[];
}
