import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { command } from './progress.mjs';
import { tail } from './node.mjs';
import { Problem, fingerprint, readJson, root, writeWhole } from './place.mjs';

const venv = join(root, 'trainer', '.venv');
const python = join(venv, 'bin', 'python');
const stampPath = join(venv, 'lazaret.json');
const LOCKS = { user: 'trainer/requirements.lock', dev: 'trainer/requirements-dev.lock' };

/** The trainer's environment, from the lock file with hashes. The stamp names the locks it was made from. */
export function pythonDependencies({ dev }) {
  const wanted = () => ({
    user: fingerprint([LOCKS.user]),
    dev: dev && existsSync(join(root, LOCKS.dev)) ? fingerprint([LOCKS.dev]) : null,
  });
  return {
    ready() {
      const stamp = readJson(stampPath);
      const { user, dev: developer } = wanted();
      return existsSync(python) && stamp?.user === user && (developer === null || stamp.dev === developer);
    },
    async run(report) {
      const stamps = wanted();
      if (!works(python)) {
        const base = findPython();
        await report.during('making the Python environment of the trainer', async () => {
          try {
            await command(base, ['-m', 'venv', '--clear', venv]);
          } catch (error) {
            throw new Problem(
              `Python's venv module does not work: install it (on Debian and Ubuntu: apt install python3-venv).\n${tail(error)}`,
            );
          }
        });
      }
      const locks = [LOCKS.user, ...(stamps.dev === null ? [] : [LOCKS.dev])];
      await report.during('installing the locked Python packages', async (note) => {
        const pip = ['-m', 'pip', 'install', '--disable-pip-version-check', '--no-input', '--require-hashes'];
        try {
          await command(python, [...pip, ...locks.flatMap((lock) => ['-r', lock])], { cwd: root, note });
        } catch (error) {
          throw new Problem(
            `pip did not succeed; check the connection to your Python package index and repeat.\n${tail(error)}`,
          );
        }
      });
      writeWhole(stampPath, `${JSON.stringify(stamps)}\n`);
    },
  };
}

/** Newest first among those the trainer's lock file has wheels for; LAZARET_PYTHON names another one. */
function findPython() {
  const candidates = [process.env.LAZARET_PYTHON, 'python3.13', 'python3.12', 'python3.11', 'python3', 'python'];
  for (const candidate of candidates) if (candidate && works(candidate)) return candidate;
  throw new Problem(
    'Python 3.11 or newer is missing: install it with your package manager, or name one in LAZARET_PYTHON.',
  );
}

function works(file) {
  const test = 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else 1)';
  return spawnSync(file, ['-c', test], { stdio: 'ignore' }).status === 0;
}
