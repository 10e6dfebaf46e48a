import type { IncidentClient } from '../../clients/temporal/incident-client.ts';

/** Proxies close connections that say nothing for a minute. */
const HEARTBEAT_MS = 15_000;
/** A poll is a query that a worker answers: one watcher costs one query per interval. */
const POLL_MS = 1_000;

/**
 * The case log as server-sent events: `event: entry` with the sequence number as id, so that a browser that comes back goes on where it
 * stopped; `event: end` after the last entry of a closed incident; a comment as heartbeat.
 */
export async function* entryStream(
  incidents: Pick<IncidentClient, 'watch'>,
  incident: string,
  from: number,
  clock: () => Date,
): AsyncGenerator<string, void, undefined> {
  yield 'retry: 2000\n\n';
  let spoke = clock().getTime();
  for await (const entries of incidents.watch(incident, { from, pollMs: POLL_MS })) {
    const now = clock().getTime();
    if (entries.length === 0 && now - spoke < HEARTBEAT_MS) continue;
    spoke = now;
    // JSON escapes line breaks, so an entry cannot forge another event.
    const events = entries.map((entry) => `id: ${entry.seq}\nevent: entry\ndata: ${JSON.stringify(entry)}\n\n`);
    yield events.length > 0 ? events.join('') : ': still here\n\n';
  }
  yield 'event: end\ndata: {}\n\n';
}
