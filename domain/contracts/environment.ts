import { z } from 'zod';

/**
 * Configuration of a process from its environment: one zod object per process, whose keys are the names of the variables. Every variable may
 * also be given as `<NAME>_FILE`, the path of a file that holds the value (Docker and Kubernetes secrets); a trailing line break is dropped.
 * An empty variable counts as absent, because compose files pass on unset ones that way.
 */
export interface EnvironmentProblem {
  readonly variable: string;
  readonly expected: string;
  readonly remedy: string;
}

/** Lists every problem at once. The message never carries a value: it may be a secret. */
export class EnvironmentError extends Error {
  readonly problems: readonly EnvironmentProblem[];
  constructor(problems: readonly EnvironmentProblem[]) {
    const lines = problems.map(({ variable, expected, remedy }) => `  ${variable}: ${expected}\n    ${remedy}`);
    super(`the environment has ${problems.length} problem${problems.length === 1 ? '' : 's'}:\n${lines.join('\n')}`);
    this.name = 'EnvironmentError';
    this.problems = problems;
  }
}

/** A rule over several variables, given those that are valid by themselves. */
export type EnvironmentRule<T> = (values: Partial<T>) => readonly EnvironmentProblem[];

/** Parses the variables that `schema` names. Throws an EnvironmentError with all problems, those of `rules` included. */
export function parseEnvironment<Schema extends z.ZodObject>(
  schema: Schema,
  env: Readonly<Record<string, string | undefined>>,
  readFile: (path: string) => string,
  rules: readonly EnvironmentRule<z.output<Schema>>[] = [],
): z.output<Schema> {
  const problems: EnvironmentProblem[] = [];
  const raw: Record<string, string> = {};
  const valid: Record<string, unknown> = {};
  const fields: [string, z.core.$ZodType][] = Object.entries(schema.shape);
  for (const [variable, field] of fields) {
    const given = textOf(variable, Object.hasOwn(schema.shape, `${variable}_FILE`), env, readFile);
    if ('problem' in given) {
      problems.push(given.problem);
      continue;
    }
    if (given.text !== undefined) raw[variable] = given.text;
    const parsed = z.safeParse(field, given.text);
    if (parsed.success) valid[variable] = parsed.data;
    else problems.push(problemOf(variable, field, given.text === undefined, parsed.error));
  }
  const partial = valid as Partial<z.output<Schema>>;
  for (const rule of rules) problems.push(...rule(partial));
  if (problems.length > 0) throw new EnvironmentError(problems);
  return schema.parse(raw);
}

function textOf(
  variable: string,
  fileIsDeclared: boolean,
  env: Readonly<Record<string, string | undefined>>,
  readFile: (path: string) => string,
): { text: string | undefined } | { problem: EnvironmentProblem } {
  const direct = env[variable] || undefined;
  const path = fileIsDeclared ? undefined : env[`${variable}_FILE`] || undefined;
  if (path === undefined) return { text: direct };
  if (direct !== undefined) {
    return {
      problem: {
        variable,
        expected: `is given twice, also as ${variable}_FILE`,
        remedy: `keep one of the two; the file is the safer place for a secret`,
      },
    };
  }
  try {
    return { text: readFile(path).replace(/\r?\n$/, '') || undefined };
  } catch (cause) {
    const code = typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : 'unreadable';
    return {
      problem: {
        variable: `${variable}_FILE`,
        expected: `the file it names cannot be read (${code})`,
        remedy: `create the file and make it readable for this process, or set ${variable} itself`,
      },
    };
  }
}

function problemOf(variable: string, field: z.core.$ZodType, absent: boolean, error: z.ZodError): EnvironmentProblem {
  const about = z.globalRegistry.get(field)?.description;
  return {
    variable,
    expected: absent ? 'is required and not set' : error.issues.map((issue) => issue.message).join('; '),
    // A path is no secret: it is given as it is.
    remedy: `set ${variable}=…${/_(FILE|DIR)$/.test(variable) ? '' : ` or ${variable}_FILE=<path>`}${about ? ` (${about})` : ''}`,
  };
}

// ---- the forms of single variables

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** `host:port` or `[v6]:port` to listen on or to reach. */
export const addressSchema = z.string().transform((text, context): ListenAddress => {
  const found = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s/]+)):(\d{1,5})$/.exec(text);
  const port = Number(found?.[3]);
  if (!found || port > 65_535) {
    context.issues.push({
      code: 'custom',
      input: text,
      message: 'expected host:port, e.g. 127.0.0.1:7070 or [::1]:7070',
    });
    return z.NEVER;
  }
  return { host: found[1] ?? found[2] ?? '', port };
});

