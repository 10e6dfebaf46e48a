// Makes the checkout ready to run, with Node's built-ins only: it is what runs before the dependencies are there.
// Safe to repeat and to interrupt: every step ends with a stamp, written last, and does nothing where the stamp holds.
//
//   node tools/setup.mjs [--dev] [--quiet] [--then CLI-ARGS… | --script FILE ARGS…]
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { Problem, root } from './setup/place.mjs';
import { createReporter } from './setup/progress.mjs';
import { holdLock } from './setup/lock.mjs';
import { checkNode, nodeDependencies, pinnedNode } from './setup/node.mjs';
import { pythonDependencies } from './setup/python.mjs';
import { engines } from './setup/engines.mjs';
import { build } from './setup/build.mjs';

const options = parse(process.argv.slice(2));
const report = createReporter({ quiet: options.quiet });
try {
  checkNode();
  await makeReady();
} catch (error) {
  report.failed(error instanceof Problem ? error.message : (error.stack ?? String(error)));
  process.exit(1);
}
if (options.run) await hand(options.run);

/** Steps know themselves whether they have anything to do; a lock is taken only when one has. */
/**
 * What only waits for the network goes beside what only waits for the processor; the build comes last, because it needs the packages.
 * Every track says what it misses, so that a newcomer mends all of it at once.
 */
async function makeReady() {
  const tracks = [[nodeDependencies(), pythonDependencies(options)], engines()];
  const last = [build()];
  if ([...tracks.flat(), ...last].some((step) => !step.ready())) {
    const lock = await holdLock(join(root, '.cache', 'setup', 'lock'), report);
    try {
      const missing = (await Promise.all(tracks.map(follow))).flat();
      if (missing.every((problem) => !problem.stops)) missing.push(...(await follow(last)));
      if (missing.length > 0) throw new Problem(missing.map((problem) => problem.message).join('\n'));
    } finally {
      lock.release();
    }
  }
  report.ready();
}

/** Takes the steps one after the other. Another set-up may have taken one while this one waited. Returns what is missing. */
async function follow(steps) {
  const missing = [];
  for (const step of steps) {
    if (step.ready()) continue;
    try {
      await step.run(report);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      missing.push(error);
      if (error.stops) break;
    }
  }
  return missing;
}

function parse(argv) {
  const parsed = { quiet: false, dev: false, run: null };
  for (let index = 0; index < argv.length; index += 1) {
    const word = argv[index];
    if (word === '--quiet') parsed.quiet = true;
    else if (word === '--dev') parsed.dev = true;
    else if (word === '--then') {
      parsed.run = [join(root, 'dist', 'cli', 'main.js'), ...argv.slice(index + 1)];
      return parsed;
    } else if (word === '--script' && argv[index + 1]) {
      parsed.run = [join(root, argv[index + 1]), ...argv.slice(index + 2)];
      return parsed;
    } else {
      process.stderr.write(
        `set-up: unknown argument "${word}". Use: node tools/setup.mjs [--dev] [--quiet] [--then CLI-ARGS… | --script FILE ARGS…]\n`,
      );
      process.exit(2);
    }
  }
  return parsed;
}

/** Runs a script on the pinned runtime in this process's place: its terminal, its signals, its exit status. */
async function hand(args) {
  const child = spawn(pinnedNode(), args, { stdio: 'inherit' });
  const forward = (signal) => child.kill(signal);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, forward);
  const [status, signal] = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (...result) => resolve(result));
  });
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.removeAllListeners(name);
  if (signal) process.kill(process.pid, signal);
  process.exitCode = status ?? 1;
}
