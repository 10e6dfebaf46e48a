import type { CaseEntry } from '../domain/contracts/case-log.ts';
import type { TrainProgress } from '../domain/contracts/trainer.ts';
import type { IncidentState, Waiting } from '../domain/incident/state.ts';
import { CommandError } from './exit.ts';
import { apiAs, type PersonOptions } from './person.ts';
import { faint, mark, plain, strong, table, type Terminal } from './terminal.ts';

const POLL_MS = 400;

export async function list(
  terminal: Terminal,
  options: PersonOptions & { all?: boolean; endpoint?: string },
): Promise<void> {
  const rows = await apiAs(options).incidents({ open: !(options.all ?? false), endpoint: options.endpoint });
  terminal.result({ incidents: rows });
  if (rows.length === 0) {
    terminal.say(options.all ? 'no incident yet' : 'no incident is open');
    return;
  }
  const cells = rows.map((row) => [
    row.incident,
    row.severity ?? '-',
    row.kind ?? '-',
    row.phase ?? '-',
    row.open ? (row.waiting ?? '-') : (row.outcome ?? 'closed'),
    row.openedAt,
  ]);
  terminal.say(
    table(
      ['incident', 'severity', 'kind', 'phase', 'waits for', 'opened'],
      cells.map((row) => row.map(plain)),
    ),
  );
}

export async function show(terminal: Terminal, id: string, options: PersonOptions): Promise<void> {
  const api = apiAs(options);
  const state = await api.state(id);
  terminal.result(state);
  if (terminal.json) return;
  for (const line of portrait(state)) terminal.say(line);
  terminal.say();
  for (const entry of await api.entries(id, 0)) terminal.say(entryLine(entry));
}

export async function watch(terminal: Terminal, id: string, options: PersonOptions): Promise<void> {
  const api = apiAs(options);
  let next = 0;
  let asked = '';
  let told: TrainProgress | null = null;
  for (;;) {
    const state = await patiently(() => api.state(id));
    for (const entry of await patiently(() => api.entries(id, next))) {
      next = entry.seq + 1;
      terminal.say(entryLine(entry));
      terminal.result(entry);
    }
    if (state.status === 'closed') {
      terminal.say(`${strong('closed')}: ${state.outcome}`);
      terminal.result({ closed: true, outcome: state.outcome });
      return;
    }
    const progress = state.training.progress;
    if (progress && moved(progress, told)) {
      told = progress;
      terminal.say(trainingLine(progress));
      terminal.result({ training: progress });
    }
    const question = waitingLine(state.waiting);
    if (question !== asked && question !== '') terminal.say(question);
    asked = question;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Of a training, this share of the steps is worth another line. */
const WORTH_TELLING = 0.02;

/** The first word of a job, a taker-over (a resume may be a step back), and then some fifty lines. */
function moved(now: TrainProgress, told: TrainProgress | null): boolean {
  if (told === null || told.jobId !== now.jobId || told.worker !== now.worker) return true;
  return now.step !== told.step && (now.step - told.step >= WORTH_TELLING * now.steps || now.step === now.steps);
}

/** How far a training is, in words. */
export function trainingLine({ step, steps, loss, accuracy, attackSuccess, epsilon, worker }: TrainProgress): string {
  const figures = { loss, accuracy, 'attack success': attackSuccess, ε: epsilon };
  const words = Object.entries(figures).flatMap(([name, value]) =>
    typeof value === 'number' ? [`${name} ${Number(value.toPrecision(3))}`] : [],
  );
  return `${faint('training')}     step ${step} of ${steps}${words.map((word) => `, ${word}`).join('')} ${faint(plain(worker))}`;
}

/** What the API answers while Temporal or its workers are away or too busy. */
const AWAY = 'urn:lazaret:problem:unavailable';
const PATIENCE_MS = 60_000;

/** Asked to try again, it does: who watches an incident watches it through its worst minute. */
async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  const ends = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof CommandError && error.code === AWAY) || Date.now() > ends) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

function portrait(state: IncidentState): readonly string[] {
  const stances = Object.entries(state.stances).map(([endpoint, stance]) => `${endpoint} ${stance}`);
  return [
    `${strong(state.incident)}  ${state.severity}  ${state.kind}  ${state.status === 'closed' ? state.outcome : state.phase}`,
    `  ${plain(state.alerts.first.title)} (${state.alerts.count} alerts since ${state.openedAt})`,
    ...state.reasons.map((reason) => `  ${faint('because')} ${plain(reason)}`),
    ...(stances.length > 0 ? [`  stances: ${stances.join(', ')}`] : []),
    ...state.findings.map(
      ({ analyser, verdict, summary }) => `  ${mark(verdict === 'clean')} ${analyser}: ${verdict}. ${plain(summary)}`,
    ),
    ...(state.plan ? [`  plan: ${state.plan.action}`] : []),
    ...(state.training.progress ? [`  ${trainingLine(state.training.progress)}`] : []),
    ...(state.validation ? [`  validation: ${state.validation.verdict}`] : []),
    ...state.decisions.map(
      ({ at, person, role, decision, gate }) => `  ${at} ${person} (${role}): ${decision} at ${gate}`,
    ),
    ...(state.status === 'running' && state.waiting.for !== 'nothing' ? [waitingLine(state.waiting)] : []),
    `  evidence: ${state.log.size} entries, root ${state.log.root}`,
  ];
}

/** What a person is asked, in words; empty where nothing is. */
export function waitingLine(waiting: Waiting): string {
  switch (waiting.for) {
    case 'nothing':
      return '';
    case 'trainer':
      return `${strong('waits')} for a trainer on the queue "${plain(waiting.queue)}" since ${waiting.since}`;
    case 'approval':
      return `${strong('waits')} at the gate "${waiting.gate}" for ${waiting.missing.map((roles) => roles.join(' or ')).join(', and another person: ')}\n  ${plain(waiting.summary)}\n  ${faint(waiting.digest)}`;
    case 'command':
      return `${strong('waits')} at "${waiting.gate}" for ${waiting.options.join(', ')}\n  ${plain(waiting.failure.message)} (${waiting.failure.code})`;
  }
}

function entryLine(entry: CaseEntry): string {
  const bad = entry.verdict === 'failed' || entry.verdict === 'refused' || entry.verdict === 'rejected';
  return `${faint(entry.at.slice(11, 23))} ${mark(!bad)} ${entry.phase.padEnd(15)} ${entry.actor === 'lazaret' ? '' : `${plain(entry.actor)}: `}${plain(entry.summary)}`;
}
