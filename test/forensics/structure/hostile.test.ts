import { readdirSync, readFileSync, statSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { createRandom } from '../../../forensics/statistics/bootstrap.ts';
import { RULES, scanStructure } from '../../../forensics/structure/scan.ts';

/** Made by corpus/hostile.py; nothing in these files does any harm beyond what its name says. */
const HERE = new URL('./corpus/hostile/', import.meta.url);
const expected = JSON.parse(readFileSync(new URL('expected.json', HERE), 'utf8')) as Record<string, string>;
const file = (name: string): Uint8Array => new Uint8Array(readFileSync(new URL(`${name}.onnx`, HERE)));
const alarms = (bytes: Uint8Array, options?: Parameters<typeof scanStructure>[1]): string[] => [
  ...new Set(
    scanStructure(bytes, options)
      .findings.filter((finding) => finding.level === 'alarm')
      .map((finding) => finding.rule),
  ),
];

describe('the corpus of hostile files', () => {
  it('has more than a hundred files, each under 20 KB, together under 500 KB, and a rule for each', () => {
    const files = readdirSync(HERE).filter((name) => name.endsWith('.onnx'));
    const sizes = files.map((name) => statSync(new URL(name, HERE)).size);
    expect(files.map((name) => name.replace('.onnx', '')).sort()).toEqual(Object.keys(expected).sort());
    expect(files.length).toBeGreaterThan(100);
    expect(Math.max(...sizes)).toBeLessThan(20_000);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(500_000);
  });

  it.each(Object.entries(expected))('%s is found by %s', (name, rule) => {
    expect(alarms(file(name))).toContain(rule);
  });

  it('is scanned in less than two seconds for each file, traps included', () => {
    for (const name of Object.keys(expected)) {
      const began = performance.now();
      scanStructure(file(name));
      expect(performance.now() - began).toBeLessThan(2000);
    }
  });
});

describe('a scan of anything at all', () => {
  const every = Object.keys(expected);
  const total = (bytes: Uint8Array): void => {
    const report = scanStructure(bytes);
    expect(report.alarms + report.notes).toBeGreaterThanOrEqual(report.findings.length);
  };

  it('never throws for a file that was cut off or changed in one byte', () => {
    const random = createRandom(5);
    for (const name of every) {
      const bytes = file(name);
      total(bytes.subarray(0, Math.floor(random() * bytes.length)));
      const changed = bytes.slice();
      changed[Math.floor(random() * changed.length)] = Math.floor(random() * 256);
      total(changed);
    }
  });

  it('flags an empty file, noise, a picture and text', () => {
    const random = createRandom(6);
    const noise = Uint8Array.from({ length: 4096 }, () => Math.floor(random() * 256));
    for (const bytes of [new Uint8Array(), noise, Buffer.from('\x89PNG\r\n\x1a\n'), Buffer.from('hello')])
      expect(alarms(new Uint8Array(bytes))).toContain('encoding/no-graph');
  });

  it('no rule breaks on any file of the corpus, and no name of a file steers the terminal', () => {
    for (const name of every)
      for (const { place, words } of scanStructure(file(name)).findings) {
        expect(words).not.toContain('the rule broke');
        // eslint-disable-next-line no-control-regex -- that is what is looked for
        expect(place + words).not.toMatch(/[\u0000-\u001f\u202a-\u202e]/);
      }
  });

  it('has every rule with its meaning on its page, docs/forensics/structure.md', () => {
    const page = readFileSync(new URL('../../../docs/forensics/structure.md', import.meta.url), 'utf8').replace(
      / +/g,
      ' ',
    );
    for (const { id, meaning } of RULES) expect(page).toMatch(new RegExp(`\\| \`${id}\` \\|.*${escaped(meaning)}`));
  });

  it('has one meaning for each rule', () => {
    expect(new Set(RULES.map((rule) => rule.id)).size).toBe(RULES.length);
    expect(new Set(RULES.map((rule) => rule.meaning)).size).toBe(RULES.length);
  });
});

describe('files beside the model', () => {
  it('are checked for being there and for their size where they are known', () => {
    const bytes = file('external-key');
    expect(alarms(bytes, { externalFiles: new Map() })).toContain('external/missing');
    expect(alarms(bytes, { externalFiles: new Map([['weights.bin', 4]]) })).toContain('external/range');
    expect(alarms(bytes, { externalFiles: new Map([['weights.bin', 4096]]) })).toEqual(['external/key']);
  });
});

describe('with the golden model at hand', () => {
  it('what the same graph has in the golden model as well is no alarm', () => {
    const bytes = file('where-on-pixel');
    const report = scanStructure(bytes, { golden: bytes });
    expect(report.alarms).toBe(0);
    expect(report.findings.some((finding) => finding.rule === 'gate/select' && finding.inGolden)).toBe(true);
  });

  it('a gate stays an alarm against a golden model of another graph', () => {
    expect(alarms(file('where-on-pixel'), { golden: file('where-before-softmax') })).toContain('gate/select');
  });

  it('a note that the golden model does not give becomes an alarm', () => {
    const bytes = file('external-overlap');
    expect(alarms(bytes)).not.toContain('external/data');
    expect(alarms(bytes, { golden: file('two-places') })).toContain('external/data');
  });

  it('an added output is an alarm', () => {
    expect(alarms(file('add-decision'), { golden: file('where-on-pixel') })).toContain('golden/outputs');
  });

  it('weights that moved in their lowest byte only are an alarm, and so nothing else is', () => {
    const golden = file('metadata-script');
    const suspect = golden.slice();
    const at = Buffer.from(golden).indexOf(weightOf(golden));
    for (let weight = 0; weight < 128; weight += 3) {
      const place = at + weight * 4;
      suspect[place] = (suspect[place] ?? 0) ^ 0x5a;
    }
    expect(alarms(suspect, { golden })).toEqual(['golden/low-bits']);
  });
});

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** The first 512-byte field of raw data: the first layer's weights of the corpus's network. */
function weightOf(bytes: Uint8Array): Buffer {
  const buffer = Buffer.from(bytes);
  const at = buffer.indexOf(Buffer.from([0x4a, 0x80, 0x04]));
  return buffer.subarray(at + 3, at + 3 + 512);
}
