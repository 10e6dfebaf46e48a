import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ApprovalStatement, Gate } from '../domain/contracts/approval.ts';
import { SEVERITY_DECISIONS, severityIn, type Decision } from '../domain/proofs/decisions.ts';
import { SEVERITIES } from '../domain/incident/kinds.ts';
import type { IncidentState } from '../domain/incident/state.ts';
import { APPROVAL_TYPE, needsReason } from '../domain/proofs/approval.ts';
import { loadConfiguration } from '../clients/configuration/load.ts';
import { createSigner, signCompactJws } from '../evidence/keys/signer.ts';
import { stationPaths } from '../station/paths.ts';
import { CommandError, EXIT } from './exit.ts';
import { waitingLine } from './incident.ts';
import { apiAs, type PersonOptions } from './person.ts';
import { plain, strong, type Terminal } from './terminal.ts';

export interface DecideOptions extends PersonOptions {
  readonly role?: string;
  readonly reason?: string;
  readonly key?: string;
  readonly digest?: string;
  readonly yes?: boolean;
  /** Write the signed statement instead of handing it in. */
  readonly print?: boolean;
}

/** What the decision is about, as the gate shows it at this moment. */
interface Question {
  readonly gate: Gate;
  readonly digest: string;
  readonly roles: readonly string[];
  readonly words: string;
}

/** A person's word: shown what it is about, asked, signed with their own key, handed in. The workflow verifies it, whatever happens on the way. */
export async function decide(
  terminal: Terminal,
  decision: Decision,
  id: string,
  options: DecideOptions,
): Promise<void> {
  const api = apiAs(options);
  const state = await api.state(id);
  const question = questionOf(state, decision);
  if (options.digest !== undefined && options.digest !== question.digest)
    throw new CommandError(
      EXIT.failed,
      `the gate "${question.gate}" is about ${question.digest}, not ${options.digest}`,
    );
  if (needsReason(decision) && !options.reason?.trim())
    throw new CommandError(EXIT.usage, `to ${decision} asks for a reason: give it with --reason`);
  const role = options.role ?? roleOf(options.as, question.roles);

  terminal.say(
    `${strong(decision)} for ${strong(plain(state.incident))}, gate "${question.gate}", as ${options.as} (${role})`,
  );
  terminal.say(question.words);
  terminal.say(`  digest ${question.digest}`);
  if (!options.yes) {
    const answer = await terminal.confirm('Sign this?');
    if (answer === null) throw new CommandError(EXIT.usage, 'nobody is there to be asked: add --yes');
    if (!answer) throw new CommandError(EXIT.failed, 'nothing was signed');
  }

  const statement: ApprovalStatement = {
    incident: state.incident,
    gate: question.gate,
    digest: question.digest,
    decision,
    reason: options.reason ?? '',
    person: options.as,
    role,
    vouchedBy: null,
    issuedAt: new Date().toISOString(),
    nonce: randomBytes(18).toString('base64url'),
  };
  const token = signCompactJws(statement, APPROVAL_TYPE, signerOf(options));
  if (options.print) {
    terminal.say("signed, not handed in: it holds for 15 minutes, by any door (on Temporal's page: update `decide`)");
    terminal.say(JSON.stringify(token));
    terminal.result({ statement: token });
    return;
  }
  const result = await api.decide(id, token);
  terminal.say(
    result.remaining > 0 ? `accepted; the gate waits for ${result.remaining} more` : 'accepted; the gate is settled',
  );
  terminal.result(result);
}

/** `level`: one of SEVERITIES. */
export async function setSeverity(
  terminal: Terminal,
  id: string,
  level: string,
  options: DecideOptions,
): Promise<void> {
  const decision = SEVERITY_DECISIONS.find((each) => severityIn(each) === level);
  if (!decision)
    throw new CommandError(EXIT.usage, `there is no severity "${level}": expected ${SEVERITIES.join(', ')}`);
  await decide(terminal, decision, id, options);
}

function questionOf(state: IncidentState, decision: Decision): Question {
  if (state.status === 'closed')
    throw new CommandError(EXIT.failed, 'the incident is closed; nothing waits for a decision');
  const { waiting } = state;
  // Cancelling is a word about the whole incident: it needs no open gate.
  if (decision === 'cancel')
    return {
      gate: 'incident',
      digest: state.incident,
      roles: [],
      words: '  The incident ends here; the endpoint stays in its safe stance.',
    };
  if (severityIn(decision))
    return {
      gate: 'incident',
      digest: state.incident,
      roles: [],
      words: `  The severity is ${state.severity}. Endpoints stay in the stance they are in.`,
    };
  if (waiting.for === 'approval' && (decision === 'approve' || decision === 'reject'))
    return { gate: waiting.gate, digest: waiting.digest, roles: waiting.missing.flat(), words: waitingLine(waiting) };
  if (waiting.for === 'command' && waiting.options.some((option) => option === decision))
    return { gate: waiting.gate, digest: waiting.digest, roles: [], words: waitingLine(waiting) };
  const instead = waitingLine(waiting);
  throw new CommandError(
    EXIT.failed,
    `nothing waits for "${decision}"${instead ? `; the incident ${instead}` : ' at the moment'}`,
  );
}

/** The first role the gate asks for that this person holds. */
function roleOf(person: string, asked: readonly string[]): string {
  const file = process.env['LAZARET_CONFIG'] ?? stationPaths().configuration;
  if (!existsSync(file)) throw new CommandError(EXIT.usage, 'say in which role you decide: --role');
  const configuration = loadConfiguration(file);
  const held = configuration.people.find((entry) => entry.id === person)?.roles ?? [];
  const wanted = asked.length > 0 ? asked : configuration.gates.command;
  const role = held.find((candidate) => wanted.includes(candidate)) ?? held[0];
  if (!role)
    throw new CommandError(EXIT.usage, `"${person}" is not among the people of ${file}: name yourself with --as`);
  return role;
}

function signerOf(options: DecideOptions) {
  const file = options.key ?? process.env['LAZARET_KEY_FILE'] ?? join(stationPaths().people, options.as, 'key.pem');
  if (!existsSync(file))
    throw new CommandError(EXIT.usage, `no key of "${options.as}" at ${file}: name the file with --key`);
  const passphrase = process.env['LAZARET_KEY_PASSPHRASE'];
  return createSigner({
    name: options.as,
    privatePem: readFileSync(file, 'utf8'),
    ...(passphrase === undefined ? {} : { passphrase }),
  });
}
