import { ApiProblem, get, session } from './api.js';
import { el } from './dom.js';
import { showIncident } from './incident.js';
import { showList } from './list.js';

const main = document.getElementById('main');
const caller = document.getElementById('caller');
let person = null;
let leave = new AbortController();

/** `#/` is the list, `#/incidents/<name>` one incident. Whatever a view left running ends when the next one opens. */
async function route() {
  leave.abort();
  leave = new AbortController();
  const { signal } = leave;
  if (!session.token) return showSignIn();
  try {
    person ??= await get('/v1/me', signal);
    showCaller();
    const incident = /^#\/incidents\/([a-z0-9-]+)$/.exec(location.hash)?.[1];
    if (incident) await showIncident(main, incident, person, signal);
    else await showList(main, signal);
    main.focus({ preventScroll: true });
  } catch (error) {
    if (signal.aborted) return;
    if (error instanceof ApiProblem && error.status === 401) return signOut(error.message);
    main.replaceChildren(
      el('p', { class: 'error', role: 'alert' }, error.message),
      el('p', {}, el('a', { href: '#/' }, 'All incidents')),
    );
  }
}

function showCaller() {
  const leaveButton = el('button', { type: 'button', class: 'quiet', onclick: () => signOut('') }, 'Sign out');
  caller.replaceChildren(`${person.name} · ${person.roles.join(', ')}`, leaveButton);
}

function signOut(message) {
  session.close();
  person = null;
  caller.replaceChildren();
  showSignIn(message);
}

function showSignIn(message = '') {
  document.title = 'Sign in · Lazaret';
  const token = el('input', {
    id: 'token',
    type: 'password',
    autocomplete: 'off',
    required: true,
    spellcheck: 'false',
  });
  const submit = (event) => {
    event.preventDefault();
    session.open(token.value.trim());
    void route();
  };
  main.replaceChildren(
    el(
      'form',
      { class: 'card narrow', onsubmit: submit },
      el('h1', {}, 'Sign in'),
      el('p', { class: 'muted' }, 'With the token of a person of lazaret.yaml. It stays in this tab only.'),
      message ? el('p', { class: 'error', role: 'alert' }, message) : null,
      el('label', { for: 'token' }, 'Token'),
      token,
      el('button', { type: 'submit' }, 'Sign in'),
    ),
  );
  token.focus();
}

addEventListener('hashchange', () => void route());
void route();
