import { runChecks, type Check } from './doctor-checks.ts';
import { configuration, connections, trustedKeys } from './connections.ts';
import { EXIT } from './exit.ts';
import { faint, mark, plain, type Terminal } from './terminal.ts';

/** Proves every connection of lazaret.yaml by using it. Each line says what holds, or what does not and the remedy. */
export async function doctor(terminal: Terminal, options: { config?: string }): Promise<void> {
  const checks: Check[] = [];
  const told = (check: Check) => {
    checks.push(check);
    terminal.say(`${mark(check.ok)} ${check.subject.padEnd(28)} ${plain(check.detail)}`);
    if (check.remedy) terminal.say(`  ${faint('→')} ${check.remedy}`);
  };
  const declared = configuration(options.config);
  told({
    subject: 'lazaret.yaml',
    ok: true,
    detail: `${Object.keys(declared.endpoints).length} endpoints, ${Object.keys(declared.models).length} models, ${declared.people.length} people`,
    remedy: null,
  });
  await runChecks({ configuration: declared, connections: connections(), keys: trustedKeys(), told });
  const problems = checks.filter((check) => !check.ok).length;
  terminal.say(problems === 0 ? '\neverything answers' : `\n${problems} of ${checks.length} checks found a problem`);
  terminal.result({ ok: problems === 0, checks });
  if (problems > 0) process.exitCode = EXIT.failed;
}
