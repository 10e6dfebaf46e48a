import { describe, expect, it } from '@jest/globals';
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { apiEnvironment } from '../../api/environment.ts';
import { datadog } from '../../api/intake/sources/datadog.ts';
import { cloudevents } from '../../api/intake/sources/cloudevents.ts';
import { generic } from '../../api/intake/sources/generic.ts';
import { SOURCES } from '../../api/intake/sources/index.ts';
import { parseConfiguration } from '../../clients/configuration/load.ts';
import { startApi } from '../api/fakes.ts';
import { STANDARD_SECRET } from '../api/senders.ts';

const page = readFileSync(new URL('../../docs/connect.md', import.meta.url), 'utf8');
const example = /```yaml\n([\s\S]*?)```/.exec(page)?.[1] ?? '';

/** The text under a heading, up to the next one; its blocks of code by language. */
function section(title: string) {
  const text = page.split(/^###? /m).find((part) => part.toLowerCase().startsWith(`${title.toLowerCase()}\n`)) ?? '';
  const blocks = [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language, code]) => ({ language, code }));
  return { text, block: (language: string) => blocks.find((one) => one.language === language)?.code ?? '' };
}

/** The lines for Evidently are Python; where there is none, the test of them is skipped by name. */
const itWithPython = spawnSync('python3', ['--version']).status === 0 ? it : it.skip;

describe('docs/connect.md', () => {
  it('shows a lazaret.yaml that the station takes as it is', () => {
    expect(Object.keys(parseConfiguration(example, 'connect.md').endpoints)).toEqual(['signs']);
  });

  it('has a section for every source of alerts, with its address and its variable', () => {
    const variables = Object.keys(apiEnvironment.shape);
    for (const { name } of SOURCES) {
      const { text } = section(name);
      expect([name, text]).toEqual([name, expect.stringContaining(`/v1/alerts/${name}`)]);
      const row = page.split('\n').find((line) => line.startsWith(`| [${name}](#${name})`));
      const variable = /`(LAZARET_\w+)`/.exec(row ?? '')?.[1];
      expect([name, variables.includes(variable ?? '')]).toEqual([name, true]);
    }
  });

  it('shows sections of intake that are taken beside that lazaret.yaml', () => {
    const names = parseConfiguration(example + section('Alerts').block('yaml'), 'connect.md').intake?.names;
    expect(Object.values(names ?? {})).toContain('signs');
    const described = parseConfiguration(example + section('Any other sender').block('yaml'), 'connect.md').intake;
    expect(Object.keys(described?.sources ?? {})).toEqual(['opsgenie', 'sentry']);
  });

  it('shows payloads that the sources take', () => {
    const filled = section('Datadog').block('json').replace('"$DATE"', '"1780315140000"');
    expect(datadog.schema.safeParse(JSON.parse(filled)).success).toBe(true);
    expect(cloudevents.schema.safeParse(JSON.parse(section('CloudEvents').block('json'))).success).toBe(true);
    expect(generic.schema.safeParse(JSON.parse(section('Generic').block('json'))).success).toBe(true);
  });

  it('shows settings of senders that are well-formed and name the right address', () => {
    const urlOf = (source: string): string => `https://lazaret.example/v1/alerts/${source}`;
    expect(parse(section('Alertmanager').block('yaml'))).toMatchObject({
      receivers: [{ webhook_configs: [{ url: urlOf('alertmanager') }] }],
    });
    expect(parse(section('Falco').block('yaml'))).toMatchObject({ webhook: { address: urlOf('falco') } });
    expect(section('KServe').block('yaml')).toContain('@lazaret.example/v1/alerts/kserve');
    expect(section('MLflow').block('python')).toContain(urlOf('mlflow'));
    expect(JSON.parse(section('SNS').block('json'))).toMatchObject({ source: ['aws.sagemaker', 'aws.cloudwatch'] });
  });

  itWithPython('has lines for Evidently that send a run and sign it', async () => {
    const { app, incidents } = await startApi({
      credentials: { evidently: STANDARD_SECRET },
      clock: () => new Date(),
    });
    const folder = mkdtempSync(join(tmpdir(), 'evidently-'));
    try {
      await app.listen(0, '127.0.0.1');
      const url = `${await app.getUrl()}/v1/alerts/evidently`;
      const script = `${section('Evidently').block('python')}
class Run:
    def dict(self):
        return {"metrics": [], "tests": [{"name": "Share of Drifted Columns: Less 0.5", "description": "Straße", "status": "FAIL"}]}
print(tell_lazaret(Run(), "signs", ${JSON.stringify(url)}, ${JSON.stringify(STANDARD_SECRET)}))
`;
      writeFileSync(join(folder, 'tell.py'), script);
      const { stdout } = await promisify(execFile)('python3', [join(folder, 'tell.py')], {
        env: { PATH: process.env['PATH'], no_proxy: '*' },
      });
      expect(stdout.trim()).toBe('202');
      expect(incidents.alerts[0]).toMatchObject({ source: 'evidently', endpoint: 'signs', kind: 'drift' });
    } finally {
      rmSync(folder, { recursive: true, force: true });
      await app.close();
    }
  });
});
