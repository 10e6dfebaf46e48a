import type { Profile } from '../../domain/contracts/golden.ts';
import { budgetOf, REQUESTS_PER_ALARM } from './budget.ts';
import { calibrationSentinel } from './calibration.ts';
import { classMixSentinel } from './class-mix.ts';
import { createClients } from './clients.ts';
import { confidenceSentinel, entropySentinel } from './confidence.ts';
import { disagreementSentinel } from './disagreement.ts';
import type { Feedback, SentinelEvent } from './event.ts';
import { extractionSentinel } from './extraction.ts';
import { fairnessSentinel } from './fairness.ts';
import { featureDriftSentinel } from './feature-drift.ts';
import { loadSentinel } from './load.ts';
import { outlierSentinel } from './outliers.ts';
import { probingSentinel } from './probing.ts';
import { createReader } from './reading.ts';
import type { Alarm, Finding, Sentinel, State } from './sentinel.ts';
import { sharedPatchSentinel } from './shared-patch.ts';

export interface SentinelOptions {
  /** Requests in which clean traffic may give one alarm, all sentinels together. */
  readonly requestsPerAlarm?: number;
  /** How often two good models may disagree on mirrored requests. */
  readonly disagreement?: number;
  /** After an alarm a sentinel says nothing for this many requests of the endpoint: an incident is open by then. */
  readonly quiet?: number;
}

export interface Sentinels {
  /** To be called once per request, after the answer was sent. Answers the alarms it gives, mostly none. Does not throw. */
  observe(event: SentinelEvent): readonly Alarm[];
  feedback(feedback: Feedback): readonly Alarm[];
  /** Figures by sentinel, for metrics; `general` has what was seen and what is not watched, and why. */
  state(): Readonly<Record<string, State>>;
}

/** All of them share the budget, also those that a profile gives nothing to. */
const SENTINELS = 12;
const DISAGREEMENT = 0.05;
const QUIET = 1000;
const MOST_SILENT = 1024;
const NONE: readonly Alarm[] = [];

/**
 * The sentinels of one endpoint and one released model. Make them anew at every release: the profile is their reference, and what they learn beside
 * it (latency, shares of clients, answers of groups) they learn from the first requests after release and then never again, so that nobody can
 * drag it slowly. Pure: no clock, no randomness, no I/O; memory is bounded whatever comes (about 4 MiB and what shared-patch keeps, 16 MiB at most).
 *
 * The profile without `stream` (golden records of before) leaves outliers, shared-patch, entropy, extraction, probing and calibration out.
 */
export function createSentinels(profile: Profile, options: SentinelOptions = {}): Sentinels {
  const { stream } = profile;
  // The probes are records of the hold-out: older profiles do not tell its size.
  const count = stream?.count ?? profile.probes.count;
  const classes = profile.classMix.length;
  const budget = budgetOf(options.requestsPerAlarm ?? REQUESTS_PER_ALARM, SENTINELS);
  const quiet = options.quiet ?? QUIET;
  const clients = createClients();
  const read = createReader(profile, clients);
  const watching: Sentinel[] = [
    confidenceSentinel(profile.confidence, count, budget),
    classMixSentinel(profile.classMix, count, budget),
    featureDriftSentinel(profile, count, budget),
    disagreementSentinel(options.disagreement ?? DISAGREEMENT, budget),
    fairnessSentinel(classes, budget),
    loadSentinel(budget),
  ];
  if (stream)
    watching.push(
      entropySentinel(stream.entropy, count, budget),
      outlierSentinel(budget),
      sharedPatchSentinel(stream, profile.features.length, classes, budget),
      extractionSentinel(profile, stream, clients, budget),
      probingSentinel(stream, clients, budget),
    );
  const calibration = stream ? calibrationSentinel(stream, budget) : null;
  const silentUntil = new Map<string, number>();
  let [seen, unread, alarms] = [0, 0, 0];

  function raise(sentinel: { name: string; kind: Alarm['kind'] }, at: number, finding: Finding | null): Alarm | null {
    if (!finding) return null;
    const key = finding.client === null ? sentinel.name : `${sentinel.name} ${finding.client}`;
    if (seen < (silentUntil.get(key) ?? 0)) return null;
    // Names are an attacker's: the list of who is silent is no place to fill either.
    if (silentUntil.size >= MOST_SILENT) silentUntil.delete(silentUntil.keys().next().value ?? '');
    silentUntil.set(key, seen + quiet);
    alarms++;
    return { sentinel: sentinel.name, kind: sentinel.kind, at, ...finding };
  }

  return {
    observe(event) {
      seen++;
      const reading = event.ok && event.answer ? read(event.client, event.answer) : null;
      if (event.ok && !reading) unread++;
      let found: Alarm[] | null = null;
      for (const sentinel of watching) {
        const alarm = raise(sentinel, event.at, sentinel.observe(event, reading));
        if (alarm) (found ??= []).push(alarm);
      }
      return found ?? NONE;
    },
    feedback(feedback) {
      const alarm = calibration ? raise(calibration, feedback.at, calibration.feedback(feedback)) : null;
      return alarm ? [alarm] : NONE;
    },
    state: () => ({
      general: { requests: seen, unread, alarms, streamProfile: stream ? 'yes' : 'the golden profile has none' },
      ...Object.fromEntries(watching.map((sentinel) => [sentinel.name, sentinel.state()])),
      ...(calibration ? { calibration: calibration.state() } : {}),
    }),
  };
}
