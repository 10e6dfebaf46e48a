/**
 * Payloads in the low bits of binary32 weights (EvilModel, Wang et al. 2021; MaleficNet, Hitaj et al. 2022). The low mantissa bits of honest
 * weights are noise or, after a conversion from half precision, zero. Noise is printable with probability 95/256 for each byte, so a run of
 * RUN printable bytes at a place named in advance has p = (95/256)^RUN; the search looks at PLACES places of at most 8 readings.
 * A payload that was encrypted looks like noise: nothing without the golden model can see it.
 */
import { codeIn, payloadIn } from './payload.ts';

/** (95/256)^64 · 16 384 · 7 < 10^-22: no false alarm in a lifetime of weights. */
const RUN = 64;
const DISTINCT = 12;
/** Bytes of each reading, from the tensor's beginning: what is embedded begins there, and time stays bounded. */
const PLACES = 16_384;
const EXAMINED = PLACES * 8;

/** What the low 1, 2, 4 or 8 bits of the floats spell, or null. `raw` holds little-endian binary32. */
export function hiddenInLowBits(raw: Uint8Array): string | null {
  const count = Math.min(Math.floor(raw.length / 4), EXAMINED);
  for (const bits of [1, 2, 4, 8])
    for (const order of bits === 8 ? (['low'] as const) : (['low', 'high'] as const)) {
      const bytes = collect(raw, count, bits, order);
      if (bytes.length < RUN) continue;
      const found = payloadIn(bytes) ?? printableRun(bytes);
      if (found !== null) return `the low ${bits} bits spell ${found}`;
    }
  return null;
}

/** Groups of `bits` joined to bytes, first group in the low or in the high end. */
function collect(raw: Uint8Array, count: number, bits: number, order: 'low' | 'high'): Uint8Array {
  const perByte = 8 / bits;
  const mask = (1 << bits) - 1;
  const out = new Uint8Array(Math.min(PLACES, Math.floor(count / perByte)));
  for (let at = 0; at < out.length; at++) {
    let byte = 0;
    for (let part = 0; part < perByte; part++) {
      const group = (raw[(at * perByte + part) * 4] ?? 0) & mask;
      byte |= group << (bits * (order === 'low' ? part : perByte - 1 - part));
    }
    out[at] = byte;
  }
  return out;
}

function printableRun(bytes: Uint8Array): string | null {
  let start = 0;
  for (let at = 0; at <= bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if ((byte >= 32 && byte < 127) || byte === 10 || byte === 9) continue;
    if (at - start >= RUN && new Set(bytes.subarray(start, at)).size >= DISTINCT) {
      const text = Buffer.from(bytes.subarray(start, at)).toString('latin1');
      return `${codeIn(text) ?? `${at - start} characters of text`}`;
    }
    start = at + 1;
  }
  return null;
}

/**
 * The weights moved in their low byte and nowhere else: no training does that, an embedding of a payload does. Share of changed entries, or null.
 * Both sides hold little-endian binary32 of equal length.
 */
export function onlyLowBitsMoved(suspect: Uint8Array, golden: Uint8Array): number | null {
  if (suspect.length !== golden.length || suspect.length < 256) return null;
  let changed = 0;
  for (let at = 0; at + 3 < suspect.length; at += 4) {
    if (suspect[at + 1] !== golden[at + 1] || suspect[at + 2] !== golden[at + 2] || suspect[at + 3] !== golden[at + 3])
      return null;
    if (suspect[at] !== golden[at]) changed++;
  }
  return changed === 0 ? null : changed / (suspect.length / 4);
}
