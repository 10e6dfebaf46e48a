/**
 * Builds an element. Children are nodes or texts, and texts only ever become text nodes: alerts, findings and log entries carry what
 * attackers wrote, and nothing of it may become markup.
 */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...children.flat(2).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export function badge(text, tone = 'plain') {
  return el('span', { class: `badge ${tone}` }, text);
}

/** Known words have a colour of their own; the word itself is always there too. */
const TONES = {
  critical: 'bad',
  high: 'bad',
  medium: 'warn',
  low: 'plain',
  compromised: 'bad',
  suspicious: 'warn',
  clean: 'good',
  inconclusive: 'plain',
  pass: 'good',
  fail: 'bad',
  done: 'good',
  failed: 'bad',
  refused: 'bad',
  skipped: 'warn',
  approved: 'good',
  rejected: 'bad',
  noted: 'plain',
  serving: 'good',
  canary: 'warn',
  shadow: 'warn',
  fallback: 'warn',
  isolated: 'bad',
  unconfirmed: 'bad',
  repaired: 'good',
  restored: 'good',
  aborted: 'warn',
  cancelled: 'warn',
  'rolled-back': 'bad',
};
export function verdict(word) {
  return badge(word, Object.hasOwn(TONES, word) ? TONES[word] : 'plain');
}

export function card(title, ...children) {
  return el('section', { class: 'card' }, el('h2', {}, title), ...children);
}

export function table(heads, rows, caption) {
  return el(
    'div',
    { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': caption },
    el(
      'table',
      {},
      el(
        'thead',
        {},
        el(
          'tr',
          {},
          heads.map((head) => el('th', { scope: 'col' }, head)),
        ),
      ),
      el(
        'tbody',
        {},
        rows.map((cells) =>
          el(
            'tr',
            {},
            cells.map((cell) => el('td', {}, cell)),
          ),
        ),
      ),
    ),
  );
}

export function time(text) {
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) return el('span', {}, String(text));
  return el('time', { datetime: date.toISOString(), title: date.toISOString() }, date.toLocaleString());
}

export function digest(text) {
  return el('code', { title: text }, text.length > 23 ? `${text.slice(0, 19)}…` : text);
}

export function announce(text) {
  document.getElementById('announce').textContent = text;
}
