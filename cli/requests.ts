import { createS3Store } from '../clients/s3/store.ts';
import { findInferences } from '../evidence/request-log/find.ts';
import { configuration, connections } from './connections.ts';
import { CommandError, EXIT } from './exit.ts';
import { faint, plain, strong, table, type Terminal } from './terminal.ts';

interface RequestsOptions {
  readonly since: string;
  readonly from?: string;
  readonly to?: string;
  readonly client?: string;
  readonly digest?: string;
  readonly most: string;
}

const UNITS_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const SHOWN_DIGEST = 19;

/** Looks an endpoint's inferences up in the segments that its gateways have shipped; the last minute may still be on their disks. */
export async function requests(terminal: Terminal, endpoint: string, options: RequestsOptions): Promise<void> {
  const { endpoints } = configuration();
  if (!Object.hasOwn(endpoints, endpoint))
    throw new CommandError(
      EXIT.usage,
      `unknown endpoint ${JSON.stringify(endpoint)}: lazaret.yaml declares ${Object.keys(endpoints).join(', ')}`,
    );
  const now = Date.now();
  const to = options.to === undefined ? now : time(options.to, '--to');
  const from = options.from === undefined ? now - duration(options.since) : time(options.from, '--from');
  const store = createS3Store(connections().s3);
  try {
    const found = await findInferences(store, {
      endpoint,
      from,
      to,
      ...(options.client === undefined ? {} : { client: options.client }),
      ...(options.digest === undefined ? {} : { digest: options.digest }),
      most: count(options.most),
    });
    const rows = found.inferences.map((one) => [
      one.at,
      plain(one.client),
      one.stance,
      String(one.top[0]?.[0] ?? '–'),
      one.top[0]?.[1].toFixed(3) ?? '–',
      `${(one.latencyUs / 1000).toFixed(2)} ms`,
      one.model?.slice(0, SHOWN_DIGEST) ?? 'rules',
      plain(one.id),
    ]);
    if (rows.length > 0)
      terminal.say(table(['when', 'client', 'stance', 'class', 'sure', 'took', 'model', 'request'], rows));
    const what = `${found.inferences.length} inferences${found.cut ? ' (there are more: raise --most)' : ''}`;
    terminal.say(`${strong(what)} in ${found.segments} segments ${faint('(the last minute may not be shipped yet)')}`);
    if (found.lost > 0) terminal.say(`${found.lost} lines could not be kept by the gateways, as they say themselves.`);
    for (const gap of found.gaps) terminal.say(`! ${plain(gap)}`);
    terminal.result(found);
    if (found.gaps.length > 0) process.exitCode = EXIT.failed;
  } finally {
    store.close();
  }
}

function duration(text: string): number {
  const [, number = '', unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  if (number === '')
    throw new CommandError(EXIT.usage, `--since: expected a duration like 90s, 15m, 6h or 2d, got ${text}`);
  return Number(number) * (UNITS_MS[unit] ?? 0);
}

function time(text: string, option: string): number {
  const found = Date.parse(text);
  if (Number.isNaN(found))
    throw new CommandError(EXIT.usage, `${option}: expected a time like 2026-11-21T20:00:00Z, got ${text}`);
  return found;
}

function count(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new CommandError(EXIT.usage, `--most: expected a number from 1, got ${text}`);
  return Number(text);
}
