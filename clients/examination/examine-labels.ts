import { examineLabels, type LabelExamination } from '../../forensics/labels/examine.ts';
import { LabelArraysRefused } from '../../forensics/labels/arrays.ts';
import { NpyRefused } from '../../evidence/npy/header.ts';
import { readLabels, readProbabilities } from './npy-arrays.ts';

/** Files that cannot be examined; the message says what was expected. `code` is `npy/refused` or `label-arrays/<fault>`. */
export class LabelFilesRefused extends Error {
  readonly code: string;
  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'LabelFilesRefused';
    this.code = code;
  }
}

export interface LabelFilesExamination extends LabelExamination {
  readonly records: number;
  readonly classes: number;
  readonly labels: Int32Array;
}

/** Two `.npy` files in, the examination out. `tell` hears of each stage. Throws LabelFilesRefused, or the file system's error. */
export function examineLabelFiles(
  files: { readonly probabilities: string; readonly labels: string },
  tell: (stage: string) => void = () => undefined,
): LabelFilesExamination {
  try {
    tell('reading the arrays');
    const p = readProbabilities(files.probabilities);
    const labels = readLabels(files.labels);
    tell(`fitting noise and calibration to ${p.records} records of ${p.classes} classes`);
    return { ...examineLabels(p, labels), records: p.records, classes: p.classes, labels };
  } catch (error) {
    if (error instanceof NpyRefused) throw new LabelFilesRefused('npy/refused', error.message, { cause: error });
    if (error instanceof LabelArraysRefused)
      throw new LabelFilesRefused(`label-arrays/${error.fault}`, error.message, { cause: error });
    throw error;
  }
}
