import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { TrustRoot } from '../../../domain/contracts/approval.ts';
import { missingRoles, type GateVote } from '../../../domain/incident/gates.ts';

function trusting(people: Readonly<Record<string, readonly string[]>>): TrustRoot {
  return {
    people: Object.entries(people).map(([id, roles]) => ({ id, name: id, roles, keys: [] })),
    vouchers: [],
    gates: { plan: [], release: [], command: [] },
  };
}
const vote = (person: string, role: string): GateVote => ({ person, role });

const trust = trusting({ ada: ['ml-engineer', 'on-call'], sol: ['security-lead', 'model-owner'], mo: ['model-owner'] });
const RELEASE = [['security-lead'], ['model-owner']];

describe('the roles a gate still waits for', () => {
  it('are all of them before anybody has voted', () => {
    expect(missingRoles(RELEASE, [], trust)).toEqual(RELEASE);
  });

  it('are none once two people have each given one of the roles', () => {
    expect(missingRoles(RELEASE, [vote('sol', 'security-lead'), vote('mo', 'model-owner')], trust)).toEqual([]);
  });

  it('never both come from one person, however many roles they hold and sign in', () => {
    const both = [vote('sol', 'security-lead'), vote('sol', 'model-owner')];
    expect(missingRoles(RELEASE, both, trust)).toHaveLength(1);
    expect(missingRoles(RELEASE, [...both, ...both], trust)).toHaveLength(1);
  });

  it('are matched so that the person with one role does not go away empty', () => {
    // Greedy matching would give "model-owner" to sol, who voted first, and leave mo without a place.
    const votes = [vote('sol', 'model-owner'), vote('sol', 'security-lead'), vote('mo', 'model-owner')];
    expect(missingRoles([['model-owner'], ['security-lead']], votes, trust)).toEqual([]);
  });

  it('take one of several roles of a requirement', () => {
    expect(missingRoles([['ml-engineer', 'security-lead']], [vote('ada', 'ml-engineer')], trust)).toEqual([]);
    expect(missingRoles([['ml-engineer', 'security-lead']], [vote('ada', 'on-call')], trust)).toHaveLength(1);
  });

  it('do not shrink by a person nobody knows, nor by a role the person does not hold', () => {
    expect(missingRoles(RELEASE, [vote('eve', 'security-lead'), vote('mo', 'security-lead')], trust)).toEqual(RELEASE);
    expect(missingRoles(RELEASE, [vote('mo', 'security-lead'), vote('mo', 'model-owner')], trust)).toEqual([
      ['security-lead'],
    ]);
  });

  it('count a vote for the role it was signed in, not for the others that the person holds', () => {
    expect(missingRoles([['model-owner']], [vote('sol', 'security-lead')], trust)).toHaveLength(1);
  });
});

const ROLES = ['a', 'b', 'c'];
const PEOPLE = ['p', 'q', 'r', 's'];
const worlds = fc.record({
  trust: fc
    .tuple(...PEOPLE.slice(0, 3).map(() => fc.subarray(ROLES)))
    .map((roles) => trusting(Object.fromEntries(roles.map((held, index) => [PEOPLE[index]!, held])))),
  required: fc.array(fc.subarray(ROLES, { minLength: 1 }), { maxLength: 3 }),
  votes: fc.array(fc.record({ person: fc.constantFrom(...PEOPLE), role: fc.constantFrom(...ROLES) }), { maxLength: 8 }),
});

describe('the law of the gate', () => {
  it('is that one more vote never increases what is missing', () => {
    fc.assert(
      fc.property(worlds, fc.constantFrom(...PEOPLE), fc.constantFrom(...ROLES), (world, person, role) => {
        const before = missingRoles(world.required, world.votes, world.trust).length;
        expect(
          missingRoles(world.required, [...world.votes, vote(person, role)], world.trust).length,
        ).toBeLessThanOrEqual(before);
      }),
    );
  });

  it('is that as many people are needed as requirements are met', () => {
    fc.assert(
      fc.property(worlds, ({ required, votes, trust: root }) => {
        const met = required.length - missingRoles(required, votes, root).length;
        const counting = votes.filter((cast) =>
          root.people.some((person) => person.id === cast.person && person.roles.includes(cast.role)),
        );
        expect(met).toBeLessThanOrEqual(new Set(counting.map((cast) => cast.person)).size);
      }),
    );
  });

  it('is that nobody could have seated more people than it did', () => {
    fc.assert(
      fc.property(worlds, ({ required, votes, trust: root }) => {
        const seats = (from: number, used: ReadonlySet<string>): number => {
          const roles = required[from];
          if (!roles) return 0;
          return Math.max(
            seats(from + 1, used),
            ...votes
              .filter(
                ({ person, role }) =>
                  !used.has(person) &&
                  roles.includes(role) &&
                  root.people.some((known) => known.id === person && known.roles.includes(role)),
              )
              .map(({ person }) => 1 + seats(from + 1, new Set([...used, person]))),
          );
        };
        expect(required.length - missingRoles(required, votes, root).length).toBe(seats(0, new Set()));
      }),
    );
  });

  it('is that the order of the votes does not matter', () => {
    fc.assert(
      fc.property(worlds, ({ required, votes, trust: root }) => {
        expect(missingRoles(required, votes.toReversed(), root).length).toBe(
          missingRoles(required, votes, root).length,
        );
      }),
    );
  });
});
