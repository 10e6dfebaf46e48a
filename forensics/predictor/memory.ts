import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** A process that holds one model and answers one record needs no longer. */
const TIMEOUT_MS = 30_000;

/**
 * Bytes of resident memory that a process grows by when it loads a model and answers one record, by the kernel's own account: the model gets a
 * process of its own, because in a shared one nothing tells whose pages they are. The thread that every session runs in counts, for any
 * model alike. null where the process did not end well: it is a figure, and no reason to stop.
 */
export async function residentBytes(
  model: Uint8Array,
  record: Float32Array,
  shape: readonly number[],
): Promise<number | null> {
  const probe = fileURLToPath(
    new URL(import.meta.url.endsWith('.ts') ? './memory.probe.ts' : './memory.probe.js', import.meta.url),
  );
  const child = spawn(process.execPath, [probe, JSON.stringify({ record: Array.from(record), shape })], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: {},
    timeout: TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  return await new Promise((resolve) => {
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
    child.on('error', () => resolve(null));
    child.on('close', (code) => {
      const grown = code === 0 && said.trim() !== '' ? Number(said) : NaN;
      resolve(Number.isFinite(grown) && grown > 0 ? grown : null);
    });
    // A child that dies early closes its end; that is told by its exit.
    child.stdin.on('error', () => undefined);
    child.stdin.end(model);
  });
}
