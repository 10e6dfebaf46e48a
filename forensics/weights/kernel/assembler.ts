import { OPCODES, VALUE_TYPES } from './opcodes.ts';

/**
 * A small assembler for the folded text format of WebAssembly: one imported memory, exported functions without results, `loop`, and the
 * instructions of `opcodes.ts`. The kernels stay readable text, and what runs is made from it on the spot. The text is our own; anything
 * else is a TypeError.
 */
export function assemble(text: string): Uint8Array<ArrayBuffer> {
  const [module] = parse(text);
  const functions = lists(module).filter(([head]) => head === 'func');
  const bodies = functions.map(readFunction);
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, vector(bodies.map(({ params }) => [0x60, ...vector(params.map((type) => [type])), 0x00]))),
    ...section(2, vector([[...name('env'), ...name('memory'), 0x02, ...limits(module)]])),
    ...section(3, vector(bodies.map((_, index) => unsigned(index)))),
    ...section(7, vector(bodies.map((body, index) => [...name(body.exported), 0x00, ...unsigned(index)]))),
    ...section(10, vector(bodies.map(({ code }) => [...unsigned(code.length), ...code]))),
  ]);
}

type Form = string | readonly Form[];
type List = readonly Form[];

function parse(text: string): List {
  const tokens = text.replace(/;;.*$/gm, '').match(/[()]|[^\s()]+/g) ?? [];
  const stack: Form[][] = [[]];
  for (const token of tokens) {
    if (token === '(') stack.push([]);
    else if (token === ')') {
      const done = stack.pop();
      const outer = stack.at(-1);
      if (!done || !outer) throw new TypeError('a parenthesis too many');
      outer.push(done);
    } else stack.at(-1)?.push(token);
  }
  if (stack.length !== 1) throw new TypeError('a parenthesis is missing');
  return stack[0] ?? [];
}

function lists(form: Form | undefined): readonly List[] {
  return typeof form === 'object' ? form.filter((part) => typeof part !== 'string') : [];
}

const atom = (form: Form | undefined): string => {
  if (typeof form !== 'string') throw new TypeError('a word was expected');
  return form;
};

/** `(memory shared 1 65536)` or `(memory 1)`: pages of 64 KiB. */
function limits(module: Form | undefined): readonly number[] {
  const [, ...words] = lists(module).find(([head]) => head === 'memory') ?? [];
  const shared = words[0] === 'shared';
  const pages = words.slice(shared ? 1 : 0).map((word) => unsigned(Number(atom(word))));
  return [shared ? 0x03 : pages.length === 2 ? 0x01 : 0x00, ...pages.flat()];
}

interface Body {
  readonly exported: string;
  readonly params: readonly number[];
  readonly code: readonly number[];
}

function readFunction(form: List): Body {
  const [, exported, ...parts] = form;
  const declared = (kind: string) => lists(parts).filter(([head]) => head === kind);
  const [params, locals] = [declared('param'), declared('local')];
  const type = (part: List) => {
    const found = VALUE_TYPES[atom(part[2])];
    if (found === undefined) throw new TypeError(`type ${atom(part[2])}`);
    return found;
  };
  const names = [...params, ...locals].map((part) => atom(part[1]));
  const body = lists(parts).filter(([head]) => head !== 'param' && head !== 'local');
  return {
    exported: atom(exported).replaceAll('"', ''),
    params: params.map(type),
    code: [
      ...vector(locals.map((part) => [0x01, type(part)])),
      ...body.flatMap((part) => emit(part, { names, labels: [] })),
      0x0b,
    ],
  };
}

interface Scope {
  readonly names: readonly string[];
  /** Innermost first. */
  readonly labels: readonly string[];
}

function emit(form: List, scope: Scope): readonly number[] {
  const [head, ...rest] = form;
  const operator = atom(head);
  if (operator === 'loop') {
    const inner = { ...scope, labels: [atom(rest[0]), ...scope.labels] };
    return [0x03, 0x40, ...lists(rest).flatMap((part) => emit(part, inner)), 0x0b];
  }
  const found = OPCODES[operator];
  if (!found) throw new TypeError(`instruction ${operator}`);
  const [opcode, immediate] = found;
  const words = rest.filter((part) => typeof part === 'string');
  const operands = lists(rest).flatMap((part) => emit(part, scope));
  return [...operands, ...opcode, ...encode(immediate, words, scope)];
}

function encode(immediate: (typeof OPCODES)[string][1], words: readonly string[], scope: Scope): readonly number[] {
  const index = (list: readonly string[]) => {
    const at = list.indexOf(words[0] ?? '');
    if (at < 0) throw new TypeError(`${words[0]} is not declared`);
    return unsigned(at);
  };
  switch (immediate) {
    case 'none':
      return [];
    case 'local':
      return index(scope.names);
    case 'label':
      return index(scope.labels);
    case 'memory':
      return [0x04, ...unsigned(Number(words[0]?.replace('offset=', '') ?? 0))];
    case 'lane':
      return unsigned(Number(words[0]));
    case 'i32':
      return signed(Number(words[0]));
    case 'i32x4':
      return words.slice(1).flatMap((word) => [...new Uint8Array(Int32Array.of(Number(word) | 0).buffer)]);
    case 'bytes':
      return words.map(Number);
  }
}

/** LEB128. */
function unsigned(value: number): readonly number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(Math.floor(value / 0x80))];
}

function signed(value: number): readonly number[] {
  const last = value >= -64 && value < 64;
  return last ? [value & 0x7f] : [(value & 0x7f) | 0x80, ...signed(value >> 7)];
}

const name = (text: string): readonly number[] => vector([...Buffer.from(text)].map((byte) => [byte]));
const vector = (items: readonly (readonly number[])[]): readonly number[] => [
  ...unsigned(items.length),
  ...items.flat(),
];
const section = (id: number, content: readonly number[]): readonly number[] => [
  id,
  ...unsigned(content.length),
  ...content,
];
