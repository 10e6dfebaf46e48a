import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Stance } from '../domain/contracts/stance.ts';
import type { State } from './sentinels/sentinel.ts';
import type { Arm } from './stance/counters.ts';

/** What Prometheus sees. Labels are endpoints of the configuration and closed sets, never a client's text. */
export interface GatewayMetrics {
  answered(endpoint: string, arm: Arm | 'none', status: number, seconds: number): void;
  observed(endpoint: string, agrees: boolean): void;
  stanceTaken(endpoint: string, kind: Stance['kind'], incident: string | null): void;
  contained(endpoint: string): void;
  orderRefused(endpoint: string, reason: string): void;
  modelRefused(endpoint: string, reason: string): void;
  stateRefused(endpoint: string): void;
  truthUnreachable(endpoint: string): void;
  alarm(endpoint: string, sentinel: string): void;
  /** Asked whenever the metrics are. */
  watchSentinels(endpoint: string, state: () => Readonly<Record<string, State>> | null): void;
  watchLog(endpoint: string, figures: () => { waitingBytes: number; lost: number }): void;
  expose(): Promise<{ contentType: string; text: string }>;
}

/** Inference of a small model takes a fraction of a millisecond; beyond ten seconds nobody waits. */
const LATENCY_BUCKETS_S = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];
const KINDS: readonly Stance['kind'][] = ['serving', 'canary', 'mirror', 'limited', 'shadow', 'fallback', 'isolated'];

export function createMetrics(): GatewayMetrics {
  const registry = new Registry();
  const registers = [registry];
  const requests = new Counter({
    name: 'lazaret_gateway_requests_total',
    help: 'Inference requests by what answered and with which status.',
    labelNames: ['endpoint', 'arm', 'code'],
    registers,
  });
  const latency = new Histogram({
    name: 'lazaret_gateway_request_seconds',
    help: 'Time from the parsed request to the answer.',
    labelNames: ['endpoint', 'arm'],
    buckets: LATENCY_BUCKETS_S,
    registers,
  });
  const compared = new Counter({
    name: 'lazaret_gateway_observed_total',
    help: 'Answers of an observed model beside the trusted one, by whether both name the same class.',
    labelNames: ['endpoint', 'agrees'],
    registers,
  });
  const stance = new Gauge({
    name: 'lazaret_gateway_stance',
    help: '1 for the stance that an endpoint has taken.',
    labelNames: ['endpoint', 'stance'],
    registers,
  });
  const held = new Gauge({
    name: 'lazaret_gateway_held_for_incident',
    help: '1 while an endpoint is held for an incident.',
    labelNames: ['endpoint'],
    registers,
  });
  const counter = (name: string, help: string, labels: string[] = []) =>
    new Counter({ name, help, labelNames: ['endpoint', ...labels], registers });
  const containments = counter('lazaret_gateway_containments_total', 'Orders that took an endpoint out of service.');
  const orders = counter('lazaret_gateway_orders_refused_total', 'Orders that were not obeyed.', ['reason']);
  const models = counter('lazaret_gateway_models_refused_total', 'Models that were not loaded.', ['reason']);
  const states = counter('lazaret_gateway_state_refused_total', 'Remembered stances that did not verify.');
  const truth = counter('lazaret_gateway_truth_unreachable_total', 'Polls that could not read the published stance.');

  const logs = new Map<string, () => { waitingBytes: number; lost: number }>();
  const ofLogs = (name: string, help: string, figure: 'waitingBytes' | 'lost') =>
    new Gauge({
      name,
      help,
      labelNames: ['endpoint'],
      registers,
      collect() {
        for (const [endpoint, figures] of logs) this.set({ endpoint }, figures()[figure]);
      },
    });
  ofLogs('lazaret_gateway_log_lost_lines', 'Lines of the request log that could not be kept since the start.', 'lost');
  ofLogs('lazaret_gateway_log_waiting_bytes', 'Segments of the request log that wait to be shipped.', 'waitingBytes');

  const alarms = counter('lazaret_gateway_alarms_total', 'Alarms of the sentinels.', ['sentinel']);
  const sentinels = new Map<string, () => Readonly<Record<string, State>> | null>();
  new Gauge({
    name: 'lazaret_gateway_sentinel',
    help: 'Figures of the sentinels; evidence is the logarithm of an e-value, and its threshold that of the false-alarm budget.',
    labelNames: ['endpoint', 'sentinel', 'figure'],
    registers,
    collect() {
      this.reset();
      for (const [endpoint, state] of sentinels)
        for (const [sentinel, figures] of Object.entries(state() ?? {}))
          for (const [figure, value] of Object.entries(figures))
            if (typeof value === 'number') this.set({ endpoint, sentinel, figure }, value);
    },
  });

  return {
    alarm: (endpoint, sentinel) => alarms.inc({ endpoint, sentinel }),
    watchSentinels: (endpoint, state) => void sentinels.set(endpoint, state),
    watchLog: (endpoint, figures) => void logs.set(endpoint, figures),
    answered(endpoint, arm, status, seconds) {
      requests.inc({ endpoint, arm, code: String(status) });
      latency.observe({ endpoint, arm }, seconds);
    },
    observed: (endpoint, agrees) => compared.inc({ endpoint, agrees: String(agrees) }),
    stanceTaken(endpoint, kind, incident) {
      for (const other of KINDS) stance.set({ endpoint, stance: other }, other === kind ? 1 : 0);
      held.set({ endpoint }, incident === null ? 0 : 1);
    },
    contained: (endpoint) => containments.inc({ endpoint }),
    orderRefused: (endpoint, reason) => orders.inc({ endpoint, reason }),
    modelRefused: (endpoint, reason) => models.inc({ endpoint, reason }),
    stateRefused: (endpoint) => states.inc({ endpoint }),
    truthUnreachable: (endpoint) => truth.inc({ endpoint }),
    expose: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  };
}
