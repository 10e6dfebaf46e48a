import { createInterface } from 'node:readline/promises';
import { stripVTControlCharacters } from 'node:util';
import colors from 'picocolors';

/** Where a command writes: people get words on stdout, `--json` gets JSON there and the words are left out. */
export interface Terminal {
  readonly json: boolean;
  /** A line for people; nothing with --json. */
  say(text?: string): void;
  /** Progress, on stderr, also with --json. */
  progress(text: string): void;
  /** The result for programs; nothing without --json. One line, so that it can be the last one of a stream. */
  result(value: unknown): void;
  /** Was there a result already? Then a failure that follows says itself by the status. */
  answered(): boolean;
  /** Asks a yes-or-no question; null where nobody sits at the terminal. */
  confirm(question: string): Promise<boolean | null>;
}

export function createTerminal(json: boolean): Terminal {
  let answered = false;
  return {
    json,
    say: (text = '') => {
      if (!json) process.stdout.write(`${text}\n`);
    },
    progress: (text) => process.stderr.write(`${text}\n`),
    answered: () => answered,
    result: (value) => {
      answered = true;
      if (json) process.stdout.write(`${JSON.stringify(value)}\n`);
    },
    async confirm(question) {
      if (!process.stdin.isTTY || !process.stdout.isTTY) return null;
      const lines = createInterface({ input: process.stdin, output: process.stdout });
      try {
        return /^y(es)?$/i.test((await lines.question(`${question} [y/N] `)).trim());
      } finally {
        lines.close();
      }
    },
  };
}

export const mark = (ok: boolean) => (ok ? colors.green('✓') : colors.red('✗'));
export const faint = colors.dim;
export const strong = colors.bold;

/**
 * Texts of an incident come from senders of alerts and from model files: control characters in them could rewrite what an approver
 * sees on the terminal, so they are made visible.
 */
export function plain(text: string): string {
  return stripVTControlCharacters(text).replace(
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g,
    '�',
  );
}

/** Columns padded to their widest cell; the last one is left ragged. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => stripVTControlCharacters(row[column] ?? '').length)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) =>
        column === cells.length - 1
          ? cell
          : cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - stripVTControlCharacters(cell).length)),
      )
      .join('  ');
  return [faint(line(header)), ...rows.map(line)].join('\n');
}
