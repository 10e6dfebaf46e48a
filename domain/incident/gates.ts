import type { TrustRoot } from '../contracts/approval.ts';

/** One accepted word at a gate. */
export interface GateVote {
  readonly person: string;
  readonly role: string;
}

/**
 * Which of the asked-for roles are still missing. Each inner list of `required` asks for one person with one of its roles, and one person
 * counts once however many roles they hold: a maximum matching between votes and requirements, small enough to search exhaustively.
 */
export function missingRoles(
  required: readonly (readonly string[])[],
  votes: readonly GateVote[],
  trust: TrustRoot,
): readonly (readonly string[])[] {
  const people = new Map<string, readonly string[]>();
  for (const vote of votes) {
    const known = trust.people.find((person) => person.id === vote.person);
    // A vote counts for the role it was signed in, and only while the person holds it.
    if (known?.roles.includes(vote.role)) people.set(vote.person, [...(people.get(vote.person) ?? []), vote.role]);
  }
  const roster = [...people].map(([id, roles]) => ({ id, roles }));
  return best(required, roster, new Set());
}

function best(
  required: readonly (readonly string[])[],
  roster: readonly { id: string; roles: readonly string[] }[],
  used: ReadonlySet<string>,
): readonly (readonly string[])[] {
  const [first, ...rest] = required;
  if (!first) return [];
  let least: readonly (readonly string[])[] = [first, ...best(rest, roster, used)];
  for (const person of roster) {
    if (used.has(person.id) || !person.roles.some((role) => first.includes(role))) continue;
    const missing = best(rest, roster, new Set([...used, person.id]));
    if (missing.length < least.length) least = missing;
  }
  return least;
}
