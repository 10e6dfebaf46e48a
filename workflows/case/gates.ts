import { ApplicationFailure, condition, proxyActivities } from '@temporalio/workflow';
import type { ResponseActivities } from '../../domain/contracts/activities.ts';
import type { Decision } from '../../domain/proofs/decisions.ts';
import { FAILURES } from '../../domain/incident/failures.ts';
import type { Phase } from '../../domain/incident/kinds.ts';
import type { Waiting } from '../../domain/incident/state.ts';
import { digestOfJson } from '../../domain/proofs/canonical-json.ts';
import type { Attributes } from './attributes.ts';
import type { DecisionDesk } from './decision-desk.ts';
import type { NamedFailure } from './failure-of.ts';
import type { Ledger } from './ledger.ts';

interface GateNeeds {
  readonly ledger: Ledger;
  readonly attributes: Attributes;
  readonly desk: DecisionDesk;
  /** Publishes the incident's details on Temporal's page. */
  readonly show: () => void;
  readonly isCancelled: () => boolean;
}

/** Where the incident stands still until a person has spoken: the two gates of approval, and the gate of every phase that failed. */
export class Gates {
  private readonly needs: GateNeeds;

  constructor(needs: GateNeeds) {
    this.needs = needs;
  }

  /** Opens a gate and waits until it is approved. A rejection fails the phase with `gate/rejected`. */
  async approval(gate: 'plan' | 'release', subject: unknown, summary: string): Promise<string> {
    const { ledger, desk } = this.needs;
    const digest = digestOfJson(subject);
    const trust = ledger.brief?.trust;
    if (!trust) throw ApplicationFailure.nonRetryable('no trust root is loaded', 'internal/error');
    desk.openGate({ gate, digest, required: trust.gates[gate] });
    const missing = desk.missing(gate, digest);
    this.wait({ for: 'approval', gate, digest, since: new Date().toISOString(), missing, summary });
    this.tell(`${gate} gate: ${ledger.endpoint} waits for an approval`, `${summary}\ndigest ${digest}`);
    await condition(() => desk.rejection(gate, digest) !== null || desk.missing(gate, digest).length === 0);
    const rejection = desk.rejection(gate, digest);
    this.settle();
    if (rejection) {
      throw ApplicationFailure.nonRetryable(
        `${rejection.person} (${rejection.role}) rejected the ${gate}: ${rejection.reason}`,
        'gate/rejected',
      );
    }
    return digest;
  }

  /** A phase failed: what a person wants done about it. A cancellation settles the gate too; then the answer is `abort`. */
  async command(
    phase: Phase,
    attempt: number,
    failure: NamedFailure,
    options: readonly ('retry' | 'skip' | 'abort')[],
  ): Promise<Decision> {
    const { ledger, desk, isCancelled } = this.needs;
    const gate = `failed:${phase}` as const;
    const digest = digestOfJson({
      incident: ledger.incident,
      gate,
      attempt,
      code: failure.code,
      message: failure.message,
    });
    desk.openGate({ gate, digest, options });
    this.wait({ for: 'command', gate, digest, since: new Date().toISOString(), failure, options });
    this.tell(
      `${phase} failed on ${ledger.endpoint}: ${failure.code}`,
      `${failure.message}\n${FAILURES[failure.code].remedy}\ndigest ${digest}`,
    );
    await condition(() => desk.command(gate, digest) !== null || isCancelled());
    const command = desk.command(gate, digest);
    this.settle();
    return command?.decision ?? 'abort';
  }

  /** What the incident waits for, for lists and pages. */
  wait(waiting: Waiting): void {
    this.needs.ledger.waiting = waiting;
    this.needs.attributes.publish({ waiting: labelOf(waiting) });
    this.needs.show();
  }

  /** The roles a gate still waits for change with each word; a state, not a command. */
  refreshMissing(): void {
    const { ledger, desk, show } = this.needs;
    const { waiting } = ledger;
    if (waiting.for !== 'approval') return;
    ledger.waiting = { ...waiting, missing: desk.missing(waiting.gate, waiting.digest) };
    show();
  }

  /**
   * Tells people, and waits for nobody: if no door is open, the gate still waits and shows on every page. Its result MUST NOT decide what
   * comes next, because on replay it may come before or after a person's word that came after or before it the first time.
   */
  tell(subject: string, body: string): void {
    const { incident, endpoint } = this.needs.ledger;
    const { notify } = proxyActivities<ResponseActivities>({
      startToCloseTimeout: '10 seconds',
      retry: { maximumAttempts: 3 },
      summary: 'tell people',
    });
    notify({ incident, endpoint, subject, body }).catch(() => {});
  }

  private settle(): void {
    this.needs.desk.closeGate();
    this.wait({ for: 'nothing' });
  }
}

function labelOf(waiting: Waiting): string {
  switch (waiting.for) {
    case 'approval':
    case 'command':
      return waiting.gate;
    case 'trainer':
      return 'trainer';
    default:
      return '-';
  }
}
