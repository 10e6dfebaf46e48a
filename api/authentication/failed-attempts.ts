import { Inject, Injectable } from '@nestjs/common';
import { DEPS, type ApiDeps } from '../ports.ts';
import { Problem } from '../problem.ts';

const LIMIT = 30;
const WINDOW_MS = 60_000;
/** Addresses remembered at once; an attacker with more of them pushes out old ones, never out of memory. */
const MAX_ADDRESSES = 10_000;

/**
 * Counts failed authentications by address. A right credential always passes, whatever was counted: behind one proxy everybody has one
 * address, and whoever could lock it could keep alerts from coming in. Credentials are long random texts, so the limit guards logs and
 * processor time, not their secrecy.
 */
@Injectable()
export class FailedAttempts {
  private readonly failures = new Map<string, { since: number; count: number }>();
  private readonly deps: ApiDeps;
  constructor(@Inject(DEPS) deps: ApiDeps) {
    this.deps = deps;
  }

  /** The problem to answer a failed authentication with: 401, or 429 when there were too many. */
  refuse(address: string, detail: string, scheme: string): Problem {
    const now = this.deps.clock().getTime();
    const known = this.failures.get(address);
    const entry = known && now - known.since < WINDOW_MS ? known : { since: now, count: 0 };
    entry.count += 1;
    this.failures.delete(address);
    this.failures.set(address, entry);
    if (this.failures.size > MAX_ADDRESSES) {
      const [oldest] = this.failures.keys();
      if (oldest !== undefined) this.failures.delete(oldest);
    }
    if (entry.count > LIMIT) {
      const seconds = Math.max(1, Math.ceil((entry.since + WINDOW_MS - now) / 1000));
      return new Problem('too-many-attempts', `Try again in ${seconds} s, with a right credential.`, {
        headers: { 'retry-after': String(seconds) },
      });
    }
    return new Problem('not-authenticated', detail, { headers: { 'www-authenticate': scheme } });
  }
}
