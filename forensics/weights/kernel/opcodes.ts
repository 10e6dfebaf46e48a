/** What follows an opcode: nothing, a local's index, a label's depth, the place of a vector in memory, a lane, or sixteen bytes. */
export type Immediate = 'none' | 'local' | 'label' | 'memory' | 'lane' | 'i32' | 'i32x4' | 'bytes';

/** Opcode bytes and immediate of the instructions that the kernels use (WebAssembly Core Specification 2.0, chapter 5.4). */
export const OPCODES: Readonly<Record<string, readonly [opcode: readonly number[], immediate: Immediate]>> = {
  br_if: [[0x0d], 'label'],
  'local.get': [[0x20], 'local'],
  'local.set': [[0x21], 'local'],
  'local.tee': [[0x22], 'local'],
  'i32.const': [[0x41], 'i32'],
  'i32.lt_u': [[0x49], 'none'],
  'i32.add': [[0x6a], 'none'],
  'v128.load': [[0xfd, 0x00], 'memory'],
  'v128.store': [[0xfd, 0x0b], 'memory'],
  'v128.const': [[0xfd, 0x0c], 'i32x4'],
  'i8x16.shuffle': [[0xfd, 0x0d], 'bytes'],
  'i32x4.eq': [[0xfd, 0x37], 'none'],
  'i32x4.ne': [[0xfd, 0x38], 'none'],
  'v128.and': [[0xfd, 0x4e], 'none'],
  'v128.andnot': [[0xfd, 0x4f], 'none'],
  'v128.or': [[0xfd, 0x50], 'none'],
  'v128.xor': [[0xfd, 0x51], 'none'],
  'f64x2.promote_low_f32x4': [[0xfd, 0x5f], 'none'],
  'i32x4.shr_u': [[0xfd, 0xad, 0x01], 'none'],
  'i32x4.add': [[0xfd, 0xae, 0x01], 'none'],
  'i32x4.sub': [[0xfd, 0xb1, 0x01], 'none'],
  'f32x4.sub': [[0xfd, 0xe5, 0x01], 'none'],
  'f64x2.add': [[0xfd, 0xf0, 0x01], 'none'],
  'f64x2.mul': [[0xfd, 0xf2, 0x01], 'none'],
};

export const VALUE_TYPES: Readonly<Record<string, number>> = { i32: 0x7f, v128: 0x7b };
