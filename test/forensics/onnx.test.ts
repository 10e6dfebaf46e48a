import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { describe, expect, it } from '@jest/globals';
import { Failure } from '../../domain/incident/failure.ts';
import { graphHash } from '../../forensics/onnx/graph-hash.ts';
import { readModel } from '../../forensics/onnx/reader.ts';
import { createRandom } from '../../forensics/statistics/bootstrap.ts';
import { modelBytes } from './vectors.ts';

const hash = (name: string) => graphHash(readModel(modelBytes(name)));

function refusal(bytes: Uint8Array): string {
  try {
    readModel(bytes);
  } catch (error) {
    if (error instanceof Failure && error.code === 'model/invalid') return error.message;
    throw error;
  }
  return 'read';
}

function concat(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

describe('reading an ONNX model', () => {
  it('gives operators, wiring, attributes and weights', () => {
    const { graph, opsets } = readModel(modelBytes('raw'));
    expect(opsets).toEqual([{ domain: '', version: 17n }]);
    expect(graph.nodes[0]).toMatchObject({ opType: 'Gemm', inputs: ['x', 'w', 'b'], outputs: ['scores'] });
    expect(graph.nodes[0]?.attributes[0]).toMatchObject({ name: 'transB', int: 1n });
    expect(graph.inputs[0]).toMatchObject({ name: 'x', elementType: 1, shape: ['N', 2] });
    expect(graph.initializers[0]?.dims).toEqual([3, 2]);
    expect(Array.from(graph.initializers[0]?.values ?? [])).toEqual([1, -1, 0.5, 2, -3, 0.25]);
  });

  it('reads float_data, raw_data and float16 as the same weights', () => {
    for (const name of ['raw', 'listed', 'half']) {
      expect(Array.from(readModel(modelBytes(name)).graph.initializers[0]?.values ?? [])).toEqual([
        1, -1, 0.5, 2, -3, 0.25,
      ]);
    }
  });

  it('reads a real network with 13 706 weights', () => {
    const { graph } = readModel(modelBytes('digits-golden'));
    expect(graph.initializers.reduce((sum, tensor) => sum + (tensor.values?.length ?? 0), 0)).toBe(13_706);
  });
});

describe('the graph hash', () => {
  it('does not change when weights change or are stored in another way', () => {
    expect(hash('changed-weight')).toBe(hash('raw'));
    expect(hash('listed')).toBe(hash('raw'));
    expect(hash('digits-suspect')).toBe(hash('digits-golden'));
  });

  it('changes with an attribute, a node, an output type or a batch size', () => {
    const names = ['raw', 'changed-attribute', 'added-node', 'softmax', 'fixed-batch', 'half', 'two-inputs'];
    expect(new Set(names.map(hash)).size).toBe(names.length);
  });

  it('sees a constant inside a nested subgraph', () => {
    expect(hash('branch')).not.toBe(hash('branch-other-constant'));
  });

  it('sees fields that this reader has no name for', () => {
    const extra = new BinaryWriter()
      .tag(25, 2)
      .bytes(Uint8Array.of(10, 1, 65))
      .finish();
    expect(graphHash(readModel(concat(modelBytes('raw'), extra)))).not.toBe(hash('raw'));
  });
});

describe('a hostile model file', () => {
  it('is refused with a sentence when it is empty or has no graph', () => {
    expect(refusal(new Uint8Array())).toBe('The model cannot be read as ONNX: the file is empty.');
    expect(refusal(Uint8Array.of(8, 8))).toBe('The model cannot be read as ONNX: it has no graph.');
  });

  it('is refused at every truncation, and never crashes the reader', () => {
    const whole = modelBytes('branch');
    for (let length = 0; length < whole.length; length++) {
      const message = refusal(whole.slice(0, length));
      // Between two top-level fields of ModelProto a shorter file can be a whole one.
      if (message !== 'read') expect(message).toMatch(/^The model cannot be read as ONNX: /);
    }
  });

  it('is refused or read, and nothing else, when bytes are random or flipped', () => {
    const random = createRandom(7);
    const whole = modelBytes('raw');
    for (let round = 0; round < 2000; round++) {
      const noise = Uint8Array.from({ length: 1 + Math.floor(random() * 200) }, () => Math.floor(random() * 256));
      expect(refusal(noise)).toMatch(/^(read|The model)/);
      const flipped = whole.slice();
      flipped[Math.floor(random() * flipped.length)] = Math.floor(random() * 256);
      const message = refusal(flipped);
      expect(message).toMatch(/^(read|The model)/);
      if (message === 'read') expect(graphHash(readModel(flipped))).toMatch(/^sha256:/);
    }
  });

  it('is refused when subgraphs nest without end', () => {
    let graph = new Uint8Array();
    for (let level = 0; level < 2000; level++) {
      const attribute = new BinaryWriter().tag(1, 2).string('body').tag(6, 2).bytes(graph).finish();
      const node = new BinaryWriter().tag(5, 2).bytes(attribute).finish();
      graph = new Uint8Array(new BinaryWriter().tag(1, 2).bytes(node).finish());
    }
    expect(refusal(concat(new BinaryWriter().tag(7, 2).bytes(graph).finish()))).toMatch(/nested too deeply/);
  });

  it('is refused when groups nest without end', () => {
    expect(refusal(new Uint8Array(1_000_000).fill(0x0b))).toMatch(/cannot be read/);
  });

  it('is refused when a tensor claims more elements than it has', () => {
    const tensor = new BinaryWriter()
      .tag(1, 0)
      .int64('9007199254740991')
      .tag(2, 0)
      .int32(1)
      .tag(8, 2)
      .string('w')
      .finish();
    const graph = new BinaryWriter().tag(5, 2).bytes(tensor).finish();
    expect(refusal(concat(new BinaryWriter().tag(7, 2).bytes(graph).finish()))).toMatch(
      /tensor "w" has 0 bytes of float/,
    );
  });

  it('is refused when it hides a second graph that other readers would merge', () => {
    const second = new BinaryWriter().tag(7, 2).bytes(Uint8Array.of()).finish();
    expect(refusal(concat(modelBytes('raw'), second))).toMatch(/field 7 of ModelProto appears twice/);
  });

  it('is refused when its weights lie in another file', () => {
    expect(refusal(modelBytes('external'))).toMatch(/tensor "w" keeps its values in another file/);
  });
});
