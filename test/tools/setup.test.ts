import { describe, expect, it } from '@jest/globals';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Lock {
  release(): void;
}
const { holdLock } = (await import('../../tools/setup/lock.mjs' as string)) as {
  holdLock(path: string, report: { say(text: string): void }): Promise<Lock>;
};
const folder = mkdtempSync(join(tmpdir(), 'lazaret-setup-'));
const silent = { say: () => {} };

describe('the set-up', () => {
  it('uses nothing but what Node brings: it runs before any package is there', () => {
    const files = ['tools/setup.mjs', ...readdirSync('tools/setup').map((file) => `tools/setup/${file}`)];
    for (const file of files)
      for (const [, from] of readFileSync(file, 'utf8').matchAll(/from '([^']+)'/g))
        expect(from).toMatch(/^(node:|\.)/);
  });

  it('says what it takes, with status 2, for an argument it does not know', () => {
    const ran = spawnSync(process.execPath, ['tools/setup.mjs', '--hurry'], { encoding: 'utf8' });
    expect(ran.status).toBe(2);
    expect(ran.stderr).toContain('--then');
  });

  it('takes turns: the second one waits until the first one is done', async () => {
    const path = join(folder, 'turns');
    const first = await holdLock(path, silent);
    let order = '';
    const holder = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    writeFileSync(path, String(holder.pid));
    const second = holdLock(path, silent).then((lock) => {
      order += 'second ';
      lock.release();
    });
    await new Promise((resolve) => setTimeout(resolve, 400));
    order += 'first ';
    holder.kill('SIGKILL');
    await new Promise((resolve) => holder.once('exit', resolve));
    await second;
    expect(order).toBe('first second ');
    first.release();
  });

  it('takes over the lock of one that was killed', async () => {
    const path = join(folder, 'killed');
    const dead = spawnSync(process.execPath, ['-e', 'console.log(process.pid)'], { encoding: 'utf8' }).stdout.trim();
    writeFileSync(path, dead);
    const lock = await holdLock(path, silent);
    lock.release();
    expect(existsSync(path)).toBe(false);
  });
});
