import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';

/** The real engines for tests: where they are, and one-call starters on free loopback ports that clean up after themselves. */
const CACHE = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'lazaret', 'engines');

export function enginePath(name: 'temporal' | 'versitygw' | 'etcd' | 'kube-apiserver'): string | null {
  const cached = join(CACHE, name);
  if (existsSync(cached)) return cached;
  try {
    return execFileSync('which', [name], { encoding: 'utf8' }).trim() || null;
  } catch {
    return null;
  }
}

export async function freePort(): Promise<number> {
  return await new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        address && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });
}

export interface S3Engine {
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly process: ChildProcess;
  stop(): Promise<void>;
}

/** versitygw over a temporary folder, versioning and Object Lock on. */
export async function startS3(): Promise<S3Engine> {
  const path = enginePath('versitygw');
  if (!path) throw new Error('versitygw is not installed: run npm run setup');
  const folder = mkdtempSync(join(tmpdir(), 'lazaret-s3-'));
  const root = join(folder, 'root');
  const versions = join(folder, 'versions');
  mkdirSync(root);
  mkdirSync(versions);
  const port = await freePort();
  const child = spawn(path, ['--port', `127.0.0.1:${port}`, 'posix', '--versioning-dir', versions, root], {
    env: { ...process.env, ROOT_ACCESS_KEY: 'test', ROOT_SECRET_KEY: 'test-secret' },
    stdio: 'ignore',
  });
  const endpoint = `http://127.0.0.1:${port}`;
  for (let attempt = 0; ; attempt += 1) {
    const up = await fetch(endpoint).then(
      () => true,
      () => false,
    );
    if (up) break;
    if (attempt > 200) throw new Error('versitygw did not start');
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  return {
    endpoint,
    accessKeyId: 'test',
    secretAccessKey: 'test-secret',
    process: child,
    stop: async () => {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      if (child.exitCode === null) child.kill('SIGKILL');
      await gone;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
