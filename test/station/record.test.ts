import { afterAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { choosePorts } from '../../station/ports.ts';
import { isAlive, startOf } from '../../station/process-identity.ts';
import { endOrphans, readRecord, runningRecord, writeRecord, type StationRecord } from '../../station/record.ts';

const folder = mkdtempSync(join(tmpdir(), 'lazaret-record-'));
const file = join(folder, 'station.json');
const children: number[] = [];
afterAll(() => {
  for (const pid of children) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended by itself.
    }
  }
});

function sleeper(name: string) {
  const { pid = 0 } = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], {
    stdio: 'ignore',
    detached: true,
  });
  children.push(pid);
  return { name, pid, start: startOf(pid) ?? '' };
}

function record(supervisor: StationRecord['supervisor'], processes: StationRecord['processes']): StationRecord {
  const urls = { api: 'a', inference: 'b', admin: 'c', s3: 'd', temporal: 'e', temporalUi: null };
  return { schema: 'lazaret.station/v1', supervisor, startedAt: '2026-01-01T00:00:00Z', ready: true, processes, urls };
}

describe('the record of a station', () => {
  it('says that one runs for as long as its supervisor does', () => {
    const supervisor = { name: 'supervisor', pid: process.pid, start: startOf(process.pid) ?? '' };
    writeRecord(file, record(supervisor, []));
    expect(runningRecord(file)?.urls.api).toBe('a');
    writeRecord(file, record({ ...supervisor, start: '1' }, []));
    expect(runningRecord(file)).toBeNull();
  });

  it('is nothing where the file is torn or foreign: a killed station can always be started again', () => {
    writeFileSync(file, '{"schema":"lazaret.stat');
    expect(readRecord(file)).toBeNull();
    expect(runningRecord(file)).toBeNull();
  });

  it('leads to what a killed supervisor left behind, which is ended', async () => {
    const orphan = sleeper('api');
    writeRecord(file, record({ name: 'supervisor', pid: 4_194_305, start: '1' }, [orphan]));
    expect(await endOrphans(file)).toEqual(['api']);
    expect(isAlive(orphan.pid, orphan.start)).toBe(false);
  });

  it('never leads to a stranger who was given the pid of a process that is gone', async () => {
    const stranger = sleeper('stranger');
    writeRecord(file, record({ name: 'supervisor', pid: 4_194_305, start: '1' }, [{ ...stranger, start: '12345' }]));
    expect(await endOrphans(file)).toEqual([]);
    expect(isAlive(stranger.pid, stranger.start)).toBe(true);
  });
});

describe('the ports of a station', () => {
  it('stay the same from start to start, and move when somebody else listens there', async () => {
    const ports = join(folder, 'ports.json');
    const first = await choosePorts(ports, { anywhere: true });
    expect(new Set(Object.values(first.ports)).size).toBe(6);
    expect((await choosePorts(ports, { anywhere: true })).ports).toEqual(first.ports);
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(first.ports.api, '127.0.0.1', resolve));
    const second = await choosePorts(ports, { anywhere: true });
    expect(second.moved).toEqual([{ name: 'api', from: first.ports.api, to: second.ports.api }]);
    await new Promise((resolve) => taken.close(resolve));
  });
});
