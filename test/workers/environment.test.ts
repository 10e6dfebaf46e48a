import { describe, expect, it } from '@jest/globals';
import { EnvironmentError, parseEnvironment, temporalRule } from '../../domain/contracts/environment.ts';
import { responseWorkerEnvironment } from '../../workers/environment.ts';

const COMPLETE = {
  LAZARET_TEMPORAL_ADDRESS: '127.0.0.1:7233',
  LAZARET_S3_ENDPOINT: 'http://127.0.0.1:9000',
  LAZARET_S3_ACCESS_KEY_ID: 'id',
  LAZARET_S3_SECRET_ACCESS_KEY: 'key',
  LAZARET_CONFIG: 'lazaret.yaml',
  LAZARET_TRUST_FILE: 'trust.json',
  LAZARET_KEYS_DIR: 'keys',
  LAZARET_GATEWAY_ADMIN_TOKEN: 'token-of-the-gateways',
};
const SECRET = 'uT3_9dQp0xVn81mK-2fz';

const read = (env: Readonly<Record<string, string | undefined>>, file: (path: string) => string = () => '') =>
  parseEnvironment(responseWorkerEnvironment, env, file, [temporalRule]);

function problemsOf(env: Readonly<Record<string, string | undefined>>): EnvironmentError {
  try {
    read(env);
  } catch (error) {
    if (error instanceof EnvironmentError) return error;
    throw error;
  }
  throw new Error('the environment has no problem');
}

describe('the environment of the response worker', () => {
  it('is complete with eight variables; the rest have defaults', () => {
    expect(read(COMPLETE)).toMatchObject({
      ...COMPLETE,
      LAZARET_TEMPORAL_NAMESPACE: 'default',
      LAZARET_S3_EVIDENCE_BUCKET: 'lazaret-evidence',
      LAZARET_LOG_LEVEL: 'info',
      LAZARET_NOTIFICATIONS_DIR: 'notifications',
    });
  });

  it('lists every variable that is missing at once, with the remedy', () => {
    const { problems, message } = problemsOf({});
    expect(problems.map((problem) => problem.variable).toSorted()).toEqual(Object.keys(COMPLETE).toSorted());
    for (const { variable, remedy } of problems) {
      expect(message).toContain(variable);
      expect(remedy).toContain(`set ${variable}=`);
    }
  });

  it('lists what is missing, what is wrong and what does not fit together in one go', () => {
    const { problems } = problemsOf({
      ...COMPLETE,
      LAZARET_CONFIG: '',
      LAZARET_TEMPORAL_ADDRESS: 'somewhere',
      LAZARET_S3_RETENTION_DAYS: '0',
      LAZARET_LOG_LEVEL: 'loud',
      LAZARET_TEMPORAL_TLS_CERT_FILE: '/tls/cert.pem',
    });
    expect(problems.map((problem) => problem.variable).toSorted()).toEqual([
      'LAZARET_CONFIG',
      'LAZARET_LOG_LEVEL',
      'LAZARET_S3_RETENTION_DAYS',
      'LAZARET_TEMPORAL_ADDRESS',
      'LAZARET_TEMPORAL_TLS_KEY_FILE',
    ]);
  });

  it('takes the gateways’ credential from a file, and never prints it', () => {
    const { LAZARET_GATEWAY_ADMIN_TOKEN: _given, ...rest } = COMPLETE;
    const env = { ...rest, LAZARET_GATEWAY_ADMIN_TOKEN_FILE: '/run/secrets/token' };
    expect(read(env, () => `${SECRET}\n`).LAZARET_GATEWAY_ADMIN_TOKEN).toBe(SECRET);
    expect(
      problemsOf({ ...COMPLETE, LAZARET_GATEWAY_ADMIN_TOKEN: SECRET, LAZARET_LOG_LEVEL: 'loud' }).message,
    ).not.toContain(SECRET);
  });
});
