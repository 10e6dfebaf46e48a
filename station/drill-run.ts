import type { RunningStation } from './describe.ts';
import type { Drill, DrillEvent, DrillOptions, DrillOutcome } from './drill.ts';

/** The one door to the drills: what they know of the attack stays behind it. */
async function drills(): Promise<Readonly<Record<string, Drill>>> {
  return (await import('./drills/index.ts')).DRILLS;
}

export async function listDrills(): Promise<readonly Omit<Drill, 'run'>[]> {
  return Object.values(await drills()).map(({ name, title, description, data }) => ({
    name,
    title,
    description,
    data,
  }));
}

/** Null where no drill has this name. */
export async function runDrill(
  name: string,
  station: RunningStation,
  report: (event: DrillEvent) => void,
  options: DrillOptions,
): Promise<DrillOutcome | null> {
  const all = await drills();
  const drill = Object.hasOwn(all, name) ? all[name] : undefined;
  return drill ? await drill.run(station, report, options) : null;
}
