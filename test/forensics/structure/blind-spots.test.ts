import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { scanStructure } from '../../../forensics/structure/scan.ts';

/** Made by corpus/missed.py. When one of these is found some day, docs/forensics/structure.md has to say so. */
const file = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`./corpus/missed/${name}.onnx`, import.meta.url)));

describe('what a scan of the file alone does not flag', () => {
  it('a trigger in the weights of an ordinary layer, not even as a note', () => {
    expect(scanStructure(file('implanted-neuron')).findings).toEqual([]);
  });

  it('a cipher text in the low bits of the weights', () => {
    expect(scanStructure(file('encrypted-low-bits')).findings).toEqual([]);
  });

  it.each(['denied-answer', 'steered-feature'])('%s, which stays a note', (name) => {
    const report = scanStructure(file(name));
    expect(report.alarms).toBe(0);
    expect(report.findings.some((finding) => finding.rule.startsWith('gate/'))).toBe(true);
  });
});

describe('what the golden model adds', () => {
  it.each(['denied-answer', 'steered-feature'])('%s is an alarm, because the golden model has no such gate', (name) => {
    const report = scanStructure(file(name), { golden: file('honest') });
    expect(
      report.findings.filter((finding) => finding.level === 'alarm').map((finding) => finding.rule),
    ).toContainEqual(expect.stringMatching(/^gate\//));
  });

  it('nothing is an alarm in the golden model itself', () => {
    expect(scanStructure(file('honest'), { golden: file('honest') }).alarms).toBe(0);
  });
});
