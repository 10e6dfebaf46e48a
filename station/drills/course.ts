import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { InferenceClient } from '../../clients/inference/client.ts';
import { createS3Store } from '../../clients/s3/store.ts';
import { isContained } from '../../domain/contracts/stance.ts';
import { trustFileSchema } from '../../domain/contracts/trust.ts';
import type { IncidentState } from '../../domain/incident/state.ts';
import { verifyBundle } from '../../evidence/bundle/verify.ts';
import type { RunningStation } from '../describe.ts';
import type { DrillEvent, DrillOutcome, Figure } from '../drill.ts';
import { alertmanagerPayload, type Alarm } from './alarm.ts';
import { createDoors } from './doors.ts';
import type { Plot } from './plot.ts';
import { DrillFellShort, seeThrough, type Watcher } from './response.ts';
import { setTheScene, type Scene } from './scene.ts';
import type { Task } from './task.ts';
import { keepFlowing } from './traffic.ts';

/** A drill as a play: the plot, what its monitor says, what its users send, and what is measured before and after. */
export interface Play<Measured> {
  readonly plot: Plot;
  /** What the monitor says of the model that the pipeline deployed. */
  alarm(before: Measured): Alarm;
  /** What users send, over and over. */
  readonly traffic: readonly (readonly number[])[];
  /** Through the endpoint's front door, with records that nobody trained on. */
  measure(client: InferenceClient, endpoint: string): Promise<Measured>;
  /** One line on how a model does. */
  describe(seen: Measured): string;
  figures(seen: Seen<Measured>): readonly Figure[];
}

/** What came of it, for the figures. */
export interface Seen<Measured> {
  readonly before: Measured;
  readonly after: Measured;
  readonly golden: Measured;
  readonly contained: boolean;
  readonly dropped: ReadonlySet<string>;
  readonly bundleValid: boolean;
}

const TRAFFIC_PAUSE_MS = 20;

/** The course of every drill: the scene, the attack, the alert, the people's part, and the figures. */
export async function play<Measured>(
  station: RunningStation,
  report: (event: DrillEvent) => void,
  prepare: (tell: (text: string) => void) => Promise<Play<Measured>>,
  watcher: Watcher = {},
): Promise<DrillOutcome> {
  const tell = (text: string): void => report({ at: new Date().toISOString(), text });
  let scene: Scene | null = null;
  try {
    const prepared = await prepare(tell);
    scene = await setTheScene(station, prepared.plot, tell);
    return await attackAndRespond(station, scene, prepared, tell, watcher);
  } catch (error) {
    const code = error instanceof DrillFellShort ? error.code : 'internal/error';
    const message = error instanceof Error ? error.message : String(error);
    return { ok: false, figures: [], report: null, bundle: null, code, message };
  } finally {
    await scene?.close();
  }
}

async function attackAndRespond<Measured>(
  station: RunningStation,
  scene: Scene,
  { plot, alarm, traffic, measure, describe, figures }: Play<Measured>,
  tell: (text: string) => void,
  watcher: Watcher,
): Promise<DrillOutcome> {
  const { inference } = scene;
  const { victims, bystander, featureShape } = plot.task;
  const [victim] = victims;
  const doors = createDoors(station);

  tell('traffic flows');
  const before = await measure(inference, victim);
  tell(describe(before));
  const flow = keepFlowing(inference, [...victims, bystander], traffic, featureShape, TRAFFIC_PAUSE_MS);

  try {
    const noticed = alarm(before);
    tell(`an alert in Alertmanager’s format reaches the webhook: ${noticed.name}`);
    const { incidents } = await doors.alertmanager(alertmanagerPayload(victim, noticed, new Date()));
    const incident = incidents[0]?.incident;
    if (!incident) throw new DrillFellShort('internal/error', 'the webhook answered without an incident');
    tell(`incident ${incident}`);

    let contained = false;
    const closed = await seeThrough(station, scene.incidents, doors, incident, tell, {
      ...watcher,
      onGate: async (gate, state) => {
        if (gate === 'plan') contained = await allContained(scene, plot.task, state);
        await watcher.onGate?.(gate, state);
      },
    });
    if (closed.outcome !== 'repaired')
      throw new DrillFellShort('internal/error', `the incident ended as "${closed.outcome}"`);
    await flow.stop();

    tell('measuring the repaired model with records nobody trained on');
    const after = await measure(inference, victim);
    const golden = await measure(inference, bystander);
    tell(`repaired: ${describe(after)}`);
    tell(`golden: ${describe(golden)}`);
    const files = await download(station, doors, incident);
    const trust = trustFileSchema.parse(JSON.parse(await readFile(station.paths.trust, 'utf8')));
    const { ok: bundleValid } = verifyBundle(new Uint8Array(await readFile(files.bundle)), { trust });
    const dropped = await droppedIds(station, closed);
    const seen = figures({ before, after, golden, contained, dropped, bundleValid });
    const missed = seen.filter((figure) => !figure.met).map((figure) => figure.name);
    return {
      ok: missed.length === 0,
      figures: seen,
      ...files,
      ...(missed.length > 0 ? { code: 'drill/figures-missed', message: `not met: ${missed.join(', ')}` } : {}),
    };
  } finally {
    await flow.stop();
  }
}

/** Every endpoint that descends from the batch is out of normal service, and the one that does not is not. */
async function allContained({ adapter }: Scene, { victims, bystander }: Task, state: IncidentState): Promise<boolean> {
  const stances = await Promise.all(victims.map(async (victim) => (await adapter.read(victim)).stance));
  const other = await adapter.read(bystander);
  return stances.every(isContained) && !isContained(other.stance) && victims.every((victim) => victim in state.stances);
}

async function droppedIds(station: RunningStation, closed: IncidentState): Promise<ReadonlySet<string>> {
  if (closed.plan?.action !== 'retrain') return new Set();
  const store = createS3Store({ ...station.s3, retentionDays: 1, forcePathStyle: true });
  try {
    const ids: unknown = JSON.parse(new TextDecoder().decode(await store.get(closed.plan.drop.list)));
    return new Set(Array.isArray(ids) ? ids.map(String) : []);
  } finally {
    store.close();
  }
}

async function download(
  station: RunningStation,
  doors: ReturnType<typeof createDoors>,
  incident: string,
): Promise<{ report: string; bundle: string }> {
  const folder = join(station.paths.reports, incident);
  await mkdir(folder, { recursive: true });
  const report = join(folder, 'report.html');
  const bundle = join(folder, `${incident}.lazaret.tar`);
  await writeFile(report, await doors.download(`/v1/incidents/${incident}/report.html`));
  await writeFile(join(folder, 'report.md'), await doors.download(`/v1/incidents/${incident}/report.md`));
  await writeFile(bundle, await doors.download(`/v1/incidents/${incident}/bundle`));
  return { report, bundle };
}
