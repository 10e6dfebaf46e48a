import { download, follow, get } from './api.js';
import { announce, badge, card, digest, el, time, verdict } from './dom.js';
import { cancelForm, decisionForm, severityForm } from './decide.js';
import { factsOf } from './facts.js';

const EVERY_MS = 2000;
const PHASES = [
  'triage',
  'contain',
  'preserve',
  'investigate',
  'plan',
  'eradicate',
  'recover',
  'validate',
  'approve-release',
  'release',
  'learn',
];

/** One incident: what is wrong, what was done about it, what it waits for, and its log as it grows. */
export async function showIncident(main, incident, person, signal) {
  document.title = `${incident} · Lazaret`;
  const path = `/v1/incidents/${encodeURIComponent(incident)}`;
  const log = el('ol', { class: 'timeline' });
  const head = el('div', {});
  const ask = el('div', {});
  const facts = el('div', { class: 'grid' });
  let asked = '';
  let shown = '';

  async function refresh() {
    const state = await get(path, signal);
    const text = JSON.stringify(state);
    if (text === shown) return state;
    shown = text;
    head.replaceChildren(...headOf(state));
    facts.replaceChildren(...factsOf(state));
    // A form that a person is writing in is only replaced when the question is another one.
    const question = JSON.stringify(state.status === 'running' ? [state.waiting, state.decisions.length] : []);
    if (question !== asked) {
      asked = question;
      const form = state.status === 'running' ? decisionForm(state, person, refresh) : null;
      ask.replaceChildren(...(form ? [form] : []));
      if (form) announce(`The incident waits: ${state.waiting.gate ?? state.waiting.for}`);
    }
    return state;
  }

  const state = await refresh();
  const files = el(
    'p',
    { class: 'row' },
    link(`${path}/report.html`, `${incident}.html`, 'Report'),
    link(`${path}/report.md`, `${incident}.md`, 'Report (Markdown)'),
    link(`${path}/bundle`, `${incident}.tar`, 'Evidence bundle'),
  );
  main.replaceChildren(
    el('p', {}, el('a', { href: '#/' }, '← All incidents')),
    head,
    ask,
    facts,
    card('Timeline', log),
    card('Documents', files),
    ...(state.status === 'running' ? [severityForm(state, person, refresh), cancelForm(state, person, refresh)] : []),
  );
  void follow(incident, (entry) => log.append(lineOf(entry)), signal);
  const timer = setInterval(() => void refresh().catch(() => undefined), EVERY_MS);
  signal.addEventListener('abort', () => clearInterval(timer));
}

function headOf(state) {
  const at = PHASES.indexOf(state.phase);
  const closed = state.status === 'closed';
  return [
    el(
      'h1',
      {},
      verdict(state.severity),
      ` ${state.kind} on ${state.endpoint} `,
      closed ? verdict(state.outcome) : null,
    ),
    el('p', { class: 'lead' }, state.alerts.first.title),
    el(
      'p',
      { class: 'muted' },
      `${state.incident} · ${state.alerts.count} alert${state.alerts.count === 1 ? '' : 's'} · opened `,
      time(state.openedAt),
      closed ? ' · closed ' : null,
      closed ? time(state.closedAt) : null,
    ),
    el(
      'ol',
      { class: 'phases', 'aria-label': 'Phases' },
      PHASES.map((phase, index) =>
        el(
          'li',
          {
            class: closed || index < at ? 'past' : index === at ? 'now' : 'ahead',
            'aria-current': !closed && index === at ? 'step' : null,
          },
          phase,
        ),
      ),
    ),
  ];
}

function lineOf(entry) {
  return el(
    'li',
    {},
    time(entry.at),
    el(
      'div',
      {},
      el('strong', {}, entry.phase),
      ` ${entry.step} `,
      verdict(entry.verdict),
      entry.actor === 'lazaret' ? null : badge(entry.actor, 'ask'),
      el('p', {}, entry.summary),
      entry.outputs.length > 0
        ? el(
            'details',
            {},
            el('summary', {}, `${entry.outputs.length} object${entry.outputs.length === 1 ? '' : 's'}`),
            el(
              'ul',
              {},
              entry.outputs.map((one) => el('li', {}, digest(one))),
            ),
          )
        : null,
    ),
  );
}

function link(path, name, text) {
  const problem = el('span', { class: 'error', role: 'alert' });
  const fetchIt = () => {
    problem.textContent = '';
    download(path, name).catch((error) => {
      problem.textContent = error.message;
    });
  };
  return el('span', {}, el('button', { type: 'button', class: 'quiet', onclick: fetchIt }, text), ' ', problem);
}
