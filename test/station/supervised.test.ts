import { afterEach, describe, expect, it } from '@jest/globals';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAlive, startOf } from '../../station/process-identity.ts';
import { supervise, type ProcessPlan, type StationEvent } from '../../station/supervised.ts';

const folder = mkdtempSync(join(tmpdir(), 'lazaret-supervised-'));
const started: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const member of started.splice(0)) await member.stop();
});

function plan(name: string, script: string, more: Partial<ProcessPlan> = {}): ProcessPlan {
  const mark = join(folder, `${name}.mark`);
  rmSync(mark, { force: true });
  return {
    name,
    command: process.execPath,
    args: ['-e', script.replaceAll('MARK', JSON.stringify(mark))],
    cwd: folder,
    env: {},
    log: join(folder, `${name}.log`),
    ready: (since) => Promise.resolve(existsSync(mark) && Number(readFileSync(mark, 'utf8')) >= since.getTime()),
    graceMs: 500,
    ...more,
  };
}

const STAYS = `require('fs').writeFileSync(MARK, String(Date.now())); setInterval(() => {}, 1000)`;

function watched(made: ProcessPlan) {
  const events: StationEvent[] = [];
  const member = supervise(
    made,
    (event) => events.push(event),
    () => {},
  );
  started.push(member);
  return { member, events, kinds: () => events.map(({ event }) => event) };
}

describe('a supervised process', () => {
  it('is ready when it answers, and gone when it was stopped', async () => {
    const { member, kinds } = watched(plan('stays', STAYS));
    await member.start();
    const { pid, start } = member.state();
    expect(isAlive(pid ?? 0, start ?? '')).toBe(true);
    await member.stop();
    expect(isAlive(pid ?? 0, start ?? '')).toBe(false);
    expect(kinds()).toEqual(['started', 'ready', 'stopped']);
  });

  it('is started again after kill -9, and says so', async () => {
    const { member, kinds } = watched(plan('killed', STAYS));
    await member.start();
    const before = member.state().pid;
    member.kill('SIGKILL');
    await member.whenReady();
    expect(member.state().pid).not.toBe(before);
    expect(member.state().restarts).toBe(1);
    expect(kinds()).toEqual(['started', 'ready', 'exited', 'restarting', 'started', 'ready']);
  });

  it('that ignores SIGTERM is ended all the same', async () => {
    const { member } = watched(plan('stubborn', `process.on('SIGTERM', () => {}); ${STAYS}`));
    await member.start();
    const { pid, start } = member.state();
    await member.stop();
    expect(isAlive(pid ?? 0, start ?? '')).toBe(false);
  });

  it('that never starts is given up with the end of its log, not restarted for ever', async () => {
    const { member, kinds } = watched(plan('broken', `console.error('no such port'); process.exit(3)`));
    await expect(member.start()).rejects.toThrow(/broken does not start \(status 3\)[^]*no such port/);
    expect(kinds().filter((event) => event === 'started')).toHaveLength(3);
    expect(kinds().at(-1)).toBe('gave-up');
  });

  it('whose program does not exist is given up too', async () => {
    const { member } = watched(plan('absent', '', { command: join(folder, 'no-such-program') }));
    await expect(member.start()).rejects.toThrow(/ENOENT/);
  });

  it('can be taken away and brought back', async () => {
    const { member } = watched(plan('away', STAYS));
    await member.start();
    await member.stop();
    expect(member.state().ready).toBe(false);
    await member.start();
    expect(member.state().ready).toBe(true);
  });
});

describe('the identity of a process', () => {
  it('is its pid and its start together: another start is another process', () => {
    const start = startOf(process.pid);
    expect(start).not.toBeNull();
    expect(isAlive(process.pid, start ?? '')).toBe(true);
    expect(isAlive(process.pid, '1')).toBe(false);
  });

  it('is nothing for a pid that nobody has', () => {
    expect(startOf(2 ** 22 + 1)).toBeNull();
  });
});
