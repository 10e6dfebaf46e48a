import { describe, expect, it } from '@jest/globals';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const pages = ['README.md', ...globSync('docs/**/*.md', { cwd: root })].map((path) => ({
  path,
  text: readFileSync(join(root, path), 'utf8'),
}));

/** Code spans and code blocks: what a reader would paste into a terminal. */
function commandsIn(text: string): readonly string[] {
  return [...text.matchAll(/```[^\n]*\n([\s\S]*?)```|`([^`\n]+)`/g)].flatMap((match) =>
    (match[1] ?? match[2] ?? '').split('\n'),
  );
}

const manifest: unknown = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const scripts = new Set(
  typeof manifest === 'object' && manifest !== null && 'scripts' in manifest && typeof manifest.scripts === 'object'
    ? Object.keys(manifest.scripts ?? {})
    : [],
);

describe.each(pages)('$path', ({ path, text }) => {
  it('names only npm scripts that exist', () => {
    const named = commandsIn(text).flatMap((line) => {
      const found = /\bnpm (?:run )?([a-z][a-z:-]*)/.exec(line)?.[1];
      return found === undefined || ['install', 'ci', 'audit', 'i', 'run'].includes(found) ? [] : [found];
    });
    expect(named.filter((name) => !scripts.has(name))).toEqual([]);
  });

  it('names only sub-commands of the CLI that exist', () => {
    const cli = globSync('cli/*.ts', { cwd: root })
      .map((file) => readFileSync(join(root, file), 'utf8'))
      .join('\n');
    const named = commandsIn(text).flatMap((line) => {
      const found = /(?:^\s*(?:\$ )?|run )lazaret(?: --)? ([a-z]+)(?: ([a-z]+)\b(?![./]))?/.exec(line);
      return found ? [[found[1] ?? '', found[2]] as const] : [];
    });
    const declared = (word: string): boolean =>
      new RegExp(`command\\((['"\`])${word}\\b`).test(cli) || new RegExp(`^\\s+${word}: '`, 'm').test(cli);
    const missing = named.flatMap(([group, verb]) => [
      ...(declared(group) ? [] : [group]),
      ...(verb !== undefined && ['incident', 'drill', 'golden', 'station'].includes(group) && !declared(verb)
        ? [`${group} ${verb}`]
        : []),
    ]);
    expect(missing).toEqual([]);
  });

  it('links only to files and headings that exist', () => {
    const broken = [...text.matchAll(/(?:\]\(|src="|href="|srcset=")([^)"\s]+)/g)]
      .map((match) => match[1] ?? '')
      .filter((target) => !/^[a-z]+:/.test(target))
      .filter((target) => {
        const [file = '', anchor] = target.split('#');
        const place = file === '' ? path : relative(root, join(root, dirname(path), file));
        if (!existsSync(join(root, place))) return true;
        return anchor !== undefined && !anchorsOf(readFileSync(join(root, place), 'utf8')).has(anchor);
      });
    expect(broken).toEqual([]);
  });
});

/** The anchors of a page as GitHub makes them: lower case, punctuation dropped, spaces to hyphens. */
function anchorsOf(text: string): ReadonlySet<string> {
  return new Set(
    [...text.matchAll(/^#+ (.+)$/gm)].map((match) =>
      (match[1] ?? '')
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}
