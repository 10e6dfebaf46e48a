import {
  allHandlersFinished,
  CancellationScope,
  condition,
  isCancellation,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  type ActivityOptions,
  type LocalActivityOptions,
} from '@temporalio/workflow';
import type { OnTheWire, ResponseActivities, Stamped } from '../../domain/contracts/activities.ts';
import type { Alert } from '../../domain/contracts/alert.ts';
import type { DecideResult } from '../../domain/contracts/messages.ts';
import type { LogHead } from '../../domain/contracts/case-log.ts';
import type { ObjectRef } from '../../domain/contracts/object-ref.ts';
import { severityIn } from '../../domain/proofs/decisions.ts';
import type { Phase } from '../../domain/incident/kinds.ts';
import { MAX_DELIVERY_IDS, MAX_KEPT_ALERTS, STORAGE } from '../../domain/incident/limits.ts';
import { referencesIn } from '../../domain/incident/references.ts';
import type { IncidentState } from '../../domain/incident/state.ts';
import { Attributes } from './attributes.ts';
import { DecisionDesk } from './decision-desk.ts';
import { detailsOf } from './details.ts';
import { failureOf } from './failure-of.ts';
import { Gates } from './gates.ts';
import { Ledger } from './ledger.ts';
import { CaseRecorder } from './recorder.ts';

/** A person ended the incident: `abort` at a failed phase, or `cancel` at any time. The endpoint stays in its safe stance. */
export class Ended extends Error {
  readonly how: 'aborted' | 'cancelled';
  constructor(how: 'aborted' | 'cancelled') {
    super(how);
    this.how = how;
  }
}

const BEFORE_CONTAINMENT: ReadonlySet<Phase> = new Set(['triage', 'contain']);

/** A step that needs a name to stand in the case log: which port is called, in which phase, and what it says of its result. */
export interface Step<N extends keyof ResponseActivities> {
  readonly phase: Phase | 'incident';
  readonly call: N;
  readonly options: ActivityOptions;
  /** Runs as a local activity: no round trip to the server before the effect, for containment. */
  readonly local?: LocalActivityOptions;
}

type Input<N extends keyof ResponseActivities> = Parameters<ResponseActivities[N]>[0];
type Output<N extends keyof ResponseActivities> = Awaited<ReturnType<ResponseActivities[N]>>;

/**
 * One open incident: what is known (ledger), what was recorded (recorder), what people said (desk). Phases act through `act`, which
 * acts and records in one call, so that a step cannot be taken and not be written down.
 */
export class IncidentCase {
  readonly ledger: Ledger;
  readonly attributes = new Attributes();
  readonly recorder: CaseRecorder;
  readonly desk: DecisionDesk;
  readonly gates: Gates;
  private readonly deliveries = new Set<string>();
  private closing = false;
  private scope: CancellationScope | null = null;

  constructor(incident: string, endpoint: string) {
    this.ledger = new Ledger(incident, endpoint);
    this.recorder = new CaseRecorder(incident, async (entries) => {
      await proxyActivities<OnTheWire<ResponseActivities>>({
        ...STORAGE,
        summary: `append ${entries.length} entries to the case log`,
      }).appendLog({ incident, entries });
    });
    this.desk = new DecisionDesk(
      () => incident,
      () => this.ledger.brief?.trust ?? null,
    );
    this.gates = new Gates({
      ledger: this.ledger,
      attributes: this.attributes,
      desk: this.desk,
      show: () => this.show(),
      isCancelled: () => this.cancelled,
    });
  }

  get incident(): string {
    return this.ledger.incident;
  }

  /** Acts and records: the entry names every object that went in and came out. */
  async act<N extends keyof ResponseActivities>(
    step: Step<N>,
    input: Input<N>,
    say: (output: Output<N>) => string,
  ): Promise<Output<N>> {
    const ports = step.local
      ? proxyLocalActivities<OnTheWire<ResponseActivities>>(step.local)
      : proxyActivities<OnTheWire<ResponseActivities>>({
          ...step.options,
          summary: `${step.phase}: ${words(step.call)}`,
        });
    // The proxy's functions carry more members than a plain port; only the call itself is used.
    const port = ports[step.call] as unknown as (input: Input<N>) => Promise<Stamped<Output<N>>>;
    try {
      const { value: output, at } = await port(input);
      this.recorder.sawTime(at);
      this.recorder.note({
        phase: step.phase,
        step: words(step.call),
        actor: 'lazaret',
        inputs: referencesIn(input),
        outputs: referencesIn(output),
        verdict: 'done',
        summary: say(output),
        statement: null,
      });
      return output;
    } catch (error) {
      if (!isCancellation(error)) {
        const failure = failureOf(error);
        this.note(step.phase, words(step.call), 'failed', `${failure.code}: ${failure.message}`);
      }
      throw error;
    }
  }

  note(
    phase: Phase | 'incident',
    step: string,
    verdict: 'noted' | 'failed' | 'skipped' | 'done',
    summary: string,
    outputs: unknown = null,
  ): void {
    this.recorder.note({
      phase,
      step,
      actor: 'lazaret',
      inputs: [],
      outputs: referencesIn(outputs),
      verdict,
      summary,
      statement: null,
    });
  }

