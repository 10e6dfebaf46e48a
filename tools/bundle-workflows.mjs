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
  // The first signature check of a run would otherwise pay for the curve's tables: 48 ms.
  preloadModules: ['@noble/curves/ed25519.js', '@noble/curves/nist.js', '@noble/hashes/sha2.js'],
  logger: quiet,
});
const temporary = `${target}.${process.pid}.tmp`;
writeFileSync(temporary, code);
renameSync(temporary, target);
