import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGatewayAdapter } from '../../clients/gateway/adapter.ts';
import type { EndpointAdapter } from '../../domain/contracts/endpoint-adapter.ts';
import { startStation, type Station } from '../../station/main.ts';
import { checkout, stationPaths } from '../../station/paths.ts';
import { existsSync } from 'node:fs';
import { enginePath } from '../engines.ts';

/** What the whole station needs beside the sources; the name of what is missing, or null. */
export function missingForStation(): string | null {
  if (!enginePath('temporal')) return 'temporal';
  if (!enginePath('versitygw')) return 'versitygw';
  if (!existsSync(join(checkout(), 'dist', 'workflows.bundle.js'))) return 'the build';
  if (!existsSync(join(checkout(), 'trainer', '.venv', 'bin', 'python'))) return "the trainer's Python";
  return null;
}

export interface TestStation {
  readonly station: Station;
  readonly adapter: EndpointAdapter;
  stop(): Promise<void>;
}

/** A station of its own in a temporary home, on free ports. */
export async function startTestStation(): Promise<TestStation> {
  const home = mkdtempSync(join(tmpdir(), 'lazaret-e2e-'));
  shareCompiledSteps(home);
  const station = await startStation({ home, anywhere: true });
  const { urls, credentials } = station.describe();
  return {
    station,
    adapter: createGatewayAdapter({
      admin: urls.admin,
      inference: urls.inference,
      token: credentials.adminToken,
      timeoutMs: 10_000,
    }),
    stop: async () => {
      await station.stop();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** What the trainer of one station compiled, the next need not compile again. */
function shareCompiledSteps(home: string): void {
  const shared = join(checkout(), '.cache', 'e2e', 'trainer-cache');
  mkdirSync(shared, { recursive: true, mode: 0o700 });
  symlinkSync(shared, stationPaths(home).trainerCache);
}

/** Polls until `holds` says so, for things that other processes do in their own time. */
export async function until(what: string, holds: () => Promise<boolean>, patienceMs = 60_000): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (!(await holds().catch(() => false))) {
    if (Date.now() > deadline) throw new Error(`${what} did not come true within ${patienceMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
