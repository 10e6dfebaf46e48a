import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { z } from 'zod';

/** Fixed, so that a bookmark stays true; another free one is taken where something else listens already. */
const PREFERRED = {
  api: 8480,
  inference: 8481,
  admin: 8482,
  s3: 8483,
  temporal: 7233,
  temporalUi: 8233,
} as const;

const portsSchema = z.object({
  api: z.number().int(),
  inference: z.number().int(),
  admin: z.number().int(),
  s3: z.number().int(),
  temporal: z.number().int(),
  temporalUi: z.number().int(),
});
export type Ports = z.infer<typeof portsSchema>;
export type PortName = keyof Ports;

export interface ChosenPorts {
  readonly ports: Ports;
  /** What could not be had and was moved, for the addresses that are written down elsewhere. */
  readonly moved: readonly { readonly name: PortName; readonly from: number; readonly to: number }[];
}

/** The ports of the last start where they are still free, else free ones. `anywhere`: never the preferred ones (tests run side by side). */
export async function choosePorts(file: string, options: { anywhere: boolean }): Promise<ChosenPorts> {
  const before = readPorts(file);
  const names = Object.keys(PREFERRED) as PortName[];
  const chosen = { ...PREFERRED } as Record<PortName, number>;
  const moved: { name: PortName; from: number; to: number }[] = [];
  const taken = new Set<number>();
  for (const name of names) {
    const wish = before?.[name] ?? (options.anywhere ? 0 : PREFERRED[name]);
    const port = (wish !== 0 && !taken.has(wish) && (await listenOnce(wish))) || (await anyFree(taken));
    if (before && port !== before[name]) moved.push({ name, from: before[name], to: port });
    taken.add(port);
    chosen[name] = port;
  }
  writeFileSync(file, `${JSON.stringify(chosen, null, 2)}\n`);
  return { ports: chosen, moved };
}

function readPorts(file: string): Ports | null {
  if (!existsSync(file)) return null;
  try {
    return portsSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return null;
  }
}

async function anyFree(taken: ReadonlySet<number>): Promise<number> {
  for (;;) {
    const port = await listenOnce(0);
    if (port !== null && !taken.has(port)) return port;
  }
}

/** The port that could be bound on loopback (the given one, or any for 0); null where it is in use. */
async function listenOnce(port: number): Promise<number | null> {
  return await new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(null));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(address && typeof address === 'object' ? address.port : null));
    });
  });
}