/** A whole number written in decimal, within the bounds. */
export function wholeNumber(min: number, max: number) {
  const message = `expected a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,15}$/, message)
    .transform(Number)
    .pipe(z.number().min(min, message).max(max, message));
}

/** `true` or `false`. */
export const truth = z
  .enum(['true', 'false'], { error: 'expected true or false' })
  .transform((text) => text === 'true');

// ---- pieces that several processes share

const bucket = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
    'expected a bucket name: 3 to 63 lower-case letters, digits, dots and hyphens',
  );

export const s3Environment = {
  LAZARET_S3_ENDPOINT: z
    .url({ protocol: /^https?$/, error: 'expected an http or https URL' })
    .describe('URL of the S3 service'),
  LAZARET_S3_REGION: z.string().default('us-east-1'),
  LAZARET_S3_ACCESS_KEY_ID: z.string().describe('access key of the S3 service'),
  LAZARET_S3_SECRET_ACCESS_KEY: z.string().describe('secret key of the S3 service'),
  LAZARET_S3_EVIDENCE_BUCKET: bucket.default('lazaret-evidence'),
  LAZARET_S3_ARTIFACTS_BUCKET: bucket.default('lazaret-artifacts'),
  /** Days an evidence object cannot be deleted by anyone, from the day it is written. */
  LAZARET_S3_RETENTION_DAYS: wholeNumber(1, 36_500).default(365),
};

export const temporalEnvironment = {
  LAZARET_TEMPORAL_ADDRESS: z
    .string()
    .regex(/^(\[[0-9a-fA-F:.]+\]|[^:[\]\s/]+):\d{1,5}$/, 'expected host:port')
    .describe('address of the Temporal service, e.g. 127.0.0.1:7233'),
  LAZARET_TEMPORAL_NAMESPACE: z.string().default('default'),
  /** Both or none: the client's certificate and key, PEM. */
  LAZARET_TEMPORAL_TLS_CERT_FILE: z.string().optional(),
  LAZARET_TEMPORAL_TLS_KEY_FILE: z.string().optional(),
  LAZARET_TEMPORAL_TLS_CA_FILE: z.string().optional(),
  LAZARET_TEMPORAL_API_KEY: z.string().optional(),
};

export const temporalRule: EnvironmentRule<z.output<z.ZodObject<typeof temporalEnvironment>>> = (values) => {
  const cert = values.LAZARET_TEMPORAL_TLS_CERT_FILE;
  const key = values.LAZARET_TEMPORAL_TLS_KEY_FILE;
  if ((cert === undefined) === (key === undefined)) return [];
  const [variable, other] =
    cert === undefined
      ? ['LAZARET_TEMPORAL_TLS_CERT_FILE', 'LAZARET_TEMPORAL_TLS_KEY_FILE']
      : ['LAZARET_TEMPORAL_TLS_KEY_FILE', 'LAZARET_TEMPORAL_TLS_CERT_FILE'];
  return [{ variable, expected: `is required where ${other} is set`, remedy: 'set both, or neither' }];
};

export const trustEnvironment = {
  LAZARET_TRUST_FILE: z.string().describe('path of trust.json, the public keys of the machines'),
};

export const configurationEnvironment = {
  LAZARET_CONFIG: z.string().describe('path of lazaret.yaml'),
};

export const keysEnvironment = {
  LAZARET_KEYS_DIR: z.string().describe('folder of the PEM private keys of this process'),
};

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export const logEnvironment = {
  LAZARET_LOG_LEVEL: z.enum(LOG_LEVELS, { error: `expected one of ${LOG_LEVELS.join(', ')}` }).default('info'),
};

// ---- who may reach this process

/** 127.0.0.0/8, ::1 (also IPv4-mapped) and `localhost`. Everything else is a network that others are on; so is `0.0.0.0`. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').toLowerCase();
  if (bare === 'localhost' || bare === '::1' || bare === '0:0:0:0:0:0:0:1') return true;
  return /^(?:::ffff:)?127(?:\.(?:25[0-5]|2[0-4]\d|1?\d{1,2})){3}$/.test(bare);
}

/** 16 characters of base64url hold 96 bits; shorter credentials can be guessed over a network. */
export const MIN_CREDENTIAL_CHARACTERS = 16;
const WELL_KNOWN =
  /^(?:(?:change[-_ ]?me|password|passwd|secret|admin|administrator|minioadmin|lazaret|default|test|demo|example|root|letmein)[-_.\d]*)+$/i;

/** Why a credential must not protect anything that others can reach; null where it is good enough. */
export function weaknessOf(credential: string | undefined): string | null {
  if (!credential) return 'is required';
  if (WELL_KNOWN.test(credential)) return 'is a well-known default';
  if (credential.length < MIN_CREDENTIAL_CHARACTERS) return `is shorter than ${MIN_CREDENTIAL_CHARACTERS} characters`;
  if (new Set(credential).size < 6) return 'repeats a few characters';
  return null;
}

/**
 * The rule for listeners: anything that faces more than loopback refuses to start with missing, default or short credentials.
 * `listener` is the variable with the address, `credentials` the variables that protect it.
 */
export function listenerRule<Name extends string>(
  listener: Name,
  credentials: readonly Name[],
): (values: Partial<Record<Name, unknown>>) => readonly EnvironmentProblem[] {
  return (values) => {
    const address = values[listener];
    const host = addressHost(address);
    if (host === null || isLoopback(host)) return [];
    return credentials.flatMap((variable) => {
      const credential = values[variable];
      const weakness = weaknessOf(typeof credential === 'string' ? credential : undefined);
      if (weakness === null) return [];
      return [
        {
          variable,
          expected: `${weakness}, and ${listener} faces more than loopback`,
          remedy: `set ${variable}_FILE to a file with at least ${MIN_CREDENTIAL_CHARACTERS} random characters, or listen on 127.0.0.1`,
        },
      ];
    });
  };
}

function addressHost(address: unknown): string | null {
  return typeof address === 'object' && address !== null && 'host' in address && typeof address.host === 'string'
    ? address.host
    : null;
}
