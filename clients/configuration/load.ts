import { readFileSync } from 'node:fs';
import { LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { configurationSchema, type Configuration } from '../../domain/contracts/configuration.ts';
import { problemsOfMapping } from '../mapping/mapping.ts';
import { configurationJsonSchema } from './json-schema.ts';
import { ConfigurationError, problemsOf, type ConfigurationProblem } from './problems.ts';

/** A configuration of a thousand endpoints stays far below; anything larger is not one. */
const MAX_CONFIGURATION_BYTES = 4 * 1024 * 1024;

/** Reads `lazaret.yaml`. Throws a ConfigurationError that lists every problem with its line and a remedy. */
export function loadConfiguration(path: string): Configuration {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const code = codeOf(cause);
    throw new ConfigurationError([
      whole(path, `cannot be read (${code})`, 'Create the file, or name another one with LAZARET_CONFIG.'),
    ]);
  }
  return parseConfiguration(text, path);
}

/** The same for text at hand; `file` is the name that messages carry. */
export function parseConfiguration(text: string, file: string): Configuration {
  if (Buffer.byteLength(text) > MAX_CONFIGURATION_BYTES) {
    throw new ConfigurationError([
      whole(file, `is larger than ${MAX_CONFIGURATION_BYTES} bytes`, 'Is this the right file?'),
    ]);
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, version: '1.2' });
  if (document.errors.length > 0) {
    throw new ConfigurationError(
      document.errors.map((error) => {
        const { line, col } = lines.linePos(error.pos[0]);
        return {
          file,
          line,
          column: col,
          path: '',
          what: error.message,
          remedy: 'Mend the YAML here: indentation, quotes or a repeated key.',
        };
      }),
    );
  }
  if (document.contents === null) {
    throw new ConfigurationError([whole(file, 'is empty', 'Declare version, endpoints, models and people.')]);
  }
  let value: unknown;
  try {
    value = document.toJS();
  } catch {
    // The parser refuses documents that grow without bound by aliases.
    throw new ConfigurationError([whole(file, 'uses aliases that cannot be resolved', 'Write the values out.')]);
  }
  const parsed = configurationSchema.safeParse(value);
  const issues = parsed.success ? expressionIssues(parsed.data) : parsed.error.issues;
  if (parsed.success && issues.length === 0) return parsed.data;
  const source = { file, document, lines, schema: configurationJsonSchema() };
  const problems = issues.flatMap((issue) => problemsOf(issue, source));
  throw new ConfigurationError(problems.sort((a, b) => a.line - b.line || a.column - b.column));
}

/** What is wrong with the expressions that the contract holds as texts: the engine that reads them is no part of the domain. */
function expressionIssues({ intake }: Configuration): readonly z.core.$ZodIssue[] {
  return Object.entries(intake?.sources ?? {}).flatMap(([name, source]) =>
    problemsOfMapping(source).map(({ field, why }): z.core.$ZodIssue => ({
      code: 'custom',
      path: ['intake', 'sources', name, field],
      message: `the expression cannot be used: ${why}`,
      input: undefined,
    })),
  );
}

function whole(file: string, what: string, remedy: string): ConfigurationProblem {
  return { file, line: 1, column: 1, path: '', what, remedy };
}

function codeOf(cause: unknown): string {
  return typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : 'unreadable';
}
