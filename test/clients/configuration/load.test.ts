import { describe, expect, it } from '@jest/globals';
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { loadConfiguration, parseConfiguration } from '../../../clients/configuration/load.ts';
import { configurationJsonSchemaText } from '../../../clients/configuration/json-schema.ts';
import { ConfigurationError } from '../../../clients/configuration/problems.ts';
import { trustRootOf } from '../../../clients/configuration/trust-root.ts';

const GOOD = `version: 1
endpoints:
  signs:
    adapter: gateway
    admin: http://127.0.0.1:8081
    inference: http://127.0.0.1:8080
    model: digits
models:
  digits: {}
people:
  - id: ada
    name: Ada
    roles: [security-lead, on-call]
  - id: max
    name: Max
    roles: [model-owner, ml-engineer]
`;

function problems(text: string): ConfigurationError {
  try {
    parseConfiguration(text, 'lazaret.yaml');
  } catch (error) {
    if (error instanceof ConfigurationError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('lazaret.yaml', () => {
  it('takes the smallest file and fills in the defaults', () => {
    const configuration = parseConfiguration(GOOD, 'lazaret.yaml');
    expect(configuration.endpoints['signs']?.containment.critical).toBe('isolate');
    expect(configuration.gates.release).toHaveLength(2);
  });

  it('takes the seconds that a trainer may take to begin an examination; a pool from zero needs more than the default', () => {
    const given = (settings: string) => GOOD.replace('digits: {}', `digits: ${settings}`);
    const seconds = (text: string) => parseConfiguration(text, 'lazaret.yaml').models['digits']?.examinationWaitSeconds;
    expect(seconds(GOOD)).toBe(20);
    expect(seconds(given('{ examinationWaitSeconds: 600 }'))).toBe(600);
    expect(problems(given('{ examinationWaitSeconds: 0 }')).message).toContain('examinationWaitSeconds');
  });

  it('names the nearest known key for an unknown one, at its line and column', () => {
    const error = problems(GOOD.replace('    adapter: gateway', '    adaptor: gateway'));
    expect(error.message).toContain('lazaret.yaml:4:5: endpoints.signs.adaptor: unknown key "adaptor"');
    expect(error.message).toContain('Did you mean "adapter"?');
    expect(error.message).toContain('"adapter" is missing');
  });

  it('knows the keys of the adapter that an endpoint has, and the nearest adapter for an unknown one', () => {
    const istio = GOOD.replace('    adapter: gateway', '    adapter: istio').replace(/    admin: .*\n/, '');
    const error = problems(istio.replace('    model: digits', '    virtualServise: digits\n    model: digits'));
    expect(error.message).toContain('Did you mean "virtualService"?');
    expect(error.message).toContain('"namespace" is missing');
    expect(problems(GOOD.replace('adapter: gateway', 'adapter: isto')).message).toContain('Did you mean "istio"?');
    const file = istio.replace(
      '    model: digits',
      `    namespace: models
    virtualService: signs
    host: signs.models.svc
    places: { 'sha256:${'a'.repeat(64)}': golden }
    model: digits`,
    );
    expect(parseConfiguration(file, 'lazaret.yaml').endpoints['signs']).toMatchObject({
      adapter: 'istio',
      server: 'https://kubernetes.default.svc',
      virtualService: 'signs',
    });
  });

  it('lists what is known where no key is near', () => {
    expect(problems(`${GOOD}zebra: 1\n`).message).toContain('Known here: version, endpoints, models, people, gates');
  });

  it('reports every problem at once, in the order of the file', () => {
    const error = problems(
      GOOD.replace('version: 1', 'version: 2')
        .replace('http://127.0.0.1:8081', 'nowhere')
        .replace('    model: digits', '    model: letters\n    sensitivity: hihg'),
    );
    expect(error.problems.map(({ line, path }) => `${line} ${path}`)).toEqual([
      '1 version',
      '5 endpoints.signs.admin',
      '8 endpoints.signs.sensitivity',
    ]);
    expect(error.message).toContain('Did you mean "high"?');
    expect(error.message).toContain('Write a full URL');
  });

  it('takes protected attributes by threshold or by values, and refuses anything between', () => {
    const declared = (attribute: string) =>
      GOOD.replace(
        '  digits: {}',
        `  digits:
    fairness:
      favourable: repaid
      attributes:
        - ${attribute}`,
      );
    const { models } = parseConfiguration(declared('{ name: sex, feature: 1, values: [1, 2] }'), 'lazaret.yaml');
    expect(models['digits']?.fairness?.attributes).toEqual([{ name: 'sex', feature: 1, values: [1, 2] }]);
    const both = problems(declared('{ name: age, feature: 4, threshold: 25, values: [1, 2] }'));
    expect(both.message).toContain('give either "threshold" or "values"');
    expect(problems(declared('{ name: age, feature: 4 }')).message).toContain('give either "threshold" or "values"');
    expect(problems(declared('{ name: age, feature: 4, treshold: 25 }')).message).toContain(
      'Did you mean "threshold"?',
    );
  });

  it('takes a risk class and thresholds for each endpoint, and names the nearest class for an unknown one', () => {
    const { endpoints } = parseConfiguration(
      GOOD.replace('    model: digits', '    model: digits\n    riskClass: low\n    gates: { maxEce: 0.2 }'),
      'lazaret.yaml',
    );
    expect(endpoints['signs']).toMatchObject({ riskClass: 'low', gates: { maxEce: 0.2 } });
    const unknown = problems(GOOD.replace('    model: digits', '    model: digits\n    riskClass: limitted'));
    expect(unknown.message).toContain('Did you mean "limited"?');
  });

  it('points at references that lead nowhere', () => {
    const error = problems(GOOD.replace('    model: digits', '    model: letters'));
    expect(error.message).toContain('lazaret.yaml:7:12: endpoints.signs.model: unknown model "letters"');
  });

  it('says that a key is missing at the mapping that lacks it', () => {
    const error = problems(GOOD.replace('    inference: http://127.0.0.1:8080\n', ''));
    expect(error.problems[0]).toMatchObject({
      line: 3,
      path: 'endpoints.signs.inference',
      what: '"inference" is missing',
    });
  });

  it('explains YAML that does not parse, keys that repeat, and files that are not there', () => {
    expect(problems('version: [1').message).toMatch(/^lazaret\.yaml:1:\d+/);
    expect(problems(`version: 1\n${GOOD}`).message).toContain('lazaret.yaml:2:1');
    expect(problems('').message).toContain('is empty');
    expect(() => loadConfiguration('/nowhere/lazaret.yaml')).toThrow('cannot be read (ENOENT)');
  });

  it('refuses a bomb of aliases', () => {
    const rows = Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(9).fill(`*a${i}`).join(',')}]`);
    expect(() => parseConfiguration(['a0: &a0 [x,x,x,x]', ...rows].join('\n'), 'lazaret.yaml')).toThrow(
      ConfigurationError,
    );
  });

  it('has a current JSON Schema in docs/', () => {
    expect(readFileSync('docs/lazaret.schema.json', 'utf8')).toBe(configurationJsonSchemaText());
  });
});

describe('trustRootOf', () => {
  const ed = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    .publicKey.export({ type: 'spki', format: 'pem' })
    .toString();
  const withKeys = (kid: string, alg: 'EdDSA' | 'ES256', publicKey: string) => {
    const configuration = parseConfiguration(GOOD, 'lazaret.yaml');
    return {
      ...configuration,
      people: configuration.people.map((person, index) =>
        index === 0 ? { ...person, keys: [{ kid, alg, publicKey }] } : person,
      ),
    };
  };
  const voucher = { kid: 'v1', name: 'api', alg: 'EdDSA' as const, publicKeyPem: ed, uses: ['vouch' as const] };

  it('gives raw keys of people and of vouchers only', () => {
    const root = trustRootOf(withKeys('ada-1', 'ES256', ec), [voucher, { ...voucher, kid: 'm1', uses: ['model'] }]);
    expect(root.people[0]?.keys[0]?.raw).toMatch(/^04[0-9a-f]{128}$/);
    expect(root.vouchers.map(({ kid, raw }) => [kid, raw.length])).toEqual([['v1', 64]]);
  });

  it('refuses a key of another kind, and a key id that names two keys', () => {
    expect(() => trustRootOf(withKeys('ada-1', 'EdDSA', ec), [])).toThrow('is listed as EdDSA, but is for ES256');
    expect(() => trustRootOf(withKeys('v1', 'EdDSA', ed), [voucher])).toThrow('names two keys');
  });
});
