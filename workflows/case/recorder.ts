import { Frontier } from '../../domain/proofs/frontier.ts';
import { canonicalJson } from '../../domain/proofs/canonical-json.ts';
import type { CaseEntry, LogHead } from '../../domain/contracts/case-log.ts';

export type Note = Omit<CaseEntry, 'schema' | 'incident' | 'seq' | 'at'>;

/**
 * The incident's case log as the workflow holds it: entries, and the RFC 6962 frontier over their canonical JSON. Entries are made here,
 * from what Temporal's history holds and nothing else, so that history and the log in S3 prove each other; writing them is left to `flush`.
 *
 * Times come from alerts, statements and the stamps of activities. They MUST NOT come from workflow time: where the SDK merges two workflow
 * tasks on replay, workflow time differs from the first run, and with it the root that people have signed.
 */
export class CaseRecorder {
  private readonly frontier = new Frontier();
  private readonly kept: CaseEntry[] = [];
  private written = 0;
  private latest = '1970-01-01T00:00:00.000Z';
  private readonly incident: string;
  private readonly write: (entries: readonly CaseEntry[]) => Promise<void>;

  constructor(incident: string, write: (entries: readonly CaseEntry[]) => Promise<void>) {
    this.incident = incident;
    this.write = write;
  }

  /** Something happened at `at` (RFC 3339): entries from now on are not older. */
  sawTime(at: string): void {
    const time = new Date(at).toISOString();
    if (time > this.latest) this.latest = time;
  }

  note(note: Note): void {
    const entry: CaseEntry = {
      schema: 'lazaret.case-entry/v1',
      incident: this.incident,
      seq: this.kept.length,
      at: this.latest,
      ...note,
    };
    this.frontier.append(canonicalJson(entry));
    this.kept.push(entry);
  }

  /** Writes what is not yet in S3. Repeating it is safe: an entry is written once and compared afterwards. */
  async flush(): Promise<void> {
    while (this.written < this.kept.length) {
      const upTo = this.kept.length;
      await this.write(this.kept.slice(this.written, upTo));
      this.written = Math.max(this.written, upTo);
    }
  }

  get entries(): readonly CaseEntry[] {
    return this.kept;
  }

  get head(): LogHead {
    return { size: this.frontier.size, root: this.frontier.rootHex() };
  }
}
