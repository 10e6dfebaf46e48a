import { get } from './api.js';
import { badge, el, table, time, verdict } from './dom.js';

const EVERY_MS = 3000;

/** The list of incidents, newest first, refreshed while it is on screen. */
export async function showList(main, signal) {
  document.title = 'Incidents · Lazaret';
  const onlyOpen = el('input', { type: 'checkbox', id: 'only-open', onchange: () => void refresh() });
  const body = el('div', {});
  const endpoints = el('div', {});

  async function refresh() {
    const { incidents } = await get(`/v1/incidents?limit=100${onlyOpen.checked ? '&open=true' : ''}`, signal);
    body.replaceChildren(incidents.length === 0 ? el('p', { class: 'muted' }, 'No incidents.') : rowsOf(incidents));
  }
  async function readEndpoints() {
    const answer = await get('/v1/endpoints', signal);
    endpoints.replaceChildren(
      table(
        ['Endpoint', 'Model', 'Sensitivity', 'Stance now'],
        answer.endpoints.map((row) => [
          row.endpoint,
          row.model,
          row.sensitivity,
          row.status ? verdict(row.status.stance.kind) : badge('not read'),
        ]),
        'Endpoints',
      ),
    );
  }

  await refresh();
  main.replaceChildren(
    el(
      'div',
      { class: 'row spread' },
      el('h1', {}, 'Incidents'),
      el('label', { for: 'only-open', class: 'inline' }, onlyOpen, ' open ones only'),
    ),
    body,
    el('h2', {}, 'Endpoints'),
    endpoints,
  );
  readEndpoints().catch(() =>
    endpoints.replaceChildren(el('p', { class: 'muted' }, 'The endpoints could not be read.')),
  );
  const timer = setInterval(() => void refresh().catch(() => undefined), EVERY_MS);
  signal.addEventListener('abort', () => clearInterval(timer));
}

function rowsOf(incidents) {
  return table(
    ['Incident', 'Severity', 'Kind', 'Phase', 'Waits for', 'Stance', 'Opened'],
    incidents.map((row) => [
      el('a', { href: `#/incidents/${row.incident}` }, row.incident),
      row.severity ? verdict(row.severity) : '',
      row.kind ?? '',
      row.open ? (row.phase ?? '') : verdict(row.outcome ?? 'closed'),
      row.open && row.waiting ? badge(row.waiting, 'ask') : '',
      row.stance ? verdict(row.stance) : '',
      time(row.openedAt),
    ]),
    'Incidents',
  );
}
