import type { IncidentState } from '../../domain/incident/state.ts';
import { PHASES } from '../../domain/incident/kinds.ts';

/** The incident as Markdown, for Temporal's own page (`setCurrentDetails`). Texts from alerts are put in code spans: they are the sender's words. */
export function detailsOf(state: IncidentState): string {
  const lines = [
    `## ${state.severity.toUpperCase()} ${state.kind} on \`${state.endpoint}\``,
    `${code(state.alerts.first.title)} · ${state.alerts.count} alert${state.alerts.count === 1 ? '' : 's'} · opened ${state.openedAt}`,
    '',
    PHASES.map((phase) => (phase === state.phase ? `**${phase}**` : phase)).join(' → '),
    '',
    '| endpoint | stance |',
    '|---|---|',
    ...Object.entries(state.stances).map(([endpoint, stance]) => `| ${endpoint} | ${stance} |`),
  ];
  if (state.status === 'closed') lines.push('', `Closed ${state.closedAt}: **${state.outcome}**`);
  else lines.push('', ...waitingLines(state));
  if (state.findings.length > 0) {
    lines.push('', '| question | verdict | |', '|---|---|---|');
    lines.push(
      ...state.findings.map((finding) => `| ${finding.question} | **${finding.verdict}** | ${finding.summary} |`),
    );
  }
  if (state.decisions.length > 0) {
    lines.push('', '| gate | who | role | decision |', '|---|---|---|---|');
    lines.push(
      ...state.decisions.map(
        (one) => `| ${one.gate} | ${one.person} | ${one.role} | **${one.decision}** ${code(one.reason)} |`,
      ),
    );
  }
  lines.push('', `case log: ${state.log.size} entries, root \`${state.log.root}\``);
  return lines.join('\n');
}

function waitingLines(state: IncidentState & { status: 'running' }): string[] {
  const waiting = state.waiting;
  switch (waiting.for) {
    case 'nothing':
      return [];
    case 'trainer':
      return [`Waits for a trainer on queue \`${waiting.queue}\` since ${waiting.since}.`];
    case 'approval':
      return [
        `### Waits at gate \`${waiting.gate}\` for ${waiting.missing.map((roles) => roles.join(' or ')).join(', and ')}`,
        waiting.summary,
        `digest \`${waiting.digest}\`: send a signed statement as update \`decide\``,
      ];
    case 'command':
      return [
        `### Phase waits for a person: ${waiting.options.join(', ')}`,
        `**${waiting.failure.code}**: ${code(waiting.failure.message)}`,
        `gate \`${waiting.gate}\`, digest \`${waiting.digest}\``,
      ];
  }
}

function code(text: string): string {
  const safe = text.replaceAll('`', "'").replaceAll('\n', ' ').replaceAll('|', '/').slice(0, 300);
  return safe ? `\`${safe}\`` : '';
}
