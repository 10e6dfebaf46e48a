import { canonicalJson } from '../../domain/proofs/canonical-json.ts';
import type { Signer } from '../ports.ts';
import { sealEnvelope } from '../statements/dsse.ts';
import { STATEMENT_TYPE } from '../statements/statement.ts';
import { BUNDLE_MEDIA_TYPE, hintOf, OMS_PREDICATE, type Bundle, type OmsStatement } from './bundle.ts';
import { isCanonicalName, repeatedName, resourcesOf, rootDigestOf, type ModelFile } from './resources.ts';

/**
 * Signs a model's files as an OMS bundle (JSON, UTF-8), method `key`, with a P-256 key: the reference implementation takes no Ed25519.
 * `subject` is a name for people (the model's folder); a single file gives its own. Throws TypeError on files that cannot be signed.
 */
export function signModel(
  files: readonly ModelFile[],
  signer: Signer,
  options: { readonly subject?: string } = {},
): Uint8Array {
  if (signer.alg !== 'ES256') throw new TypeError('model signatures take a P-256 key (ES256)');
  const [first] = files;
  if (!first) throw new TypeError('a model has at least one file');
  const bad = files.find((file) => !isCanonicalName(file.name));
  if (bad) throw new TypeError(`not a canonical path inside the model: ${JSON.stringify(bad.name)}`);
  const twice = repeatedName(files);
  if (twice !== null) throw new TypeError(`the file ${JSON.stringify(twice)} is given twice`);

  const resources = resourcesOf(files);
  const name = options.subject ?? (files.length === 1 ? (first.name.split('/').at(-1) ?? first.name) : 'model');
  const statement: OmsStatement = {
    _type: STATEMENT_TYPE,
    subject: [{ name, digest: { sha256: rootDigestOf(resources) } }],
    predicateType: OMS_PREDICATE,
    predicate: {
      resources: [...resources],
      serialization: { method: 'files', hash_type: 'sha256', allow_symlinks: false, ignore_paths: [] },
    },
  };
  const bundle: Bundle = {
    mediaType: BUNDLE_MEDIA_TYPE,
    verificationMaterial: { publicKey: { hint: hintOf(signer.publicKeyPem) }, tlogEntries: [] },
    // The reference implementation writes an empty keyid; the key is named by the hint.
    dsseEnvelope: sealEnvelope(new TextEncoder().encode(canonicalJson(statement)), '', (message) =>
      signer.sign(message, { der: true }),
    ),
  };
  return new TextEncoder().encode(canonicalJson(bundle));
}
