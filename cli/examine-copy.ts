import { examineCopyFiles, type CopyExamination } from '../clients/examination/examine-copy.ts';
import { ModelFilesRefused } from '../clients/examination/model-files.ts';
import { CommandError, EXIT } from './exit.ts';
import { faint, mark, strong, type Terminal } from './terminal.ts';

interface ExamineCopyOptions {
  readonly own: string;
  readonly twins: readonly string[];
  readonly data: string;
}

/** Was this model made from ours? Status 1 where it was, as with every examination that finds something. */
export async function examineCopy(terminal: Terminal, suspect: string, options: ExamineCopyOptions): Promise<void> {
  const found = await examined(terminal, suspect, options);
  terminal.result({ suspect, own: options.own, ...found });
  for (const line of portrait(found)) terminal.say(line);
  if (found.verdict === 'derived') process.exitCode = EXIT.failed;
}

async function examined(terminal: Terminal, suspect: string, options: ExamineCopyOptions): Promise<CopyExamination> {
  try {
    return await examineCopyFiles({ suspect, ...options }, (file) => terminal.progress(`${file} answers …`));
  } catch (error) {
    if (error instanceof ModelFilesRefused) throw new CommandError(EXIT.usage, error.message, { cause: error });
    throw error;
  }
}

function portrait({ verdict, reason, alpha, queries, kinship }: CopyExamination): readonly string[] {
  const { own, twins, t, pValue, familyPValue } = kinship;
  return [
    `${mark(verdict !== 'derived')} ${strong(verdict)}. ${reason}`,
    faint(
      `  likeness to the own model ${own.toFixed(3)}, to its ${twins.length} twins ${Math.min(...twins).toFixed(3)} to ${Math.max(...twins).toFixed(3)}, over ${queries} questions`,
    ),
    faint(`  t = ${t.toFixed(1)}, p = ${pValue.toPrecision(2)} (accused at ${alpha} and below)`),
    faint(`  the own model among its twins: p = ${familyPValue.toPrecision(2)}`),
  ];
}
