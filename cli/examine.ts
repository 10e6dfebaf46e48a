import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { classesOf, examineModel, FILE_ANALYSERS, openQuestion } from '../clients/examination/examine-model.ts';
import { explainModel } from '../clients/examination/explain-model.ts';
import { examineExternalWeights } from '../clients/examination/external-weights.ts';
import { searchBackdoor } from '../clients/examination/search-backdoor.ts';
import type { TrainerHome } from '../clients/examination/trainer-command.ts';
import {
  ModelFilesRefused,
  readClasses,
  readModelFile,
  readRecords,
  type LabelledTable,
  type RecordTable,
} from '../clients/examination/model-files.ts';
import type { Finding } from '../domain/contracts/finding.ts';
import { checkout } from '../station/paths.ts';
import { CommandError, EXIT } from './exit.ts';
import { faint, mark, plain, strong, type Terminal } from './terminal.ts';

interface ExamineOptions {
  readonly golden?: string;
  readonly data?: string;
  readonly labels?: string;
  readonly requests?: string;
  readonly records?: string;
  readonly recordLabels?: string;
  readonly only?: string;
}

/** The analysers of an incident on two files. Status 1 where something speaks against the model, so that a pipeline can stop there. */
export async function examine(terminal: Terminal, suspect: string, options: ExamineOptions): Promise<void> {
  const chosen = analysersOf(options.only);
  const files = inputs(suspect, options);
  const findings: Finding[] = [];
  for (const analyser of chosen) {
    terminal.progress(`${analyser} …`);
    findings.push(
      analyser === 'backdoor'
        ? await search(terminal, suspect, options, files.probes)
        : analyser === 'activations'
          ? await explain(terminal, suspect, options, files)
          : ((analyser === 'weights' ? beside(terminal, suspect, options.golden) : null) ??
            (await examineModel(analyser, files))),
    );
  }
  terminal.result({ suspect, golden: options.golden ?? null, findings });
  for (const finding of findings)
    terminal.say(
      `${mark(finding.verdict === 'clean')} ${strong(finding.analyser)}: ${finding.verdict}. ${plain(finding.summary)}\n  ${faint(finding.question)}`,
    );
  if (findings.some(({ verdict }) => verdict === 'compromised' || verdict === 'suspicious'))
    process.exitCode = EXIT.failed;
}

/** Models larger than 2 GB keep their weights in other files: those are compared tensor by tensor. */
function beside(terminal: Terminal, suspect: string, golden: string | undefined): Finding | null {
  return golden === undefined
    ? null
    : examineExternalWeights(suspect, golden, (words) => terminal.progress(`  weights: ${words}`));
}

const CHOICES = [...FILE_ANALYSERS, 'backdoor', 'activations'] as const;
type Choice = (typeof CHOICES)[number];

function analysersOf(only: string | undefined): readonly Choice[] {
  if (only === undefined) return CHOICES;
  return only.split(',').map((name) => {
    const found = CHOICES.find((analyser) => analyser === name.trim());
    if (found) return found;
    throw new CommandError(EXIT.usage, `--only takes ${CHOICES.join(', ')}; got ${JSON.stringify(name)}`);
  });
}

/** The search needs gradients: the trainer of this checkout makes it. */
async function search(
  terminal: Terminal,
  suspect: string,
  { golden, data, labels }: ExamineOptions,
  probes: RecordTable | null,
): Promise<Finding> {
  if (data === undefined || labels === undefined || probes === null)
    return openQuestion(
      'backdoor',
      'A search for a backdoor needs clean records and their classes: --data and --labels.',
    );
  const trainer = trainerHome();
  if (typeof trainer === 'string') return openQuestion('backdoor', trainer);
  return await searchBackdoor(
    { suspect, golden: golden ?? null, probes: data, labels, classes: await classesOf(readModelFile(suspect), probes) },
    trainer,
    (words) => terminal.progress(`  ${words}`),
  );
}

/** Gradients again: the same trainer. */
async function explain(
  terminal: Terminal,
  suspect: string,
  { golden, data, labels, requests, records, recordLabels }: ExamineOptions,
  files: ReturnType<typeof inputs>,
): Promise<Finding> {
  if (golden === undefined || data === undefined || labels === undefined || requests === undefined || !files.probes)
    return openQuestion(
      'activations',
      'A look inside needs the golden model, clean records with their classes, and what clients sent: --golden, --data, --labels, --requests.',
    );
  const trainer = trainerHome();
  if (typeof trainer === 'string') return openQuestion('activations', trainer);
  const trained = records !== undefined && recordLabels !== undefined ? { records, recordLabels } : null;
  const classes = await classesOf(files.suspect, files.probes);
  return await explainModel(
    { suspect, golden, probes: data, labels, requests, trained, table: files.records, classes },
    trainer,
    (words) => terminal.progress(`  ${words}`),
  );
}

/** The trainer of this checkout, or why there is none. */
function trainerHome(): TrainerHome | string {
  const folder = join(checkout(), 'trainer');
  const python = process.env['LAZARET_TRAINER_PYTHON'] ?? join(folder, '.venv', 'bin', 'python');
  if (!existsSync(python)) return `There is no Python of a trainer at ${python}: LAZARET_TRAINER_PYTHON names another.`;
  return {
    python,
    folder,
    cache: join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'lazaret', 'compiled'),
  };
}

function trainingRecords(records: string | undefined, labels: string | undefined): LabelledTable | null {
  if (records === undefined && labels === undefined) return null;
  if (records === undefined || labels === undefined)
    throw new ModelFilesRefused('--records and --record-labels belong together');
  const table = readRecords(records);
  return { ...table, labels: readClasses(labels, table.count) };
}

function inputs(suspect: string, { golden, data, labels, requests, records, recordLabels }: ExamineOptions) {
  try {
    const probes = data === undefined ? null : readRecords(data);
    if (labels !== undefined && !probes) throw new ModelFilesRefused('--labels belong to --data');
    return {
      suspect: readModelFile(suspect),
      golden: golden === undefined ? null : readModelFile(golden),
      probes,
      probeLabels: labels === undefined || !probes ? null : readClasses(labels, probes.count),
      requests: requests === undefined ? null : readRecords(requests),
      records: trainingRecords(records, recordLabels),
    };
  } catch (error) {
    if (error instanceof ModelFilesRefused) throw new CommandError(EXIT.usage, error.message, { cause: error });
    throw error;
  }
}
