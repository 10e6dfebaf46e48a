import { spawn } from 'node:child_process';

export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The last line of stdout as JSON. */
  json(): Record<string, unknown>;
}

/** Runs the CLI from its sources, as a person would: its own process, no terminal. */
export async function lazaret(args: readonly string[], env: Record<string, string> = {}): Promise<Ran> {
  return await new Promise((resolve) => {
    const child = spawn(process.execPath, ['--no-warnings', 'cli/main.ts', ...args], {
      env: { PATH: process.env['PATH'] ?? '', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.once('close', (status) =>
      resolve({
        status,
        stdout,
        stderr,
        json: () => JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<string, unknown>,
      }),
    );
  });
}
