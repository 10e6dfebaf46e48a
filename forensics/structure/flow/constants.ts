import type { Node, Scope, Tensor } from '../file/model.ts';
import { constantIn, type Index } from '../file/names.ts';
import { declaredElements, elements } from '../file/numbers.ts';
import { constant, type Facts, type Identities } from './facts.ts';

const TRAIT_ELEMENTS = 65_536;
const INT_MAX = 2 ** 31 - 2;

/** A node and the scope whose names it uses. */
export interface Standing {
  readonly node: Node;
  readonly scope: Scope;
}

/** What the fixed tensors of the file tell about the nodes that read them. A tensor is looked at once. */
export class Constants {
  private readonly index: Index;
  private readonly ids: Identities;
  private readonly traits = new Map<Tensor, Facts>();
  private readonly permutations = new Map<Tensor, boolean>();

  constructor(index: Index, ids: Identities) {
    this.index = index;
    this.ids = ids;
  }

  tensor(tensor: Tensor, uneven = false): Facts {
    const known = this.traits.get(tensor);
    if (known) return known;
    const values = elements(tensor, TRAIT_ELEMENTS);
    const first = values[0];
    const facts = constant(this.ids, {
      uneven: uneven || tensor.isExternal || values.some((value) => value !== first),
      zero: values.length > 0 && values.every((value) => value === 0),
      empty: declaredElements(tensor.dims) === 0,
    });
    this.traits.set(tensor, facts);
    return facts;
  }

  /** The fixed tensor that `name` stands for in `scope`; null where it is none. */
  at(scope: Scope, name: string | undefined): Tensor | null {
    return name === undefined ? null : constantIn(this.index, scope, name);
  }

  /** A layer with one output. */
  isOneUnit({ node, scope }: Standing): boolean {
    const dims = this.at(scope, node.inputs[1])?.dims ?? [];
    if (/^(Conv|FusedConv)$/.test(node.opType)) return dims[0] === 1n;
    if (node.opType !== 'MatMul' && node.opType !== 'Gemm') return false;
    return dims.length > 1 && (node.attributes.get('transB')?.int === 1n ? dims[0] : dims.at(-1)) === 1n;
  }

  /** MatMul with a permutation or diagonal only moves values; an attacker could put one behind a gate to make it look like a feature. */
  moves({ node, scope }: Standing): boolean {
    if (!/^(MatMul|Gemm|Conv)$/.test(node.opType)) return false;
    const tensor = this.at(scope, node.inputs[1]);
    if (
      tensor === null ||
      tensor.dims.length < 2 ||
      tensor.dims.slice(2).some((dim) => dim !== 1n) ||
      (declaredElements(tensor.dims) ?? Infinity) > TRAIT_ELEMENTS
    )
      return false;
    const known = this.permutations.get(tensor) ?? isPermutation(tensor);
    this.permutations.set(tensor, known);
    return known;
  }

  /** A slice from 0 to the end, which older exporters write for `x[:]`. */
  everything({ node, scope }: Standing): boolean {
    if (node.opType !== 'Slice') return false;
    const starts = node.attributes.get('starts')?.ints ?? this.ints(scope, node.inputs[1]);
    const ends = node.attributes.get('ends')?.ints ?? this.ints(scope, node.inputs[2]);
    return starts.length > 0 && starts.every((start) => start === 0n) && ends.every((end) => Number(end) >= INT_MAX);
  }

  private ints(scope: Scope, name: string | undefined): readonly bigint[] {
    const tensor = this.at(scope, name);
    if (tensor === null) return [];
    return [...elements(tensor, 16)].map((value) => BigInt(Math.trunc(Number.isFinite(value) ? value : 0)));
  }
}

/** Every row has exactly one entry: the matrix moves and scales, and mixes nothing. */
function isPermutation(tensor: Tensor): boolean {
  const columns = Number(tensor.dims[1]);
  const values = elements(tensor, TRAIT_ELEMENTS);
  if (columns < 2 || values.length === 0 || values.length % columns !== 0) return false;
  for (let row = 0; row < values.length; row += columns) {
    let filled = 0;
    for (let at = row; at < row + columns; at++) if (values[at] !== 0) filled++;
    if (filled !== 1) return false;
  }
  return values.length > columns;
}
