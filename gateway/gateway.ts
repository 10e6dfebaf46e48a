import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { AddressInfo } from 'node:net';
import type { ListenAddress } from '../domain/contracts/environment.ts';
import type { Digest } from '../domain/proofs/digest.ts';
import { createAdminServer } from './admin/server.ts';
import { createAnswer } from './inference/answer.ts';
import { createAlarmPost, type DeliverAlarm, type EndpointAlarm } from './eyes/alarm-post.ts';
import { followGolden, type GoldenProfileOf } from './eyes/golden-follower.ts';
import { createWatch } from './eyes/watch.ts';
import { createGrpcServer } from './grpc/server.ts';
import { createInferenceServer } from './inference/server.ts';
import { createSurface } from './inference/surface.ts';
import { openRequestLog, type ShipSegment } from './log/request-log.ts';
import { createMetrics } from './metrics.ts';
import { createModelLoader } from './model/loader.ts';
import type { Clock, DesiredStances, GatewayLog, ModelSource, ModelVerifier } from './ports.ts';
import { openStateFolder, type StateFolder } from './state/state-folder.ts';
import { createEndpoint, type Endpoint } from './stance/endpoint.ts';
import type { OrderReader } from '../evidence/orders/stance-order.ts';
import { createTruthFollower } from './stance/truth.ts';
import { createRequestWindow } from './stance/window.ts';

export interface GatewayOptions {
  readonly endpoints: readonly string[];
  readonly inference: ListenAddress;
  readonly admin: ListenAddress;
  /** null: no gRPC. */
  readonly grpc: ListenAddress | null;
  readonly adminToken: string;
  readonly stateFolder: string;
  /** Answered inferences kept per endpoint. */
  readonly window: number;
  /** The model family of each endpoint whose golden profile the sentinels compare with; an endpoint that is not here is not watched. */
  readonly families: ReadonlyMap<string, string>;
  /** Bytes of log segments that may wait on disk, for each endpoint. */
  readonly logBytes: number;
  /** Share of the inferences whose tensors are logged as well, 0 to 1. */
  readonly logPayloads: number;
  readonly pollMs: number;
  readonly version: string;
}

export interface GatewayPorts {
  readonly source: ModelSource;
  readonly desired: DesiredStances;
  readonly verify: ModelVerifier;
  readonly readOrder: OrderReader;
  readonly shipLog: ShipSegment;
  readonly deliverAlarm: DeliverAlarm;
  readonly goldenProfile: GoldenProfileOf;
  readonly log: GatewayLog;
  readonly now: Clock;
}

export interface Gateway {
  readonly inference: AddressInfo;
  readonly admin: AddressInfo;
  readonly grpcPort: number | null;
  /** Resolves when every endpoint knows its stance, as far as it can be known now. Both listeners are open before. */
  readonly settled: Promise<void>;
  /** Answers what is under way, then stops. */
  close(): Promise<void>;
}

/** Opens both listeners at once: until its stance is known an endpoint refuses, and containment is obeyed from the first moment on. */
export async function startGateway(options: GatewayOptions, ports: GatewayPorts): Promise<Gateway> {
  const { log, now } = ports;
  const ticks = (): number => performance.now();
  const state = await openStateFolder(options.stateFolder);
  const metrics = createMetrics();
  const load = createModelLoader({ source: ports.source, verify: ports.verify, state });
  const replica = randomUUID();
  const post = createAlarmPost({ deliver: ports.deliverAlarm, replica, log });
  const raise = (alarm: EndpointAlarm): void => {
    metrics.alarm(alarm.endpoint, alarm.sentinel);
    log.warn({ endpoint: alarm.endpoint, sentinel: alarm.sentinel, statement: alarm.statement }, 'alarm');
    post.raise(alarm);
  };
  const endpoints = new Map<string, Endpoint>();
  for (const name of options.endpoints) {
    const requestLog = await openRequestLog({
      endpoint: name,
      replica,
      folder: state.logFolder(name),
      ship: ports.shipLog,
      maxBytes: options.logBytes,
      log,
      now,
    });
    metrics.watchLog(name, requestLog.figures);
    const watch = createWatch({ endpoint: name, source: ports.source, raise, log });
    metrics.watchSentinels(name, watch.state);
    endpoints.set(
      name,
      createEndpoint({
        name,
        replica,
        readOrder: ports.readOrder,
        load,
        state,
        window: createRequestWindow(options.window),
        requestLog,
        watch,
        metrics,
        log,
        now,
      }),
    );
  }
  // Before anybody can send an order: an old one would pass for a new one otherwise.
  await Promise.all([...endpoints.values()].map((endpoint) => endpoint.remember()));
  await sweep(state, [...endpoints.values()]);

  const golden = followGolden({
    families: options.families,
    profileOf: ports.goldenProfile,
    watches: (endpoint) => endpoints.get(endpoint)?.watch ?? null,
    log,
  });
  const answer = createAnswer({ metrics, now, ticks, logPayloads: options.logPayloads });
  const surface = createSurface({ endpoints, answer, metrics, version: options.version, ticks });
  const inference = createInferenceServer({ surface, log });
  const grpc = options.grpc === null ? null : createGrpcServer({ surface, log });
  const admin = createAdminServer({ endpoints, state, token: options.adminToken, metrics, log });
  await admin.listen(options.admin);
  await inference.listen(options.inference);
  const grpcPort = grpc && options.grpc ? await grpc.listen(options.grpc) : null;

  const truth = createTruthFollower({
    endpoints: [...endpoints.values()],
    desired: ports.desired,
    pollMs: options.pollMs,
    metrics,
    log,
  });
  const settled = truth.start().catch((error: unknown) => log.error({ err: error }, 'the start did not settle'));

  return {
    inference: addressOf(inference),
    admin: addressOf(admin),
    grpcPort,
    settled,
    async close() {
      truth.stop();
      golden.stop();
      post.close();
      await Promise.all([inference.close(), admin.close(), grpc?.close()]);
      for (const endpoint of endpoints.values()) endpoint.close();
      await Promise.all([...endpoints.values()].map((endpoint) => endpoint.requestLog.close()));
    },
  };
}

/** Model bytes that neither a held order nor a capture names any more. Before anything is loaded, so that nothing is under way. */
async function sweep(state: StateFolder, endpoints: readonly Endpoint[]): Promise<void> {
  const needed = new Set<Digest>(endpoints.flatMap((endpoint) => endpoint.needs()));
  for (const id of await state.captureIds()) {
    const receipt = await state.receipt(id);
    for (const model of receipt?.before.loaded ?? []) {
      needed.add(model.digest);
      needed.add(model.signatureDigest);
    }
  }
  await state.sweepObjects(needed);
}

function addressOf(app: { server: { address(): AddressInfo | string | null } }): AddressInfo {
  const address = app.server.address();
  if (address === null || typeof address === 'string') throw new Error('the listener has no port');
  return address;
}
