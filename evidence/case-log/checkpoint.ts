import { hexToBytes } from '@noble/hashes/utils.js';
import type { LogHead } from '../../domain/contracts/case-log.ts';
import type { ObjectRef } from '../../domain/contracts/object-ref.ts';
import { Failure } from '../../domain/incident/failure.ts';
import { encodeBase64 } from '../../domain/proofs/base64.ts';
import { merkleRootHex } from '../../domain/proofs/merkle.ts';
import { checkpointText, formatSignedNote, noteKeyId, parseSignedNote } from '../../domain/proofs/signed-note.ts';
import { verificationKeyOf } from '../keys/trusted-keys.ts';
import { DOCUMENTS, type Signer, type Store } from '../ports.ts';
import { readEntryBytes } from './read.ts';

/** Origin of an incident's log, and the name its keys go by in the note (C2SP tlog-checkpoint wants them to be one). */
export function originOf(incident: string): string {
  return `lazaret/${incident}`;
}

/** The text that is signed for a head. */
export function headText(incident: string, head: LogHead): string {
  return checkpointText({
    origin: originOf(incident),
    size: head.size,
    rootBase64: encodeBase64(hexToBytes(head.root)),
  });
}

/**
 * Signs what the store and the workflow agree on: the root is derived anew from the entries in S3 and MUST be the workflow's, otherwise
 * `evidence/diverged`. The note is written at its place and, as an evidence object of its own, returned. A repeated call returns the same.
 */
export async function signCheckpoint(
  store: Store,
  signer: Signer,
  incident: string,
  head: LogHead,
): Promise<ObjectRef> {
  const root = merkleRootHex(await readEntryBytes(store, incident, head.size));
  if (root !== head.root) {
    throw new Failure(
      'evidence/diverged',
      `The first ${head.size} entries of ${incident} in S3 have the root ${root}; the workflow has ${head.root}.`,
    );
  }
  const text = headText(incident, head);
  const key = DOCUMENTS.checkpoint(incident, head.size);
  const note = new TextEncoder().encode(sign(text, originOf(incident), signer));
  const written = await store.writeOnce(key, note, 'text/plain; charset=utf-8');
  const kept = written === 'written' ? note : await existing(store, key, text);
  return await store.put('evidence', kept, { mediaType: 'text/plain; charset=utf-8', name: 'checkpoint.txt' });
}

function sign(text: string, name: string, signer: Signer): string {
  if (signer.alg !== 'EdDSA') throw new TypeError('checkpoints are signed with Ed25519');
  const { raw } = verificationKeyOf({ kid: signer.kid, alg: signer.alg, publicKey: signer.publicKeyPem });
  const signature = signer.sign(new TextEncoder().encode(text));
  return formatSignedNote(text, [{ name, keyId: noteKeyId(name, 0x01, hexToBytes(raw)), signature }]);
}

/** An earlier note about the same head counts, also after the key was changed; one about another head means two histories. */
async function existing(store: Store, key: string, text: string): Promise<Uint8Array> {
  const found = await store.readEvidence(key);
  if (found && textOf(found) === text) return found;
  throw new Failure(
    'evidence/diverged',
    `${key} ${found ? 'is a checkpoint of another log' : 'is hidden behind a delete marker'}.`,
  );
}

function textOf(note: Uint8Array): string | null {
  try {
    return parseSignedNote(new TextDecoder('utf-8', { fatal: true }).decode(note)).text;
  } catch {
    return null;
  }
}
