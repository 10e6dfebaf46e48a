import type { ObjectRef, ObjectStore } from '../domain/contracts/object-ref.ts';
import type { KeyUse } from '../domain/contracts/trust.ts';

/**
 * Content-addressed objects plus a few named documents, in S3. Failures: `storage/unavailable` (retryable), `storage/not-found`,
 * `storage/digest-mismatch`. Objects of store `evidence` are written with COMPLIANCE retention on each object and If-None-Match.
 */
export interface Store {
  /** Idempotent: the same bytes give the same reference, and a second write is not an error. */
  put(store: ObjectStore, bytes: Uint8Array, about: { mediaType: string; name: string }): Promise<ObjectRef>;
  /** The bytes, checked against the reference's digest and length before they are returned. */
  get(ref: ObjectRef): Promise<Uint8Array>;
  has(ref: ObjectRef): Promise<boolean>;

  /** A document with a name of its own that may be replaced (artifacts bucket): stances, golden records, provenance index. */
  readDocument(key: string): Promise<{ bytes: Uint8Array; etag: string } | null>;
  /** `expect`: null = must not exist yet, etag = must be that version, 'any' = replace. Returns false where the expectation does not hold. */
  writeDocument(key: string, bytes: Uint8Array, mediaType: string, expect: string | null | 'any'): Promise<boolean>;
  /** Keys in order, each with its document's etag. */
  listDocuments(prefix: string): Promise<ReadonlyMap<string, string>>;

  /** A document of the evidence bucket (case log entries, checkpoints): written once under Object Lock. `exists` where one is there already. */
  writeOnce(key: string, bytes: Uint8Array, mediaType: string): Promise<'written' | 'exists'>;
  readEvidence(key: string): Promise<Uint8Array | null>;
  listEvidence(prefix: string): Promise<readonly string[]>;
}

/** Keys of named documents, in one place. */
export const DOCUMENTS = {
  stances: 'stances/',
  stance: (endpoint: string) => `stances/${endpoint}.jws`,
  /** What an adapter holds of a platform that has no room for it beside the endpoint. */
  held: (endpoint: string) => `held/${endpoint}.txt`,
  golden: (model: string, version: string) => `golden/${model}/${version}.jws`,
  goldenLatest: (model: string) => `golden/${model}/latest.json`,
  /**
   * DSSE envelope of the SLSA provenance of an artifact, by the artifact's hex digest: where lineage looks. Two runs may end with the same
   * bytes; the first one's provenance stands here, and each run's own is at `provenanceOfRun`.
   */
  provenance: (artifactHex: string) => `provenance/${artifactHex}.json`,
  provenanceOfRun: (artifactHex: string, jobId: string) => `provenance/${artifactHex}/${jobId}.json`,
  /** The captured attacks a model must withstand: JSON array of ObjectRef. */
  regressions: (model: string) => `regressions/${model}.json`,
  caseEntry: (incident: string, seq: number) => `cases/${incident}/log/${String(seq).padStart(8, '0')}.json`,
  checkpoint: (incident: string, size: number) => `cases/${incident}/checkpoints/${String(size).padStart(8, '0')}.txt`,
} as const;

/** Signs with one private key. `sign` takes the message, not its hash. Raw signatures: Ed25519 64 bytes, P-256 r‖s 64 bytes (`der: true` for DER). */
export interface Signer {
  readonly kid: string;
  readonly name: string;
  readonly alg: 'EdDSA' | 'ES256';
  readonly publicKeyPem: string;
  sign(message: Uint8Array, options?: { der?: boolean }): Uint8Array;
}

/** A public key a verifier trusts, with what it may vouch for. */
export interface TrustedKey {
  readonly kid: string;
  readonly name: string;
  readonly alg: 'EdDSA' | 'ES256';
  readonly publicKeyPem: string;
  readonly uses: readonly KeyUse[];
}
