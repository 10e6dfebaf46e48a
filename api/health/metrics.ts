import { Injectable } from '@nestjs/common';
import { Counter, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

/** Figures of this process in Prometheus' text format. Paths are route patterns: a path of an attacker's choice must not make a new series. */
@Injectable()
export class Metrics {
  readonly registry = new Registry();
  private readonly requests = new Counter({
    name: 'lazaret_api_requests_total',
    help: 'Requests answered, by route, method and status.',
    labelNames: ['route', 'method', 'status'],
    registers: [this.registry],
  });
  private readonly seconds = new Histogram({
    name: 'lazaret_api_request_seconds',
    help: 'Time to answer, by route and method.',
    labelNames: ['route', 'method'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [this.registry],
  });

  constructor() {
    collectDefaultMetrics({ register: this.registry, prefix: 'lazaret_api_' });
  }

  observe(route: string, method: string, status: number, milliseconds: number): void {
    this.requests.inc({ route, method, status: String(status) });
    this.seconds.observe({ route, method }, milliseconds / 1000);
  }
}
