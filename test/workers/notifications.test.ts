import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { createNotifier, type Notification } from '../../workers/notifications.ts';

const NOW = '2026-03-01T12:00:00.000Z';
const message = (about: Partial<Notification> = {}): Notification => ({
  incident: 'gate-0123abcd',
  endpoint: 'gate',
  subject: 'plan gate: gate waits for an approval',
  body: 'drop 5 records and retrain\ndigest sha256:…',
  ...about,
});

let root: string;
let folder: string;
let logged: Record<string, unknown>[];
let notify: ReturnType<typeof createNotifier>;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lazaret-notifications-'));
  folder = join(root, 'not', 'there', 'yet');
  logged = [];
  const log = pino({ base: null }, { write: (line: string) => void logged.push(JSON.parse(line)) });
  notify = createNotifier(folder, log, () => new Date(NOW));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const lines = (file = 'gate-0123abcd.ndjson'): unknown[] =>
  readFileSync(join(folder, file), 'utf8')
    .split('\n')
    .filter((line) => line.length > 0)
    .map((line): unknown => JSON.parse(line));

describe('a notification', () => {
  it('is one JSON line with its time in the incident’s file, whose folder is made on demand', async () => {
    await notify(message());
    expect(lines()).toEqual([{ at: NOW, ...message() }]);
  });

  it('is appended: what people were told before stays', async () => {
    await notify(message());
    await notify(message({ subject: 'release gate: gate waits for an approval' }));
    expect(lines()).toEqual([
      { at: NOW, ...message() },
      { at: NOW, ...message({ subject: 'release gate: gate waits for an approval' }) },
    ]);
  });

  it('is kept apart from those of other incidents', async () => {
    await Promise.all([notify(message()), notify(message({ incident: 'kiosk-89abcdef' })), notify(message())]);
    expect(readdirSync(folder).toSorted()).toEqual(['gate-0123abcd.ndjson', 'kiosk-89abcdef.ndjson']);
    expect(lines()).toHaveLength(2);
  });

  it('stays one line whatever its text holds', async () => {
    await notify(message({ body: 'first\nsecond\r\n{"at":"forged"}\u2028' }));
    expect(lines()).toHaveLength(1);
  });

  it('is a log line at level warn too, also when the folder cannot be written', async () => {
    await notify(message());
    expect(logged).toEqual([
      expect.objectContaining({ level: 40, msg: message().subject, incident: 'gate-0123abcd', endpoint: 'gate' }),
    ]);
    writeFileSync(join(root, 'file'), '');
    const log = pino({ base: null }, { write: (line: string) => void logged.push(JSON.parse(line)) });
    await expect(createNotifier(join(root, 'file'), log, () => new Date(NOW))(message())).rejects.toThrow();
    expect(logged).toHaveLength(2);
  });
});
