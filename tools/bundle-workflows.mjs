// dist/workflows/index.js → dist/workflows.bundle.js, which the response worker loads as it is. Bundling takes seconds: done once, at set-up.
import { renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';

const dist = join(dirname(dirname(fileURLToPath(import.meta.url))), 'dist');
const target = join(dist, 'workflows.bundle.js');
const quiet = { log() {}, trace() {}, debug() {}, info() {}, warn: console.warn, error: console.error };

const { code } = await bundleWorkflowCode({
  workflowsPath: join(dist, 'workflows', 'index.js'),
  // Each new incident would otherwise evaluate the curves anew, 5 ms before containment, and pay for their tables at its first signature
  // check: 48 ms. By our own modules, which keep no state: the curves' package is marked free of side effects, so naming it preloads nothing.
  preloadModules: ['approval', 'frontier', 'canonical-json'].map((name) =>
    join(dist, 'domain', 'proofs', `${name}.js`),
  ),
  logger: quiet,
});
const temporary = `${target}.${process.pid}.tmp`;
writeFileSync(temporary, code);
renameSync(temporary, target);
