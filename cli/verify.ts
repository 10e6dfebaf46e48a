import { existsSync, readFileSync, statSync } from 'node:fs';
import { trustFileSchema, type TrustFile } from '../domain/contracts/trust.ts';
import { verifyBundle, type VerificationReport } from '../evidence/bundle/verify.ts';
import { loadTrustFile } from '../evidence/keys/trusted-keys.ts';
import { ModelSignatureRefused, verifyModel } from '../evidence/model-signing/verify.ts';
import { stationPaths } from '../station/paths.ts';
import { CommandError, EXIT } from './exit.ts';
import { modelFiles, signatureBeside, text } from './sign.ts';
import { faint, mark, plain, strong, type Terminal } from './terminal.ts';

interface VerifyOptions {
  readonly trust?: string;
  readonly name?: string;
}

/** Offline. An evidence bundle; or a model (file or folder) and its signature, which `sign` leaves beside it. */
export async function verify(
  terminal: Terminal,
  subject: string,
  signature: string | undefined,
  options: VerifyOptions,
): Promise<void> {
  const trust = trustOf(options.trust);
  const given = signature ?? [signatureBeside(subject)].find(existsSync);
  if (given === undefined) bundle(terminal, subject, trust);
  else model(terminal, subject, given, trust, options.name);
  await Promise.resolve();
}

interface GivenTrust {
  readonly file: string;
  readonly keys: TrustFile;
}

function bundle(terminal: Terminal, file: string, trust: GivenTrust | null): void {
  if (!existsSync(file)) throw new CommandError(EXIT.usage, `there is no bundle at ${file}`);
  if (statSync(file).isDirectory() || file.endsWith('.onnx'))
    throw new CommandError(EXIT.usage, `${file} is a model: name its signature too, "verify <model> <signature>"`);
  const report = verifyBundle(readFileSync(file), trust ? { trust: trust.keys } : {});
  terminal.result({ ...report, trustFile: trust?.file ?? null });
  for (const line of portrait(report, trust)) terminal.say(line);
  if (!report.ok) process.exitCode = EXIT.failed;
}

function portrait(report: VerificationReport, trust: GivenTrust | null): readonly string[] {
  const about = report.case;
  const checks = report.checks.flatMap((check) => [
    `${mark(check.passed)} ${check.id.padEnd(20)} ${plain(check.promise)}`,
    check.passed ? `  ${faint(plain(check.detail))}` : `  ${strong(plain(check.place ?? ''))}: ${plain(check.detail)}`,
  ]);
  const foreign = [
    '',
    strong(
      'Checked with the keys that came with the bundle: its parts belong together, but that says not whose they are.',
    ),
    'Give the keys you trust with --trust, or compare these fingerprints with the organisation:',
    ...report.fingerprints.map(({ name, kid, fingerprint }) => `  ${kid}  ${fingerprint}  ${plain(name)}`),
  ];
  return [
    ...(about
      ? [
          `${strong(plain(about.incident))}, endpoint ${plain(about.endpoint)}, ${about.outcome ?? 'still open'}, ${about.head.size} log entries`,
        ]
      : []),
    ...checks,
    ...report.absent.map(({ digest, reason }) => `  ${faint(`not in the bundle: ${digest} (${reason})`)}`),
    ...(trust ? ['', faint(`keys trusted: ${trust.file}`)] : foreign),
    '',
    report.ok
      ? strong('The bundle holds every promise.')
      : strong(
          `${report.checks.filter((check) => !check.passed).length} of ${report.checks.length} promises are not kept.`,
        ),
  ];
}

function model(terminal: Terminal, path: string, signature: string, trust: GivenTrust | null, name?: string): void {
  if (!trust) throw new CommandError(EXIT.usage, 'a model is checked against keys you trust: name them with --trust');
  if (!existsSync(signature)) throw new CommandError(EXIT.usage, `there is no signature at ${signature}`);
  const found = modelFiles(path);
  const [only] = found;
  const files = name !== undefined && found.length === 1 && only ? [{ name, bytes: only.bytes }] : found;
  try {
    const by = verifyModel(readFileSync(signature), files, loadTrustFile(trust.keys), 'model');
    terminal.say(
      `${mark(true)} ${files.length} file${files.length === 1 ? '' : 's'}, signed by ${by.keyName} (${by.keyId})`,
    );
    terminal.result({ ok: true, ...by, files: files.map((file) => file.name), trustFile: trust.file });
  } catch (error) {
    if (!(error instanceof ModelSignatureRefused)) throw error;
    terminal.result({ ok: false, check: error.check, message: error.message, trustFile: trust.file });
    throw new CommandError(EXIT.failed, error.message, { code: `model-signature/${error.check}`, cause: error });
  }
}

function trustOf(named: string | undefined): GivenTrust | null {
  const usual = stationPaths().trust;
  const file = named ?? process.env['LAZARET_TRUST_FILE'] ?? (existsSync(usual) ? usual : null);
  if (file === null) return null;
  let value: unknown;
  try {
    value = JSON.parse(text(file));
  } catch (cause) {
    if (cause instanceof CommandError) throw cause;
    throw new CommandError(EXIT.usage, `${file} is not JSON`, { cause });
  }
  const parsed = trustFileSchema.safeParse(value);
  if (!parsed.success)
    throw new CommandError(EXIT.usage, `${file} is no trust file: ${parsed.error.issues[0]?.message ?? 'wrong form'}`);
  return { file, keys: parsed.data };
}
