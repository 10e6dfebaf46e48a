import { appendFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';

export interface Notification {
  readonly incident: string;
  readonly endpoint: string;
  readonly subject: string;
  readonly body: string;
}

/** Tells people through a log line at level warn and one JSON line in `<folder>/<incident>.ndjson`, for whatever watches either. */
export function createNotifier(folder: string, log: Logger, now: () => Date): (message: Notification) => Promise<void> {
  return async (message) => {
    log.warn(message, message.subject);
    await mkdir(folder, { recursive: true });
    await appendFile(
      join(folder, `${message.incident}.ndjson`),
      `${JSON.stringify({ at: now().toISOString(), ...message })}\n`,
    );
  };
}
