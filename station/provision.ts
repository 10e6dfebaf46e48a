import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { digestOf } from '../domain/proofs/digest.ts';
import { generateKey } from '../evidence/keys/key-material.ts';
import { createSigner, publicKeyOf, trustedKeyOf } from '../evidence/keys/signer.ts';
import { loadTrustFile, trustFileOf } from '../evidence/keys/trusted-keys.ts';
import type { Signer, TrustedKey } from '../evidence/ports.ts';
import { provisionCredentials } from './credentials.ts';
import { defaultConfiguration, followPorts, type ConfiguredPerson, type Surfaces } from './default-configuration.ts';
import { KEYRING, PEOPLE, keyFile } from './identities.ts';
import type { StationPaths } from './paths.ts';
import type { ChosenPorts } from './ports.ts';

/** Makes what a first start needs and keeps what is there: a second start changes nothing. */
export function provision(paths: StationPaths, surfaces: Surfaces): void {
  for (const folder of [paths.keys, paths.people, paths.gateway]) mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const folder of [paths.logs, paths.s3Root, paths.s3Versions, paths.notifications, paths.reports])
    mkdirSync(folder, { recursive: true });
  provisionCredentials(paths.credentials);
  const keys = KEYRING.map((entry) =>
    trustedKeyOf(provisionKey(keyFile(paths, entry), entry.title, entry.alg), entry.uses),
  );
  writeTrust(paths.trust, keys);
  const people = PEOPLE.map((person) => provisionPerson(paths, person));
  if (!existsSync(paths.configuration)) writeFileSync(paths.configuration, defaultConfiguration(surfaces, people));
}

/** The station's own keys beside those the user added; a key that a newer version brings is added to the file of an older one. */
function writeTrust(file: string, own: readonly TrustedKey[]): void {
  const listed = existsSync(file) ? loadTrustFile(readFileSync(file, 'utf8')) : [];
  const missing = own.filter((key) => !listed.some((other) => other.kid === key.kid));
  if (missing.length === 0) return;
  writeFileSync(file, `${JSON.stringify(trustFileOf([...listed, ...missing]), null, 2)}\n`);
}

function provisionPerson(paths: StationPaths, person: (typeof PEOPLE)[number]): ConfiguredPerson {
  const signer = provisionKey(join(paths.people, person.id, 'key.pem'), person.name, 'EdDSA');
  const tokenFile = join(paths.people, person.id, 'token');
  if (!existsSync(tokenFile)) writeSecret(tokenFile, randomBytes(32).toString('base64url'));
  return { ...person, key: publicKeyOf(signer), tokenDigest: digestOf(readFileSync(tokenFile, 'utf8').trim()) };
}

function provisionKey(file: string, name: string, alg: 'EdDSA' | 'ES256'): Signer {
  if (!existsSync(file)) writeSecret(file, generateKey(alg).privatePem);
  return createSigner({ name, privatePem: readFileSync(file, 'utf8') });
}

function writeSecret(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(file, text, { mode: 0o600, flag: 'wx' });
}

/** Keeps the addresses of lazaret.yaml true when a port had to move. */
export function follow(file: string, { ports, moved }: ChosenPorts): void {
  if (moved.length === 0 || !existsSync(file)) return;
  const before = { ...ports };
  for (const { name, from } of moved) before[name] = from;
  writeFileSync(file, followPorts(readFileSync(file, 'utf8'), before, ports));
}
