/** What a value is made from. The analysis forgets numbers and keeps these facts; it over-approximates by joining them. */
export interface Facts {
  /** Identity, to recognise the same value on two ways. */
  readonly id: number;
  /** The value this one is a version of: reached through operators whose other operands are constants. */
  readonly base: number;
  /** Depends on the data of an input or on chance. */
  readonly data: boolean;
  readonly random: boolean;
  /** Some way from the input has no learned layer on it. */
  readonly raw: boolean;
  /** Some way has one. */
  readonly learned: boolean;
  /** The number of elements depends on data (NonZero, Compress, …), so a shape can carry a decision. */
  readonly sized: boolean;
  /** A part was selected or the value was reduced. */
  readonly picked: boolean;
  /** Reduced over everything. */
  readonly whole: boolean;
  /** 2: the outcome of a comparison; 1: of a step-like function; 0: neither. */
  readonly decision: 0 | 1 | 2;
  /** The decision was made on raw input. */
  readonly ofInput: boolean;
  /** The decision is about a part or the whole of the input, not element by element. */
  readonly collapsed: boolean;
  /** A decision that met a constant with unequal entries afterwards: it moves some outputs more than others. */
  readonly patterned: boolean;
  /** Data joined with a constant with unequal entries, to be selected from. */
  readonly mixed: boolean;
  /** Identities the decision compared. */
  readonly compared: ReadonlySet<number>;
  /** Of a constant: entries differ; all are zero; there are none. */
  readonly uneven: boolean;
  readonly zero: boolean;
  readonly empty: boolean;
  /** Gates on the way, with no learned layer after them. */
  readonly gates: ReadonlySet<Gate>;
}

/** A place where a decision about the input chooses between values. */
export interface Gate {
  readonly place: string;
  readonly how: 'If' | 'Where' | 'arithmetic' | 'lookup' | 'Loop' | 'noise';
  readonly strong: boolean;
  readonly ofInput: boolean;
  readonly random: boolean;
  readonly whole: boolean;
  /** A constant is chosen instead of data. */
  readonly constant: boolean;
  /** What is chosen treats the outputs unequally. */
  readonly uneven: boolean;
  readonly zero: boolean;
  /** One value is chosen in two versions. */
  readonly versions: boolean;
}

const NONE: ReadonlySet<never> = new Set();
/** Sets are cut here: memory stays linear, and a hostile graph gains nothing by more, because the gates are listed anyway. */
const MAX_SET = 12;

export interface Identities {
  next: number;
}

export function constant(ids: Identities, traits: Partial<Facts> = {}): Facts {
  const id = ids.next++;
  return {
    id,
    base: id,
    data: false,
    random: false,
    raw: false,
    learned: false,
    sized: false,
    picked: false,
    whole: false,
    decision: 0,
    ofInput: false,
    collapsed: false,
    patterned: false,
    mixed: false,
    compared: NONE,
    uneven: false,
    zero: false,
    empty: false,
    gates: NONE,
    ...traits,
  };
}

export function union<T>(sets: readonly ReadonlySet<T>[]): ReadonlySet<T> {
  const filled = sets.filter((set) => set.size > 0);
  if (filled.length <= 1) return filled[0] ?? NONE;
  const all = new Set<T>();
  for (const set of filled)
    for (const item of set) {
      if (all.size >= MAX_SET) return all;
      all.add(item);
    }
  return all;
}

/** What is true of a value that is made from all of these. */
export function join(ids: Identities, facts: readonly Facts[]): Facts {
  const any = (of: (one: Facts) => boolean): boolean => facts.some(of);
  const data = facts.filter((one) => one.data);
  const id = ids.next++;
  const decision = facts.reduce<0 | 1 | 2>((most, one) => (one.decision > most ? one.decision : most), 0);
  const uneven = any((one) => !one.data && one.uneven);
  return {
    id,
    base: data.length === 1 && data[0] ? data[0].base : id,
    data: data.length > 0,
    random: any((one) => one.random),
    raw: any((one) => one.raw),
    learned: any((one) => one.learned),
    sized: any((one) => one.sized),
    picked: any((one) => one.picked),
    whole: any((one) => one.whole),
    decision,
    ofInput: any((one) => one.ofInput),
    collapsed: any((one) => one.collapsed),
    patterned: any((one) => one.patterned) || (decision > 0 && uneven),
    mixed: any((one) => one.mixed),
    compared: union(facts.map((one) => one.compared)),
    uneven: data.length === 0 && uneven,
    zero: data.length === 0 && facts.length > 0 && facts.every((one) => one.zero),
    empty: any((one) => one.empty),
    gates: union(facts.map((one) => one.gates)),
  };
}
