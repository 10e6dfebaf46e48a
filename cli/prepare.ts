import { prepareBuckets } from '../clients/s3/buckets.ts';
import { createTemporalProbe } from '../station/readiness.ts';
import { stationPaths } from '../station/paths.ts';
import { provision as makeState } from '../station/provision.ts';
import { connections } from './connections.ts';
import type { Terminal } from './terminal.ts';

const PATIENCE_MS = 120_000;
const PAUSE_MS = 1000;

/** Buckets and search attributes where somebody else runs S3 and Temporal: the one-shot container of docker-compose.yml. */
export async function prepare(terminal: Terminal): Promise<void> {
  const { s3, temporal } = connections();
  await patiently(terminal, 'S3', () => prepareBuckets(s3));
  terminal.say(`buckets ${s3.evidenceBucket} (Object Lock) and ${s3.artifactsBucket} are there`);
  const probe = createTemporalProbe(temporal.LAZARET_TEMPORAL_ADDRESS, temporal.LAZARET_TEMPORAL_NAMESPACE);
  try {
    const added = await patiently(terminal, 'Temporal', () => probe.prepare());
    terminal.say(added.length > 0 ? `search attributes added: ${added.join(', ')}` : 'search attributes are there');
    terminal.result({ buckets: [s3.evidenceBucket, s3.artifactsBucket], searchAttributesAdded: added });
  } finally {
    await probe.close();
  }
}

/** Engines of a fresh installation start in their own time; a minute or two is no failure yet. */
async function patiently<T>(terminal: Terminal, what: string, call: () => Promise<T>): Promise<T> {
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (Date.now() > until) throw error;
      terminal.progress(`${what} is not ready yet: ${error instanceof Error ? error.message : String(error)}`);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}

/** Keys, credentials, people and a lazaret.yaml for a station that is started by other means, such as docker compose. */
export async function provision(
  terminal: Terminal,
  folder: string,
  options: { admin: string; inference: string },
): Promise<void> {
  const paths = stationPaths(folder);
  makeState(paths, options);
  terminal.say(`keys, credentials, people and ${paths.configuration} are there; what was there before is unchanged`);
  terminal.result({ home: paths.home, configuration: paths.configuration, trust: paths.trust });
  await Promise.resolve();
}
