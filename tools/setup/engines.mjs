import { spawnSync } from 'node:child_process';
import { createReadStream, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { command } from './progress.mjs';
import { holdLock } from './lock.mjs';
import { tail } from './node.mjs';
import { Problem, engineCache, readJson, root, writeWhole } from './place.mjs';

const OLDEST_TEMPORAL = [1, 3];

const ENGINES = [
  {
    name: 'temporal',
    title: 'the Temporal server',
    module: 'github.com/temporalio/cli',
    tool: 'github.com/temporalio/cli/cmd/temporal',
    instead: ['TEMPORAL_ADDRESS', 'LAZARET_TEMPORAL_ADDRESS'],
    /** `temporal version 1.5.1 (Server …)`. */
    accepts: (said) => {
      const [, major, minor] = /version (\d+)\.(\d+)/.exec(said) ?? [];
      return major !== undefined && (+major > OLDEST_TEMPORAL[0] || (+major === 1 && +minor >= OLDEST_TEMPORAL[1]));
    },
  },
  {
    name: 'versitygw',
    title: 'the S3 server',
    module: 'github.com/versity/versitygw',
    tool: 'github.com/versity/versitygw/cmd/versitygw',
    instead: ['LAZARET_S3_ENDPOINT'],
    accepts: (said) => said.includes('Version'),
  },
];

/** What the tests of the adapters run against where it is there: a real Kubernetes API server. Nobody who uses Lazaret needs it. */
const KUBERNETES = [
  {
    name: 'etcd',
    module: 'go.etcd.io/etcd/server/v3',
    tool: 'go.etcd.io/etcd/server/v3',
    accepts: (said) => said.includes('etcd Version: 3.'),
  },
  {
    name: 'kube-apiserver',
    module: 'k8s.io/kubernetes',
    tool: 'k8s.io/kubernetes/cmd/kube-apiserver',
    accepts: (said) => said.startsWith('Kubernetes v1.'),
  },
].map((engine) => ({ ...engine, title: `${engine.name} for tests`, folder: 'kubernetes', instead: [] }));

/** Each engine: one that the environment names, one on PATH, one in the cache; else it is built once from tools/engines. */
export function engines(set = ENGINES) {
  return set.map((engine) => ({
    ready: () => named(engine) || cached(engine) || onPath(engine),
    run: (report) => provide(engine, report),
  }));
}

export const kubernetesEngines = () => engines(KUBERNETES);

/** The Go module that names the engine and its version. */
const moduleFolder = ({ folder = '' }) => join(root, 'tools', 'engines', folder);
const named = (engine) => engine.instead.some((variable) => process.env[variable]);
const binary = (engine) => join(engineCache, engine.name);
const stamp = (engine) => join(engineCache, `${engine.name}.json`);

function wantedVersion(engine) {
  const text = readFileSync(join(moduleFolder(engine), 'go.mod'), 'utf8');
  return new RegExp(`^\\s*${engine.module.replaceAll('.', '\\.')} (v\\S+)`, 'm').exec(text)?.[1];
}

function cached(engine) {
  const noted = readJson(stamp(engine));
  if (!noted || !existsSync(binary(engine))) return false;
  const { size } = statSync(binary(engine));
  return noted.version === wantedVersion(engine) && noted.size === size;
}

function onPath(engine) {
  const file = (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, engine.name))
    .find((path) => existsSync(path));
  if (!file) return false;
  const noted = readJson(join(root, '.cache', 'setup', `${engine.name}.json`));
  const { size, mtimeMs } = statSync(file);
  if (noted?.file === file && noted.size === size && noted.mtimeMs === mtimeMs) return noted.accepted;
  const accepted = engine.accepts(spawnSync(file, ['--version'], { encoding: 'utf8', timeout: 10_000 }).stdout ?? '');
  const note = { file, size, mtimeMs, accepted };
  writeWhole(join(root, '.cache', 'setup', `${engine.name}.json`), JSON.stringify(note));
  return accepted;
}

async function provide(engine, report) {
  mkdirSync(engineCache, { recursive: true });
  // The cache is shared by every checkout of this user, so it has a lock of its own.
  const lock = await holdLock(join(engineCache, 'lock'), report);
  try {
    if (cached(engine)) return;
    const version = wantedVersion(engine);
    if (!(await embeds(binary(engine), `${engine.module}\t${version}`))) await compile(engine, report);
    writeWhole(stamp(engine), `${JSON.stringify({ version, size: statSync(binary(engine)).size })}\n`);
  } finally {
    lock.release();
  }
}

async function compile(engine, report) {
  if (spawnSync('go', ['version'], { stdio: 'ignore' }).status !== 0)
    throw new Problem(
      `Go is missing, to build ${engine.title}: install Go 1.24 or newer (https://go.dev/dl), or put "${engine.name}" on PATH${engine.instead.length > 0 ? `, or name a running one in ${engine.instead.at(-1)}` : ''}.`,
    );
  const temporary = `${binary(engine)}.${process.pid}.tmp`;
  try {
    await report.during(`building ${engine.title}, once (3 to 5 minutes on a small machine)`, (note) =>
      command('go', ['build', '-C', moduleFolder(engine), '-trimpath', '-o', temporary, engine.tool], {
        note,
      }),
    );
    renameSync(temporary, binary(engine));
  } catch (error) {
    throw new Problem(
      `go build of ${engine.title} did not succeed; check the connection to your Go module proxy and repeat.\n${tail(error)}`,
    );
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** Go writes the modules of a program into it; so a binary without a stamp can be told by what it was built from. */
async function embeds(path, text) {
  if (!existsSync(path)) return false;
  let rest = '';
  for await (const chunk of createReadStream(path, { encoding: 'latin1', highWaterMark: 1 << 22 })) {
    if ((rest + chunk).includes(text)) return true;
    rest = chunk.slice(-text.length);
  }
  return false;
}
