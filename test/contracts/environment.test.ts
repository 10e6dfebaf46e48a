import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import {
  EnvironmentError,
  addressSchema,
  isLoopback,
  listenerRule,
  parseEnvironment,
  s3Environment,
  temporalEnvironment,
  temporalRule,
  weaknessOf,
} from '../../domain/contracts/environment.ts';

const noFiles = (path: string): string => {
  throw Object.assign(new Error(`no ${path}`), { code: 'ENOENT' });
};

function problemsOf(act: () => unknown): EnvironmentError {
  try {
    act();
  } catch (error) {
    if (error instanceof EnvironmentError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('parseEnvironment', () => {
  const s3 = z.object(s3Environment);
  const given = {
    LAZARET_S3_ENDPOINT: 'http://127.0.0.1:9000',
    LAZARET_S3_ACCESS_KEY_ID: 'id',
    LAZARET_S3_SECRET_ACCESS_KEY: 'key',
  };

  it('gives defaults and numbers', () => {
    expect(parseEnvironment(s3, given, noFiles)).toMatchObject({
      LAZARET_S3_REGION: 'us-east-1',
      LAZARET_S3_EVIDENCE_BUCKET: 'lazaret-evidence',
      LAZARET_S3_RETENTION_DAYS: 365,
    });
  });

  it('reports every problem at once, with what was expected and how to set it', () => {
    const error = problemsOf(() =>
      parseEnvironment(s3, { LAZARET_S3_ENDPOINT: 'nonsense', LAZARET_S3_RETENTION_DAYS: '-1' }, noFiles),
    );
    expect(error.problems.map((problem) => problem.variable)).toEqual([
      'LAZARET_S3_ENDPOINT',
      'LAZARET_S3_ACCESS_KEY_ID',
      'LAZARET_S3_SECRET_ACCESS_KEY',
      'LAZARET_S3_RETENTION_DAYS',
    ]);
    expect(error.message).toContain('expected an http or https URL');
    expect(error.message).toContain('set LAZARET_S3_ACCESS_KEY_ID=… or LAZARET_S3_ACCESS_KEY_ID_FILE=<path>');
  });

  it('reads a secret from a file and drops its line break', () => {
    const parsed = parseEnvironment(
      s3,
      { ...given, LAZARET_S3_SECRET_ACCESS_KEY: '', LAZARET_S3_SECRET_ACCESS_KEY_FILE: '/run/secrets/s3' },
      () => 'from-file\n',
    );
    expect(parsed.LAZARET_S3_SECRET_ACCESS_KEY).toBe('from-file');
  });

  it('refuses a secret that is given twice, and a file that cannot be read', () => {
    expect(
      problemsOf(() => parseEnvironment(s3, { ...given, LAZARET_S3_SECRET_ACCESS_KEY_FILE: 'f' }, noFiles)).message,
    ).toContain('given twice');
    expect(
      problemsOf(() =>
        parseEnvironment(
          s3,
          { ...given, LAZARET_S3_SECRET_ACCESS_KEY: undefined, LAZARET_S3_SECRET_ACCESS_KEY_FILE: 'f' },
          noFiles,
        ),
      ).message,
    ).toContain('cannot be read (ENOENT)');
  });

  it('never prints a value', () => {
    const error = problemsOf(() =>
      parseEnvironment(z.object({ TOKEN: z.string().min(40) }), { TOKEN: 'hunter2' }, noFiles),
    );
    expect(error.message).not.toContain('hunter2');
  });

  it('keeps a declared _FILE variable as a path', () => {
    const temporal = z.object(temporalEnvironment);
    const env = { LAZARET_TEMPORAL_ADDRESS: '127.0.0.1:7233', LAZARET_TEMPORAL_TLS_CERT_FILE: '/tls/cert.pem' };
    expect(parseEnvironment(temporal, env, noFiles).LAZARET_TEMPORAL_TLS_CERT_FILE).toBe('/tls/cert.pem');
    expect(problemsOf(() => parseEnvironment(temporal, env, noFiles, [temporalRule])).problems[0]?.variable).toBe(
      'LAZARET_TEMPORAL_TLS_KEY_FILE',
    );
  });
});

describe('the rule for listeners', () => {
  const schema = z.object({ ADDR: addressSchema, CREDENTIAL: z.string().optional() });
  const rules = [listenerRule<'ADDR' | 'CREDENTIAL'>('ADDR', ['CREDENTIAL'])];

  it('lets loopback go without a credential', () => {
    expect(parseEnvironment(schema, { ADDR: '127.0.0.1:7070' }, noFiles, rules).ADDR).toEqual({
      host: '127.0.0.1',
      port: 7070,
    });
    expect(parseEnvironment(schema, { ADDR: '[::1]:7070' }, noFiles, rules).ADDR.host).toBe('::1');
  });

  it.each([undefined, 'changeme', 'changeme-changeme-1', 'short', 'aaaaaaaaaaaaaaaaaaaaaaaa'])(
    'refuses to face a network with the credential %p',
    (CREDENTIAL) => {
      expect(() => parseEnvironment(schema, { ADDR: '0.0.0.0:7070', CREDENTIAL }, noFiles, rules)).toThrow(
        /faces more than loopback/,
      );
    },
  );

  it('accepts a random credential', () => {
    expect(weaknessOf('uT3_9dQp0xVn81mK-2fz')).toBeNull();
  });

  it('knows loopback from addresses that only look like it', () => {
    for (const host of ['127.0.0.1', '127.9.9.9', '::1', '[::1]', 'localhost', '::ffff:127.0.0.1'])
      expect(isLoopback(host)).toBe(true);
    for (const host of [
      '0.0.0.0',
      '::',
      '128.0.0.1',
      '127.0.0.1.example.org',
      '127.0.0',
      '127.0.0.999',
      'localhost.example.org',
      '',
    ]) {
      expect(isLoopback(host)).toBe(false);
    }
  });
});
