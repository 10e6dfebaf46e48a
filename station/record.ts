import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { endProcess, isAlive } from './process-identity.ts';

const processSchema = z.object({
  name: z.string(),
  pid: z.number().int().positive(),
  /** See `startOf`: pid and start together name one process. */
  start: z.string(),
});

const recordSchema = z.object({
  schema: z.literal('lazaret.station/v1'),
  supervisor: processSchema,
  startedAt: z.string(),
  /** True once every process has answered. */
  ready: z.boolean(),
  processes: z.array(processSchema),
  urls: z.object({
    api: z.string(),
    inference: z.string(),
    admin: z.string(),
    s3: z.string(),
    temporal: z.string(),
    temporalUi: z.string().nullable(),
  }),
});
/** `station.json`: what the station that runs, or ran last, started. Written before anything else can go wrong. */
export type StationRecord = z.infer<typeof recordSchema>;

const ORPHAN_GRACE_MS = 3000;

export function readRecord(file: string): StationRecord | null {
  try {
    return recordSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return null;
  }
}

export function writeRecord(file: string, record: StationRecord): void {
  const temporary = `${file}.${process.pid}.tmp`;
  writeFileSync(temporary, `${JSON.stringify(record, null, 2)}\n`);
  renameSync(temporary, file);
}

export function removeRecord(file: string): void {
  rmSync(file, { force: true });
}

/** The record of a station whose supervisor lives; null where none does. */
export function runningRecord(file: string): StationRecord | null {
  const record = readRecord(file);
  return record && isAlive(record.supervisor.pid, record.supervisor.start) ? record : null;
}

/** Ends what a killed supervisor left behind: only processes it recorded, only while pid and start time both match. Returns their names. */
export async function endOrphans(file: string): Promise<readonly string[]> {
  const record = readRecord(file);
  if (!record) return [];
  const orphans = record.processes.filter((entry) => isAlive(entry.pid, entry.start));
  await Promise.all(orphans.map((entry) => endProcess(entry.pid, entry.start, ORPHAN_GRACE_MS)));
  return orphans.map((entry) => entry.name);
}
