import { post } from './api.js';
import { announce, card, digest, el } from './dom.js';

const LABELS = {
  approve: 'Approve',
  reject: 'Reject',
  retry: 'Retry',
  skip: 'Skip',
  abort: 'Abort to the safe stance',
  cancel: 'Cancel the incident',
  'severity-low': 'Low',
  'severity-medium': 'Medium',
  'severity-high': 'High',
  'severity-critical': 'Critical',
};
const NEEDS_NO_REASON = ['approve', 'retry'];
const SEVERITIES = ['low', 'medium', 'high', 'critical'];

/** The question the incident waits with, and its answers; null where no person is asked. */
export function decisionForm(state, person, refresh) {
  const { waiting } = state;
  if (waiting.for === 'nothing') return null;
  if (waiting.for === 'trainer')
    return card(
      'Waits for a trainer',
      el('p', {}, `Nobody serves queue “${waiting.queue}”. Start a trainer worker; the job goes on by itself.`),
    );
  if (waiting.for === 'approval') {
    const missing = waiting.missing.map((roles) => roles.join(' or ')).join(', and ');
    const able = person.roles.filter((role) => waiting.missing.flat().includes(role));
    return form(
      `Gate “${waiting.gate}” waits for ${missing}`,
      [el('p', {}, waiting.summary)],
      { state, gate: waiting.gate, digest: waiting.digest, roles: able, answers: ['approve', 'reject'] },
      refresh,
    );
  }
  const words = [
    el('p', {}, el('strong', {}, waiting.failure.code), ` ${waiting.failure.message}`),
    el('p', { class: 'muted' }, 'The endpoint keeps its stance meanwhile.'),
  ];
  return form(
    `Phase “${waiting.gate.replace('failed:', '')}” could not go on`,
    words,
    { state, gate: waiting.gate, digest: waiting.digest, roles: person.roles, answers: waiting.options },
    refresh,
  );
}

/** Cancelling is a word about the whole incident: it needs no open gate. */
export function cancelForm(state, person, refresh) {
  const about = { state, gate: 'incident', digest: state.incident, roles: person.roles, answers: ['cancel'] };
  return el(
    'details',
    {},
    el('summary', {}, 'Cancel this incident'),
    form('Cancel', [el('p', {}, 'The incident ends here; the endpoint stays in its safe stance.')], about, refresh),
  );
}

/** How bad it is, said by a person against the rules. */
export function severityForm(state, person, refresh) {
  const answers = SEVERITIES.filter((level) => level !== state.severity).map((level) => `severity-${level}`);
  const about = { state, gate: 'incident', digest: state.incident, roles: person.roles, answers };
  return el(
    'details',
    {},
    el('summary', {}, 'Change the severity'),
    form(
      'Severity',
      [el('p', {}, `It is ${state.severity}. Endpoints stay in the stance they are in.`)],
      about,
      refresh,
    ),
  );
}

function form(title, words, { state, gate, digest: about, roles, answers }, refresh) {
  const id = (name) => `${name}-${`${gate}-${answers[0]}`.replace(/[^a-z]/g, '-')}`;
  const problem = el('p', { class: 'error', role: 'alert' });
  if (roles.length === 0) {
    return card(title, ...words, el('p', { class: 'muted' }, 'You hold none of the roles that are asked for.'));
  }
  const role = el(
    'select',
    { id: id('role') },
    roles.map((name) => el('option', { value: name }, name)),
  );
  const reason = el('textarea', { id: id('reason'), rows: '2', maxlength: '2000' });
  const buttons = answers.map((decision) =>
    el('button', { type: 'button', class: decision, onclick: () => void send(decision) }, LABELS[decision] ?? decision),
  );

  async function send(decision) {
    problem.textContent = '';
    if (!NEEDS_NO_REASON.includes(decision) && reason.value.trim() === '') {
      problem.textContent = `“${LABELS[decision]}” asks for a reason.`;
      reason.focus();
      return;
    }
    for (const button of buttons) button.disabled = true;
    try {
      const path = `/v1/incidents/${encodeURIComponent(state.incident)}/decisions`;
      const result = await post(path, { gate, digest: about, decision, role: role.value, reason: reason.value.trim() });
      announce(result.remaining > 0 ? `Accepted; ${result.remaining} more needed.` : 'Accepted.');
      reason.value = '';
      await refresh();
    } catch (error) {
      problem.textContent = error.message;
    }
    for (const button of buttons) button.disabled = false;
  }

  return el(
    'section',
    { class: 'card ask' },
    el('h2', {}, title),
    ...words,
    el(
      'p',
      { class: 'muted' },
      'You decide on ',
      digest(about),
      '. The workflow verifies your word and keeps it as evidence.',
    ),
    el(
      'div',
      { class: 'fields' },
      el('label', { for: id('role') }, 'As'),
      role,
      el('label', { for: id('reason') }, 'Reason'),
      reason,
    ),
    el('div', { class: 'row' }, buttons),
    problem,
  );
}
