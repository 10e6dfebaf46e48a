import { readJson } from '../setup/place.mjs';

/** jest's JSON: every test by name; a file that did not even load counts as one failure. */
export function readJest(file, name, status) {
  const report = readJson(file);
  if (!report) return { passed: 0, failed: 1, failures: [`${name} left no results (status ${status})`], skipped: [] };
  const tests = report.testResults.flatMap((suite) => suite.assertionResults);
  const named = (state) => tests.filter((test) => test.status === state).map((test) => test.fullName);
  const broken = report.testResults
    .filter((suite) => suite.status === 'failed' && suite.assertionResults.every((test) => test.status !== 'failed'))
    .map((suite) => `${suite.name}: ${firstLine(suite.message)}`);
  const failures = [...named('failed'), ...broken];
  // jest can also end badly for a reason of its own, such as a leaked handle.
  if (failures.length === 0 && status !== 0) failures.push(`${name} ended with status ${status}`);
  return {
    passed: named('passed').length,
    failed: failures.length,
    failures,
    skipped: [...named('pending'), ...named('skipped'), ...named('todo'), ...named('disabled')],
  };
}

function firstLine(text) {
  return (
    text
      .split('\n')
      .find((line) => line.trim() !== '')
      ?.trim() ?? ''
  );
}
