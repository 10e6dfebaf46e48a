import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { createSigner } from '../evidence/keys/signer.ts';
import type { ModelFile } from '../evidence/model-signing/resources.ts';
import { signModel } from '../evidence/model-signing/sign.ts';
import { CommandError, EXIT } from './exit.ts';
import type { Terminal } from './terminal.ts';

export async function sign(
  terminal: Terminal,
  model: string,
  options: { key: string; out?: string; passphraseFile?: string },
): Promise<void> {
  const files = modelFiles(model);
  const out = options.out ?? signatureBeside(model);
  const signer = createSigner({
    name: basename(options.key, '.pem'),
    privatePem: text(options.key),
    ...(options.passphraseFile ? { passphrase: text(options.passphraseFile).trim() } : {}),
  });
  if (signer.alg !== 'ES256')
    throw new CommandError(EXIT.usage, `${options.key} is not a P-256 key, and model signatures take no other`);
  writeFileSync(out, signModel(files, signer, { subject: basename(model) }));
  terminal.say(`${files.length} file${files.length === 1 ? '' : 's'} signed by key ${signer.kid}: ${out}`);
  terminal.result({ signature: out, kid: signer.kid, files: files.map(({ name }) => name) });
  await Promise.resolve();
}

/** Where a model's signature goes when nobody says where. */
export function signatureBeside(model: string): string {
  return `${model.replace(/\/+$/, '')}.sigstore.json`;
}

/** A single file under its basename, or every file below a folder by its path in it. Links are not followed: what they lead to can change. */
export function modelFiles(path: string): readonly ModelFile[] {
  if (!existsSync(path)) throw new CommandError(EXIT.usage, `there is no model at ${path}`);
  if (!statSync(path).isDirectory()) return [{ name: basename(path), bytes: readFileSync(path) }];
  const entries = readdirSync(path, { recursive: true, withFileTypes: true });
  const link = entries.find((entry) => entry.isSymbolicLink());
  if (link)
    throw new CommandError(
      EXIT.usage,
      `${join(link.parentPath, link.name)} is a link; a model is signed as plain files`,
    );
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const file = join(entry.parentPath, entry.name);
      return { name: file.slice(join(path, '/').length), bytes: readFileSync(file) };
    });
}

export function text(file: string): string {
  if (!existsSync(file)) throw new CommandError(EXIT.usage, `there is no file ${file}`);
  return readFileSync(file, 'utf8');
}
