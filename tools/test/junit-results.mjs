import { existsSync, readFileSync } from 'node:fs';

/** pytest's JUnit XML. Only elements and attributes that pytest itself writes are looked for, so no XML parser is needed. */
export function readJunit(file, name, status) {
  if (!existsSync(file))
    return { passed: 0, failed: 1, failures: [`${name} left no results (status ${status})`], skipped: [] };
  const text = readFileSync(file, 'utf8');
  const cases = [...text.matchAll(/<testcase\b([^>]*?)(?:\/>|>([^]*?)<\/testcase>)/g)].map(
    ([, attributes, body = '']) => ({
      name: `${attribute(attributes, 'classname')} ${attribute(attributes, 'name')}`,
      failed: /<(failure|error)\b/.test(body),
      skipped: /<skipped\b/.test(body),
    }),
  );
  const failures = cases.filter((test) => test.failed).map((test) => test.name);
  if (failures.length === 0 && status !== 0) failures.push(`${name} ended with status ${status}`);
  return {
    passed: cases.filter((test) => !test.failed && !test.skipped).length,
    failed: failures.length,
    failures,
    skipped: cases.filter((test) => test.skipped).map((test) => test.name),
  };
}

const ENTITIES = { '&lt;': '<', '&gt;': '>', '&quot;': '"', '&apos;': "'", '&amp;': '&' };

function attribute(attributes, name) {
  const value = new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1] ?? '';
  return value.replace(/&(lt|gt|quot|apos|amp);/g, (entity) => ENTITIES[entity]);
}
