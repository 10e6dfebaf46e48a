import { Inject, Injectable, createParamDecorator, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Person } from '../../domain/contracts/configuration.ts';
import { digestOf } from '../../domain/proofs/digest.ts';
import { DEPS, type ApiDeps } from '../ports.ts';
import { Problem } from '../problem.ts';
import { presentedSecret, sameSecret } from './credential.ts';
import { FailedAttempts } from './failed-attempts.ts';

const CALLERS = new WeakMap<FastifyRequest, Person>();

/** Lets people of `lazaret.yaml` in, by the token whose digest stands there. */
@Injectable()
export class PersonGuard implements CanActivate {
  private readonly deps: ApiDeps;
  private readonly attempts: FailedAttempts;
  constructor(@Inject(DEPS) deps: ApiDeps, @Inject(FailedAttempts) attempts: FailedAttempts) {
    this.deps = deps;
    this.attempts = attempts;
  }

  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const token = presentedSecret(request.headers.authorization, 'bearer-only');
    const person = token === null ? undefined : this.holderOf(token);
    if (!person) {
      const detail =
        token === null
          ? 'Send your token as "Authorization: Bearer <token>".'
          : 'Nobody in lazaret.yaml has this token.';
      throw this.attempts.refuse(request.ip, detail, 'Bearer realm="lazaret"');
    }
    CALLERS.set(request, person);
    return true;
  }

  /** Every person's digest is compared, so that the time does not tell whose was near. */
  private holderOf(token: string): Person | undefined {
    const digest = digestOf(token);
    return this.deps.configuration.people.filter((person) => sameSecret(person.tokenDigest ?? '-', digest)).at(0);
  }
}

/** The authenticated person, as a parameter of a handler under PersonGuard. */
export const Caller = createParamDecorator((_: unknown, context: ExecutionContext): Person => {
  const person = CALLERS.get(context.switchToHttp().getRequest<FastifyRequest>());
  if (!person) throw new Problem('not-authenticated', 'Sign in first.');
  return person;
});

/** Starting work that ends in a model's registration is for those who may approve one. */
export function requireApprover(person: Person, configuration: ApiDeps['configuration']): void {
  const roles = [...configuration.gates.plan, ...configuration.gates.release].flat();
  if (!person.roles.some((role) => roles.includes(role))) {
    throw new Problem('not-allowed', `This needs one of the roles ${[...new Set(roles)].join(', ')}.`);
  }
}
