import { Failure } from '../../domain/incident/failure.ts';
import type { TrustRoot } from '../../domain/contracts/approval.ts';
import type { LogHead } from '../../domain/contracts/case-log.ts';
import type { ObjectRef } from '../../domain/contracts/object-ref.ts';
import type { ReleaseSubject } from '../../domain/contracts/plan.ts';
import type { ModelRef } from '../../domain/contracts/stance.ts';
import type { TrustFile } from '../../domain/contracts/trust.ts';
import type { Outcome } from '../../domain/incident/kinds.ts';
import { canonicalJson } from '../../domain/proofs/canonical-json.ts';
import { digestOf, hexOf } from '../../domain/proofs/digest.ts';
import { entryBytes } from '../case-log/entry.ts';
import { readEntries } from '../case-log/read.ts';
import { signCompactJws } from '../keys/signer.ts';
import { DOCUMENTS, type Signer, type Store } from '../ports.ts';
import { collect } from './collect.ts';
import { writeContainer } from './container.ts';
import {
  FILES,
  MANIFEST_TYPE,
  type BundleCase,
  type BundleKeys,
  type BundleManifest,
  type ManifestStatement,
} from './form.ts';
import { readmeOf } from './readme.ts';

export interface ExportSubject {
  readonly incident: string;
  readonly endpoint: string;
  /** null while the incident is open. */
  readonly outcome: Outcome | null;
  /** How much of the log is exported; its entries MUST be in the store. */
  readonly head: LogHead;
  /** `provenance` is that of the incident's own training run; null where it trained nothing. */
  readonly release: {
    readonly subject: ReleaseSubject;
    readonly ref: ModelRef;
    readonly provenance: ObjectRef | null;
  } | null;
  readonly createdAt: Date;
}

/**
 * The evidence of an incident as one archive (see FILES). Everything is gathered and checked before the first byte is given, so a failure is
 * not half a download. `signer` seals it (use `bundle`); the checkpoint over `head` MUST be there, because only the case-log key may sign one. The same case gives the same bytes.
 */
export async function exportBundle(
  store: Store,
  signer: Signer,
  trust: { readonly machines: TrustFile; readonly people: TrustRoot },
  subject: ExportSubject,
): Promise<AsyncIterable<Uint8Array>> {
  const { incident, head } = subject;
  const checkpoint = await store.readEvidence(DOCUMENTS.checkpoint(incident, head.size));
  if (!checkpoint)
    throw new Failure(
      'storage/not-found',
      `no checkpoint over the first ${head.size} entries of ${incident} is signed`,
    );
  const entries = await readEntries(store, incident, head.size);
  const release = await releaseOf(store, subject);
  const collected = await collect(store, entries, wantedBy(release));

  const about: BundleCase = {
    schema: 'lazaret.bundle/v1',
    incident,
    endpoint: subject.endpoint,
    outcome: subject.outcome,
    head,
    createdAt: subject.createdAt.toISOString(),
    objects: collected.objects,
    absent: collected.absent,
    release,
  };
  const keys: BundleKeys = { schema: 'lazaret.bundle-keys/v1', ...trust };
  const files = new Map<string, Uint8Array>([
    [FILES.readme, utf8(readmeOf(incident))],
    [FILES.case, utf8(canonicalJson(about))],
    [FILES.keys, utf8(canonicalJson(keys))],
    [FILES.checkpoint, checkpoint],
  ]);
  for (const entry of entries) files.set(FILES.entry(entry.seq), entryBytes(entry));
  for (const [digest, bytes] of collected.bytes) files.set(FILES.object(digest), bytes);
  seal(files, signer, { incident, head });
  return pieces(files);
}

/** Adds the manifest of all files so far and its signature. */
function seal(files: Map<string, Uint8Array>, signer: Signer, about: Omit<ManifestStatement, 'manifest'>): void {
  const manifest: BundleManifest = {
    schema: 'lazaret.bundle-manifest/v1',
    files: [...files.keys()].sort().map((path) => {
      const bytes = files.get(path) ?? new Uint8Array();
      return { path, bytes: bytes.length, digest: digestOf(bytes) };
    }),
  };
  const bytes = utf8(canonicalJson(manifest));
  const statement: ManifestStatement = { manifest: digestOf(bytes), ...about };
  files.set(FILES.manifest, bytes);
  files.set(FILES.signature, utf8(signCompactJws(statement, MANIFEST_TYPE, signer)));
}

async function releaseOf(store: Store, { release }: ExportSubject): Promise<BundleCase['release']> {
  if (!release) return null;
  const { artifact, signature } = release.ref;
  if (release.provenance) return { subject: release.subject, artifact, signature, provenance: release.provenance };
  const envelope = await store.readDocument(DOCUMENTS.provenance(hexOf(artifact.digest)));
  const provenance =
    envelope &&
    (await store.put('evidence', envelope.bytes, {
      mediaType: 'application/vnd.in-toto+json',
      name: 'provenance.json',
    }));
  return { subject: release.subject, artifact, signature, provenance };
}

function wantedBy(release: BundleCase['release']): readonly { ref: ObjectRef; purpose: string }[] {
  if (!release) return [];
  return [
    { ref: release.artifact, purpose: 'the released model' },
    { ref: release.signature, purpose: 'the signature of the released model' },
    ...(release.provenance ? [{ ref: release.provenance, purpose: 'the provenance of the released model' }] : []),
  ];
}

async function* pieces(files: ReadonlyMap<string, Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* writeContainer(files);
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
