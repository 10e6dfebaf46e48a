import type { LoggedLine } from '../../domain/contracts/gateway.ts';
import { sha256Of } from '../state/state-folder.ts';
import type { ForensicReceipt } from '../../domain/contracts/gateway.ts';

/** Large inputs fill the memory before they fill the count: the oldest go when this many bytes are kept. */
export const MAX_WINDOW_BYTES = 64 * 1024 * 1024;

/**
 * The last answered inferences of one endpoint. Each is written as its line of NDJSON when it is logged, so that freezing the window in the
 * middle of an incident only joins bytes.
 */
export interface RequestWindow {
  log(request: LoggedLine): void;
  freeze(): { readonly bytes: Uint8Array; readonly about: ForensicReceipt['window'] };
}

interface Line {
  readonly at: string;
  readonly bytes: Buffer;
}

export function createRequestWindow(capacity: number, maxBytes: number = MAX_WINDOW_BYTES): RequestWindow {
  let lines: Line[] = [];
  /** Index of the oldest line that still counts; the array is cut when half of it is gone. */
  let first = 0;
  let held = 0;

  const forget = (): void => {
    held -= lines[first]?.bytes.length ?? 0;
    first += 1;
    if (first > 64 && first * 2 > lines.length) {
      lines = lines.slice(first);
      first = 0;
    }
  };

  return {
    log(request) {
      const bytes = Buffer.from(`${JSON.stringify(request)}\n`);
      lines.push({ at: request.at, bytes });
      held += bytes.length;
      while (lines.length - first > capacity || (held > maxBytes && lines.length - first > 1)) forget();
    },
    freeze() {
      const frozen = lines.slice(first);
      const bytes = Buffer.concat(frozen.map((line) => line.bytes));
      return {
        bytes,
        about: {
          requests: frozen.length,
          bytes: bytes.length,
          digest: sha256Of(bytes),
          from: frozen[0]?.at ?? null,
          to: frozen.at(-1)?.at ?? null,
        },
      };
    },
  };
}