  /**
   * Runs one phase to its end. A phase that fails waits for a person: retry, skip with a reason (where `skip` says what then holds), or abort.
   * The endpoint keeps its stance meanwhile.
   */
  async phase<T>(name: Phase, run: () => Promise<T>, skip?: () => T): Promise<T> {
    this.ledger.phase = name;
    this.attributes.note({ phase: name });
    // On the way to containment every write counts; the first ones go out together, after it.
    if (!BEFORE_CONTAINMENT.has(name)) this.attributes.publish();
    this.show();
    for (let attempt = 1; ; attempt += 1) {
      try {
        this.throwIfCancelled();
        const result = await this.interruptible(name, run);
        // Nothing MUST come between triage and containment: its entries are safe in the history and are written with containment's.
        if (name !== 'triage') await this.recorder.flush();
        this.show();
        return result;
      } catch (error) {
        if (isCancellation(error)) this.throwIfCancelled();
        if (isCancellation(error) || error instanceof Ended) throw error;
        const failure = failureOf(error);
        this.note(name, 'phase', 'failed', `${failure.code}: ${failure.message}`);
        const options = skip ? (['retry', 'skip', 'abort'] as const) : (['retry', 'abort'] as const);
        const command = await this.gates.command(name, attempt, failure, options);
        this.throwIfCancelled();
        if (command === 'abort') throw new Ended('aborted');
        if (command === 'skip' && skip) {
          this.note(name, 'phase', 'skipped', 'skipped by a person, with the reason in the entry before');
          return skip();
        }
      }
    }
  }

  /** Receives an alert; a delivery that was seen before changes nothing. */
  receive(alert: Alert): void {
    const key = `${alert.source} ${alert.deliveryId} ${alert.title}`;
    if (this.deliveries.has(key)) return;
    if (this.deliveries.size < MAX_DELIVERY_IDS) this.deliveries.add(key);
    this.ledger.alertCount += 1;
    this.recorder.sawTime(alert.receivedAt);
    if (alert.status === 'firing') this.ledger.firingCount += 1;
    if (this.ledger.alerts.length >= MAX_KEPT_ALERTS) return;
    this.ledger.alerts.push(alert);
    this.recorder.note({
      phase: 'incident',
      step: 'alert',
      actor: alert.source,
      inputs: [],
      outputs: [],
      verdict: 'noted',
      summary: `${alert.status} ${alert.kind}: ${alert.title} (body ${alert.bodyDigest})`,
      statement: null,
    });
  }

  decide(token: string): DecideResult {
    const { result, record } = this.desk.accept(token);
    if (record) {
      this.ledger.decisions.push(record);
      this.recorder.sawTime(record.at);
      this.recorder.note({
        phase: this.ledger.phase,
        step: `decision at gate ${record.gate}`,
        actor: record.person,
        inputs: [],
        outputs: [],
        verdict: record.decision === 'approve' ? 'approved' : record.decision === 'reject' ? 'rejected' : 'noted',
        summary: `${record.person} as ${record.role}: ${record.decision} ${record.reason}`.trim(),
        statement: record.statement,
      });
      const severity = severityIn(record.decision);
      if (severity)
        this.ledger.reassess(severity, `${record.person} as ${record.role} says ${severity}: ${record.reason}`);
      this.gates.refreshMissing();
    }
    return result;
  }

  /** Once the incident is closing, a second cancel must not stop the closing. */
  ignoreCancellation(): void {
    this.closing = true;
  }

  throwIfCancelled(): void {
    if (this.cancelled) throw new Ended('cancelled');
  }

  /**
   * Interrupts the running phase when a person cancels. Handlers MUST NOT issue commands themselves: on replay an update may be delivered
   * together with the result of an activity, and only what wakes from a `condition` comes after both, in the same order as the first time.
   */
  async watchForCancel(): Promise<void> {
    // Not cancellable: when Temporal's own cancel ends the incident, nobody is left to be watched for.
    await CancellationScope.nonCancellable(() => condition(() => this.cancelled));
    this.scope?.cancel();
  }

  /**
   * Publishes every severity that a person sets and tells the others. What it holds the endpoint in is not loosened: only a release or the end
   * of the incident does that.
   */
  async watchForSeverity(): Promise<void> {
    await CancellationScope.nonCancellable(async () => {
      for (let told = 0; ;) {
        await condition(() => this.ledger.reassessments > told);
        told = this.ledger.reassessments;
        const { triage, endpoint } = this.ledger;
        if (!triage || this.closing) return;
        this.attributes.publish({ severity: triage.severity });
        this.show();
        this.gates.tell(`severity of ${endpoint} is now ${triage.severity}`, triage.reasons.at(-1) ?? '');
      }
    });
  }

  private get cancelled(): boolean {
    return this.desk.cancellation !== null && !this.closing;
  }

  /** Signs a checkpoint over everything recorded so far and returns the head it covers. */
  async checkpoint(): Promise<{ head: LogHead; ref: ObjectRef }> {
    await this.recorder.flush();
    const head = this.recorder.head;
    const ports = proxyActivities<OnTheWire<ResponseActivities>>({
      ...STORAGE,
      summary: `sign the checkpoint at ${head.size} entries`,
    });
    const { value, at } = await ports.signCheckpoint({ incident: this.incident, head });
    this.recorder.sawTime(at);
    this.ledger.checkpointed = head;
    return { head, ref: value.checkpoint };
  }

  state(): IncidentState {
    return this.ledger.state(this.recorder.head);
  }

  show(): void {
    if (this.ledger.alerts.length > 0) setCurrentDetails(detailsOf(this.state()));
  }

  /** Unfinished handlers at the end of a workflow lose updates. */
  async drain(): Promise<void> {
    await condition(allHandlersFinished);
  }

  /** A person's cancel interrupts the running phase; only containment always runs to its end. */
  private async interruptible<T>(name: Phase, run: () => Promise<T>): Promise<T> {
    if (name === 'contain' || this.closing) return await run();
    this.scope = new CancellationScope();
    return await this.scope.run(run);
  }
}

/** `captureAndSwap` → `capture and swap`, as the timeline shows it. */
function words(call: string): string {
  return call.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
