import { ed25519 } from '@noble/curves/ed25519.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { decodeBase64, encodeBase64 } from './base64.ts';

/**
 * Signed notes (c2sp.org/signed-note) with Ed25519, and the text of log checkpoints (c2sp.org/tlog-checkpoint).
 * A note is text that ends in a newline, an empty line, then lines `— <key name> base64(4-byte key id ‖ signature)`.
 */
export interface NoteSignature {
  readonly name: string;
  /** 8 hex digits, see noteKeyId. */
  readonly keyId: string;
  readonly signature: Uint8Array;
}

export interface SignedNote {
  /** With its final newline: exactly the bytes that are signed. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/** A key a verifier was configured with: the name its notes carry and 32 raw bytes of Ed25519 in hex. */
export interface NoteKey {
  readonly name: string;
  readonly raw: string;
}

export type NoteRefusal = 'malformed' | 'bad-signature' | 'unsigned';

export class NoteRefused extends Error {
  readonly reason: NoteRefusal;
  constructor(reason: NoteRefusal, message: string) {
    super(message);
    this.name = 'NoteRefused';
    this.reason = reason;
  }
}

/** The specification asks verifiers to take at least 16 and to have a limit. */
const MAX_SIGNATURES = 16;
const MAX_NOTE_CHARACTERS = 64 * 1024;
const ED25519 = 0x01;
const KEY_NAME = /^[^\s+]+$/u;
const SIGNATURE_LINE = /^— (\S+) (\S+)$/u;
// eslint-disable-next-line no-control-regex -- control characters are what the format forbids
const CONTROL = /[\u0000-\u0009\u000b-\u001f]/;

/** First four bytes of SHA-256(name ‖ 0x0A ‖ algorithm ‖ public key), as 8 hex digits. `algorithm` is 0x01, Ed25519. */
export function noteKeyId(name: string, algorithm: 0x01, publicKey: Uint8Array): string {
  return bytesToHex(sha256(concatBytes(utf8ToBytes(`${name}\n`), Uint8Array.of(algorithm), publicKey))).slice(0, 8);
}

export function formatSignedNote(text: string, signatures: readonly NoteSignature[]): string {
  if (!isNoteText(text)) throw new TypeError('a note ends in a newline and has no other control characters');
  const lines = signatures.map(({ name, keyId, signature }) => {
    if (!KEY_NAME.test(name) || !/^[0-9a-f]{8}$/.test(keyId))
      throw new TypeError('a key name has no spaces or plus, a key id 8 hex digits');
    return `— ${name} ${encodeBase64(concatBytes(hexToBytes(keyId), signature))}\n`;
  });
  if (lines.length === 0) throw new TypeError('a signed note has at least one signature');
  return `${text}\n${lines.join('')}`;
}

/** Takes a note apart without trusting it. Throws NoteRefused `malformed`. */
export function parseSignedNote(note: string): SignedNote {
  const malformed = (what: string): NoteRefused => new NoteRefused('malformed', `not a signed note: ${what}`);
  if (note.length > MAX_NOTE_CHARACTERS) throw malformed('it is too long');
  const split = note.lastIndexOf('\n\n');
  if (split < 0) throw malformed('no empty line before the signatures');
  const text = note.slice(0, split + 1);
  const tail = note.slice(split + 2);
  if (!isNoteText(text) || !isNoteText(tail)) throw malformed('a control character, or the last newline is missing');
  const lines = tail.slice(0, -1).split('\n');
  if (lines.length > MAX_SIGNATURES) throw malformed(`more than ${MAX_SIGNATURES} signatures`);
  const signatures = lines.map((line): NoteSignature => {
    const [, name, encoded] = SIGNATURE_LINE.exec(line) ?? [];
    if (name === undefined || encoded === undefined || !KEY_NAME.test(name))
      throw malformed('a signature line is not of the form');
    let bytes: Uint8Array;
    try {
      bytes = decodeBase64(encoded);
    } catch {
      throw malformed('a signature is not base64');
    }
    if (bytes.length <= 4) throw malformed('a signature is too short');
    return { name, keyId: bytesToHex(bytes.subarray(0, 4)), signature: bytes.slice(4) };
  });
  return { text, signatures };
}

/**
 * Verifies a note against configured keys. Signatures of unknown keys are ignored, as the specification demands; a signature of a known key
 * that does not verify refuses the whole note; at least one MUST verify. Returns the text and who signed it. Throws NoteRefused.
 */
export function verifySignedNote(
  note: string,
  keys: readonly NoteKey[],
): { text: string; signedBy: readonly string[] } {
  const { text, signatures } = parseSignedNote(note);
  const message = utf8ToBytes(text);
  const known = keys.map((key) => ({ ...key, keyId: noteKeyId(key.name, ED25519, hexToBytes(key.raw)) }));
  const signedBy = new Set<string>();
  for (const { name, keyId, signature } of signatures) {
    const key = known.find((candidate) => candidate.name === name && candidate.keyId === keyId);
    if (!key) continue;
    if (!verifies(signature, message, hexToBytes(key.raw)))
      throw new NoteRefused('bad-signature', `the signature of ${name} does not verify`);
    signedBy.add(name);
  }
  if (signedBy.size === 0) throw new NoteRefused('unsigned', 'no trusted key has signed the note');
  return { text, signedBy: [...signedBy] };
}

export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  readonly rootBase64: string;
}

/** The three lines of a checkpoint. Origin: `lazaret/<incident>`. */
export function checkpointText({ origin, size, rootBase64 }: Checkpoint): string {
  const text = `${origin}\n${size}\n${rootBase64}\n`;
  if (!parseCheckpointText(text))
    throw new TypeError('not a checkpoint: origin is one line, size a count, root 32 bytes in base64');
  return text;
}

/** Null where the text is not a checkpoint. Extension lines are refused: the station writes none, and nobody audits them. */
export function parseCheckpointText(text: string): Checkpoint | null {
  const [, origin, size, rootBase64] = /^([^\n]+)\n(0|[1-9]\d{0,15})\n([A-Za-z0-9+/]{43}=)\n$/.exec(text) ?? [];
  if (origin === undefined || size === undefined || rootBase64 === undefined || !Number.isSafeInteger(Number(size)))
    return null;
  try {
    decodeBase64(rootBase64);
  } catch {
    return null;
  }
  return { origin, size: Number(size), rootBase64 };
}

function isNoteText(text: string): boolean {
  return text.length > 0 && text.endsWith('\n') && !CONTROL.test(text) && !/\p{Surrogate}/u.test(text);
}

function verifies(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean {
  try {
    return signature.length === 64 && ed25519.verify(signature, message, publicKey, { zip215: false });
  } catch {
    return false;
  }
}
