import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { fairnessSchema, RISK_CLASSES, robustnessSchema, slicesSchema } from '../../domain/contracts/gates.ts';
import { THRESHOLDS } from '../../domain/incident/thresholds.ts';
import { ALL_TERMS } from '../../forensics/validation/terms.ts';

const page = readFileSync(new URL('../../docs/validation.md', import.meta.url), 'utf8');

describe('docs/validation.md', () => {
  it('has every threshold of every risk class as the code has it', () => {
    const rows = new Map(
      [...page.matchAll(/^\| `(\w+)`\s*\|([^\n]*)\|$/gm)].map((match) => [
        match[1],
        (match[2] ?? '').split('|').map((cell) => Number(cell.trim())),
      ]),
    );
    for (const name of Object.keys(THRESHOLDS.high) as (keyof typeof THRESHOLDS.high)[])
      expect([name, rows.get(name)]).toEqual([name, ['high', 'limited', 'low'].map((one) => of(one)[name])]);
    function of(name: string) {
      return THRESHOLDS[RISK_CLASSES.find((one) => one === name) ?? 'high'];
    }
  });

  it('shows only settings that the station takes', () => {
    const blocks = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => parse(match[1] ?? '') as unknown);
    const model = z.object({
      models: z.object({
        credit: z.object({
          fairness: fairnessSchema.optional(),
          slices: slicesSchema.optional(),
          robustness: robustnessSchema.optional(),
        }),
      }),
    });
    const declared = blocks.map((block) => model.parse(block).models.credit);
    expect(declared.some((one) => one.fairness && one.slices)).toBe(true);
    expect(declared.some((one) => one.robustness)).toBe(true);
  });

  it('has every term of a regulator or standard that a report may show', () => {
    const plain = page.replace(/\s+/g, ' ');
    expect(ALL_TERMS.filter((term) => !plain.includes(term))).toEqual([]);
  });
});
