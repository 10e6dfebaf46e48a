import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';

/** A content digest written `sha256:<64 lowercase hex digits>`. The only hash the station accepts; there is no fallback algorithm. */
export type Digest = string & { readonly __brand: 'Digest' };

const FORM = /^sha256:[0-9a-f]{64}$/;

export function isDigest(text: string): text is Digest {
  return FORM.test(text);
}

/** Narrows a text to a digest; throws a TypeError that names what was expected. */
export function parseDigest(text: string): Digest {
  if (!isDigest(text))
    throw new TypeError(
      `not a digest: expected sha256:<64 lowercase hex digits>, got ${JSON.stringify(text.slice(0, 100))}`,
    );
  return text;
}

/** SHA-256 of bytes, or of the UTF-8 form of a text. */
export function digestOf(content: Uint8Array | string): Digest {
  const bytes = typeof content === 'string' ? utf8ToBytes(content) : content;
  return `sha256:${bytesToHex(sha256(bytes))}` as Digest;
}

/** The 64 hex digits of a digest, as used in object keys. */
export function hexOf(digest: Digest): string {
  return digest.slice('sha256:'.length);
}
