import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Servers that come from PyPI, in a virtual environment beside the other engines: `node tools/platforms.mjs` says how. */
const FOLDER = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'lazaret', 'engines', 'python', 'bin');

export function pythonEngine(name: 'mlserver' | 'moto_server'): string | null {
  const own = join(FOLDER, name);
  if (existsSync(own)) return own;
  try {
    return execFileSync('which', [name], { encoding: 'utf8' }).trim() || null;
  } catch {
    return null;
  }
}

export interface PythonServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts it and waits until `ready` answers with 200. */
export async function startPython(
  name: 'mlserver' | 'moto_server',
  args: readonly string[],
  url: string,
  ready: string,
  env: Readonly<Record<string, string>> = {},
): Promise<PythonServer> {
  const child: ChildProcess = spawn(pythonEngine(name) ?? name, args, {
    stdio: 'ignore',
    env: { ...process.env, ...env },
  });
  const stop = async (): Promise<void> => {
    const gone = new Promise((resolve) => child.once('exit', resolve));
    if (child.exitCode !== null) return;
    child.kill('SIGKILL');
    await gone;
  };
  for (let attempt = 0; attempt < 300; attempt += 1) {
    const up = await fetch(new URL(ready, url)).then(
      (answer) => answer.ok,
      () => false,
    );
    if (up) return { url, stop };
    if (child.exitCode !== null) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await stop();
  throw new Error(`${name} has not come up`);
}
