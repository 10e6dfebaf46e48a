import { curves } from './curves.js';
import { badge, card, digest, el, table, time, verdict } from './dom.js';

/** What is known, in the order it became known; what is not there yet is left out. */
export function factsOf(state) {
  return [
    wrong(state),
    contained(state),
    findings(state),
    plan(state),
    training(state),
    validation(state),
    release(state),
    decisions(state),
    evidence(state),
  ].filter(Boolean);
}

function wrong(state) {
  const { first } = state.alerts;
  return card(
    'What is wrong',
    el('p', {}, `${first.source} says ${first.kind}: `, el('q', {}, first.title)),
    el(
      'ul',
      {},
      state.reasons.map((reason) => el('li', {}, reason)),
    ),
  );
}

function contained(state) {
  const stances = Object.entries(state.stances);
  if (stances.length === 0) return card('What was contained', el('p', { class: 'muted' }, 'Nothing yet.'));
  return card(
    'What was contained',
    el(
      'ul',
      { class: 'plain' },
      stances.map(([endpoint, stance]) => el('li', {}, `${endpoint} `, verdict(stance))),
    ),
  );
}

function findings(state) {
  if (state.findings.length === 0) return null;
  const rows = state.findings.map((finding) => [
    finding.question,
    verdict(finding.verdict),
    percent(finding.confidence),
    finding.summary,
  ]);
  return wide(card('Findings', table(['Question', 'Verdict', 'Confidence', 'What was found'], rows, 'Findings')));
}

function plan(state) {
  if (!state.plan) return null;
  const { action, reasons } = state.plan;
  const words = {
    retrain: () =>
      `Drop ${state.plan.drop.count} records of ${state.plan.dataset.name}, retrain from ${state.plan.checkpoint.version}.`,
    restore: () => `Put the golden model ${state.plan.checkpoint.version} back.`,
    resume: () => 'It was a false alarm: resume service.',
  };
  return card(
    'Plan',
    el('p', {}, badge(action, 'ask'), ' ', words[action]?.() ?? ''),
    el(
      'ul',
      {},
      reasons.map((reason) => el('li', {}, reason)),
    ),
    state.sanitized ? el('p', {}, `${state.sanitized.dropped} records dropped, ${state.sanitized.kept} kept.`) : null,
  );
}

function training(state) {
  const { progress, result } = state.training;
  if (result)
    return card(
      'Retraining',
      el('p', {}, `${result.steps} steps over ${result.records} records, final loss ${figure(result.finalLoss)}.`),
      el('p', {}, 'artifact ', digest(result.artifact.digest)),
    );
  if (!progress) return null;
  return card(
    'Retraining',
    el('progress', { max: progress.steps, value: progress.step, 'aria-label': 'Training steps' }),
    el('p', {}, `step ${progress.step} of ${progress.steps}, loss ${figure(progress.loss)}, by ${progress.worker}`),
    curves(progress.curve ?? []),
  );
}

function validation(state) {
  if (!state.validation) return null;
  const rows = state.validation.gates.map((gate) => [
    gate.title,
    verdict(gate.verdict),
    figure(gate.figure),
    figure(gate.golden),
    gate.threshold,
  ]);
  return wide(
    card(
      'Validation',
      el('p', {}, 'Overall ', verdict(state.validation.verdict)),
      table(['Gate', 'Verdict', 'Candidate', 'Golden', 'Threshold'], rows, 'Validation gates'),
    ),
  );
}

function release(state) {
  if (!state.release) return null;
  const { ref, canary, endpoints } = state.release;
  return card(
    'Release',
    el('p', {}, `${ref.version} on ${endpoints.join(', ') || state.endpoint}, `, digest(ref.artifact.digest)),
    canary
      ? el(
          'p',
          {},
          `canary: ${canary.requests} answers, ${canary.errors} errors, mean confidence ${figure(canary.meanConfidence)} (golden ${figure(canary.goldenMeanConfidence)})`,
        )
      : null,
  );
}

function decisions(state) {
  if (state.decisions.length === 0) return null;
  const rows = state.decisions.map((one) => [
    time(one.at),
    one.gate,
    one.person,
    one.role,
    badge(one.decision, 'ask'),
    one.reason,
  ]);
  return wide(card('Decisions', table(['When', 'Gate', 'Who', 'Role', 'Decision', 'Reason'], rows, 'Decisions')));
}

function evidence(state) {
  return card('Evidence', el('p', {}, `${state.log.size} entries in the case log, root `, digest(state.log.root)));
}

function wide(section) {
  section.classList.add('wide');
  return section;
}

function percent(share) {
  return share === null ? '–' : `${(100 * share).toFixed(0)} %`;
}

/** A number, an interval with its bounds, or a text, as they come. */
function figure(value) {
  if (value === null || value === undefined) return '–';
  if (typeof value === 'number') return String(Number(value.toPrecision(4)));
  if (typeof value === 'string') return value;
  return `${figure(value.value)} [${figure(value.low)}, ${figure(value.high)}]`;
}
