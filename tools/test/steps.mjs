import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../setup/place.mjs';
import { readJest } from './jest-results.mjs';
import { readJunit } from './junit-results.mjs';

const modules = join(root, 'node_modules');
const trainer = join(root, 'trainer');
const python = join(trainer, '.venv', 'bin', 'python');
const E2E_LIMIT_MS = 300_000;

/** Each step prints as it goes and answers {passed, failed, failures, skipped}. A check without tests of its own counts as one. */
export const STEPS = [
  check('types', 'static', 'tsc --noEmit', [
    join(modules, 'typescript', 'bin', 'tsc'),
    '--noEmit',
    '-p',
    'tsconfig.json',
  ]),
  check('lint', 'static', 'eslint', [
    join(modules, 'eslint', 'bin', 'eslint.js'),
    '.',
    '--max-warnings',
    '0',
    '--cache',
    '--cache-location',
    '.cache/eslint',
  ]),
  check('format', 'static', 'prettier --check', [
    join(modules, 'prettier', 'bin', 'prettier.cjs'),
    '--check',
    '.',
    '--log-level',
    'warn',
    '--cache',
    '--cache-location',
    '.cache/prettier',
  ]),
  check('arrows', 'static', 'dependency-cruiser', [
    join(modules, 'dependency-cruiser', 'bin', 'dependency-cruise.mjs'),
    '--config',
    '.dependency-cruiser.json',
    ...rooms(),
    '--output-type',
    'err',
  ]),
  check('unused', 'static', 'knip', [join(modules, 'knip', 'bin', 'knip.js'), '--no-progress']),
  jest('jest', 'unit, workflow, replay and contract tests', [
    '--maxWorkers',
    '100%',
    '--testPathIgnorePatterns',
    '/test/e2e/',
  ]),
  pythonCheck('ruff', 'ruff check', ['-m', 'ruff', 'check', '.']),
  pythonCheck('ruff-format', 'ruff format --check', ['-m', 'ruff', 'format', '--check', '.']),
  pyright(),
  pytest(),
  jest('e2e', 'the drill and the failures against the real engines, one after the other', [
    '--runInBand',
    '--testTimeout',
    String(E2E_LIMIT_MS),
    '/test/e2e/',
  ]),
];

function rooms() {
  const all = [
    'domain',
    'workflows',
    'activities',
    'forensics',
    'evidence',
    'clients',
    'gateway',
    'api',
    'workers',
    'cli',
    'station',
    'bench',
  ];
  return all.filter((room) => existsSync(join(root, room)));
}

function check(name, group, title, args) {
  return { name, group, title, run: async () => one(name, await live(process.execPath, args, { cwd: root })) };
}

function pythonCheck(name, title, args) {
  return { name, group: 'python', title, run: async () => one(name, await live(python, args, { cwd: trainer })) };
}

function pyright() {
  const args = [join(modules, 'pyright', 'index.js'), '--pythonpath', python];
  return {
    name: 'pyright',
    group: 'python',
    title: 'pyright',
    run: async () => one('pyright', await live(process.execPath, args, { cwd: trainer })),
  };
}

function jest(name, title, args) {
  return {
    name,
    group: name,
    title,
    async run(results) {
      if (name === 'e2e' && !existsSync(join(root, 'test', 'e2e'))) return nothing();
      const file = join(results, `${name}.json`);
      const runner = join(modules, 'jest', 'bin', 'jest.js');
      const status = await live(
        process.execPath,
        ['--experimental-vm-modules', '--no-warnings', runner, '--json', '--outputFile', file, ...args],
        { cwd: root, quietStdout: true },
      );
      return readJest(file, name, status);
    },
  };
}

function pytest() {
  return {
    name: 'pytest',
    group: 'python',
    title: 'pytest',
    async run(results) {
      const file = join(results, 'pytest.xml');
      // The trainer computes on one core, so two processes are twice as quick. The group keeps the tests that share engines together.
      const args = ['-m', 'pytest', '-q', '-n', 'auto', '--dist', 'loadgroup', '--junit-xml', file];
      const status = await live(python, args, { cwd: trainer });
      return readJunit(file, 'pytest', status);
    },
  };
}

const nothing = () => ({ passed: 0, failed: 0, failures: [], skipped: [] });

function one(name, status) {
  return status === 0
    ? { ...nothing(), passed: 1 }
    : { ...nothing(), failed: 1, failures: [`${name} ended with status ${status}`] };
}

/** Output goes straight to the terminal. jest writes its report to stderr and, with --json, the results once more to stdout: those are dropped. */
function live(file, args, { cwd, quietStdout = false }) {
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      cwd,
      stdio: ['ignore', quietStdout ? 'ignore' : 'inherit', 'inherit'],
      env: process.env,
    });
    child.once('error', (error) => {
      process.stderr.write(`${file}: ${error.message}\n`);
      resolve(127);
    });
    child.once('close', (status, signal) => resolve(status ?? `signal ${signal}`));
  });
}
