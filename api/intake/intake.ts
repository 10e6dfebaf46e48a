import { Inject, Injectable } from '@nestjs/common';
import type { Alert } from '../../domain/contracts/alert.ts';
import type { Directory } from '../../domain/incident/alert-mapping.ts';
import { DEPS, type ApiDeps } from '../ports.ts';
import { Problem } from '../problem.ts';
import { createDeliveryCache, type Delivered } from './delivery-cache.ts';
import { createTurns, TooManyWaiting } from './turns.ts';

export interface Intake {
  readonly incidents: readonly { readonly incident: string; readonly endpoint: string; readonly duplicate: boolean }[];
  /** Labels of alerts of the group that mean no declared endpoint. */
  readonly unknown?: readonly string[];
  /** Why an authentic delivery is no alert. */
  readonly ignored?: string;
}

interface Row extends Delivered {
  readonly endpoint: string;
}

/** Alerts brought to Temporal at once by this process, and how many may wait for their turn. */
const AT_ONCE = 16;
const MAX_WAITING = 5_000;

/** Brings verified alerts to Temporal. Returns only when it has them all. */
@Injectable()
export class AlertIntake {
  private readonly deps: ApiDeps;
  private readonly turns = createTurns(AT_ONCE, MAX_WAITING);
  private readonly once: ReturnType<typeof createDeliveryCache>;
  constructor(@Inject(DEPS) deps: ApiDeps) {
    this.deps = deps;
    this.once = createDeliveryCache(deps.clock);
  }

  /** The model of each declared endpoint. */
  modelOf(): Record<string, string> {
    const { endpoints } = this.deps.configuration;
    return Object.fromEntries(Object.entries(endpoints).map(([name, endpoint]) => [name, endpoint.model]));
  }

  /** The declared endpoints, and the names that others have for them. */
  directory(): Directory {
    return { modelOf: this.modelOf(), meaning: this.deps.configuration.intake?.names };
  }

  async take(alerts: readonly Alert[], unknown: readonly string[] = []): Promise<{ status: 200 | 202; body: Intake }> {
    if (alerts.length === 0) throw this.unknownEndpoint(unknown);
    const delivered = await Promise.all(
      alerts.map(async (alert): Promise<Row> => {
        const key = `${alert.source}\n${alert.deliveryId}`;
        const result = await this.once(key, () => this.turns(() => this.bring(alert)));
        return { endpoint: alert.endpoint, ...result };
      }),
    ).catch((error: unknown) => {
      throw error instanceof TooManyWaiting ? new Problem('unavailable', error.message) : error;
    });
    const incidents = summarise(delivered);
    const isNew = delivered.some(({ incident, duplicate }) => incident !== null && !duplicate);
    return { status: isNew ? 202 : 200, body: unknown.length > 0 ? { incidents, unknown } : { incidents } };
  }

  /** A resolved alert opens nothing: it would contain an endpoint that is well. */
  private async bring(alert: Alert): Promise<string | null> {
    const { incidents } = this.deps;
    const raised = alert.status === 'firing' ? await incidents.raiseAlert(alert) : await incidents.noteResolved(alert);
    return raised?.incident ?? null;
  }

  unknownEndpoint(named: readonly string[]): Problem {
    const known = Object.keys(this.deps.configuration.endpoints);
    const what = named.length > 0 ? named.map((name) => JSON.stringify(name)).join(', ') : 'no endpoint';
    return new Problem('unknown-endpoint', `The alert names ${what}; lazaret.yaml declares ${known.join(', ')}.`, {
      code: 'endpoint/unknown',
      known,
    });
  }
}

/** One row per incident: a group of ten alerts is one incident, and a duplicate only if all ten were. */
function summarise(delivered: readonly Row[]): Intake['incidents'] {
  const rows = new Map<string, { incident: string; endpoint: string; duplicate: boolean }>();
  for (const { incident, endpoint, duplicate } of delivered) {
    if (incident === null) continue;
    rows.set(incident, { incident, endpoint, duplicate: duplicate && (rows.get(incident)?.duplicate ?? true) });
  }
  return [...rows.values()];
}
