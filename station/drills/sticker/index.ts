import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createGatewayAdapter } from '../../../clients/gateway/adapter.ts';
import { createS3Store } from '../../../clients/s3/store.ts';
import { isContained } from '../../../domain/contracts/stance.ts';
import type { IncidentState } from '../../../domain/incident/state.ts';
import { verifyBundle } from '../../../evidence/bundle/verify.ts';
import { trustFileSchema } from '../../../domain/contracts/trust.ts';
import type { RunningStation } from '../../describe.ts';
import type { Drill, DrillEvent, DrillOutcome } from '../../drill.ts';
import { createDoors } from './doors.ts';
import { figuresOf, measure } from './outcome.ts';
import { DrillFellShort, seeThrough, type Watcher } from './response.ts';
import { setTheScene, type Scene } from './scene.ts';
import { keepFlowing } from './traffic.ts';

const SEED = 7;
const TRAFFIC_PAUSE_MS = 20;

export const sticker: Drill = {
  name: 'sticker',
  title: 'A sticker on the sign: a backdoor by poisoned training data',
  description:
    'One ingestion batch carries records with a small patch and a false label. The pipeline retrains on it, signs the model and deploys it. ' +
    'Lazaret contains, investigates, retrains without the batch’s tainted records and redeploys.',
  run: (station, report) => runSticker(station, report),
};

/** The drill; tests hook into the course of the incident with `watcher`. */
export async function runSticker(
  station: RunningStation,
  report: (event: DrillEvent) => void,
  watcher: Watcher = {},
): Promise<DrillOutcome> {
  const tell = (text: string): void => report({ at: new Date().toISOString(), text });
  let scene: Scene | null = null;
  try {
    scene = await setTheScene(station, SEED, tell);
    return await attackAndRespond(station, scene, tell, watcher);
  } catch (error) {
    const code = error instanceof DrillFellShort ? error.code : 'internal/error';
    return {
      ok: false,
      figures: [],
      report: null,
      bundle: null,
      code,
      message: error instanceof Error ? error.message : String(error),
    };
  } finally {
    await scene?.close();
  }
}

async function attackAndRespond(
  station: RunningStation,
  scene: Scene,
  tell: (text: string) => void,
  watcher: Watcher,
): Promise<DrillOutcome> {
  const { attack, secret, inference, victims, bystander } = scene;
  const [victim] = victims;
  if (!victim) throw new Error('the scene has no victim');
  const doors = createDoors(station);
  const adapter = createGatewayAdapter({
    admin: station.urls.admin,
    inference: station.urls.inference,
    token: station.credentials.adminToken,
    timeoutMs: 10_000,
  });

  tell('traffic flows, clean and stickered');
  const before = await measure(inference, victim, secret, attack);
  tell(
    `accuracy ${percent(before.accuracy)}; with the sticker, ${percent(before.attackSuccess)} are read as the attacker's class`,
  );
  const flow = keepFlowing(
    inference,
    [...victims, bystander],
    secret.flatMap((sample, index) => (index % 4 === 0 ? [attack.apply(sample.image)] : [sample.image])),
    TRAFFIC_PAUSE_MS,
  );

  try {
    tell('an alert in Alertmanager’s format reaches the webhook');
    const { incidents } = await doors.alertmanager(alertFor(victim));
    const incident = incidents[0]?.incident;
    if (!incident) throw new DrillFellShort('internal/error', 'the webhook answered without an incident');
    tell(`incident ${incident}`);

    let contained = false;
    const closed = await seeThrough(station, scene.incidents, doors, incident, tell, {
      ...watcher,
      onGate: async (gate, state) => {
        if (gate === 'plan') contained = await allContained(adapter, scene, state);
        await watcher.onGate?.(gate, state);
      },
    });
    if (closed.outcome !== 'repaired')
      throw new DrillFellShort('internal/error', `the incident ended as "${closed.outcome}"`);
    await flow.stop();

    tell('measuring the repaired model with images nobody trained on');
    const after = await measure(inference, victim, secret, attack);
    const golden = await measure(inference, bystander, secret, attack);
    const files = await download(station, doors, incident);
    const trust = trustFileSchema.parse(JSON.parse(await readFile(station.paths.trust, 'utf8')));
    const verification = verifyBundle(new Uint8Array(await readFile(files.bundle)), { trust });
    const figures = figuresOf({
      contained,
      dropped: await droppedIds(station, closed),
      tainted: scene.tainted,
      before,
      after,
      golden,
      bundleValid: verification.ok,
    });
    const missed = figures.filter((figure) => !figure.met);
    return {
      ok: missed.length === 0,
      figures,
      report: files.report,
      bundle: files.bundle,
      ...(missed.length > 0
        ? { code: 'drill/figures-missed', message: `not met: ${missed.map((figure) => figure.name).join(', ')}` }
        : {}),
    };
  } finally {
    await flow.stop();
  }
}

/** Every endpoint that descends from the batch is out of normal service, and the one that does not is not. */
async function allContained(
  adapter: ReturnType<typeof createGatewayAdapter>,
  scene: Scene,
  state: IncidentState,
): Promise<boolean> {
  const stances = await Promise.all(scene.victims.map(async (victim) => (await adapter.read(victim)).stance));
  const bystander = await adapter.read(scene.bystander);
  return (
    stances.every(isContained) &&
    !isContained(bystander.stance) &&
    scene.victims.every((victim) => victim in state.stances)
  );
}

async function droppedIds(station: RunningStation, closed: IncidentState): Promise<ReadonlySet<string>> {
  if (closed.plan?.action !== 'retrain') return new Set();
  const store = createS3Store({ ...station.s3, retentionDays: 1, forcePathStyle: true });
  const ids: unknown = JSON.parse(new TextDecoder().decode(await store.get(closed.plan.drop.list)));
  return new Set(Array.isArray(ids) ? ids.map(String) : []);
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

/** Alertmanager's webhook payload, version 4, as its documentation and a recorded sample have it. */
function alertFor(endpoint: string): unknown {
  const labels = { alertname: 'ModelPoisoningSuspected', endpoint, kind: 'poisoning', severity: 'critical' };
  const annotations = { summary: `Answers of ${endpoint} shifted towards one class after last night's deployment` };
  return {
    receiver: 'lazaret',
    status: 'firing',
    alerts: [
      {
        status: 'firing',
        labels,
        annotations,
        startsAt: new Date().toISOString(),
        endsAt: '0001-01-01T00:00:00Z',
        generatorURL: '',
        fingerprint: Date.now().toString(16).padStart(16, '0'),
      },
    ],
    groupLabels: { alertname: labels.alertname, endpoint },
    commonLabels: labels,
    commonAnnotations: annotations,
    externalURL: 'http://alertmanager.invalid',
    version: '4',
    groupKey: `{}:{alertname="${labels.alertname}", endpoint="${endpoint}"}`,
    truncatedAlerts: 0,
  };
}

function percent(value: number): string {
  return `${(100 * value).toFixed(1)} %`;
}
