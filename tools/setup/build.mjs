import { existsSync, rmSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { command } from './progress.mjs';
import { pinnedNode, tail } from './node.mjs';
import { Problem, fingerprint, readJson, root, writeWhole } from './place.mjs';

const dist = join(root, 'dist');
const stampPath = join(dist, 'lazaret.json');
const CONFIGURATION = ['tsconfig.build.json', 'tsconfig.json', 'package-lock.json'];
const rooms = () => readJson(join(root, 'tsconfig.build.json'))?.include ?? [];
const isSource = (path) => path.endsWith('.ts');

const wanted = () => ({
  sources: fingerprint([...rooms(), ...CONFIGURATION], isSource),
  workflows: fingerprint(['workflows', 'domain', 'tools/bundle-workflows.mjs', ...CONFIGURATION], isSource),
});

/** TypeScript to dist/, then the workflows into one bundle. Types are checked by `npm test`, not at every start. */
export function build() {
  return {
    ready() {
      const stamp = readJson(stampPath);
      if (!stamp || !existsSync(join(dist, 'cli', 'main.js'))) return false;
      const { sources, workflows } = wanted();
      return stamp.sources === sources && stamp.workflows === workflows;
    },
    async run(report) {
      const { sources, workflows } = wanted();
      const before = readJson(stampPath);
      // Without a stamp the last build was interrupted, or is none of ours: then nothing in dist/ is believed.
      if (!before) rmSync(join(dist, 'build.tsbuildinfo'), { force: true });
      rmSync(stampPath, { force: true });
      await report.during('building', () => compile());
      sweep(dist);
      if (existsSync(join(dist, 'workflows', 'index.js')) && (before?.workflows !== workflows || !bundled()))
        await report.during('bundling the workflows', () => bundle());
      writeWhole(stampPath, `${JSON.stringify({ sources, workflows })}\n`);
    },
  };
}

const bundled = () => existsSync(join(dist, 'workflows.bundle.js'));

async function compile() {
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  try {
    await command(pinnedNode(), [tsc, '-p', 'tsconfig.build.json', '--noCheck'], { cwd: root });
  } catch (error) {
    throw new Problem(`the sources do not compile; mend what is named and repeat.\n${tail(error)}`, { stops: true });
  }
}

async function bundle() {
  try {
    await command(pinnedNode(), [join('tools', 'bundle-workflows.mjs')], { cwd: root });
  } catch (error) {
    throw new Problem(`the workflows cannot be bundled; mend what is named and repeat.\n${tail(error)}`, {
      stops: true,
    });
  }
}

/** A file of dist/ whose source is gone would still be importable. */
function sweep(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) sweep(path);
    else if (folder !== dist && /\.js(\.map)?$/.test(entry.name)) {
      const source = join(root, path.slice(dist.length + 1).replace(/\.js(\.map)?$/, '.ts'));
      if (!existsSync(source)) rmSync(path);
    }
  }
}
