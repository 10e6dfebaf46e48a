/** Prints what was skipped and what failed by name, a table, and the one line that others read. Returns whether all is well. */
export function summary(outcomes, write = (text) => process.stdout.write(text)) {
  const skipped = outcomes.flatMap(({ name, skipped: names }) => names.map((test) => `${name}: ${test}`));
  const failures = outcomes.flatMap(({ name, failures: names }) => names.map((test) => `${name}: ${test}`));
  write('\n');
  if (skipped.length > 0) write(`skipped:\n${lines(skipped)}`);
  if (failures.length > 0) write(`failed:\n${lines(failures)}`);
  const width = Math.max(...outcomes.map(({ name }) => name.length));
  for (const { name, passed, failed, seconds } of outcomes)
    write(
      `  ${name.padEnd(width)}  ${String(passed).padStart(5)} passed ${String(failed).padStart(4)} failed  ${seconds.toFixed(1).padStart(7)} s\n`,
    );
  const total = (key) => outcomes.reduce((sum, outcome) => sum + outcome[key], 0);
  write(`  ${'all'.padEnd(width)}  ${' '.repeat(28)}${total('seconds').toFixed(1)} s\n\n`);
  write(`${total('passed')} passed, ${total('failed')} failed\n`);
  return total('failed') === 0;
}

const lines = (names) => names.map((name) => `  ${name}\n`).join('');
