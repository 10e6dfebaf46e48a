import type { z } from 'zod';
import { isNode, isScalar, isMap, type Document, type LineCounter } from 'yaml';
import { nearest } from './nearest.ts';
import { schemaAt, type SchemaNode } from './json-schema.ts';

/** One thing that is wrong in `lazaret.yaml`, where, and what to do about it. Lines and columns count from 1. */
export interface ConfigurationProblem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** E.g. `endpoints.signs.admin`; empty for the whole file. */
  readonly path: string;
  readonly what: string;
  readonly remedy: string;
}

export class ConfigurationError extends Error {
  readonly problems: readonly ConfigurationProblem[];
  constructor(problems: readonly ConfigurationProblem[]) {
    super(
      problems
        .map(
          ({ file, line, column, path, what, remedy }) =>
            `${file}:${line}:${column}: ${path ? `${path}: ` : ''}${what}\n    ${remedy}`,
        )
        .join('\n'),
    );
    this.name = 'ConfigurationError';
    this.problems = problems;
  }
}

export interface Source {
  readonly file: string;
  readonly document: Document.Parsed;
  readonly lines: LineCounter;
  readonly schema: SchemaNode;
}

/** What zod found, as places in the file. An issue about several unknown keys becomes one problem per key. */
export function problemsOf(issue: z.core.$ZodIssue, source: Source): readonly ConfigurationProblem[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => unknownKey(issue.path, key, source));
  }
  if (issue.code === 'invalid_union' && issue.discriminator !== undefined) return undecided(issue, source);
  const value: unknown = source.document.getIn(issue.path);
  const known = schemaAt(source.schema, issue.path);
  const about = known?.description ? ` ${known.description}` : '';
  if (value === undefined && issue.code !== 'custom') {
    const parent = issue.path.slice(0, -1);
    const key = String(issue.path.at(-1) ?? '');
    return [
      problem(source, parent, issue.path, `"${key}" is missing`, `Add "${key}:" here.${about}${choices(known)}`, true),
    ];
  }
  if (issue.code === 'custom') {
    return [problem(source, issue.path, issue.path, issue.message, `Change it here, or what it refers to.${about}`)];
  }
  if (issue.code === 'invalid_key') {
    const inner = issue.issues[0]?.message ?? 'not allowed as a name';
    return [
      problem(
        source,
        issue.path,
        issue.path,
        `the name "${String(issue.path.at(-1))}" is not allowed: ${inner}`,
        'Rename it.',
      ),
    ];
  }
  return [problem(source, issue.path, issue.path, wordOf(issue), remedyOf(issue, value, about))];
}

/** The key that decides which other keys there are is missing or unknown: so any key that no alternative knows may be meant for it. */
function undecided(issue: z.core.$ZodIssueInvalidUnion, source: Source): readonly ConfigurationProblem[] {
  const parent = issue.path.slice(0, -1);
  const key = String(issue.path.at(-1) ?? '');
  const alternatives = schemaAt(source.schema, parent)?.oneOf ?? [];
  const options = alternatives.map((alternative) => String(alternative.properties?.[key]?.const));
  const about = ` ${alternatives[0]?.properties?.[key]?.description ?? ''}`;
  const value: unknown = source.document.getIn(issue.path);
  if (value !== undefined) {
    const near = typeof value === 'string' ? nearest(value, options) : null;
    const remedy = `${near ? `Did you mean "${near}"? ` : ''}Allowed: ${options.join(', ')}.${about}`;
    return [problem(source, issue.path, issue.path, `there is no ${key} "${String(value)}"`, remedy)];
  }
  const remedy = `Add "${key}:" here.${about} Allowed: ${options.join(', ')}.`;
  const missing = problem(source, parent, issue.path, `"${key}" is missing`, remedy, true);
  const siblings = new Set(alternatives.flatMap(({ properties = {} }) => Object.keys(properties)));
  const given: unknown = source.document.getIn(parent);
  const strangers = isMap(given) ? given.items.map(({ key: name }) => (isScalar(name) ? String(name.value) : '')) : [];
  return [
    ...strangers.filter((name) => !siblings.has(name)).map((name) => strangerTo([...siblings], parent, name, source)),
    missing,
  ];
}

function wordOf(issue: z.core.$ZodIssue): string {
  return issue.message.replace(/^Invalid (?:input|option|string|URL)?:? ?/, '').trim() || issue.message;
}

function remedyOf(issue: z.core.$ZodIssue, value: unknown, about: string): string {
  if (issue.code === 'invalid_value') {
    const options = issue.values.map(String);
    const near = typeof value === 'string' ? nearest(value, options) : null;
    return `${near ? `Did you mean "${near}"? ` : ''}Allowed: ${options.join(', ')}.${about}`;
  }
  if (issue.code === 'invalid_format' && issue.format === 'url')
    return `Write a full URL such as http://127.0.0.1:9090.${about}`;
  return `Write a value that fits.${about}`;
}

function choices(known: SchemaNode | null): string {
  return known?.enum ? ` Allowed: ${known.enum.map(String).join(', ')}.` : '';
}

function unknownKey(path: readonly PropertyKey[], key: string, source: Source): ConfigurationProblem {
  return strangerTo(Object.keys(knownAt(source, path)?.properties ?? {}), path, key, source);
}

/** Of several alternatives, the one that the file decided for. */
function knownAt(source: Source, path: readonly PropertyKey[]): SchemaNode | null {
  const known = schemaAt(source.schema, path);
  const decided = known?.oneOf?.find(({ properties = {} }) =>
    Object.entries(properties).some(
      ([key, { const: option }]) => option !== undefined && source.document.getIn([...path, key]) === option,
    ),
  );
  return decided ?? known;
}

function strangerTo(
  siblings: readonly string[],
  path: readonly PropertyKey[],
  key: string,
  source: Source,
): ConfigurationProblem {
  const near = nearest(key, siblings);
  const remedy = near ? `Did you mean "${near}"?` : `Remove it. Known here: ${siblings.join(', ') || '(none)'}.`;
  return problem(source, [...path, key], [...path, key], `unknown key "${key}"`, remedy, true);
}

function problem(
  source: Source,
  place: readonly PropertyKey[],
  path: readonly PropertyKey[],
  what: string,
  remedy: string,
  atKey = false,
): ConfigurationProblem {
  const { line, col } = source.lines.linePos(offsetOf(source.document, place, atKey));
  return { file: source.file, line, column: col, path: path.map(String).join('.'), what, remedy };
}

/** Where a place starts: its value, or its key; the nearest enclosing node where it does not exist. */
function offsetOf(document: Document.Parsed, place: readonly PropertyKey[], atKey: boolean): number {
  for (let length = place.length; length >= 0; length -= 1) {
    const path = place.slice(0, length);
    const keyed = atKey || length < place.length ? keyOffset(document, path) : null;
    if (keyed !== null) return keyed;
    const node: unknown = path.length === 0 ? document.contents : document.getIn(path, true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}

function keyOffset(document: Document.Parsed, path: readonly PropertyKey[]): number | null {
  const parent: unknown = path.length <= 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  if (!isMap(parent)) return null;
  const pair = parent.items.find((item) => isScalar(item.key) && String(item.key.value) === String(path.at(-1)));
  return isScalar(pair?.key) ? (pair.key.range?.[0] ?? null) : null;
}
