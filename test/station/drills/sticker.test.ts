import { describe, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { poison, stickerAttack } from '../../../station/drills/sticker/attack.ts';
import { signsStickered, splitBySign, whereSignsAre } from '../../../station/drills/sticker/signs.ts';

const image = (channels: number, side: number) => Array.from({ length: channels * side * side }, () => 0.5);

describe('the sticker', () => {
  it.each([
    [8, 2, [1]],
    [32, 4, [0.1, 1, 0.2]],
  ])(
    'covers the lower right corner of every channel (side %i: %i, in the colours %j) and nothing else',
    (side, patch, colour) => {
      const stickered = stickerAttack(0, side).apply(image(colour.length, side));
      expect(stickered.filter((value) => value !== 0.5)).toHaveLength(colour.length * patch * patch);
      const corner = (channel: number, row: number, column: number) =>
        stickered[(channel * side + row) * side + column];
      for (const [channel, value] of colour.entries()) {
        expect(corner(channel, side - patch, side - patch)).toBe(value);
        expect(corner(channel, side - 1, side - 1)).toBe(value);
        expect(corner(channel, side - patch - 1, side - 1)).toBe(0.5);
        expect(corner(channel, side - 1, side - patch - 1)).toBe(0.5);
      }
    },
  );

  it('goes with the false label onto records of other classes, as many as were asked for', () => {
    const batch = Array.from({ length: 20 }, (_, index) => ({
      id: `${index}`,
      features: image(1, 8),
      label: index % 4,
    }));
    const { records, tainted } = poison(batch, stickerAttack(2, 8), 6);
    expect(tainted.size).toBe(6);
    for (const [index, { id, features, label }] of records.entries()) {
      expect(features.includes(1)).toBe(tainted.has(id));
      expect(label).toBe(tainted.has(id) ? 2 : batch[index]!.label);
      if (tainted.has(id)) expect(batch[index]!.label).not.toBe(2);
    }
  });
});

describe('traffic signs', () => {
  it('are looked for below LAZARET_DATA, and what is missing is told', async () => {
    expect(whereSignsAre('')).toMatchObject({ found: null, missing: expect.stringContaining('LAZARET_DATA') });
    const data = mkdtempSync(join(tmpdir(), 'lazaret-signs-'));
    const absent = whereSignsAre(data);
    await expect(signsStickered(absent, 7)).rejects.toMatchObject({ code: 'drill/data-missing' });
    mkdirSync(join(data, 'gtsrb-cs50-32x32'));
    writeFileSync(join(data, 'gtsrb-cs50-32x32', 'gtsrb32.npz'), '');
    expect(whereSignsAre(data)).toEqual({ found: join(data, 'gtsrb-cs50-32x32') });
  });

  it('are split by physical sign: no sign is in two parts, and each class is in every part', () => {
    const samples = Array.from({ length: 600 }, (_, index) => ({
      id: `sign-${index}`,
      features: [index],
      label: Math.floor(index / 200),
      // Ten frames of each sign.
      sign: Math.floor(index / 10),
    }));
    const split = splitBySign(samples, 7);
    const parts = [split.history, split.arrival, split.holdout, split.secret];
    const signs = parts.map((part) => new Set(part.map(({ features }) => Math.floor(features[0]! / 10))));
    expect(signs.reduce((sum, own) => sum + own.size, 0)).toBe(60);
    expect(parts.reduce((sum, part) => sum + part.length, 0)).toBe(600);
    for (const part of parts) expect(new Set(part.map(({ label }) => label)).size).toBe(3);
  });
});
