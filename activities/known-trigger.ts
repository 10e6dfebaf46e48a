import { triggerImageSchema, type TriggerImage } from '../domain/contracts/examination.ts';
import type { AnalysisSubject } from '../domain/contracts/activities.ts';
import type { DatasetColumns } from '../domain/contracts/dataset.ts';
import type { Finding } from '../domain/contracts/finding.ts';
import { regressionAttackSchema, type GoldenRecord } from '../domain/contracts/golden.ts';
import type { ObjectRef } from '../domain/contracts/object-ref.ts';
import type { KnownTrigger } from '../domain/contracts/plan.ts';
import { canonicalJson } from '../domain/proofs/canonical-json.ts';
import { readDataset } from '../evidence/dataset/read.ts';
import { tableOf } from '../forensics/analysers/window.ts';
import type { Predictor } from '../forensics/predictor/predictor.ts';
import { capturedTrigger } from '../forensics/requests/captured-trigger.ts';
import type { Inputs } from '../forensics/requests/strip.ts';
import { wilson } from '../forensics/statistics/interval.ts';
import { recordsAt, sample } from '../forensics/validation/sample.ts';
import { tryTrigger } from '../forensics/validation/trigger.ts';
import { createRandom } from '../forensics/statistics/bootstrap.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { versionBehind } from './examination.ts';
import { readTaintedIds } from './eradicate.ts';

type Needs = Pick<ActivityDependencies, 'store' | 'keys'>;

/** Clean records that a trigger is tried on: an interval of ±5 points at worst. */
const TRIED_ON = 400;
const SEED = 0;
/** A trigger that carries fewer clean records than half is not what the attack lives by. */
const LEAST_SUCCESS = 0.5;

interface Candidate {
  readonly source: KnownTrigger['source'];
  readonly target: number;
  readonly image: TriggerImage;
}

/**
 * The trigger of the attack, if one can be named: read off the captured requests, else off the tainted records, else as the search recovered
 * it. The first that leads at least half of the clean records to its class in the suspect, and in the golden model not half as many, is the
 * one. It is tried on records that the golden model was trained on: the hold-out stays unseen until the validation.
 */
export async function knownTrigger(
  deps: Needs,
  subject: AnalysisSubject,
  golden: GoldenRecord,
  findings: readonly Finding[],
  models: { readonly suspect: Predictor; readonly golden: Predictor },
): Promise<KnownTrigger | null> {
  const { manifest, columns } = await readDataset(deps.store, golden.dataset, deps.keys);
  const clean = recordsAt(columns, sample(columns.count, TRIED_ON, createRandom(SEED)));
  const about = { clean, shape: manifest.featureShape };
  for (const read of [fromRequests, fromRecords, fromSearch]) {
    const candidate = await read(deps, subject, findings, about);
    if (!candidate) continue;
    const { carried } = await tryTrigger(
      { trigger: candidate.image, target: candidate.target },
      { columns: clean, shape: manifest.featureShape, classes: manifest.classes },
      { candidate: models.suspect, golden: models.golden },
    );
    if (carried === null) continue;
    const n = carried.both + carried.first + carried.second + carried.neither;
    const [success, onGolden] = [wilson(carried.both + carried.first, n), wilson(carried.both + carried.second, n)];
    if (n === 0 || success.value < LEAST_SUCCESS || onGolden.value > success.value / 2) continue;
    const { source, target } = candidate;
    return { image: await kept(deps, candidate.image), source, target, success, onGolden };
  }
  return null;
}

type Reading = (
  deps: Needs,
  subject: AnalysisSubject,
  findings: readonly Finding[],
  about: { readonly clean: DatasetColumns; readonly shape: readonly number[] },
) => Promise<Candidate | null>;

const fromRequests: Reading = async (deps, _subject, findings, { clean, shape }) => {
  const detail = findings.find((finding) => finding.analyser === 'behaviour')?.detail;
  if (detail?.analyser !== 'behaviour' || !detail.attack) return null;
  const attack = regressionAttackSchema.parse(await jsonOf(deps, detail.attack.requests));
  const { targetClass: target } = detail.attack;
  const led = attack.requests.filter((request) => request.attackerClass === target);
  const bearers: Inputs = { features: tableOf(led, clean.width), count: led.length };
  const image = capturedTrigger(bearers, clean, shape);
  return image && { source: 'requests', target, image };
};

const fromRecords: Reading = async (deps, subject, findings, { clean, shape }) => {
  const detail = findings.find((finding) => finding.analyser === 'training-records')?.detail;
  if (detail?.analyser !== 'training-records' || !detail.list) return null;
  const { modelDigest } = subject.capture;
  const behind = modelDigest && (await versionBehind(deps, modelDigest));
  if (!behind || behind.version === null) return null;
  const { columns } = await readDataset(deps.store, behind.ref, deps.keys);
  const tainted = new Set(await readTaintedIds(deps, { list: detail.list, count: detail.count }));
  const rows = columns.ids.flatMap((id, row) => (tainted.has(id) ? [row] : []));
  const target = commonest(rows.map((row) => columns.labels[row] ?? -1));
  if (target === null) return null;
  const bearing = rows.filter((row) => columns.labels[row] === target);
  const image = capturedTrigger(recordsAt(columns, bearing), clean, shape);
  return image && { source: 'records', target, image };
};

const fromSearch: Reading = async (deps, _subject, findings) => {
  const found = findings.find((finding) => finding.analyser === 'backdoor');
  if (found?.verdict !== 'compromised' || found.detail?.analyser !== 'backdoor') return null;
  const { trigger, target } = found.detail;
  if (trigger === null || target === null) return null;
  const image = triggerImageSchema.safeParse(await jsonOf(deps, trigger));
  return image.success ? { source: 'search', target, image: image.data } : null;
};

async function kept(deps: Needs, image: TriggerImage): Promise<ObjectRef> {
  const bytes = new TextEncoder().encode(canonicalJson(image));
  return await deps.store.put('evidence', bytes, { mediaType: 'application/json', name: 'known-trigger.json' });
}

async function jsonOf(deps: Needs, ref: ObjectRef): Promise<unknown> {
  return JSON.parse(new TextDecoder().decode(await deps.store.get(ref)));
}

function commonest(labels: readonly number[]): number | null {
  const counts = new Map<number, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  return [...counts].sort(([a, some], [b, others]) => others - some || a - b)[0]?.[0] ?? null;
}
