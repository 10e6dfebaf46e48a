import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { LogHeader } from '../../domain/contracts/request-log.ts';

/** A segment that is being written: lines wait in memory for a moment and then lie on disk. */
export interface OpenSegment {
  readonly header: LogHeader;
  readonly path: string;
  /** Bytes and lines that were taken, on disk or not yet. */
  readonly bytes: number;
  readonly lines: number;
  /** False where too much waits for the disk: the line was not taken. */
  append(line: string): boolean;
  /** What waits is on disk when it resolves; it survives the process then. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** A disk that takes longer than the requests come MUST NOT fill the memory. */
export const MAX_WAITING_BYTES = 8 * 1024 * 1024;

export async function openSegment(
  folder: string,
  header: LogHeader,
  maxWaiting = MAX_WAITING_BYTES,
): Promise<OpenSegment> {
  const path = join(folder, `${header.replica.slice(0, 8)}-${String(header.seq).padStart(8, '0')}.open.ndjson`);
  const file: FileHandle = await open(path, 'w', 0o600);
  let waiting: string[] = [];
  let waitingBytes = 0;
  let bytes = 0;
  let lines = 0;
  let writing: Promise<void> = Promise.resolve();

  async function write(): Promise<void> {
    if (waiting.length === 0) return;
    const text = waiting.join('');
    const size = waitingBytes;
    waiting = [];
    try {
      await file.appendFile(text);
    } finally {
      waitingBytes -= size;
    }
  }
  const segment: OpenSegment = {
    header,
    path,
    get bytes() {
      return bytes;
    },
    get lines() {
      return lines;
    },
    append(line) {
      if (waitingBytes + line.length > maxWaiting) return false;
      waiting.push(line, '\n');
      waitingBytes += line.length + 1;
      bytes += line.length + 1;
      lines += 1;
      return true;
    },
    flush: () => (writing = writing.then(write)),
    async close() {
      await segment.flush();
      await file.datasync();
      await file.close();
    },
  };
  await file.appendFile(`${JSON.stringify(header)}\n`);
  return segment;
}
