import { ed25519 } from '@noble/curves/ed25519.js';
import { p256 } from '@noble/curves/nist.js';
import { hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import type { VerificationKey } from '../contracts/approval.ts';
import { decodeBase64url } from './base64url.ts';
import { decodeUtf8, parseStrictJson } from './strict-json.ts';

/** Longer tokens are refused before anything is decoded, unless the caller expects more. */
export const MAX_JWS_CHARACTERS = 16 * 1024;

export type JwsRefusal =
  | 'too-long'
  | 'malformed'
  | 'bad-header'
  | 'wrong-type'
  | 'unknown-key'
  | 'ambiguous-key'
  | 'wrong-algorithm'
  | 'bad-signature'
  | 'bad-payload';

export class JwsRefused extends Error {
  readonly reason: JwsRefusal;
  constructor(reason: JwsRefusal, message: string) {
    super(message);
    this.name = 'JwsRefused';
    this.reason = reason;
  }
}

export interface JwsHeader {
  readonly alg: 'EdDSA' | 'ES256';
  readonly kid: string;
  readonly typ: string;
}

export interface VerifiedJws {
  readonly header: JwsHeader;
  /** Parsed, not yet narrowed. A member given twice is refused; other freedoms of JSON (spaces, order) are not, the signature covers the text. */
  readonly payload: unknown;
  readonly kid: string;
}

/**
 * Verifies a compact JWS (RFC 7515) with EdDSA over Ed25519 (RFC 8037, RFC 8032's strict check) or ES256 (RFC 7518).
 * The header has exactly `alg`, `kid` and `typ`: no `crit`, no `b64`, no key that comes with the token. The key is one of `expected.keys`,
 * found by `kid`, and `alg` MUST be that key's, so a token cannot choose how it is checked. Throws JwsRefused.
 */
export function verifyCompactJws(
  token: string,
  expected: {
    readonly typ: string;
    readonly keys: readonly VerificationKey[];
    readonly maxCharacters?: number;
    /** Another implementation of the same check, for rooms that have a faster one; `verifyRaw` by default. */
    readonly check?: typeof verifyRaw;
  },
): VerifiedJws {
  const { maxCharacters = MAX_JWS_CHARACTERS, check = verifyRaw } = expected;
  if (token.length > maxCharacters)
    throw new JwsRefused('too-long', `the token is longer than ${maxCharacters} characters`);
  const [head, body, tail, ...more] = token.split('.');
  if (!head || !body || !tail || more.length > 0)
    throw new JwsRefused('malformed', 'the token does not have three parts');

  const header = readHeader(head);
  if (header.typ !== expected.typ) throw new JwsRefused('wrong-type', `the token's type is not ${expected.typ}`);

  const [key, ...others] = expected.keys.filter((candidate) => candidate.kid === header.kid);
  if (!key) throw new JwsRefused('unknown-key', 'the key that signed the token is not trusted');
  if (others.length > 0) throw new JwsRefused('ambiguous-key', 'more than one trusted key has the key id of the token');
  if (header.alg !== key.alg) throw new JwsRefused('wrong-algorithm', "the token's algorithm is not the key's");

  const signature = part(tail, 'malformed', 'signature');
  if (!check(key, utf8ToBytes(`${head}.${body}`), signature))
    throw new JwsRefused('bad-signature', 'the signature does not verify');

  return { header, payload: json(body, 'bad-payload', 'payload'), kid: header.kid };
}

/** One raw signature (64 bytes; P-256 as r‖s) over a message. False on anything malformed. */
export function verifyRaw(key: VerificationKey, message: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== 64) return false;
  try {
    const publicKey = hexToBytes(key.raw);
    return key.alg === 'EdDSA'
      ? ed25519.verify(signature, message, publicKey, { zip215: false })
      : // Other signers (OpenSSL, KMS) do not normalise s, so high s is accepted; a token's identity is never its signature.
        p256.verify(signature, message, publicKey, { lowS: false, prehash: true, format: 'compact' });
  } catch {
    return false;
  }
}

function readHeader(encoded: string): JwsHeader {
  const value = json(encoded, 'bad-header', 'header');
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new JwsRefused('bad-header', 'the header is not an object');
  const { alg, kid, typ, ...extra } = value as Record<string, unknown>;
  const [unknown] = Object.keys(extra);
  if (unknown !== undefined) throw new JwsRefused('bad-header', 'the header has a member other than alg, kid and typ');
  if (alg !== 'EdDSA' && alg !== 'ES256')
    throw new JwsRefused('bad-header', 'the algorithm is neither EdDSA nor ES256');
  if (typeof kid !== 'string' || typeof typ !== 'string')
    throw new JwsRefused('bad-header', 'kid and typ have to be texts');
  return { alg, kid, typ };
}

function json(encoded: string, reason: JwsRefusal, name: string): unknown {
  try {
    return parseStrictJson(decodeUtf8(part(encoded, reason, name)));
  } catch (error) {
    if (error instanceof JwsRefused) throw error;
    throw new JwsRefused(reason, `the ${name} is not JSON with distinct member names`);
  }
}

function part(encoded: string, reason: JwsRefusal, name: string): Uint8Array {
  try {
    return decodeBase64url(encoded);
  } catch {
    throw new JwsRefused(reason, `the ${name} is not base64url`);
  }
}
