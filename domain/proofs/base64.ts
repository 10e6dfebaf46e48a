/** One base64 alphabet of RFC 4648, written by hand because a workflow's isolate has neither atob nor Buffer. */
export interface Base64 {
  encode(bytes: Uint8Array): string;
  /** Strict: one text per byte string. Refuses foreign characters, wrong padding and trailing bits that are not zero. Throws TypeError. */
  decode(text: string): Uint8Array;
}

const COMMON = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

function base64(name: string, alphabet: string, padded: boolean): Base64 {
  const values = new Map([...alphabet].map((letter, value) => [letter, value]));
  return {
    encode(bytes) {
      let text = '';
      for (let at = 0; at < bytes.length; at += 3) {
        const [a = 0, b = 0, c = 0] = bytes.subarray(at, at + 3);
        const quad = [a >> 2, ((a & 3) << 4) | (b >> 4), ((b & 15) << 2) | (c >> 6), c & 63];
        const used = Math.min(bytes.length - at, 3) + 1;
        for (const value of quad.slice(0, used)) text += alphabet.charAt(value);
        if (padded) text += '='.repeat(4 - used);
      }
      return text;
    },
    decode(text) {
      if (padded && text.length % 4 !== 0) throw new TypeError(`not ${name}: the length is not a multiple of four`);
      const body = padded ? text.replace(/={1,2}$/, '') : text;
      if (body.length % 4 === 1) throw new TypeError(`not ${name}: the length is impossible`);
      const bytes = new Uint8Array(Math.floor((body.length * 3) / 4));
      let held = 0;
      let bits = 0;
      let at = 0;
      for (const letter of body) {
        const value = values.get(letter);
        if (value === undefined) throw new TypeError(`not ${name}: a character outside the alphabet`);
        held = ((held << 6) | value) & 0xfff;
        bits += 6;
        if (bits < 8) continue;
        bits -= 8;
        bytes[at++] = (held >> bits) & 0xff;
      }
      // Non-zero trailing bits would let two texts stand for one byte string: a signature could be rewritten without breaking it.
      if ((held & ((1 << bits) - 1)) !== 0) throw new TypeError(`not ${name}: trailing bits are not zero`);
      return bytes;
    },
  };
}

const STANDARD = base64('base64', `${COMMON}+/`, true);
export const URL_SAFE: Base64 = base64('base64url', `${COMMON}-_`, false);

/** RFC 4648 section 4, padded: what signed notes, DSSE and OMS use. */
export function encodeBase64(bytes: Uint8Array): string {
  return STANDARD.encode(bytes);
}

/** Strict; throws TypeError. */
export function decodeBase64(text: string): Uint8Array {
  return STANDARD.decode(text);
}
