import { describe, expect, it } from '@jest/globals';
import { apiEnvironment, apiRules } from '../../api/environment.ts';
import { EnvironmentError, parseEnvironment } from '../../domain/contracts/environment.ts';

const NEEDED = {
  LAZARET_TEMPORAL_ADDRESS: '127.0.0.1:7233',
  LAZARET_S3_ENDPOINT: 'http://127.0.0.1:8483',
  LAZARET_S3_ACCESS_KEY_ID: 'a',
  LAZARET_S3_SECRET_ACCESS_KEY: 'b',
  LAZARET_CONFIG: 'lazaret.yaml',
  LAZARET_TRUST_FILE: 'trust.json',
  LAZARET_KEYS_DIR: 'keys',
};
const read = (extra: Record<string, string>, files: Record<string, string> = {}) =>
  parseEnvironment(apiEnvironment, { ...NEEDED, ...extra }, (path) => files[path] ?? '', apiRules);
const problemsOf = (extra: Record<string, string>): string => {
  try {
    read(extra);
  } catch (error) {
    if (error instanceof EnvironmentError) return error.message;
    throw error;
  }
  return '';
};

describe('the environment of the intake', () => {
  it('leaves every source out that has no secret, and takes one from a file', () => {
    expect(read({}).LAZARET_GITHUB_SECRET).toBeUndefined();
    const files = { '/run/secrets/github': 'Rt6yUj1mNb7vCx20QwAs\n' };
    expect(read({ LAZARET_GITHUB_SECRET_FILE: '/run/secrets/github' }, files).LAZARET_GITHUB_SECRET).toBe(
      'Rt6yUj1mNb7vCx20QwAs',
    );
  });

  it('refuses a secret that can be guessed, on loopback too, and never repeats it', () => {
    for (const [variable, value] of [
      ['LAZARET_GITHUB_SECRET', 'changeme'],
      ['LAZARET_DATADOG_TOKEN', 'short-0aZ'],
      ['LAZARET_KSERVE_TOKEN', 'aaaaaaaaaaaaaaaaaaaaaaaa'],
      ['LAZARET_EVIDENTLY_SECRET', 'whsec_c2hvcnQ='],
    ] as const) {
      const message = problemsOf({ [variable]: value });
      expect(message).toContain(`${variable}: `);
      expect(message).not.toContain(value);
    }
  });

  it('takes the ARNs of topics, and nothing that is none', () => {
    const topics = 'arn:aws:sns:eu-west-1:123456789012:a, arn:aws-cn:sns:cn-north-1:123456789012:b.fifo';
    expect(read({ LAZARET_SNS_TOPICS: topics }).LAZARET_SNS_TOPICS).toEqual(topics.split(', '));
    for (const wrong of ['*', 'arn:aws:sns:eu-west-1:123456789012:*', 'arn:aws:sqs:eu-west-1:123456789012:a']) {
      expect(problemsOf({ LAZARET_SNS_TOPICS: wrong })).toContain('expected ARNs of topics');
    }
  });
});
