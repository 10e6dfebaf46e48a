import type { z } from 'zod';
import type { TrustRoot } from '../../../domain/contracts/approval.ts';
import type { CaseEntry } from '../../../domain/contracts/case-log.ts';
import type { TrustFile } from '../../../domain/contracts/trust.ts';
import { canonicalJson } from '../../../domain/proofs/canonical-json.ts';
import { digestOf } from '../../../domain/proofs/digest.ts';
import { verifyCompactJws } from '../../../domain/proofs/jws.ts';
import { decodeUtf8, parseStrictJson } from '../../../domain/proofs/strict-json.ts';
import { parseEntry } from '../../case-log/entry.ts';
import { loadTrustFile, verificationKeysFor } from '../../keys/trusted-keys.ts';
import type { TrustedKey } from '../../ports.ts';
import {
  bundleCaseSchema,
  bundleKeysSchema,
  FILES,
  MANIFEST_TYPE,
  manifestSchema,
  manifestStatementSchema,
  type BundleCase,
  type BundleKeys,
  type BundleManifest,
  type ManifestStatement,
} from '../form.ts';
import { messageOf, type Log, type Part } from './part.ts';
import { wordsIn, type Word } from './words.ts';

/** A bundle taken apart. Nothing in it is trusted yet but what `statement` says, which the case-log key has signed. */
export interface OpenedBundle {
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly manifest: Part<BundleManifest>;
  readonly machines: Part<readonly TrustedKey[]>;
  readonly people: Part<TrustRoot>;
  readonly statement: Part<ManifestStatement>;
  readonly about: Part<BundleCase>;
  readonly log: Part<Log>;
  readonly words: Part<readonly Word[]>;
}

export interface GivenTrust {
  /** The organisation's `trust.json`. Without it the bundle's own keys are used, which proves nothing but that its parts belong together. */
  readonly trust?: TrustFile;
  /** Who may decide, from the organisation's `lazaret.yaml`. Without it, the people whom the case-log key vouches for in `keys.json`. */
  readonly people?: TrustRoot;
}

export function open(files: ReadonlyMap<string, Uint8Array>, given: GivenTrust): OpenedBundle {
  const manifest = jsonPart(files, FILES.manifest, manifestSchema);
  const keys = jsonPart(files, FILES.keys, bundleKeysSchema);
  const machines = machinesFrom(given.trust ? { value: given.trust } : mapped(keys, (value) => value.machines), given);
  const people = given.people ? { value: given.people } : peopleIn(keys, machines);
  const about = jsonPart(files, FILES.case, bundleCaseSchema);
  const log = 'wrong' in about ? about : logIn(files, about.value);
  return {
    files,
    manifest,
    machines,
    people,
    statement: statementIn(files, machines, given.trust === undefined && keysChanged(files, manifest)),
    about,
    log,
    words: 'wrong' in log ? log : 'wrong' in people ? people : wordsIn(log.value, people.value),
  };
}

/** Services that speak for people are machines: the bundle's people may not bring a voucher that is not among the trusted keys. */
function peopleIn(keys: Part<BundleKeys>, machines: Part<readonly TrustedKey[]>): Part<TrustRoot> {
  if ('wrong' in machines) return machines;
  const vouchers = verificationKeysFor(machines.value, 'vouch');
  return mapped(keys, (value) => ({ ...value.people, vouchers }));
}

function mapped<T, U>(part: Part<T>, to: (value: T) => U): Part<U> {
  return 'wrong' in part ? part : { value: to(part.value) };
}

/** JSON in its one canonical text, of the given form. */
function jsonPart<T>(files: ReadonlyMap<string, Uint8Array>, place: string, schema: z.ZodType<T>): Part<T> {
  const bytes = files.get(place);
  if (!bytes) return { wrong: 'it is not there', place };
  try {
    const text = decodeUtf8(bytes);
    const value = parseStrictJson(text);
    if (canonicalJson(value) !== text) return { wrong: 'it is not in canonical form', place };
    const parsed = schema.safeParse(value);
    if (parsed.success) return { value: parsed.data };
    const [issue] = parsed.error.issues;
    return { wrong: `it is wrong at ${issue?.path.join('.') || 'its top'}: ${issue?.message ?? 'unknown'}`, place };
  } catch {
    return { wrong: 'it is not JSON', place };
  }
}

function machinesFrom(file: Part<TrustFile>, given: GivenTrust): Part<readonly TrustedKey[]> {
  if ('wrong' in file) return file;
  try {
    return { value: loadTrustFile(file.value) };
  } catch (error) {
    return { wrong: messageOf(error), place: given.trust ? 'the trust file that was given' : FILES.keys };
  }
}

/** Where the signature fails because the bundle's own keys were changed, the keys are the place to name. */
function keysChanged(files: ReadonlyMap<string, Uint8Array>, manifest: Part<BundleManifest>): boolean {
  const listed = 'value' in manifest ? manifest.value.files.find((file) => file.path === FILES.keys) : undefined;
  const bytes = files.get(FILES.keys);
  return listed !== undefined && bytes !== undefined && digestOf(bytes) !== listed.digest;
}

function statementIn(
  files: ReadonlyMap<string, Uint8Array>,
  machines: Part<readonly TrustedKey[]>,
  keysAreChanged: boolean,
): Part<ManifestStatement> {
  if ('wrong' in machines) return machines;
  const place = keysAreChanged ? FILES.keys : FILES.signature;
  const bytes = files.get(FILES.signature);
  if (!bytes) return { wrong: 'it is not there', place };
  try {
    const keys = verificationKeysFor(machines.value, 'bundle');
    return {
      value: manifestStatementSchema.parse(verifyCompactJws(decodeUtf8(bytes), { typ: MANIFEST_TYPE, keys }).payload),
    };
  } catch (error) {
    return { wrong: messageOf(error), place };
  }
}

function logIn(files: ReadonlyMap<string, Uint8Array>, { incident, head }: BundleCase): Part<Log> {
  const entries: CaseEntry[] = [];
  const leaves: Uint8Array[] = [];
  for (let seq = 0; seq < head.size; seq += 1) {
    const place = FILES.entry(seq);
    const bytes = files.get(place);
    if (!bytes) return { wrong: `entry ${seq} of ${head.size} is missing`, place };
    const entry = parseEntry(bytes, incident, seq);
    if ('wrong' in entry) return { wrong: `the entry ${entry.wrong}`, place };
    entries.push(entry);
    leaves.push(bytes);
  }
  return { value: { entries, leaves } };
}
