import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { Failure } from '../../domain/incident/failure.ts';
import { digestOf } from '../../domain/proofs/digest.ts';
import type { Rest } from './model.ts';

/**
 * Reading protobuf that an attacker may have written. Stricter than the protobuf specification on purpose: a singular field that appears
 * twice, a field of the wrong wire type and text that is not UTF-8 are refused, because two readers may understand them differently and the
 * engine that runs the model must not see another model than the one that was examined.
 */
export interface Allowance {
  /** Fields and list elements that may still be read; keeps a small file from becoming a huge object tree. */
  items: number;
}

export interface Place {
  readonly allowance: Allowance;
  /** How many messages may still be nested inside this one. */
  readonly depth: number;
}

export interface FieldReader {
  readonly wires: readonly WireType[];
  readonly repeated: boolean;
  readonly read: (reader: BinaryReader, wire: WireType, place: Place) => void;
}

export function invalid(reason: string, cause?: unknown): Failure {
  return new Failure('model/invalid', `The model cannot be read as ONNX: ${reason}.`, { cause });
}

function spend(place: Place, items: number): void {
  place.allowance.items -= items;
  if (place.allowance.items < 0) throw invalid('it has more fields than any model this station examines');
}

/** Walks one message; fields without a reader come back as digests of their bytes, in file order. */
export function readFields(
  message: string,
  bytes: Uint8Array,
  place: Place,
  fields: Readonly<Record<number, FieldReader>>,
): readonly Rest[] {
  if (place.depth < 0) throw invalid(`${message} is nested too deeply`);
  const reader = new BinaryReader(bytes);
  const inner: Place = { allowance: place.allowance, depth: place.depth - 1 };
  const seen = new Set<number>();
  const rest: Rest[] = [];
  while (reader.pos < reader.len) {
    spend(place, 1);
    const [field, wire] = reader.tag();
    const known = fields[field];
    if (!known) {
      rest.push({ message, field, digest: digestOf(reader.skip(wire, field)) });
      continue;
    }
    if (!known.wires.includes(wire)) throw invalid(`field ${field} of ${message} has wire type ${wire}`);
    if (!known.repeated && seen.has(field)) throw invalid(`field ${field} of ${message} appears twice`);
    seen.add(field);
    known.read(reader, wire, inner);
  }
  if (reader.pos !== reader.len) throw invalid(`${message} ends in the middle of a field`);
  return rest;
}

const LENGTH = [WireType.LengthDelimited];

export function text(set: (value: string) => void, repeated = false): FieldReader {
  return { wires: LENGTH, repeated, read: (reader) => set(reader.string(true)) };
}

export function bytes(set: (value: Uint8Array) => void, repeated = false): FieldReader {
  return { wires: LENGTH, repeated, read: (reader) => set(reader.bytes()) };
}

export function message(set: (value: Uint8Array, place: Place) => void, repeated = false): FieldReader {
  return { wires: LENGTH, repeated, read: (reader, _wire, place) => set(reader.bytes(), place) };
}

export function int64(set: (value: bigint) => void): FieldReader {
  return { wires: [WireType.Varint], repeated: false, read: (reader) => set(BigInt(reader.int64())) };
}

export function int32(set: (value: number) => void): FieldReader {
  return { wires: [WireType.Varint], repeated: false, read: (reader) => set(reader.int32()) };
}

export function float(set: (value: number) => void): FieldReader {
  return { wires: [WireType.Bit32], repeated: false, read: (reader) => set(reader.float()) };
}

/** A repeated scalar, packed or not: both forms are legal for a reader. */
function packable(wire: WireType, next: (reader: BinaryReader) => void): FieldReader {
  return {
    wires: [wire, WireType.LengthDelimited],
    repeated: true,
    read: (reader, found, place) => {
      if (found !== WireType.LengthDelimited) return next(reader);
      const packed = new BinaryReader(reader.bytes());
      while (packed.pos < packed.len) {
        spend(place, 1);
        next(packed);
      }
      if (packed.pos !== packed.len) throw invalid('a packed list ends in the middle of an element');
    },
  };
}

export const floats = (push: (value: number) => void) => packable(WireType.Bit32, (reader) => push(reader.float()));
export const doubles = (push: (value: number) => void) => packable(WireType.Bit64, (reader) => push(reader.double()));
export const int32s = (push: (value: number) => void) => packable(WireType.Varint, (reader) => push(reader.int32()));
export const int64s = (push: (value: bigint) => void) =>
  packable(WireType.Varint, (reader) => push(BigInt(reader.int64())));
export const uint64s = (push: (value: bigint) => void) =>
  packable(WireType.Varint, (reader) => push(BigInt(reader.uint64())));
