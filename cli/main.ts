#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { SEVERITIES } from '../domain/incident/kinds.ts';
import { CommandError, EXIT } from './exit.ts';
import { createTerminal, type Terminal } from './terminal.ts';

/** `lazaret incident show … | head`: who reads has read enough, and that is no failure. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

/** Commands are imported when they run: `--help` answers without loading the engines' clients. */
type Action = (terminal: Terminal, ...parsed: never[]) => Promise<void>;

const program = new Command('lazaret')
  .description('Incident response for machine-learning models.')
  .option('--json', 'write the result as JSON; the last line is one JSON value')
  .option('--home <folder>', 'where the embedded station keeps its state (default: LAZARET_HOME or .lazaret)')
  .showHelpAfterError('(add --help for examples)')
  .configureHelp({ showGlobalOptions: true })
  .exitOverride()
  .addHelpText(
    'after',
    `
Examples:
  $ lazaret demo                       an attack on a station of its own, from alert to signed redeploy
  $ lazaret station up                 keep a station running; Ctrl-C stops it
  $ lazaret incident list              what is open
  $ lazaret incident watch digits-1a2b3c4d
  $ lazaret verify bundle.tar          check an evidence bundle, offline

Exit status:
  0  it succeeded
  1  it ran and did not succeed: a check failed, a decision was refused
  2  the command was wrong: an unknown option, a missing file, an invalid lazaret.yaml
  3  no station answers`,
  );

function home(): string | undefined {
  return program.opts<{ home?: string }>().home;
}

/** Runs an action with the terminal in front, and turns what it throws into words, JSON and an exit status. */
function run(load: () => Promise<Action>): (...args: unknown[]) => Promise<void> {
  return async (...args) => {
    const terminal = createTerminal(program.opts<{ json?: boolean }>().json ?? false);
    const chosen = home();
    if (chosen !== undefined) process.env['LAZARET_HOME'] = chosen;
    try {
      const action = await load();
      // Commander appends itself; an action takes its arguments and options only.
      await action(terminal, ...(args.slice(0, -1) as never[]));
    } catch (error) {
      report(terminal, error);
    }
  };
}

