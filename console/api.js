const KEY = 'lazaret.token';

/** The token lives as long as the tab; it is never written to disk, nor sent anywhere but this origin. */
export const session = {
  get token() {
    return sessionStorage.getItem(KEY);
  },
  open(token) {
    sessionStorage.setItem(KEY, token);
  },
  close() {
    sessionStorage.removeItem(KEY);
  },
};

/** A problem document (RFC 9457) as an error. */
export class ApiProblem extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

async function request(path, options = {}) {
  let response;
  try {
    response = await fetch(path, {
      ...options,
      headers: { ...options.headers, authorization: `Bearer ${session.token}` },
    });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new ApiProblem(0, 'The API does not answer.');
  }
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({}));
  throw new ApiProblem(response.status, problem.detail ?? `The API answered ${response.status}.`);
}

export const get = async (path, signal) => (await request(path, { signal })).json();

export const post = async (path, body) =>
  (
    await request(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
  ).json();

/** Saves what only a signed-in person may read: a plain link could not carry the token. */
export async function download(path, name) {
  const url = URL.createObjectURL(await (await request(path)).blob());
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** Server-sent events over fetch, because EventSource cannot send the token. Calls back with each entry; comes back after a lost connection. */
export async function follow(incident, onEntry, signal) {
  let next = 0;
  while (!signal.aborted) {
    try {
      const path = `/v1/incidents/${encodeURIComponent(incident)}/stream?from=${next}`;
      const reader = (await request(path, { signal })).body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = '';
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        const events = (rest + value).split('\n\n');
        rest = events.pop();
        for (const event of events) {
          if (event.includes('event: end')) return;
          const data = /^data: (.*)$/m.exec(event)?.[1];
          if (!data || !event.includes('event: entry')) continue;
          const entry = JSON.parse(data);
          next = entry.seq + 1;
          onEntry(entry);
        }
      }
    } catch (error) {
      if (signal.aborted || error.status === 401 || error.status === 404) return;
    }
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
}
