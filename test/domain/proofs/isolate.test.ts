import { describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';

const FOLDER = new URL('../../../domain/proofs/', import.meta.url);
const files = readdirSync(FOLDER).map((name) => ({ name, text: readFileSync(new URL(name, FOLDER), 'utf8') }));

describe("the proofs run in a workflow's isolate", () => {
  it.each(files)('$name imports only noble and the domain, and zod never', ({ text }) => {
    for (const [, typeOnly, from] of text.matchAll(/^import (type )?.*? from '(.*)';$/gm)) {
      expect(from).toMatch(typeOnly ? /^\.\.?\// : /^(@noble\/(hashes|curves)\/|\.\/)/);
    }
  });

  it.each(files)('$name uses no global that the isolate lacks, no clock and no randomness', ({ text }) => {
    const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
    expect(code).not.toMatch(
      /\b(Buffer|process|crypto|atob|btoa|performance|setTimeout|structuredClone)\b|Date\.now|new Date\(\)|Math\.random/,
    );
  });
});
