import type { Oddity } from './decode.ts';

/** The whole file as the rules see it: every graph, wherever it hides, is one scope; every tensor and every text knows its place. */
export interface ScannedModel {
  readonly irVersion: bigint;
  readonly opsets: readonly Opset[];
  readonly main: Scope | null;
  /** Main graph, subgraphs at any depth, function bodies and training graphs. Parents come before their children. */
  readonly scopes: readonly Scope[];
  readonly functions: readonly FunctionBody[];
  readonly trainingGraphs: number;
  readonly texts: readonly Text[];
  readonly tensors: readonly Tensor[];
  readonly sparse: readonly Sparse[];
  readonly oddities: readonly Oddity[];
}

export interface Opset {
  readonly domain: string;
  readonly version: bigint;
}

export interface FunctionBody {
  readonly key: string;
  readonly name: string;
  readonly domain: string;
  readonly scope: Scope;
  readonly opsets: readonly Opset[];
}

export interface Scope {
  readonly path: string;
  readonly kind: 'graph' | 'subgraph' | 'function' | 'training';
  /** How many subgraphs deep. */
  readonly depth: number;
  readonly parent: Scope | null;
  readonly nodes: readonly Node[];
  readonly initializers: readonly Tensor[];
  readonly sparse: readonly Sparse[];
  readonly inputs: readonly Declared[];
  readonly outputs: readonly Declared[];
}

export interface Node {
  readonly path: string;
  readonly name: string;
  readonly opType: string;
  readonly domain: string;
  /** Identity of a local function this node may call. */
  readonly key: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, Attribute>;
  readonly attributeList: readonly Attribute[];
  readonly subgraphs: readonly Scope[];
}

export interface Attribute {
  readonly name: string;
  readonly type: number;
  readonly reference: string;
  readonly int: bigint;
  readonly float: number;
  readonly ints: readonly bigint[];
  readonly floats: readonly number[];
  readonly text: string;
  readonly strings: readonly string[];
  readonly tensor: Tensor | null;
  /** Field numbers that carry a value; more than the type asks for is a hiding place. */
  readonly filled: readonly number[];
}

export interface Declared {
  readonly name: string;
  /** A size, a symbol, or null where the file is silent; null altogether without a shape. */
  readonly shape: readonly (bigint | string | null)[] | null;
}

export interface Tensor {
  readonly path: string;
  readonly name: string;
  readonly dims: readonly bigint[];
  readonly dataType: number;
  readonly raw: Uint8Array | null;
  /** Typed list fields by number, as they stand in the file. */
  readonly lists: ReadonlyMap<number, readonly (bigint | Uint8Array)[]>;
  readonly external: readonly (readonly [key: string, value: string])[];
  /** data_location says EXTERNAL. */
  readonly isExternal: boolean;
  readonly role: 'initializer' | 'attribute' | 'sparse';
}

export interface Sparse {
  readonly path: string;
  readonly dims: readonly bigint[];
  readonly values: Tensor | null;
  readonly indices: Tensor | null;
}

export interface Text {
  readonly path: string;
  readonly kind: 'doc' | 'metadata' | 'name' | 'attribute' | 'tensor';
  readonly text: string;
  /** The bytes where the text was not UTF-8 or came as bytes. */
  readonly bytes: Uint8Array | null;
}
