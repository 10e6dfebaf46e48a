import { createHash, createPublicKey } from 'node:crypto';
import type { VerificationKey } from '../../../domain/contracts/approval.ts';
import type { OpenedBundle } from './opened.ts';

export interface KeyFingerprint {
  readonly holder: 'machine' | 'person';
  readonly name: string;
  readonly kid: string;
  /** What a machine's key may vouch for, or the roles a person decides in. */
  readonly uses: readonly string[];
  /** `SHA256:` and the hex of SHA-256 over the key's SubjectPublicKeyInfo in DER. */
  readonly fingerprint: string;
}

/** Every key that the checks rest on, for a person to compare with what the organisation says its keys are. */
export function fingerprintsOf({ machines, people }: OpenedBundle): readonly KeyFingerprint[] {
  const ofMachines = 'wrong' in machines ? [] : machines.value;
  const ofPeople = 'wrong' in people ? [] : people.value.people;
  return [
    ...ofMachines.map(({ name, kid, uses, publicKeyPem }): KeyFingerprint => {
      const der = createPublicKey(publicKeyPem).export({ type: 'spki', format: 'der' });
      return { holder: 'machine', name, kid, uses, fingerprint: fingerprint(der) };
    }),
    ...ofPeople.flatMap(({ name, roles, keys }) =>
      keys.map((key): KeyFingerprint => {
        return { holder: 'person', name, kid: key.kid, uses: roles, fingerprint: fingerprint(spkiOf(key)) };
      }),
    ),
  ];
}

/** What stands before the raw key in its SubjectPublicKeyInfo (RFC 8410 section 4, RFC 5480 section 2). */
const SPKI_PREFIX = {
  EdDSA: '302a300506032b6570032100',
  ES256: '3059301306072a8648ce3d020106082a8648ce3d030107034200',
} as const;

function spkiOf({ alg, raw }: VerificationKey): Uint8Array {
  return Buffer.from(SPKI_PREFIX[alg] + raw, 'hex');
}

function fingerprint(der: Uint8Array): string {
  return `SHA256:${createHash('sha256').update(der).digest('hex')}`;
}