function report(terminal: Terminal, error: unknown): void {
  const known = error instanceof CommandError ? error : null;
  const message = error instanceof Error ? error.message : String(error);
  const code = known ? known.code : error instanceof Error && 'code' in error ? String(error.code) : null;
  process.stderr.write(`lazaret: ${message}${code ? ` (${code})` : ''}\n`);
  if (!known && process.env['LAZARET_DEBUG'] && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  if (!terminal.answered()) terminal.result({ error: { code, message } });
  process.exitCode = known?.status ?? EXIT.failed;
}

const station = program.command('station').description('the embedded station: engines and processes on this machine');
station
  .command('up')
  .description('start it and keep it running; Ctrl-C stops everything it started')
  .addHelpText('after', '\nExamples:\n  $ lazaret station up\n  $ lazaret --home /tmp/other station up --anywhere')
  .option('--anywhere', 'free ports instead of the usual ones')
  .action(run(async () => (await import('./station.ts')).up));
station
  .command('status')
  .description('what runs, where, and since when')
  .addHelpText('after', '\nExamples:\n  $ lazaret station status\n  $ lazaret station status --json')
  .action(run(async () => (await import('./station.ts')).status));
station
  .command('prepare')
  .description('buckets and search attributes on a Temporal and an S3 of your own; safe to repeat')
  .addHelpText(
    'after',
    '\nTakes LAZARET_TEMPORAL_… and LAZARET_S3_… from the environment.\n\nExample:\n  $ lazaret station prepare',
  )
  .action(run(async () => (await import('./prepare.ts')).prepare));

station
  .command('provision <folder>')
  .description('keys, credentials and a lazaret.yaml for a station run by other means, such as docker compose')
  .option('--admin <url>', 'admin surface of the gateway', 'http://gateway:8482')
  .option('--inference <url>', 'inference surface of the gateway', 'http://gateway:8481')
  .addHelpText('after', '\nExample:\n  $ lazaret station provision deploy/state')
  .action(run(async () => (await import('./prepare.ts')).provision));

const drill = program.command('drill').description('attacks on a station of your own');
drill
  .command('list')
  .description('the drills there are')
  .addHelpText('after', '\nExample:\n  $ lazaret drill list')
  .action(run(async () => (await import('./drill.ts')).list));
drill
  .command('run <name>')
  .description('run one on the station that is up')
  .option('--data <name>', 'the data set to play it with, of those that `drill list` names')
  .option('--seed <number>', 'another draw of the data, the networks and the attack')
  .addHelpText(
    'after',
    '\nExamples:\n  $ lazaret drill run ledger\n  $ lazaret drill run sticker --data traffic-signs\n  $ lazaret drill run sticker --json | tail -1',
  )
  .action(run(async () => (await import('./drill.ts')).runOne));
program
  .command('demo')
  .description('start a station if none runs, run the drill "sticker", and say where report and evidence are')
  .addHelpText('after', '\nExamples:\n  $ lazaret demo\n  $ lazaret demo --json | tail -1')
  .action(run(async () => (await import('./drill.ts')).demo));

const incident = program.command('incident').description('incidents: what happened, what waits for a person');
const who = (command: Command) =>
  command
    .option('--as <person>', 'who you are in lazaret.yaml', process.env['LAZARET_PERSON'] ?? 'ada')
    .option('--api <url>', 'the API (default: LAZARET_API_URL, or the station that runs here)')
    .option('--token-file <file>', 'your API token (default: LAZARET_TOKEN_FILE, or .lazaret/people/<as>/token)');
who(incident.command('list'))
  .description('newest first')
  .option('--all', 'closed ones too')
  .option('--endpoint <name>', 'of one endpoint')
  .addHelpText('after', '\nExamples:\n  $ lazaret incident list\n  $ lazaret incident list --all --json')
  .action(run(async () => (await import('./incident.ts')).list));
who(incident.command('show <incident>'))
  .description('the whole state of one')
  .addHelpText('after', '\nExample:\n  $ lazaret incident show digits-1a2b3c4d')
  .action(run(async () => (await import('./incident.ts')).show));
who(incident.command('watch <incident>'))
  .description('its timeline, as it happens, until it closes')
  .addHelpText('after', '\nExample:\n  $ lazaret incident watch digits-1a2b3c4d')
  .action(run(async () => (await import('./incident.ts')).watch));
const SIGNS = '\nSigns a statement with your key; the workflow itself verifies it.';

/** The options of every command that signs a person's word. */
function signing(command: Command, reason = true): Command {
  return who(command)
    .option('--role <role>', 'the role you decide in (default: the first one the gate waits for that you hold)')
    .option('--reason <text>', reason ? 'why (required)' : 'why')
    .option('--key <file>', 'your private key, PEM (default: .lazaret/people/<as>/key.pem)')
    .option('--yes', 'do not ask')
    .option('--print', "sign, and write the statement instead of handing it in: for Temporal's page");
}

const verbs = {
  approve: 'approve what a gate waits for',
  reject: 'reject what a gate waits for',
  retry: 'let a failed phase try again',
  skip: 'go on without a failed phase',
  abort: 'end the incident; the endpoint stays in a safe stance',
  cancel: 'cancel the incident at any time; the endpoint stays in a safe stance',
} as const;
for (const [verb, description] of Object.entries(verbs)) {
  signing(incident.command(`${verb} <incident>`), verb !== 'approve' && verb !== 'retry')
    .description(description)
    .option('--digest <digest>', 'refuse unless this is what the gate waits for')
    .addHelpText(
      'after',
      `${SIGNS}\n\nExample:\n  $ lazaret incident ${verb} digits-1a2b3c4d --as ${verb === 'approve' ? 'sol --role security-lead' : 'ada --reason "seen by hand"'}`,
    )
    .action(
      run(async () => {
        const { decide } = await import('./decide.ts');
        return (terminal: Terminal, id: never, options: never) => decide(terminal, verb as never, id, options);
      }),
    );
}

signing(incident.command('severity <incident> <level>'))
  .description(`say how bad it is (${SEVERITIES.join(', ')}), against what the rules say`)
  .addHelpText(
    'after',
    `${SIGNS}\n\nExample:\n  $ lazaret incident severity digits-1a2b3c4d low --as ada --reason "planned load test"`,
  )
  .action(
    run(async () => {
      const { setSeverity } = await import('./decide.ts');
      return setSeverity;
    }),
  );

program
  .command('requests <endpoint>')
  .description('the request log of an endpoint: what was answered, when, to whom, by which model')
  .option('--since <duration>', 'so long ago until now: 90s, 15m, 6h, 2d', '1h')
  .option('--from <time>', 'from this time on (ISO 8601), instead of --since')
  .option('--to <time>', 'up to this time (ISO 8601)')
  .option('--client <name>', 'of this client, by its name or address')
  .option('--digest <sha256:…>', 'of this input, or answered by this model')
  .option('--most <count>', 'at most so many', '100')
  .addHelpText(
    'after',
    `
Examples:
  $ lazaret requests digits --since 15m
  $ lazaret requests digits --client scraper-7 --from 2026-11-21T20:00:00Z --json`,
  )
  .action(run(async () => (await import('./requests.ts')).requests));

const golden = program.command('golden').description('the registry of models that are known to be good');
golden
  .command('register <model>')
  .description('evaluate, profile, sign and register a model as golden')
  .requiredOption('--onnx <file>', 'the model')
  .requiredOption('--dataset <ref.json>', 'reference of the training data set (name, manifest, signature)')
  .option('--holdout <ref.json>', 'reference of the clean data set to measure on; none: the one of the last record')
  .option('--version <version>', 'version of the record (default: the date)')
  .option('--hyperparameters <file>', 'JSON with epochs, batchSize, learningRate, seed')
  .addHelpText(
    'after',
    '\nExample:\n  $ lazaret golden register digits --onnx model.onnx --dataset train.json --holdout holdout.json',
  )
  .action(run(async () => (await import('./golden.ts')).register));
golden
  .command('list [model]')
  .description('the records there are')
  .addHelpText('after', '\nExamples:\n  $ lazaret golden list\n  $ lazaret golden list digits')
  .action(run(async () => (await import('./golden.ts')).list));
golden
  .command('show <model> [version]')
  .description('one record, verified against the trusted keys')
  .addHelpText('after', '\nExample:\n  $ lazaret golden show digits')
  .action(run(async () => (await import('./golden.ts')).show));

program
  .command('sign <model>')
  .description('sign a model file or folder (OpenSSF Model Signing)')
  .requiredOption('--key <file>', 'private key, PEM (P-256)')
  .option('--out <file>', 'where the bundle goes (default: <model>.sigstore.json)')
  .option('--passphrase-file <file>', 'passphrase of the key')
  .addHelpText('after', '\nExample:\n  $ lazaret sign model.onnx --key pipeline.pem --out model.sigstore.json')
  .action(run(async () => (await import('./sign.ts')).sign));
program
  .command('verify <subject> [signature]')
  .description('check an evidence bundle, or a model and its signature (default: <model>.sigstore.json), offline')
  .option('--trust <file>', 'keys you trust (default: .lazaret/trust.json where there is one)')
  .option('--name <name>', 'name of a single model file in its signature, where it was renamed')
  .addHelpText(
    'after',
    '\nNeeds no network and no station.\n\nExamples:\n  $ lazaret verify digits-1a2b3c4d.tar --trust trust.json\n  $ lazaret verify model.onnx --trust trust.json\n  $ lazaret verify model.onnx elsewhere.sigstore.json --trust trust.json',
  )
  .action(run(async () => (await import('./verify.ts')).verify));
program
  .command('examine <suspect.onnx>')
  .description("an incident's analysers on model files: what was done to this model?")
  .option('--golden <file>', 'the model it should be, to compare with')
  .option('--data <file>', '.npy, clean records (records, …), scaled as the model wants them')
  .option('--labels <file>', '.npy, the class index of each clean record')
  .option('--requests <file>', '.npy, what clients sent')
  .option('--records <file>', '.npy, the records that the suspect was trained on')
  .option('--record-labels <file>', '.npy, the class index each of them was given')
  .option('--only <names>', 'analysers by name, separated by commas')
  .addHelpText(
    'after',
    '\nNeeds no network and no station. Status 1 where something speaks against the model.\n\nExamples:\n  $ lazaret examine suspect.onnx --golden golden.onnx\n  $ lazaret examine suspect.onnx --golden golden.onnx --data clean.npy --labels classes.npy --requests captured.npy --json\n  $ lazaret examine suspect.onnx --records train.npy --record-labels given.npy --only poison',
  )
  .action(run(async () => (await import('./examine.ts')).examine));
program
  .command('examine-copy <suspect.onnx>')
  .description('was this model made from ours: copied, pruned, fine-tuned, distilled, extracted?')
  .requiredOption('--own <file>', 'the model that may have been copied')
  .requiredOption('--twins <files...>', 'models trained as the own one was, on its records, from other random numbers')
  .requiredOption('--data <file>', '.npy, records (records, …) of the kind they are for, scaled as they want them')
  .addHelpText(
    'after',
    '\nNeeds no network and no station. Status 1 where the suspect descends from the own model.\n\nExample:\n  $ lazaret examine-copy copy.onnx --own own.onnx --twins twins/*.onnx --data unseen.npy',
  )
  .action(run(async () => (await import('./examine-copy.ts')).examineCopy));
program
  .command('examine-labels')
  .description('which labels of a data set are wrong, from out-of-sample predicted probabilities')
  .requiredOption(
    '--pred-probs <file>',
    '.npy, records × classes: each row by a model that was not trained on that record',
  )
  .requiredOption('--labels <file>', '.npy, one class index per record')
  .option('--top <records>', 'how many flagged records to list for people', '20')
  .addHelpText(
    'after',
    '\nNeeds no network and no station. --json gives a taint probability per record and the cut.\n\nExamples:\n  $ lazaret examine-labels --pred-probs p.npy --labels y.npy\n  $ lazaret examine-labels --pred-probs p.npy --labels y.npy --json | tail -1',
  )
  .action(run(async () => (await import('./examine-labels.ts')).examineLabels));
program
  .command('doctor')
  .description('prove every connection of lazaret.yaml')
  .option('--config <file>', 'lazaret.yaml (default: LAZARET_CONFIG, or that of the station)')
  .addHelpText('after', '\nExamples:\n  $ lazaret doctor\n  $ lazaret doctor --json')
  .action(run(async () => (await import('./doctor.ts')).doctor));

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
}
