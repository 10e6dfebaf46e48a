import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { command, CommandFailed } from './progress.mjs';
import { Problem, readJson, root } from './place.mjs';

const OLDEST_NODE = 20;

/** The runtime of the project comes with its dependencies; the machine's own Node only starts the set-up. */
export const pinnedNode = () => join(root, 'node_modules', '.bin', 'node');

export function checkNode() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major >= OLDEST_NODE) return;
  throw new Problem(
    `Node ${process.versions.node} is too old to start with: install Node ${OLDEST_NODE} or newer (the project's own runtime then comes with its dependencies).`,
  );
}

export function nodeDependencies() {
  return {
    ready: () => inStep() && existsSync(pinnedNode()),
    async run(report) {
      const env = { ...process.env, PATH: pathWithoutOurs() };
      if (spawnSync('npm', ['--version'], { env }).status !== 0)
        throw new Problem(
          'npm is missing: install it (it comes with Node, on some distributions as the package "npm").',
          {
            stops: true,
          },
        );
      await report.during('installing the locked Node packages', async (note) => {
        try {
          await command('npm', ['ci', '--no-progress', '--loglevel=error'], { cwd: root, env, note });
        } catch (error) {
          throw new Problem(
            `npm ci did not succeed; check the connection to your npm registry and repeat.\n${tail(error)}`,
            { stops: true },
          );
        }
      });
      const runs = spawnSync(pinnedNode(), ['--version'], { encoding: 'utf8' });
      if (runs.status !== 0)
        throw new Problem(
          'the pinned Node runtime does not start: delete node_modules and repeat, with install scripts of the package "node" allowed.',
          { stops: true },
        );
    },
  };
}

/** npm writes its hidden lock file last; the same versions in both mean that the installation is whole. */
function inStep() {
  const wanted = readJson(join(root, 'package-lock.json'))?.packages;
  const installed = readJson(join(root, 'node_modules', '.package-lock.json'))?.packages;
  if (!wanted || !installed) return false;
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === '') return true;
    const found = installed[path];
    return found ? found.version === entry.version && found.integrity === entry.integrity : entry.optional === true;
  });
}

/** `npm ci` removes node_modules first: it must not run on a Node that lives there. */
function pathWithoutOurs() {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => !folder.endsWith(join('node_modules', '.bin')))
    .join(delimiter);
}

/** What a person needs of a failed command: the lines that name the error, with what follows the first; stacks and help texts are left out. */
export function tail(error) {
  if (!(error instanceof CommandFailed)) return error.message;
  const lines = error.output.split('\n').filter((line) => line.trim() !== '' && !/^\s+at /.test(line));
  const first = lines.findIndex((line) => /\berror\b/i.test(line));
  return (first === -1 ? lines.slice(-12) : lines.slice(first, first + 12)).join('\n');
}
