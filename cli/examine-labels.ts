import { existsSync } from 'node:fs';
import {
  examineLabelFiles,
  LabelFilesRefused,
  type LabelFilesExamination,
} from '../clients/examination/examine-labels.ts';
import { CommandError, EXIT } from './exit.ts';
import { faint, strong, table, type Terminal } from './terminal.ts';

interface ExamineLabelsOptions {
  readonly predProbs: string;
  readonly labels: string;
  readonly top: string;
}

/** Which labels are wrong, from out-of-sample probabilities. Wrong labels are what was asked for: finding some is success. */
export async function examineLabels(terminal: Terminal, options: ExamineLabelsOptions): Promise<void> {
  const top = Number(options.top);
  if (!Number.isInteger(top) || top < 0) throw new CommandError(EXIT.usage, '--top takes a whole number of records');
  for (const file of [options.predProbs, options.labels])
    if (!existsSync(file)) throw new CommandError(EXIT.usage, `there is no file ${file}`);
  const found = examined(terminal, options);
  terminal.result(forPrograms(found));
  for (const line of portrait(found, top)) terminal.say(line);
  await Promise.resolve();
}

function examined(terminal: Terminal, options: ExamineLabelsOptions): LabelFilesExamination {
  try {
    const files = { probabilities: options.predProbs, labels: options.labels };
    return examineLabelFiles(files, (stage) => terminal.progress(stage));
  } catch (error) {
    if (!(error instanceof LabelFilesRefused)) throw error;
    throw new CommandError(EXIT.usage, error.message, { code: error.code, cause: error });
  }
}

function forPrograms(found: LabelFilesExamination) {
  const { records, classes, taint, cut, wrongShare, likely, model } = found;
  const flagged = flaggedRecords(found);
  return {
    records,
    classes,
    wrongShare,
    cut: { threshold: cut.flagged === 0 ? null : cut.threshold, flagged: cut.flagged, expectedF1: cut.expectedF1 },
    /** Indices in order of the file, and beside each the class it more probably is. */
    flagged,
    likely: flagged.map((record) => likely[record]),
    inverseTemperature: model.sharpening.beta,
    channel: rows(model.channel.matrix, classes),
    taint: Array.from(taint),
  };
}

function flaggedRecords({ taint, cut }: LabelFilesExamination): number[] {
  const flagged: number[] = [];
  for (let record = 0; record < taint.length; record++) if ((taint[record] ?? 0) >= cut.threshold) flagged.push(record);
  return flagged;
}

function rows(matrix: Float64Array, classes: number): number[][] {
  return Array.from({ length: classes }, (_, row) => Array.from(matrix.subarray(row * classes, (row + 1) * classes)));
}

function portrait(found: LabelFilesExamination, top: number): readonly string[] {
  const { records, classes, cut, wrongShare, taint, labels, likely } = found;
  const worst = flaggedRecords(found)
    .sort((a, b) => (taint[b] ?? 0) - (taint[a] ?? 0) || a - b)
    .slice(0, top);
  return [
    `${records} records, ${classes} classes; about ${percent(wrongShare)} of the labels are wrong`,
    ...(cut.flagged === 0
      ? [strong('No record is worth flagging.')]
      : [
          strong(`${cut.flagged} records are flagged: taint of ${cut.threshold.toPrecision(3)} or more`),
          faint(`expected F1 of this cut, if the model of the noise holds: ${cut.expectedF1.toFixed(3)}`),
          '',
          table(
            ['record', 'given', 'rather', 'taint'],
            worst.map((at) => [String(at), String(labels[at]), String(likely[at]), (taint[at] ?? 0).toFixed(4)]),
          ),
          ...(cut.flagged > worst.length ? [faint(`and ${cut.flagged - worst.length} more: --top, or --json`)] : []),
        ]),
  ];
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
