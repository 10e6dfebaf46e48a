import { Failure } from '../../domain/incident/failure.ts';
import type { IncidentKind } from '../../domain/incident/kinds.ts';
import type { GatewayLog } from '../ports.ts';

/** What an endpoint's eyes saw, for whoever answers alerts. */
export interface EndpointAlarm {
  readonly endpoint: string;
  /** Which sentinel, or `integrity`. */
  readonly sentinel: string;
  readonly kind: IncidentKind;
  readonly statement: string;
  readonly at: Date;
  readonly labels: Readonly<Record<string, string>>;
}

/** Delivers one alarm under an id of its own. Rejects with a Failure; a retryable one is tried again under the same id. */
export type DeliverAlarm = (id: string, alarm: EndpointAlarm) => Promise<void>;

/** Alarms on their way to the intake. */
export interface AlarmPost {
  raise(alarm: EndpointAlarm): void;
  /** On their way, and given up because they were refused or too many waited. */
  figures(): { readonly waiting: number; readonly given: number };
  close(): void;
}

/** An endpoint has a dozen sentinels that are silent for a while after an alarm: more than this is a fault of ours. */
const MAX_WAITING = 1000;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 30_000;

/** One after the other, each until it is taken: an intake that is away gets the alarms when it is back. */
export function createAlarmPost(deps: {
  readonly deliver: DeliverAlarm;
  readonly replica: string;
  readonly log: GatewayLog;
}): AlarmPost {
  const { log } = deps;
  const waiting: { readonly id: string; readonly alarm: EndpointAlarm }[] = [];
  let number = 0;
  let given = 0;
  let pause = FIRST_PAUSE_MS;
  let timer: NodeJS.Timeout | null = null;
  let sending = false;
  let closed = false;

  async function send(): Promise<void> {
    const [next] = waiting;
    if (!next || closed) return;
    try {
      await deps.deliver(next.id, next.alarm);
      waiting.shift();
      pause = FIRST_PAUSE_MS;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (error instanceof Failure && !error.retryable) {
        waiting.shift();
        given += 1;
        log.error({ endpoint: next.alarm.endpoint, sentinel: next.alarm.sentinel, reason }, 'an alarm was refused');
        return;
      }
      log.warn({ waiting: waiting.length, reason }, 'an alarm waits');
      await new Promise<void>((resolve) => {
        timer = setTimeout(resolve, pause);
        timer.unref();
      });
      pause = Math.min(2 * pause, LONGEST_PAUSE_MS);
    }
  }

  async function sendAll(): Promise<void> {
    if (sending) return;
    sending = true;
    while (waiting.length > 0 && !closed) await send();
    sending = false;
  }

  return {
    raise(alarm) {
      if (waiting.length >= MAX_WAITING) {
        given += 1;
        return;
      }
      waiting.push({ id: `${deps.replica}-${number++}`, alarm });
      void sendAll();
    },
    figures: () => ({ waiting: waiting.length, given }),
    close() {
      closed = true;
      if (timer) clearTimeout(timer);
    },
  };
}
