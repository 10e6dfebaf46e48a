import type { ApprovalStatement, Gate } from '../contracts/approval.ts';
import { DECISIONS, type Decision } from './decisions.ts';

type Member = keyof ApprovalStatement;
type Narrow<M extends Member> = (value: unknown) => value is ApprovalStatement[M];

const text =
  (least: number, most: number, form?: RegExp) =>
  (value: unknown): value is string =>
    typeof value === 'string' &&
    value.length >= least &&
    value.length <= most &&
    (form === undefined || form.test(value));

const GATES: readonly string[] = ['plan', 'release', 'incident'];
const RFC3339 = /^(\d{4}-\d\d-\d\d)T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/;

/** The form of `approvalStatementSchema` without zod, which has no place in a workflow's bundle; a test holds the two together. */
const FORM: { readonly [M in Member]: { is: Narrow<M>; asks: string } } = {
  incident: { is: text(1, 200), asks: 'a text' },
  gate: {
    is: (value): value is Gate => typeof value === 'string' && (GATES.includes(value) || value.startsWith('failed:')),
    asks: 'plan, release, incident or failed:<phase>',
  },
  digest: { is: text(1, 200), asks: 'a text' },
  decision: {
    is: (value): value is Decision => DECISIONS.some((each) => each === value),
    asks: `one of ${DECISIONS.join(', ')}`,
  },
  reason: { is: text(0, 2000), asks: 'a text of at most 2000 characters' },
  person: { is: text(1, 100), asks: 'a text' },
  role: { is: text(1, 63, /^[a-z][a-z0-9-]*$/), asks: 'a role name' },
  vouchedBy: { is: (value): value is string | null => value === null || text(1, 100)(value), asks: 'a key id or null' },
  issuedAt: {
    is: (value): value is string => typeof value === 'string' && isInstant(value),
    asks: 'a time like 2026-01-31T12:00:00Z',
  },
  nonce: { is: text(16, 100), asks: 'a text of 16 to 100 characters' },
};

/** Narrows a payload to an ApprovalStatement, or returns the sentence that says what is wrong. Unknown members are refused. */
export function narrowApproval(payload: unknown): ApprovalStatement | string {
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload))
    return 'The statement is not an object.';
  const members = new Map<string, unknown>(Object.entries(payload));
  for (const name of members.keys())
    if (!Object.hasOwn(FORM, name)) return `The statement has a member that is not known.`;
  for (const [name, { is, asks }] of Object.entries(FORM)) {
    if (!is(members.get(name))) return `The statement's member ${name} has to be ${asks}.`;
  }
  return payload as ApprovalStatement;
}

/** RFC 3339, and a day that exists: Date.parse takes 30 February for 2 March. */
function isInstant(value: string): boolean {
  const [, day] = RFC3339.exec(value) ?? [];
  if (day === undefined) return false;
  const midnight = Date.parse(`${day}T00:00:00Z`);
  return Number.isFinite(midnight) && new Date(midnight).toISOString().startsWith(day);
}
