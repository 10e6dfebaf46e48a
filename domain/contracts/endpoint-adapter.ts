import type { EndpointStatus, ForensicReceipt } from './gateway.ts';

/** The five questions every adapter answers, whatever serves the model. Errors carry a FailureCode (`endpoint/unreachable`, `endpoint/refused`). */
export interface EndpointAdapter {
  /** What is there now. */
  read(endpoint: string): Promise<EndpointStatus>;
  /** Capture, then swap, under one lock of the endpoint; idempotent by the order's `orderId`. `order` is a signed StanceOrder. */
  captureAndSwap(endpoint: string, order: string): Promise<ForensicReceipt>;
  /** Does the endpoint really behave as its stance says? Asked with a probe request, not by the API's word. */
  verify(endpoint: string, expected: 'answering' | 'refusing'): Promise<{ holds: boolean; observed: string }>;
  /** Gives a stance back from a signed order, without a capture being needed. */
  restore(endpoint: string, order: string): Promise<ForensicReceipt>;
  /** What this adapter can and cannot do. */
  describe(): { readonly adapter: string; readonly captures: readonly string[]; readonly stances: readonly string[] };
  /** The payloads a receipt points to. */
  window(receipt: ForensicReceipt): Promise<Uint8Array>;
  /** The bytes of a model that was loaded at the capture; null where the endpoint no longer has them. */
  model(receipt: ForensicReceipt, digest: string): Promise<Uint8Array | null>;
  /** What the receipt points to is in evidence: the endpoint may let go of it. Repeating it is no error. */
  forget(receipt: ForensicReceipt): Promise<void>;
}
