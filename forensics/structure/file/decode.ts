import { SCHEMA, type FieldKind, type MessageName } from './schema.ts';

/** What was odd about the encoding itself. Two readers may take such a file for two different models. */
export interface Oddity {
  readonly kind:
    | 'unknown-field'
    | 'repeated-field'
    | 'wire-type'
    | 'truncated'
    | 'overlong-number'
    | 'invalid-text'
    | 'too-deep'
    | 'too-large';
  readonly place: string;
  readonly words: string;
  /** Bytes that no reader of the format looks at. */
  readonly bytes: Uint8Array | null;
}

/** One decoded message: every value of every field in file order. Numbers are bigints, list fields may come as packed bytes. */
export interface Message {
  readonly name: MessageName;
  readonly fields: ReadonlyMap<number, readonly Value[]>;
}
export type Value = bigint | number | string | Uint8Array | Message;

/** A subgraph takes three messages (node, attribute, graph). Deeper files are not followed; that is a finding. */
const MAX_DEPTH = 72;
/** Values in one file: a ResNet-152 has about 30 thousand. */
const MAX_VALUES = 4_000_000;
const MAX_ODDITIES = 200;

interface State {
  left: number;
  readonly oddities: Oddity[];
}

/** Never throws: what cannot be read ends the message it stands in and is told as an oddity. Memory is bounded by MAX_VALUES. */
export function decode(bytes: Uint8Array): { readonly model: Message; readonly oddities: readonly Oddity[] } {
  const state: State = { left: MAX_VALUES, oddities: [] };
  return { model: message('ModelProto', bytes, 'model', 0, state), oddities: state.oddities };
}

function message(name: MessageName, bytes: Uint8Array, place: string, depth: number, state: State): Message {
  const fields = new Map<number, Value[]>();
  const odd = (kind: Oddity['kind'], words: string, hidden: Uint8Array | null = null) => {
    if (state.oddities.length < MAX_ODDITIES) state.oddities.push({ kind, place, words, bytes: hidden });
  };
  if (depth > MAX_DEPTH) {
    odd('too-deep', `${name} is nested ${depth} messages deep`, bytes);
    return { name, fields };
  }
  const schema = SCHEMA[name];
  let at = 0;
  while (at < bytes.length) {
    const start = at;
    if (--state.left < 0) {
      if (state.left === -1) odd('too-large', 'the file has more fields than any model this scanner examines');
      return { name, fields };
    }
    const tag = varint(bytes, at);
    const wire = tag === null ? -1 : Number(tag.value & 7n);
    const number = tag === null ? 0 : Number(tag.value >> 3n);
    const body = tag === null ? null : read(bytes, tag.next, wire);
    if (tag === null || body === null || number === 0) {
      odd('truncated', `${name} ends in ${bytes.length - start} bytes that are no field`, bytes.subarray(start));
      return { name, fields };
    }
    at = body.next;
    if (tag.overlong || body.overlong)
      odd('overlong-number', `field ${number} of ${name} is written longer than needed`);
    const field = schema.get(number);
    if (field === undefined) {
      odd('unknown-field', `field ${number} of ${name} is not in the format`, bytes.subarray(start, at));
      continue;
    }
    const value = typed(field, wire, body.value, place, number, name, depth, state);
    if (value === null) {
      odd('wire-type', `field ${number} of ${name} has wire type ${wire}`, bytes.subarray(start, at));
      continue;
    }
    if (value === INVALID_TEXT)
      odd('invalid-text', `field ${number} of ${name} is not UTF-8`, bytes.subarray(start, at));
    const known = fields.get(number);
    if (known === undefined) fields.set(number, [value]);
    else {
      if (!field.repeated && known.length === 1)
        odd('repeated-field', `field ${number} of ${name} stands there twice`, bytes.subarray(start, at));
      known.push(value);
    }
  }
  return { name, fields };
}

const INVALID_TEXT = '\uFFFD(not UTF-8)';
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The value as the schema wants it, packed lists as their bytes; null for a wire type that does not fit. */
function typed(
  field: FieldKind,
  wire: number,
  value: bigint | Uint8Array,
  place: string,
  number: number,
  owner: MessageName,
  depth: number,
  state: State,
): Value | null {
  const long = value instanceof Uint8Array;
  switch (field.kind) {
    case 'int':
      return !long && wire === 0 ? BigInt.asIntN(64, value) : long && wire === 2 && field.repeated ? value : null;
    case 'float':
    case 'double': {
      const own = field.kind === 'float' ? 5 : 1;
      if (long && wire === own) return value;
      return long && wire === 2 && field.repeated ? value : null;
    }
    case 'bytes':
      return long && wire === 2 ? value : null;
    case 'text':
      if (!long || wire !== 2) return null;
      try {
        return utf8.decode(value);
      } catch {
        return INVALID_TEXT;
      }
    default:
      return long && wire === 2
        ? message(field.kind, value, `${place}${label(owner, number)}`, depth + 1, state)
        : null;
  }
}

/** Places of oddities are coarse on purpose: names inside a hostile file cannot be trusted to lead anybody. */
function label(owner: MessageName, number: number): string {
  return ` › ${owner.replace('Proto', '')}.${number}`.slice(0, 40);
}

interface Read<T> {
  readonly value: T;
  readonly next: number;
  readonly overlong: boolean;
}

function read(bytes: Uint8Array, at: number, wire: number): Read<bigint | Uint8Array> | null {
  switch (wire) {
    case 0:
      return varint(bytes, at);
    case 1:
    case 5: {
      const next = at + (wire === 1 ? 8 : 4);
      return next > bytes.length ? null : { value: bytes.subarray(at, next), next, overlong: false };
    }
    case 2: {
      const length = varint(bytes, at);
      if (length === null || length.value > BigInt(bytes.length - length.next)) return null;
      const next = length.next + Number(length.value);
      return { value: bytes.subarray(length.next, next), next, overlong: length.overlong };
    }
    default:
      return null;
  }
}

/** A base-128 number of at most ten bytes; `overlong` where a shorter spelling exists. */
export function varint(bytes: Uint8Array, at: number): Read<bigint> | null {
  let low = 0;
  let next = at;
  for (let shift = 0; shift < 28; shift += 7) {
    const byte = bytes[next++];
    if (byte === undefined) return null;
    low |= (byte & 127) << shift;
    if (byte < 128) return { value: BigInt(low), next, overlong: byte === 0 && shift > 0 };
  }
  let value = BigInt(low);
  for (let shift = 28n; shift < 70n; shift += 7n) {
    const byte = bytes[next++];
    if (byte === undefined) return null;
    value |= BigInt(byte & 127) << shift;
    if (byte < 128) return { value: BigInt.asUintN(64, value), next, overlong: byte === 0 };
  }
  return null;
}

/** The numbers of a list field, whether packed or one by one; at most `limit`. */
export function integers(values: readonly Value[] | undefined, limit: number): bigint[] {
  const out: bigint[] = [];
  for (const value of values ?? []) {
    if (typeof value === 'bigint') out.push(value);
    else if (value instanceof Uint8Array)
      for (let at = 0; at < value.length && out.length < limit;) {
        const one = varint(value, at);
        if (one === null) break;
        out.push(BigInt.asIntN(64, one.value));
        at = one.next;
      }
    if (out.length >= limit) break;
  }
  return out;
}
