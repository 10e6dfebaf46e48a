import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Engines are large and the same for every checkout, so they live in the user's cache. */
export const engineCache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'lazaret', 'engines');

/** Something a person has to mend: one sentence with the remedy. `stops` where later steps cannot even be tried. */
export class Problem extends Error {
  constructor(message, { stops = false } = {}) {
    super(message);
    this.stops = stops;
  }
}

export function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return null;
  }
}

/** Written under another name and renamed, so that an interruption leaves the old file or the new one. */
export function writeWhole(path, text) {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, text);
  renameSync(temporary, path);
}

/** SHA-256 over the names and contents of files, folders walked in order. What is not there counts as empty. */
export function fingerprint(paths, accepts = () => true) {
  const hash = createHash('sha256');
  const visit = (path) => {
    let entries;
    try {
      entries = readdirSync(join(root, path), { withFileTypes: true });
    } catch (error) {
      if (error.code === 'ENOTDIR')
        hash
          .update(`${path}\0`)
          .update(readFileSync(join(root, path)))
          .update('\0');
      return;
    }
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const child = `${path}/${entry.name}`;
      if (entry.isDirectory() || accepts(child)) visit(child);
    }
  };
  for (const path of paths) visit(path);
  return hash.digest('hex');
}
