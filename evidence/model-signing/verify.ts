import type { KeyUse } from '../../domain/contracts/trust.ts';
import { decodeUtf8, parseStrictJson } from '../../domain/proofs/strict-json.ts';
import { verifyBy } from '../keys/trusted-keys.ts';
import type { TrustedKey } from '../ports.ts';
import { openEnvelope } from '../statements/dsse.ts';
import { bundleSchema, hintOf, omsStatementSchema, type Bundle, type OmsStatement } from './bundle.ts';
import { compareNames, isCanonicalName, repeatedName, resourcesOf, rootDigestOf, type ModelFile } from './resources.ts';

export type ModelSignatureCheck =
  | 'bundle-form'
  | 'trusted-key'
  | 'key-use'
  | 'signature'
  | 'statement-form'
  | 'serialization'
  | 'resource-algorithm'
  | 'resource-names'
  | 'root-digest'
  | 'files-given-once'
  | 'files-all-present'
  | 'files-all-signed'
  | 'files-unchanged';

/** A model that is not to be loaded. `check` names the check that failed; the message says it for people. */
export class ModelSignatureRefused extends Error {
  readonly check: ModelSignatureCheck;
  constructor(check: ModelSignatureCheck, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'ModelSignatureRefused';
    this.check = check;
  }
}

/**
 * Verifies an OMS bundle over the very bytes that are about to be loaded, in the order below. The bundle is an attacker's text until its
 * signature holds, and names nothing that is trusted: the hint only says which of `keys` to try. `files` MUST be exactly the signed
 * resources, so `ignore_paths` excuses nothing. Only SHA-256 over whole files; shards are refused. Throws ModelSignatureRefused.
 */
export function verifyModel(
  bundle: Uint8Array,
  files: readonly ModelFile[],
  keys: readonly TrustedKey[],
  use: KeyUse,
): { keyId: string; keyName: string } {
  const { verificationMaterial, dsseEnvelope } = readBundle(bundle);
  const key = trustedFor(verificationMaterial.publicKey.hint, keys, use);
  const { payload, message, signature } = open(dsseEnvelope);
  if (!verifyBy(key, message, signature)) throw refused('signature', 'the signature of the model does not verify');
  const statement = readStatement(payload);
  checkStatement(statement);
  checkFiles(statement, files);
  return { keyId: key.kid, keyName: key.name };
}

function readBundle(bytes: Uint8Array): Bundle {
  try {
    return bundleSchema.parse(parseStrictJson(decodeUtf8(bytes)));
  } catch (cause) {
    throw refused('bundle-form', 'not an OMS bundle signed by a key', cause);
  }
}

function trustedFor(hint: string, keys: readonly TrustedKey[], use: KeyUse): TrustedKey {
  const named = keys.filter((key) => key.alg === 'ES256' && hintOf(key.publicKeyPem) === hint);
  if (named.length === 0) throw refused('trusted-key', 'the key that signed the model is not trusted');
  const key = named.find((candidate) => candidate.uses.includes(use));
  if (!key) throw refused('key-use', `the key "${named[0]?.name ?? hint}" is trusted, but not for ${use}`);
  return key;
}

function open(envelope: Bundle['dsseEnvelope']): ReturnType<typeof openEnvelope> {
  try {
    return openEnvelope(envelope);
  } catch (cause) {
    throw refused('bundle-form', 'payload or signature is not base64', cause);
  }
}

function readStatement(payload: Uint8Array): OmsStatement {
  try {
    return omsStatementSchema.parse(parseStrictJson(decodeUtf8(payload)));
  } catch (cause) {
    throw refused('statement-form', 'the signed statement is not an OMS statement v1.0', cause);
  }
}

function checkStatement({ subject, predicate: { resources, serialization } }: OmsStatement): void {
  if (serialization.method !== 'files' || serialization.shard_size !== undefined)
    throw refused('serialization', `whole files are supported, not the method ${JSON.stringify(serialization.method)}`);
  if (serialization.hash_type !== 'sha256') throw refused('serialization', 'the only hash that is accepted is sha256');
  const foreign = resources.find(({ algorithm, digest }) => algorithm !== 'sha256' || !/^[0-9a-f]{64}$/.test(digest));
  if (foreign) throw refused('resource-algorithm', `the resource ${JSON.stringify(foreign.name)} has no sha256 digest`);
  const outside = resources.find(({ name }) => !isCanonicalName(name) && !isWholeModel(resources));
  if (outside) throw refused('resource-names', `${JSON.stringify(outside.name)} is not a path inside the model`);
  const twice = repeatedName(resources);
  if (twice !== null) throw refused('resource-names', `the resource ${JSON.stringify(twice)} is listed twice`);
  if (resources.some(({ name }, index) => index > 0 && compareNames(resources[index - 1]?.name ?? '', name) > 0))
    throw refused('resource-names', 'the resources are not sorted');
  if (rootDigestOf(resources) !== subject[0].digest.sha256)
    throw refused('root-digest', 'the root digest is not that of the listed resources');
}

function checkFiles({ predicate: { resources } }: OmsStatement, files: readonly ModelFile[]): void {
  const twice = repeatedName(files);
  if (twice !== null) throw refused('files-given-once', `the file ${JSON.stringify(twice)} is given twice`);
  const given = new Map(resourcesOf(files).map((file) => [file.name, file.digest]));
  const [only] = files;
  const nameOf = (name: string) => (isWholeModel(resources) && files.length === 1 && only ? only.name : name);
  const signed = new Map(resources.map((resource) => [nameOf(resource.name), resource.digest]));
  for (const name of signed.keys())
    if (!given.has(name)) throw refused('files-all-present', `the signed file ${JSON.stringify(name)} is missing`);
  for (const name of given.keys())
    if (!signed.has(name)) throw refused('files-all-signed', `the file ${JSON.stringify(name)} is not signed`);
  for (const [name, digest] of given)
    if (signed.get(name) !== digest)
      throw refused('files-unchanged', `the file ${JSON.stringify(name)} is not the one that was signed`);
}

/**
 * The reference implementation (1.1) lists the file of a single-file model as `.`, where the specification (6.1.2) asks for its basename. It
 * means "the model is this one file", so it is taken for the one file that is given, whatever its name; never beside other resources.
 */
function isWholeModel(resources: readonly { readonly name: string }[]): boolean {
  return resources.length === 1 && resources[0]?.name === '.';
}

function refused(check: ModelSignatureCheck, message: string, cause?: unknown): ModelSignatureRefused {
  return new ModelSignatureRefused(check, message, { cause });
}
