import { ApplicationFailure } from '@temporalio/workflow';
import type { ApprovalStatement, TrustRoot } from '../../domain/contracts/approval.ts';
import type { DecisionRecord } from '../../domain/contracts/activities.ts';
import type { DecideResult } from '../../domain/contracts/messages.ts';
import { SEVERITY_DECISIONS, type Decision } from '../../domain/proofs/decisions.ts';
import { missingRoles } from '../../domain/incident/gates.ts';
import { APPROVAL_MAX_AGE_MS, APPROVAL_MAX_SKEW_MS } from '../../domain/incident/limits.ts';
import { verifyApproval } from '../../domain/proofs/approval.ts';

/** A gate that waits: what is decided upon, and what would settle it. */
export type OpenGate =
  | { readonly gate: 'plan' | 'release'; readonly digest: string; readonly required: readonly (readonly string[])[] }
  | { readonly gate: `failed:${string}`; readonly digest: string; readonly options: readonly Decision[] };

interface Kept {
  readonly token: string;
  readonly statement: ApprovalStatement;
}

/**
 * Receives people's signed decisions by whichever door they come in, and keeps them by gate and digest: an early one is not lost,
 * a repeated one is not counted twice. Every check runs in the update's validator (a refusal leaves no trace in history) and again in
 * the handler, because validators do not run on replay.
 */
export class DecisionDesk {
  private readonly kept: Kept[] = [];
  private readonly nonces = new Set<string>();
  private readonly settled = new Set<string>();
  private open: OpenGate | null = null;
  private readonly incident: () => string;
  private readonly trust: () => TrustRoot | null;

  constructor(incident: () => string, trust: () => TrustRoot | null) {
    this.incident = incident;
    this.trust = trust;
  }

  /** Throws an ApplicationFailure with a sentence for the person when the statement cannot be accepted. */
  check(token: unknown): ApprovalStatement {
    // Temporal's page takes any JSON value.
    if (typeof token !== 'string')
      throw refused(
        'a decision is one JSON string, the signed statement: "lazaret incident approve … --print" makes it',
      );
    const earlier = this.kept.find((kept) => kept.token === token);
    if (earlier) return earlier.statement;
    const trust = this.trust();
    if (!trust)
      throw refused('the incident has just opened and does not know its approvers yet: try again in a moment');
    let statement: ApprovalStatement;
    try {
      statement = verifyApproval(token, {
        incident: this.incident(),
        trust,
        now: Date.now(),
        maxAgeMs: APPROVAL_MAX_AGE_MS,
        maxSkewMs: APPROVAL_MAX_SKEW_MS,
        usedNonces: this.nonces,
      });
    } catch (error) {
      throw refused(error instanceof Error ? error.message : 'the statement cannot be read');
    }
    this.checkGate(statement, trust);
    return statement;
  }

  accept(token: string): { result: DecideResult; record: DecisionRecord | null } {
    const repeated = this.kept.some((kept) => kept.token === token);
    const statement = this.check(token);
    if (!repeated) {
      this.kept.push({ token, statement });
      this.nonces.add(statement.nonce);
    }
    const remaining =
      statement.gate === 'plan' || statement.gate === 'release'
        ? this.missing(statement.gate, statement.digest).length
        : 0;
    const record = repeated
      ? null
      : {
          // The person's own time: workflow time is not the same on replay (see CaseRecorder).
          at: statement.issuedAt,
          gate: statement.gate,
          digest: statement.digest,
          person: statement.person,
          role: statement.role,
          decision: statement.decision,
          reason: statement.reason,
          statement: token,
        };
    return { result: { accepted: true, gate: statement.gate, person: statement.person, remaining }, record };
  }

  openGate(gate: OpenGate): void {
    this.open = gate;
  }

  /** A settled gate takes no more words for its digest. */
  closeGate(): void {
    if (this.open) this.settled.add(keyOf(this.open.gate, this.open.digest));
    this.open = null;
  }

  /** Roles still missing for `gate` and `digest`; empty when it is approved. */
  missing(gate: 'plan' | 'release', digest: string): readonly (readonly string[])[] {
    const trust = this.trust();
    if (!trust) return [['(trust not loaded)']];
    return missingRoles(trust.gates[gate], this.votes(gate, digest, 'approve'), trust);
  }

  rejection(gate: 'plan' | 'release', digest: string): ApprovalStatement | null {
    return this.votes(gate, digest, 'reject')[0] ?? null;
  }

  command(gate: string, digest: string): ApprovalStatement | null {
    return this.votes(gate, digest)[0] ?? null;
  }

  get cancellation(): ApprovalStatement | null {
    return this.kept.find((kept) => kept.statement.decision === 'cancel')?.statement ?? null;
  }

  private votes(gate: string, digest: string, decision?: Decision): readonly ApprovalStatement[] {
    return this.kept
      .map((kept) => kept.statement)
      .filter(
        (statement) =>
          statement.gate === gate &&
          statement.digest === digest &&
          (decision === undefined || statement.decision === decision),
      );
  }

  private checkGate(statement: ApprovalStatement, trust: TrustRoot): void {
    if (statement.gate === 'incident') {
      requireDecision(statement, ['cancel', ...SEVERITY_DECISIONS]);
      requireRole(statement, trust.gates.command);
      return;
    }
    if (this.settled.has(keyOf(statement.gate, statement.digest)))
      throw refused(`gate ${statement.gate} is already settled for this digest`);
    if (this.open?.gate === statement.gate && this.open.digest !== statement.digest) {
      throw refused(
        `the statement is about ${short(statement.digest)}, but gate ${statement.gate} waits for a word on ${short(this.open.digest)}`,
      );
    }
    if (statement.gate === 'plan' || statement.gate === 'release') {
      requireDecision(statement, ['approve', 'reject']);
      requireRole(statement, trust.gates[statement.gate].flat());
      const same = this.votes(statement.gate, statement.digest, statement.decision).some(
        (vote) => vote.person === statement.person,
      );
      if (same) throw refused(`${statement.person} has already said "${statement.decision}" here: another person must`);
      return;
    }
    if (this.open?.gate !== statement.gate) throw refused(`nothing waits at gate ${statement.gate}`);
    requireDecision(statement, 'options' in this.open ? this.open.options : []);
    requireRole(statement, trust.gates.command);
  }
}

function keyOf(gate: string, digest: string): string {
  return `${gate} ${digest}`;
}

function requireDecision(statement: ApprovalStatement, allowed: readonly Decision[]): void {
  if (!allowed.includes(statement.decision)) {
    throw refused(`gate ${statement.gate} takes ${allowed.join(', ')}; the statement says "${statement.decision}"`);
  }
}

function requireRole(statement: ApprovalStatement, allowed: readonly string[]): void {
  if (!allowed.includes(statement.role)) {
    throw refused(
      `gate ${statement.gate} asks for the role ${[...new Set(allowed)].join(' or ')}; the statement is made as ${statement.role}`,
    );
  }
}

function short(digest: string): string {
  return digest.length > 24 ? `${digest.slice(0, 24)}…` : digest;
}

function refused(message: string): ApplicationFailure {
  return ApplicationFailure.create({ message, type: 'approval/refused', nonRetryable: true });
}
