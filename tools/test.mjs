// Every check of the project in one order, live, to the end even after failures. The last line alone: `N passed, N failed`.
//
//   npm test [-- --only STEP…]      steps: types lint format arrows unused jest python e2e
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './setup/place.mjs';
import { STEPS } from './test/steps.mjs';
import { summary } from './test/summary.mjs';

const only = wanted(process.argv.slice(2));
const results = join(root, '.cache', 'test');
rmSync(results, { recursive: true, force: true });
mkdirSync(results, { recursive: true });

const outcomes = [];
for (const step of STEPS) {
  if (only && !only.includes(step.name) && !only.includes(step.group)) continue;
  process.stdout.write(`\n── ${step.name}: ${step.title}\n`);
  const began = Date.now();
  const outcome = await step.run(results).catch((error) => ({
    passed: 0,
    failed: 1,
    failures: [error.message],
    skipped: [],
  }));
  outcomes.push({ name: step.name, seconds: (Date.now() - began) / 1000, ...outcome });
}
if (outcomes.length === 0) {
  process.stderr.write(`no such step; there are: ${STEPS.map((step) => step.name).join(', ')}\n`);
  process.exit(2);
}
process.exitCode = summary(outcomes) ? 0 : 1;

function wanted(argv) {
  const at = argv.indexOf('--only');
  return at === -1 ? null : argv.slice(at + 1).flatMap((word) => word.split(','));
}
