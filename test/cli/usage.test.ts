import { describe, expect, it } from '@jest/globals';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { plain, table } from '../../cli/terminal.ts';
import { lazaret } from './command.ts';

const home = mkdtempSync(join(tmpdir(), 'lazaret-cli-'));

describe('the command', () => {
  it('explains itself with examples and exit statuses', async () => {
    const { status, stdout } = await lazaret(['--help']);
    expect(status).toBe(0);
    expect(stdout).toContain('Examples:');
    expect(stdout).toMatch(
      /0\s+it succeeded[^]*1\s+it ran and did not succeed[^]*2\s+the command was wrong[^]*3\s+no station answers/,
    );
  });

  it.each([
    ['station', 'up'],
    ['drill', 'run'],
    ['incident', 'approve'],
    ['incident', 'watch'],
    ['golden', 'register'],
    ['golden', 'show'],
    ['sign'],
    ['verify'],
    ['doctor'],
    ['demo'],
  ])('has examples in the help of %s %s', async (...words) => {
    const { status, stdout } = await lazaret([...words, '--help']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/Examples?:\n {2}\$ lazaret /);
  });

  it('ends with status 2 where the command is wrong', async () => {
    expect((await lazaret(['incident', 'forgive', 'x'])).status).toBe(2);
    expect((await lazaret(['station', 'up', '--no-such-option'])).status).toBe(2);
    expect((await lazaret(['verify', join(home, 'absent.tar')])).status).toBe(2);
    expect((await lazaret(['drill', 'run', 'sticker', '--seed', 'seven'])).stderr).toContain('whole number');
  });

  it('ends with status 3, a sentence and a remedy where no station runs', async () => {
    const { status, stderr, stdout } = await lazaret(['incident', 'list', '--home', home]);
    expect(status).toBe(3);
    expect(stderr).toContain('start one with "npm start"');
    expect(stdout).toBe('');
  });

  it('answers in JSON also when it fails', async () => {
    const ran = await lazaret(['incident', 'list', '--json', '--home', home]);
    expect(ran.json()).toEqual({ error: { code: null, message: expect.stringContaining('no station runs') } });
    const stationStatus = await lazaret(['station', 'status', '--json', '--home', home]);
    expect(stationStatus.status).toBe(3);
    expect(stationStatus.json()).toMatchObject({ running: false });
  });
});

describe('what an attacker wrote', () => {
  it('cannot move the cursor, colour the line or turn its direction before an approver', () => {
    const hostile = 'fine\u001b[2K\u001b[1Aapproved by all\u0007 \u202egnorw';
    expect(plain(hostile)).toBe('fineapproved by all� �gnorw');
  });

  it('does not shift the columns of a table', () => {
    const lines = table(
      ['a', 'b'],
      [
        ['\u001b[31mred\u001b[39m', 'x'],
        ['longer', 'y'],
      ],
    ).split('\n');
    expect(lines.at(-1)).toBe('longer  y');
    expect(lines.at(-2)).toContain('red\u001b[39m     x');
  });
});
