import { examineModel, FILE_ANALYSERS, type FileAnalyser } from '../clients/examination/examine-model.ts';
import { ModelFilesRefused, readModelFile, readRecords } from '../clients/examination/model-files.ts';
import type { Finding } from '../domain/contracts/finding.ts';
import { CommandError, EXIT } from './exit.ts';
import { faint, mark, plain, strong, type Terminal } from './terminal.ts';

interface ExamineOptions {
  readonly golden?: string;
  readonly data?: string;
  readonly requests?: string;
  readonly only?: string;
}

/** The analysers of an incident on two files. Status 1 where something speaks against the model, so that a pipeline can stop there. */
export async function examine(terminal: Terminal, suspect: string, options: ExamineOptions): Promise<void> {
  const chosen = analysersOf(options.only);
  const files = inputs(suspect, options);
  const findings: Finding[] = [];
  for (const analyser of chosen) {
    terminal.progress(`${analyser} …`);
    findings.push(await examineModel(analyser, files));
  }
  terminal.result({ suspect, golden: options.golden ?? null, findings });
  for (const finding of findings)
    terminal.say(
      `${mark(finding.verdict === 'clean')} ${strong(finding.analyser)}: ${finding.verdict}. ${plain(finding.summary)}\n  ${faint(finding.question)}`,
    );
  if (findings.some(({ verdict }) => verdict === 'compromised' || verdict === 'suspicious'))
    process.exitCode = EXIT.failed;
}

function analysersOf(only: string | undefined): readonly FileAnalyser[] {
  if (only === undefined) return FILE_ANALYSERS;
  return only.split(',').map((name) => {
    const found = FILE_ANALYSERS.find((analyser) => analyser === name.trim());
    if (found) return found;
    throw new CommandError(EXIT.usage, `--only takes ${FILE_ANALYSERS.join(', ')}; got ${JSON.stringify(name)}`);
  });
}

function inputs(suspect: string, { golden, data, requests }: ExamineOptions) {
  try {
    return {
      suspect: readModelFile(suspect),
      golden: golden === undefined ? null : readModelFile(golden),
      probes: data === undefined ? null : readRecords(data),
      requests: requests === undefined ? null : readRecords(requests),
    };
  } catch (error) {
    if (error instanceof ModelFilesRefused) throw new CommandError(EXIT.usage, error.message, { cause: error });
    throw error;
  }
}
